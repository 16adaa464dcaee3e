//! The model proves itself: every layer of its test vectors has the host's bits, and a picture takes the whole way.

use crate::camera;
use edge8::Model;
use edge8_preprocess::Picture;
use edge8_preprocess::digit::{self, Workspace};

edge8::embed_model!(mod digits, "../../../../../runtime/models/mnist.edge8");

/// All memory that the test needs, stack apart.
#[derive(Debug)]
pub struct Memory {
    arena: digits::Arena,
    workspace: Workspace,
    pixels: [u8; digits::INPUT_LEN],
    input: [i8; digits::INPUT_LEN],
    output: [i8; digits::OUTPUT_LEN],
}

impl Memory {
    /// Zeros.
    pub const fn new() -> Self {
        Self {
            arena: digits::Arena::new(),
            workspace: Workspace::new(),
            pixels: [0; digits::INPUT_LEN],
            input: [0; digits::INPUT_LEN],
            output: [0; digits::OUTPUT_LEN],
        }
    }
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every layer of every vector has the host's bits, and each vector's picture reads as the vector does.
    Equal,
    /// A layer or an output differs.
    Different,
    /// A test vector's input, taken as a picture, reads differently.
    Misread,
    /// The image was refused, or carries no test vector or no recipe.
    Refused,
}

impl Verdict {
    /// One line for the person who watches.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Equal => {
                "every layer of every test vector is equal to the host's, every picture is read right"
            }
            Self::Different => "a layer differs from the host's",
            Self::Misread => "a picture is read differently from its test vector",
            Self::Refused => "the model image was refused, or has no test vectors or no recipe",
        }
    }
}

/// Parses the embedded model, runs its test vectors, and reads each vector's input once more as a picture.
pub fn run(memory: &mut Memory) -> Verdict {
    check(memory).unwrap_or(Verdict::Refused)
}

/// [`None`] where the model lacks something.
fn check(memory: &mut Memory) -> Option<Verdict> {
    let model = digits::model().ok()?;
    let recipe = model.recipe().ok()?.digit()?;
    let side = usize::from(recipe.framing().side);
    if !camera::has_the_bits_of_the_host() {
        return Some(Verdict::Different);
    }
    let mut verdict = Verdict::Refused;
    for vector in model.test_vectors().ok()? {
        if model.first_difference(&vector, memory.arena.bytes(), &mut memory.output).ok()?.is_some() {
            return Some(Verdict::Different);
        }
        for (pixel, &value) in memory.pixels.iter_mut().zip(vector.input) {
            *pixel = value.wrapping_sub(i8::MIN) as u8;
        }
        let picture = Picture::new(side, side, &memory.pixels).ok()?;
        digit::apply(&recipe, &picture, memory.workspace.bytes(), edge8::bytes_of_mut(&mut memory.input))
            .ok()?;
        model.run(&memory.input, memory.arena.bytes(), &mut memory.output).ok()?;
        if Model::class(&memory.output) != Model::class(vector.output) {
            return Some(Verdict::Misread);
        }
        verdict = Verdict::Equal;
    }
    Some(verdict)
}
