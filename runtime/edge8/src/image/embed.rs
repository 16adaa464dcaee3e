//! A model image inside the program: aligned, with its sizes as constants.

use super::layout::{self, header, operator, record};
use crate::operator::{Kinds, Window, usual};
use crate::tensor::Shape;

/// Bytes at an address that is a multiple of 16.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(
    /// The bytes.
    pub T,
);

impl<const N: usize> Aligned<[u8; N]> {
    /// Zeros.
    pub const fn new() -> Self {
        Self([0; N])
    }

    /// The bytes, to pass to [`Model::run`](crate::Model::run) as the arena.
    pub const fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl<const N: usize> Default for Aligned<[u8; N]> {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes of arena that an image states, at compile time.
///
/// # Panics
/// If the image is shorter than its header; in a constant that is a compile error.
pub const fn arena_len(image: &[u8]) -> usize {
    le(image, header::ARENA_LEN, 4)
}

/// Values of the input that an image states, at compile time.
///
/// # Panics
/// As [`arena_len`].
pub const fn input_len(image: &[u8]) -> usize {
    tensor_len(image, header::INPUT)
}

/// Values of the output that an image states, at compile time.
///
/// # Panics
/// As [`arena_len`].
pub const fn output_len(image: &[u8]) -> usize {
    tensor_len(image, header::OUTPUT)
}

/// Kinds of the operators that an image has, and whether some have unusual forms, at compile time.
///
/// # Panics
/// As [`arena_len`], and if the image is shorter than its sections.
pub const fn kinds(image: &[u8]) -> Kinds {
    let mut kinds = 0;
    let mut section = 0;
    while section < le(image, header::SECTIONS, 4) {
        let entry = header::LEN + section * layout::SECTION_LEN;
        if le(image, entry, 4) == layout::section::OPERATORS as usize {
            let (mut at, len) = (le(image, entry + 4, 4), le(image, entry + 8, 4));
            let end = at + len;
            while at < end {
                // Whether the library knows the kind is seen when the image is parsed.
                kinds |= 1 << (le(image, at, 2) & 15) | if is_usual(image, at) { 0 } else { 1 };
                at += layout::RECORD_LEN;
            }
        }
        section += 1;
    }
    kinds
}

/// Whether the operator of a record has a [usual](crate::operator::usual) form.
const fn is_usual(image: &[u8], at: usize) -> bool {
    let small = image[at + record::SMALL_MULTIPLIERS] == 1;
    let input = shape(image, at + record::INPUT);
    match le(image, at + record::KIND, 2) as u16 {
        operator::CONVOLUTION | operator::FULLY_CONNECTED => usual::matrix(small),
        operator::DEPTHWISE => {
            let output = shape(image, at + record::convolution::OUTPUT);
            let mut pairs = [[0; 2]; 3];
            let mut index = 0;
            while index < 6 {
                let field = at + record::convolution::WINDOW + 2 * index;
                pairs[index / 2][index % 2] = le(image, field, 2) as u16;
                index += 1;
            }
            let [kernel, stride, padding] = pairs;
            usual::depthwise(small, Window { kernel, stride, padding }, input, output)
        }
        operator::ADD => {
            let second = shape(image, at + record::add::SECOND);
            let output = shape(image, at + record::add::OUTPUT);
            let shifts = at + record::add::SHIFTS;
            let shifts = [image[shifts] as i8, image[shifts + 1] as i8, image[shifts + 2] as i8];
            usual::add(second, output, shifts)
        }
        operator::MEAN => usual::mean(input),
        _ => true,
    }
}

/// The shape of a tensor record.
const fn shape(image: &[u8], at: usize) -> Shape {
    let [height, width, channels] = [le(image, at + 4, 2), le(image, at + 6, 2), le(image, at + 8, 2)];
    Shape { height: height as u16, width: width as u16, channels: channels as u16 }
}

const fn tensor_len(image: &[u8], at: usize) -> usize {
    shape(image, at).len()
}

const fn le(image: &[u8], at: usize, len: usize) -> usize {
    assert!(image.len() >= header::LEN, "not a model image: shorter than a header");
    let mut value = 0;
    let mut index = len;
    while index > 0 {
        index -= 1;
        value = value << 8 | image[at + index] as usize;
    }
    value
}

/// Embeds a model image: `embed_model!(pub mod digits, "digits.edge8");` makes a module with
///
/// * `model()`, which parses it: the program has code for its kinds of operators and no others;
/// * `IMAGE: &[u8]`, the file, aligned to 16 bytes;
/// * `ARENA_LEN`, `INPUT_LEN`, `OUTPUT_LEN: usize`, as the file's header states them, and `KINDS`, those of its operators;
/// * `Arena`, a buffer of `ARENA_LEN` bytes, aligned to 16.
///
/// The path is relative to the file that the macro is used in, as for `include_bytes!`.
#[macro_export]
macro_rules! embed_model {
    ($visibility:vis mod $name:ident, $path:expr) => {
        /// An embedded model image.
        #[allow(dead_code)]
        $visibility mod $name {
            use $crate::image::Aligned;
            static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!($path));
            /// The model image.
            pub static IMAGE: &[u8] = &ALIGNED.0;
            /// Bytes of arena that a run needs.
            pub const ARENA_LEN: usize = $crate::image::arena_len(include_bytes!($path));
            /// Values of the input tensor.
            pub const INPUT_LEN: usize = $crate::image::input_len(include_bytes!($path));
            /// Values of the output tensor.
            pub const OUTPUT_LEN: usize = $crate::image::output_len(include_bytes!($path));
            /// Kinds of the operators.
            pub const KINDS: $crate::operator::Kinds = $crate::image::kinds(include_bytes!($path));
            /// Checks the image, see [`Model::parse`]($crate::Model::parse).
            ///
            /// # Errors
            /// As that has them.
            pub fn model() -> Result<$crate::Model<'static>, $crate::Error> {
                $crate::Model::parse_as::<KINDS>(IMAGE)
            }
            /// Memory for a run.
            pub type Arena = Aligned<[u8; ARENA_LEN]>;
        }
    };
}
