//! Every layer of the model's test vectors, compared with the hashes that the image carries.

use runtime::Model;

runtime::embed_model!(mod digits, "../../runtime/models/mnist.edge8");

/// All memory that the test needs, stack apart.
#[derive(Debug)]
pub struct Memory {
    arena: digits::Arena,
    output: [i8; digits::OUTPUT_LEN],
}

impl Memory {
    /// Zeros.
    pub const fn new() -> Self {
        Self { arena: digits::Arena::new(), output: [0; digits::OUTPUT_LEN] }
    }
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every layer of every vector has the host's bits.
    Equal,
    /// A layer or an output differs.
    Different,
    /// The image was refused or carries no test vector.
    Refused,
}

impl Verdict {
    /// One line for the person who watches.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Equal => "every layer of every test vector is equal to the host's",
            Self::Different => "a layer differs from the host's",
            Self::Refused => "the model image was refused or has no test vectors",
        }
    }
}

/// Parses the embedded model and runs its test vectors.
pub fn run(memory: &mut Memory) -> Verdict {
    let Ok(model) = Model::parse(digits::IMAGE) else { return Verdict::Refused };
    let Ok(vectors) = model.test_vectors() else { return Verdict::Refused };
    let mut verdict = Verdict::Refused;
    for vector in vectors {
        match model.first_difference(&vector, memory.arena.bytes(), &mut memory.output) {
            Ok(None) => verdict = Verdict::Equal,
            Ok(Some(_)) => return Verdict::Different,
            Err(_) => return Verdict::Refused,
        }
    }
    verdict
}
