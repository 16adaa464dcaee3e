//! Windows that slide over rows and columns.

use super::shape::Shape;
use anyhow::{Result, ensure};

/// A window that slides over rows and columns. Arrays are `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extent.
    pub kernel: [usize; 2],
    /// Step.
    pub stride: [usize; 2],
    /// Rows above and columns to the left that lie outside the image.
    pub before: [usize; 2],
    /// Rows below and columns to the right that may lie outside the image.
    pub after: [usize; 2],
}

impl Window {
    /// A 1x1 window with stride 1.
    pub const POINT: Self = Self::valid([1, 1], [1, 1]);

    /// Only windows that lie in the image: TensorFlow's "VALID".
    pub const fn valid(kernel: [usize; 2], stride: [usize; 2]) -> Self {
        Self { kernel, stride, before: [0; 2], after: [0; 2] }
    }

    /// TensorFlow's "SAME" on an image of `size`: ceil(size / stride) outputs, the odd padding row or column after the
    /// image. Stride and kernel are at least 1.
    pub fn same(kernel: [usize; 2], stride: [usize; 2], size: [usize; 2]) -> Self {
        let total = |axis: usize| {
            let covered = (size[axis].div_ceil(stride[axis]).max(1) - 1) * stride[axis] + kernel[axis];
            covered.saturating_sub(size[axis])
        };
        let before = [total(0) / 2, total(1) / 2];
        Self { kernel, stride, before, after: [total(0) - before[0], total(1) - before[1]] }
    }

    /// Values under the window.
    pub const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The extent of what the window makes of an input.
    ///
    /// # Errors
    /// If kernel or stride is 0, the padding not smaller than the kernel, or the kernel larger than the padded input.
    pub fn output(&self, input: Shape, channels: usize) -> Result<Shape> {
        let rows = self.positions(0, input.height)?;
        let columns = self.positions(1, input.width)?;
        Ok(Shape::new(rows, columns, channels))
    }

    /// The number of positions along one axis.
    fn positions(&self, axis: usize, size: usize) -> Result<usize> {
        let (kernel, stride) = (self.kernel[axis], self.stride[axis]);
        let (before, after) = (self.before[axis], self.after[axis]);
        ensure!(kernel > 0 && stride > 0, "kernel and stride must be at least 1");
        ensure!(
            before < kernel && after < kernel,
            "padding of {before} and {after} for a kernel of {kernel}: it must be smaller than the kernel"
        );
        let padded = before + size + after;
        ensure!(padded >= kernel, "a kernel of {kernel} does not fit into {padded} padded values");
        Ok((padded - kernel) / stride + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_gives_the_ceiling_and_the_odd_row_below() {
        for (size, kernel, stride) in [(7, 3, 2), (8, 3, 2), (5, 3, 1), (6, 1, 4), (4, 1, 3), (9, 8, 5)] {
            let window = Window::same([kernel; 2], [stride; 2], [size; 2]);
            assert_eq!(window.positions(0, size).unwrap(), size.div_ceil(stride), "{size} {kernel} {stride}");
            assert!(window.after[0] - window.before[0] <= 1);
        }
        assert_eq!(Window::same([3; 2], [2; 2], [8; 2]).before, [0, 0]);
    }

    #[test]
    fn windows_that_cannot_be_are_refused() {
        assert!(Window::valid([5, 5], [1, 1]).positions(0, 4).is_err());
        let wide = Window { before: [3, 3], ..Window::valid([3, 3], [1, 1]) };
        assert!(wide.positions(0, 9).is_err());
        assert!(Window::valid([1, 1], [0, 1]).positions(0, 9).is_err());
    }
}
