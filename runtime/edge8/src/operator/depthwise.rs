//! Depthwise convolution: each channel by itself. Its record is that of a [convolution](super::convolution).

use super::convolution::{Convolution, WINDOW};
use super::fields::{self, Record};
use super::kind::Kind;
use super::reads::Reads;
use super::rescale::{self, PerChannel};
use super::window::Window;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::packing;
use crate::scratch;
use crate::tensor::Tensor;

/// A depthwise convolution.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise<'a>(
    /// Its tensors, window and weights.
    pub Convolution<'a>,
);

impl Depthwise<'_> {
    /// 3x3, each channel by itself, four of them at least, windows one or two columns apart that reach no further than a
    /// column beyond what the scratch bytes are for, and small multipliers.
    pub(crate) const fn is_usual(record: &Record) -> bool {
        let (input, output) =
            (fields::shape(record, fields::INPUT), fields::shape(record, Convolution::OUTPUT));
        let window = Window::of(record, WINDOW);
        let columns = (output.width as usize).saturating_sub(1) * window.stride[1] as usize + 3;
        fields::has_small_multipliers(record)
            && window.kernel[0] == 3
            && window.kernel[1] == 3
            && matches!(window.stride[1], 1 | 2)
            && input.channels == output.channels
            && output.channels >= 4
            && columns <= input.width as usize + 3
    }

    /// Proves that kernels may rely on the packed weights: see [`rescale::check_weights`].
    #[cfg(not(device))]
    fn check_weights(&self) -> Result<(), Problem> {
        let op = &self.0;
        let [rows, columns] = op.window.kernel.map(usize::from);
        let channels = usize::from(op.output.shape.channels);
        rescale::check_weights(&op.channels, |channel| {
            let taps =
                (0..packing::padded(rows)).flat_map(move |row| (0..columns).map(move |column| [row, column]));
            taps.map(move |tap| {
                let index = packing::depthwise_index([rows, columns], channels, tap, channel);
                (tap[0] < rows, op.weights.get(index).copied().unwrap_or(0))
            })
        })
    }

    /// The same on a device: the last groups, where the kernel's rows do not fill them; not those of three rows, whose filling no
    /// kernel of a device reads.
    #[cfg(device)]
    fn check_weights(&self) -> Result<(), Problem> {
        let op = &self.0;
        let [rows, columns] = op.window.kernel.map(usize::from);
        let (groups, rest) = (rows / packing::GROUP, rows % packing::GROUP);
        let each = columns.wrapping_mul(op.output.shape.channels.into());
        let first = groups.wrapping_mul(each);
        let is_filled =
            |group: usize| rescale::is_filled(op.weights, group.wrapping_mul(packing::GROUP), rest);
        let unread = rest == 0 || (rows, columns) == (3, 3);
        if unread || (first..first.wrapping_add(each)).all(is_filled) {
            Ok(())
        } else {
            Err(Problem::Filling)
        }
    }
}

impl<'a> Kind<'a> for Depthwise<'a> {
    const NAME: &'static str = "DEPTHWISE_CONV_2D";
    const OUTPUT: usize = Convolution::OUTPUT;
    const BY_ROWS: bool = true;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn decode(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
        Convolution::decode_as(record, section, true).map(Self)
    }

    fn encode(&self, record: &mut Record, at: [u32; 2]) {
        self.0.encode(record, at);
    }

    fn check(&self) -> Result<(), Problem> {
        self.0.check_as(true)?;
        self.check_weights()
    }

    #[inline]
    fn input(&self, index: usize) -> Option<&Tensor> {
        self.0.input(index)
    }

    #[inline]
    fn side_by_side(&self, _: usize, rows: usize) -> usize {
        rows
    }

    #[inline]
    fn output(&self) -> &Tensor {
        &self.0.output
    }

    #[inline]
    fn reads(&self) -> Reads {
        Reads::Window(self.0.window)
    }

    fn activation(&self) -> Activation {
        self.0.activation
    }

    fn filter(&self) -> Option<(&'a [i8], PerChannel<'a>)> {
        self.0.filter()
    }

    fn scratch_len(&self) -> usize {
        scratch::depthwise(self.0.input.shape.width as usize, self.0.window.kernel[1] as usize)
    }

    fn macs(&self) -> u64 {
        (self.0.output.shape.len() as u64).wrapping_mul(self.0.window.taps() as u64)
    }
}
