//! Names for the numbers of the format: what writes an image and what reads it share them.

/// First bytes of every image. Line ends and the control byte show transfers that took it for text.
pub const MAGIC: [u8; 8] = *b"edge8\r\n\x1a";

/// The format version that this library reads and that its quantizer writes.
pub const VERSION: u16 = 2;

/// The int8 arithmetic: TensorFlow Lite's int8 specification with single rounding.
pub const CONTRACT: u32 = 1;

/// Sections begin at multiples of this many bytes, and so should the image in memory.
pub const ALIGNMENT: usize = 16;

/// The quantizer lays sections and weights at multiples of this many bytes: a vector of a PC that lies across two cache
/// lines takes twice as long to load. No reader relies on it.
pub const CACHE_LINE: usize = 64;

/// Byte offsets of the header's fields.
pub mod header {
    /// `[u8; 8]`, [`MAGIC`](super::MAGIC).
    pub const MAGIC: usize = 0;
    /// `u16`, [`VERSION`](super::VERSION).
    pub const VERSION: usize = 8;
    /// `u32`, [`CONTRACT`](super::CONTRACT).
    pub const CONTRACT: usize = 12;
    /// `u32`, bytes of the whole image.
    pub const IMAGE_LEN: usize = 16;
    /// `u32`, see [`image_checksum`](crate::image::image_checksum).
    pub const CHECKSUM: usize = 20;
    /// `u32`, bytes of arena that a run needs.
    pub const ARENA_LEN: usize = 24;
    /// `u32`, number of operator records.
    pub const OPERATORS: usize = 28;
    /// `u32`, number of section table entries.
    pub const SECTIONS: usize = 32;
    /// `u32`, bytes at the arena's begin in which kernels work; the tensors follow.
    pub const SCRATCH_LEN: usize = 36;
    /// Tensor record of the network's input.
    pub const INPUT: usize = 40;
    /// Tensor record of the network's output.
    pub const OUTPUT: usize = 56;
    /// Ranges that must be zero.
    pub const RESERVED: [core::ops::Range<usize>; 2] = [10..12, 72..80];
    /// Bytes of the header; the section table follows.
    pub const LEN: usize = 80;
}

/// Bytes of a tensor record.
pub const TENSOR_LEN: usize = 16;

/// Bytes of an entry of the section table.
pub const SECTION_LEN: usize = 16;

/// Bit 0 of a section's flags: a reader that does not know the kind must refuse the image.
pub const SECTION_REQUIRED: u32 = 1;

/// Kinds of sections.
pub mod section {
    /// Operator records, each after those that it reads from.
    pub const OPERATORS: u32 = 1;
    /// Weights, biases and multipliers, in the order in which the operators read them.
    pub const WEIGHTS: u32 = 2;
    /// Which rows of which operator are computed when, see [`Steps`](crate::image::Steps).
    pub const SCHEDULE: u32 = 3;
    /// UTF-8, one class name a line.
    pub const LABELS: u32 = 16;
    /// The pre-processing recipe, see [`Recipe`](crate::recipe::Recipe).
    pub const RECIPE: u32 = 17;
    /// UTF-8 JSON: where the network comes from.
    pub const PROVENANCE: u32 = 18;
    /// UTF-8 JSON: how the activations' ranges were found.
    pub const CALIBRATION: u32 = 19;
    /// Inputs with their outputs and a hash per layer, see [`TestVectors`](crate::image::TestVectors).
    pub const TEST_VECTORS: u32 = 20;
}

/// Kinds of operators.
pub mod operator {
    /// 2-D convolution.
    pub const CONVOLUTION: u16 = 1;
    /// Depthwise 2-D convolution.
    pub const DEPTHWISE: u16 = 2;
    /// Fully connected layer.
    pub const FULLY_CONNECTED: u16 = 3;
    /// Elementwise sum; sides of 1 of the second tensor are repeated.
    pub const ADD: u16 = 4;
    /// Mean over height and width (global average pool).
    pub const MEAN: u16 = 5;
    /// Softmax over the channels.
    pub const SOFTMAX: u16 = 6;
    /// Mean over a window.
    pub const AVERAGE_POOL: u16 = 7;
    /// Largest value of a window.
    pub const MAX_POOL: u16 = 8;
    /// A border of zero points around the input.
    pub const PAD: u16 = 9;
    /// Values from the weights section; an operator without input.
    pub const CONSTANT: u16 = 10;
}

/// The order in which weights are packed, see [`packing`](crate::packing).
pub const WEIGHT_LAYOUT_PACKED: u8 = 1;

/// Bytes of an operator record.
pub const RECORD_LEN: usize = 72;

/// Bytes of a step of the schedule.
pub const STEP_LEN: usize = 6;

/// Byte offsets of the fields of an operator record.
pub mod record {
    /// `u16`, see [`operator`](super::operator).
    pub const KIND: usize = 0;
    /// Two bytes that must be zero.
    pub const RESERVED: core::ops::Range<usize> = 2..4;
    /// `i8`, smallest output.
    pub const ACTIVATION_MIN: usize = 4;
    /// `i8`, largest output.
    pub const ACTIVATION_MAX: usize = 5;
    /// `u8`, see [`WEIGHT_LAYOUT_PACKED`](super::WEIGHT_LAYOUT_PACKED); 0 for operators without weights.
    pub const WEIGHT_LAYOUT: usize = 6;
    /// `u8`, 1 where every multiplier is below a quarter, which kernels have a fast form for, else 0.
    pub const SMALL_MULTIPLIERS: usize = 7;
    /// Tensor record of the (first) input.
    pub const INPUT: usize = 8;

    /// Where a record of a kind has the tensor record of its output.
    pub(crate) const fn output(kind: u16) -> usize {
        match kind {
            super::operator::ADD => add::OUTPUT,
            super::operator::CONSTANT => constant::OUTPUT,
            _ => convolution::OUTPUT,
        }
    }

    /// Convolution and depthwise convolution.
    pub mod convolution {
        /// Tensor record.
        pub const OUTPUT: usize = 24;
        /// `u16` height, `u16` width of the kernel, then `u16` vertical, `u16` horizontal stride, then `u16` rows of
        /// padding above, `u16` columns of padding to the left.
        pub const WINDOW: usize = 40;
        /// `u32`, offset of the weights in their section.
        pub const WEIGHTS: usize = 52;
        /// `u32`, offset of the per-channel constants, see [`PerChannel`](crate::operator::PerChannel).
        pub const RESCALE: usize = 56;
    }

    /// Fully connected.
    pub mod fully_connected {
        /// Tensor record.
        pub const OUTPUT: usize = 24;
        /// `u32`, as in [`convolution::WEIGHTS`](super::convolution::WEIGHTS).
        pub const WEIGHTS: usize = 40;
        /// `u32`, as in [`convolution::RESCALE`](super::convolution::RESCALE).
        pub const RESCALE: usize = 44;
    }

    /// Elementwise sum.
    pub mod add {
        /// Tensor record of the second input.
        pub const SECOND: usize = 24;
        /// Tensor record.
        pub const OUTPUT: usize = 40;
        /// `[i32; 3]`, mantissas for the first input, the second input and the output.
        pub const MANTISSAS: usize = 56;
        /// `[i8; 3]`, shifts in the same order; one byte of zero follows.
        pub const SHIFTS: usize = 68;
    }

    /// Mean over height and width.
    pub mod mean {
        /// Tensor record.
        pub const OUTPUT: usize = 24;
        /// `i32`, with 1/(height * width) folded in.
        pub const MANTISSA: usize = 40;
        /// `i8`; three bytes of zero follow.
        pub const SHIFT: usize = 44;
    }

    /// Softmax.
    pub mod softmax {
        /// Tensor record.
        pub const OUTPUT: usize = 24;
        /// `i32`.
        pub const MANTISSA: usize = 40;
        /// `i8`; three bytes of zero follow.
        pub const SHIFT: usize = 44;
        /// `i32`, in [-255, 0] after clamping: smaller differences to the maximum give probability 0.
        pub const DIFF_MIN: usize = 48;
    }

    /// Average pool and maximum pool.
    pub mod pool {
        /// Tensor record.
        pub const OUTPUT: usize = 24;
        /// As in [`convolution::WINDOW`](super::convolution::WINDOW).
        pub const WINDOW: usize = 40;
    }

    /// Pad.
    pub mod pad {
        /// Tensor record.
        pub const OUTPUT: usize = 24;
        /// `u16` rows above, `u16` columns to the left, `u16` channels before; two bytes of zero follow. What is added
        /// on the other sides follows from the output's shape.
        pub const BEFORE: usize = 40;
    }

    /// Constant.
    pub mod constant {
        /// Tensor record of the output, where other operators have their input.
        pub const OUTPUT: usize = super::INPUT;
        /// `u32`, offset of the values in the weights section.
        pub const VALUES: usize = 24;
    }
}
