//! A model image inside the program: aligned, checked as far as the compiler can, with its sizes as constants.

use crate::checksum::{self, Crc32};
use crate::format::{self, RECORD_LEN, SECTION_LEN, TENSOR_LEN, header};
use crate::operator::{Kinds, Operator, Record};

/// What an image states of itself.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Bytes of arena that a run needs.
    pub arena_len: usize,
    /// Values of all inputs.
    pub input_len: usize,
    /// Values of all outputs.
    pub output_len: usize,
    /// Kinds of the operators, and whether some have unusual forms.
    pub kinds: Kinds,
}

impl Facts {
    /// Checks magic, version, length and checksum of an image while the program is compiled, and reads its sizes.
    ///
    /// # Panics
    /// If the image is not as the format says; in a constant that is a compile error, which names what is wrong.
    pub const fn of(image: &[u8]) -> Self {
        assert!(
            image.len() >= header::LEN && le(image, 0, 8) == u64::from_le_bytes(format::MAGIC),
            "not a model image: it does not begin with the bytes of an .edge8 file"
        );
        assert!(
            le(image, header::VERSION, 2) == format::VERSION as u64,
            "the model image has another format version than this library reads: make it again with its quantizer"
        );
        assert!(
            le(image, header::IMAGE_LEN, 4) == image.len() as u64,
            "the model image is shorter or longer than its header says: the file was cut or padded"
        );
        assert!(
            le(image, header::CHECKSUM, 4) == checksum_of(image) as u64,
            "the model image does not match its checksum: it was damaged, copy it again"
        );
        let inputs = le(image, header::INPUTS, 2) as usize;
        let outputs = le(image, header::OUTPUTS, 2) as usize;
        let outputs_at = header::LEN + inputs * TENSOR_LEN;
        Self {
            arena_len: le(image, header::ARENA_LEN, 4) as usize,
            input_len: len(image, header::LEN, inputs),
            output_len: len(image, outputs_at, outputs),
            kinds: kinds(image, outputs_at + outputs * TENSOR_LEN),
        }
    }
}

/// The checksum of an image, its own field read as zero.
const fn checksum_of(image: &[u8]) -> u32 {
    let (before, rest) = image.split_at(header::CHECKSUM);
    let (_, after) = rest.split_at(4);
    checksum::constant(checksum::constant(checksum::constant(Crc32::START, before), &[0; 4]), after)
        ^ u32::MAX
}

/// Values of some tensors whose records lie side by side.
const fn len(image: &[u8], at: usize, count: usize) -> usize {
    let (mut values, mut index) = (0, 0);
    while index < count {
        let record = at + index * TENSOR_LEN;
        values += (le(image, record + 4, 2) * le(image, record + 6, 2) * le(image, record + 8, 2)) as usize;
        index += 1;
    }
    values
}

/// Kinds of the operators; the section table begins at `table`.
const fn kinds(image: &[u8], table: usize) -> Kinds {
    let (mut kinds, mut section) = (0, 0);
    while section < le(image, header::SECTIONS, 4) as usize {
        let entry = table + section * SECTION_LEN;
        if le(image, entry, 4) == format::section::OPERATORS as u64 {
            let mut at = le(image, entry + 4, 4) as usize;
            let end = at + le(image, entry + 8, 4) as usize;
            while at < end {
                let record = record(image, at);
                // Whether the library knows the kind is seen when the image is parsed.
                kinds |= 1 << (le(record, 0, 2) & 63) | if Operator::is_usual(record) { 0 } else { 1 };
                at += RECORD_LEN;
            }
        }
        section += 1;
    }
    kinds
}

const fn record(image: &[u8], at: usize) -> &Record {
    match image.split_at(at).1.first_chunk() {
        Some(record) => record,
        None => panic!("the model image's operators reach beyond its end"),
    }
}

const fn le(bytes: &[u8], at: usize, len: usize) -> u64 {
    let mut value = 0;
    let mut index = len;
    while index > 0 {
        index -= 1;
        value = value << 8 | bytes[at + index] as u64;
    }
    value
}

/// Embeds a model image: `embed_model!(pub mod digits, "digits.edge8");` makes a module with
///
/// * `model()`, which parses it: the program has code for its kinds of operators and no others;
/// * `IMAGE: &[u8]`, the file, aligned to 16 bytes;
/// * `ARENA_LEN`, `INPUT_LEN`, `OUTPUT_LEN: usize`, as the file's header states them;
/// * `Arena`, a buffer of `ARENA_LEN` bytes, aligned to 16.
///
/// Magic, version, length and checksum of the file are checked while the program is compiled. The path is relative to the file
/// that the macro is used in, as for `include_bytes!`.
///
/// ```
/// edge8::embed_model!(mod digits, concat!(env!("CARGO_MANIFEST_DIR"), "/../models/mnist_small.edge8"));
///
/// static ARENA: std::sync::Mutex<digits::Arena> = std::sync::Mutex::new(digits::Arena::new());
/// let model = digits::model()?;
/// let mut output = [0; digits::OUTPUT_LEN];
/// model.run(&[-128; digits::INPUT_LEN], ARENA.lock().unwrap().bytes(), &mut output)?;
/// # Ok::<(), edge8::Error>(())
/// ```
#[macro_export]
macro_rules! embed_model {
    ($visibility:vis mod $name:ident, $path:expr) => {
        /// An embedded model image.
        #[allow(dead_code)]
        $visibility mod $name {
            static ALIGNED: &$crate::Aligned<[u8]> = &$crate::Aligned(*include_bytes!($path));
            /// The model image.
            pub static IMAGE: &[u8] = &ALIGNED.0;
            /// The image is as long as it is: the checksum takes its time.
            #[allow(long_running_const_eval)]
            const FACTS: $crate::internal::Facts = $crate::internal::Facts::of(&ALIGNED.0);
            /// Bytes of arena that a run needs.
            pub const ARENA_LEN: usize = FACTS.arena_len;
            /// Values of all input tensors.
            pub const INPUT_LEN: usize = FACTS.input_len;
            /// Values of all output tensors.
            pub const OUTPUT_LEN: usize = FACTS.output_len;
            /// Checks the image, see [`Model::parse`]($crate::Model::parse).
            ///
            /// # Errors
            /// As that has them.
            pub fn model() -> Result<$crate::Model<'static>, $crate::Error> {
                $crate::Model::parse_as::<{ FACTS.kinds }>(IMAGE)
            }
            /// Memory for a run. It is large: make it a `static`, not a local variable.
            pub type Arena = $crate::Aligned<[u8; ARENA_LEN]>;
        }
    };
}
