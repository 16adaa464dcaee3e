//! How many bytes a kernel may work in: what the quantizer plans and, at least, the reader demands.

use crate::packing::padded;

/// Of a convolution: four patches.
pub const fn convolution(patch: usize) -> usize {
    padded(patch).saturating_mul(4)
}

/// As the quantizer plans it: of small patches four with 16 bits a value, which a device multiplies together.
pub const fn convolution_at_best(patch: usize) -> usize {
    let widened = padded(patch).saturating_mul(4 * 2);
    let (least, most) = (convolution(patch), 512);
    if least >= most || widened > most { least } else { widened }
}

/// Of a depthwise convolution: as many columns as the input has and the kernel adds, 4 channels of 6 bytes each.
pub const fn depthwise(width: usize, kernel_width: usize) -> usize {
    width.saturating_add(kernel_width).saturating_mul(4 * 6)
}

/// Of a fully connected layer: the input once more with 16 bits a value, and as it is where it does not fill the rows of
/// the matrix.
pub const fn fully_connected(inputs: usize) -> usize {
    padded(inputs).saturating_mul(if padded(inputs) == inputs { 2 } else { 3 })
}
