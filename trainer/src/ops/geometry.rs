//! Sizes of a 3x3 depthwise convolution with TensorFlow's "SAME" padding.

/// Rows and columns of the kernel.
pub(crate) const KERNEL: usize = 3;

/// Weights of the kernel for one channel.
pub(crate) const TAPS: usize = KERNEL * KERNEL;

/// One image's sizes before and after a 3x3 convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Rows of the input.
    pub(crate) height: usize,
    /// Columns of the input.
    pub(crate) width: usize,
    /// Step of the kernel in both directions.
    pub(crate) stride: usize,
    /// Rows of the output: `ceil(height / stride)`.
    pub(crate) out_height: usize,
    /// Columns of the output: `ceil(width / stride)`.
    pub(crate) out_width: usize,
    /// Rows of zeros above the input.
    pub(crate) top: usize,
    /// Columns of zeros left of the input.
    pub(crate) left: usize,
}

impl Geometry {
    /// For an input of `height` x `width`.
    pub(crate) fn new(height: usize, width: usize, stride: usize) -> Self {
        let side = |length: usize| {
            let out = length.div_ceil(stride);
            (out, ((out - 1) * stride + KERNEL).saturating_sub(length) / 2)
        };
        let (out_height, top) = side(height);
        let (out_width, left) = side(width);
        Self { height, width, stride, out_height, out_width, top, left }
    }

    /// Pixels of the input.
    pub(crate) fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Pixels of the output.
    pub(crate) fn out_pixels(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Columns of the input with its border: all that the kernel touches.
    pub(crate) fn padded_width(&self) -> usize {
        (self.out_width - 1) * self.stride + KERNEL
    }

    /// Pixels of the input with its border.
    pub(crate) fn padded_pixels(&self) -> usize {
        ((self.out_height - 1) * self.stride + KERNEL) * self.padded_width()
    }

    /// Pixels of the output with a border of one: what the gradient's kernel touches.
    pub(crate) fn bordered_pixels(&self) -> usize {
        (self.out_height + 2) * self.bordered_width()
    }

    /// Columns of the output with a border of one.
    pub(crate) fn bordered_width(&self) -> usize {
        self.out_width + 2
    }

    /// For `images` images of `channels` channels: where each input pixel starts in their padded buffers.
    pub(crate) fn padded_offsets(&self, images: usize, channels: usize) -> Vec<usize> {
        let mut offsets = Vec::with_capacity(images * self.pixels());
        for image in 0..images {
            for y in 0..self.height {
                let row = image * self.padded_pixels() + (y + self.top) * self.padded_width() + self.left;
                offsets.extend((0..self.width).map(|x| (row + x) * channels));
            }
        }
        offsets
    }

    /// For `images` images of `channels` channels: where each output pixel starts in their bordered buffers.
    pub(crate) fn bordered_offsets(&self, images: usize, channels: usize) -> Vec<usize> {
        let mut offsets = Vec::with_capacity(images * self.out_pixels());
        for image in 0..images {
            for y in 0..self.out_height {
                let row = image * self.bordered_pixels() + (y + 1) * self.bordered_width() + 1;
                offsets.extend((0..self.out_width).map(|x| (row + x) * channels));
            }
        }
        offsets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_tensorflows() {
        // (input, stride) -> (output, zeros before), from the rule in TensorFlow's guide on "SAME".
        for (input, stride, out, before) in [
            (32, 1, 32, 1),
            (32, 2, 16, 0),
            (7, 2, 4, 1),
            (7, 1, 7, 1),
            (2, 1, 2, 1),
            (1, 2, 1, 1),
            (2, 2, 1, 0),
        ] {
            let geometry = Geometry::new(input, input, stride);
            assert_eq!((geometry.out_height, geometry.top), (out, before), "{input} by {stride}");
            assert!(geometry.padded_width() >= input + before);
        }
    }
}
