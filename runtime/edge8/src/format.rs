//! Names for the numbers of the format: what writes an image and what reads it share them.

/// First bytes of every image. Line ends and the control byte show transfers that took it for text.
pub const MAGIC: [u8; 8] = *b"edge8\r\n\x1a";

/// The format version that this library reads and that its quantizer writes.
pub const VERSION: u16 = 3;

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
    /// `u32`, see [`image_checksum`](crate::checksum::image_checksum).
    pub const CHECKSUM: usize = 20;
    /// `u32`, bytes of arena that a run needs.
    pub const ARENA_LEN: usize = 24;
    /// `u32`, bytes at the arena's begin in which kernels work; the tensors follow.
    pub const SCRATCH_LEN: usize = 28;
    /// `u32`, number of operator records.
    pub const OPERATORS: usize = 36;
    /// `u32`, number of section table entries.
    pub const SECTIONS: usize = 40;
    /// `u16`, number of the network's inputs, at least 1.
    pub const INPUTS: usize = 44;
    /// `u16`, number of the network's outputs, 1 to 64.
    pub const OUTPUTS: usize = 46;
    /// Ranges that must be zero.
    pub const RESERVED: [core::ops::Range<usize>; 3] = [10..12, 32..36, 48..64];
    /// Bytes of the header; the tensor records of the inputs follow, those of the outputs, and the section table.
    pub const LEN: usize = 64;
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
    /// When an answer is none, see [`Reject`](crate::Reject).
    pub const REJECT: u32 = 21;
}

/// The order in which weights are packed, see [`packing`](crate::packing).
pub const WEIGHT_LAYOUT_PACKED: u8 = 1;

/// Bytes of an operator record.
pub const RECORD_LEN: usize = 72;

/// Bytes of a step of the schedule.
pub const STEP_LEN: usize = 6;
