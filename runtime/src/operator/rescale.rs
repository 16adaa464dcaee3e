//! Weights and the three constants that each output channel has: bias, mantissa, shift.

use crate::cast;
use crate::error::Problem;
use crate::fixed_point::Multiplier;
use crate::image::{bytes, layout};
use crate::tensor::Tensor;

/// Bias and multiplier of each output channel.
#[derive(Clone, Copy, Debug)]
pub struct PerChannel<'a> {
    bias: &'a [[u8; 4]],
    mantissa: &'a [[u8; 4]],
    shift: &'a [i8],
}

impl<'a> PerChannel<'a> {
    /// The arrays of `channels` constants that begin `offset` bytes into the weights section.
    fn decode(weights: &'a [u8], offset: u32, channels: usize) -> Option<Self> {
        let all = bytes::slice(weights, offset, channels.checked_mul(9)?)?;
        let (words, shift) = all.split_at_checked(channels.checked_mul(8)?)?;
        let (bias, mantissa) = words.as_chunks().0.split_at_checked(channels)?;
        Some(Self { bias, mantissa, shift: cast::as_i8(shift) })
    }

    /// Bytes in the image.
    pub const fn byte_len(&self) -> usize {
        self.shift.len().wrapping_mul(9)
    }

    /// Bias (at scale `s_in * s_w`, zero point 0) and multiplier (`s_in * s_w / s_out`) of each channel, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, Multiplier)> + Clone + use<'a> {
        self.bias.iter().zip(self.mantissa).zip(self.shift).map(|((bias, mantissa), &shift)| {
            (i32::from_le_bytes(*bias), Multiplier { mantissa: i32::from_le_bytes(*mantissa), shift })
        })
    }

    /// Proves that `bias + sum of taps products` stays in 32 bits, whatever the activations, and that every
    /// multiplier is valid.
    pub(super) fn check(&self, taps: usize) -> Result<(), Problem> {
        // |w| <= 128 and |x - zero point| <= 255.
        let products = (taps as u64).saturating_mul(128 * 255);
        for (bias, multiplier) in self.iter() {
            if products.saturating_add(bias.unsigned_abs().into()) > i32::MAX as u64 {
                return Err(Problem::Accumulator);
            }
            if !multiplier.is_valid() {
                return Err(Problem::Multiplier);
            }
        }
        Ok(())
    }
}

/// Finds an operator's weights (`len` of them) and constants through the two offsets at `weights_at`.
pub(super) fn parameters<'a>(
    record: &[u8],
    weights_at: usize,
    section: &'a [u8],
    len: Option<usize>,
    output: &Tensor,
) -> Result<(&'a [i8], PerChannel<'a>), Problem> {
    match bytes::u8(record, layout::record::WEIGHT_LAYOUT) {
        Some(layout::WEIGHT_LAYOUT_PLAIN) => {}
        Some(other) => return Err(Problem::WeightLayout(other)),
        None => return Err(Problem::RecordLength),
    }
    let offset = bytes::u32(record, weights_at).ok_or(Problem::RecordLength)?;
    let constants = bytes::u32(record, weights_at.saturating_add(4)).ok_or(Problem::RecordLength)?;
    let find = || {
        let weights = bytes::slice(section, offset, len?)?;
        let channels = PerChannel::decode(section, constants, output.shape.channels.into())?;
        Some((cast::as_i8(weights), channels))
    };
    find().ok_or(Problem::Weights)
}
