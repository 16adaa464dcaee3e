//! The windows of convolutions and pools.

use super::builder::Builder;
use crate::graph::{Border, Shape, TensorId, Window};
use anyhow::{Result, bail, ensure};

/// A window as the file states it: extent, step, dilation, and SAME (0) or VALID (1).
pub(super) struct RawWindow {
    pub kernel: [usize; 2],
    pub stride: [i32; 2],
    pub dilation: [i32; 2],
    pub padding: i8,
}

impl RawWindow {
    /// The window on an input of this shape.
    pub fn on(&self, input: Shape) -> Result<Window> {
        ensure!(self.dilation == [1, 1], "a dilation of {:?}: 1 is supported", self.dilation);
        let step = |n: i32| usize::try_from(n).ok().filter(|n| (1..=usize::from(u16::MAX)).contains(n));
        let stride = [step(self.stride[0]), step(self.stride[1])];
        let [Some(rows), Some(columns)] = stride else { bail!("a stride of {:?}", self.stride) };
        match self.padding {
            0 => Ok(Window::same(self.kernel, [rows, columns], [input.height, input.width])),
            1 => Ok(Window::valid(self.kernel, [rows, columns])),
            other => bail!("padding {other} is neither SAME nor VALID"),
        }
    }
}

/// The tensor that a window reads and the window on it; a PAD before it becomes the window's padding if that can be.
pub(super) fn windowed(
    network: &mut Builder<'_>,
    index: usize,
    raw: &RawWindow,
) -> Result<(TensorId, Window)> {
    let padded = network.source().tensor(index)?.shape()?;
    let window = raw.on(padded)?;
    let with = |border: Border| Window {
        before: [0, 1].map(|axis| window.before[axis] + border.before[axis]),
        after: [0, 1].map(|axis| window.after[axis] + border.after[axis]),
        ..window
    };
    let fits = |border: Border| {
        let window = with(border);
        let small =
            |axis| window.before[axis] < window.kernel[axis] && window.after[axis] < window.kernel[axis];
        small(0) && small(1) && (border.before[2], border.after[2]) == (0, 0)
    };
    let (input, border) = network.read_padded(index, fits)?;
    Ok((input, border.map_or(window, with)))
}
