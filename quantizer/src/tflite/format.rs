//! What marks a file, for those who read and those who write one.

/// Bytes 4 to 8 of a file.
pub(super) const IDENTIFIER: [u8; 4] = *b"TFL3";

/// A metadata entry of this name and a number holds the model image's section of that kind, so that labels,
/// pre-processing and provenance survive the way through a `.tflite` file.
pub(super) const SECTION: &str = "edge8.section.";
