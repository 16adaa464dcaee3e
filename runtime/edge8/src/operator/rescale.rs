//! Weights and the constants that each output channel has.

use super::constants;
use super::fields::{self, Record, SMALL_MULTIPLIERS, WEIGHT_LAYOUT};
use crate::bytes;
use crate::cast;
use crate::error::Problem;
use crate::fixed_point::Multiplier;
use crate::format;
use crate::tensor::Tensor;

/// A little-endian `i32` at any address.
pub type Word = [u8; 4];

/// The constants of each output channel.
#[derive(Clone, Copy, Debug)]
pub struct PerChannel<'a> {
    /// Bias at scale `s_in * s_w`, with `-zero point * sum` of the input in it.
    pub bias: &'a [Word],
    /// Sum of the channel's weights, for kernels that read `x` with an offset.
    pub sum: &'a [Word],
    /// Mantissas of the multipliers `s_in * s_w / s_out`.
    pub mantissa: &'a [Word],
    /// Shifts of the multipliers.
    pub shift: &'a [i8],
    /// Whether every shift is at most [`PerChannel::SMALL_SHIFT`].
    pub small: bool,
}

/// The constants of one channel.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// See [`PerChannel::bias`].
    pub bias: i32,
    /// See [`PerChannel::sum`].
    pub sum: i32,
    /// `s_in * s_w / s_out`.
    pub multiplier: Multiplier,
}

impl<'a> PerChannel<'a> {
    /// Bytes that a channel has in the image.
    const LEN: usize = 13;

    /// Multipliers below 1/4: the product's high half, rounded and shifted right, is the exact result.
    pub const SMALL_SHIFT: i8 = -2;

    /// The arrays of `channels` constants that begin `offset` bytes into the weights section.
    #[inline]
    fn decode(weights: &'a [u8], offset: u32, channels: usize, small: bool) -> Option<Self> {
        let all = bytes::slice(weights, offset, channels.checked_mul(Self::LEN)?)?;
        let (words, shift) = all.split_at_checked(channels.checked_mul(12)?)?;
        let (bias, rest) = words.as_chunks().0.split_at_checked(channels)?;
        let (sum, mantissa) = rest.split_at_checked(channels)?;
        Some(Self { bias, sum, mantissa, shift: cast::as_i8(shift), small })
    }

    /// Bytes in the image.
    pub const fn byte_len(&self) -> usize {
        self.shift.len().wrapping_mul(Self::LEN)
    }

    /// The constants of each channel, in order.
    pub fn iter(&self) -> impl Iterator<Item = Channel> + Clone + use<'a> {
        self.bias.iter().zip(self.sum).zip(self.mantissa).zip(self.shift).map(
            |(((bias, sum), mantissa), &shift)| Channel {
                bias: i32::from_le_bytes(*bias),
                sum: i32::from_le_bytes(*sum),
                multiplier: Multiplier { mantissa: i32::from_le_bytes(*mantissa), shift },
            },
        )
    }

    /// Proves that `bias + sum of taps products` stays in 32 bits, whatever the activations and also where a kernel adds
    /// 128 to them, and that every multiplier is valid.
    pub(super) fn check(&self, taps: usize) -> Result<(), Problem> {
        // |w| <= 128 and |x - zero point| <= 255; the zero point's part of the bias is at most 128 * 128 a tap.
        let each = (taps as u64).saturating_mul(128);
        let products = each.saturating_mul(255 + 128);
        let most = (i32::MAX as u64).checked_sub(products).ok_or(Problem::Accumulator)?;
        if !constants::are_within(self.bias, most as u32) {
            return Err(Problem::Accumulator);
        }
        // On a device, which does not know whether the sums are right, a kernel that reads them takes any.
        #[cfg(not(device))]
        if !constants::are_within(self.sum, each as u32) {
            return Err(Problem::Accumulator);
        }
        let largest = if self.small { Self::SMALL_SHIFT } else { Multiplier::MAX_SHIFT };
        if constants::are_not_negative(self.mantissa) && constants::are_shifts(self.shift, largest) {
            Ok(())
        } else {
            Err(Problem::Multiplier)
        }
    }
}

/// Proves that the image's sums are those of the weights, that these are in [-127, 127], and that what fills rows up is
/// zero: kernels rely on each.
///
/// `rows` has for each channel its weights, each with whether it is one or fills up. A device looks at the [filling](is_filled)
/// only: the quantizer and every PC have done the rest, and it takes longer than all other checks.
#[cfg(not(device))]
pub(super) fn check_weights<I: Iterator<Item = (bool, i8)>>(
    channels: &PerChannel<'_>,
    rows: impl Fn(usize) -> I,
) -> Result<(), Problem> {
    for (channel, sum) in channels.sum.iter().enumerate() {
        let mut found = 0i32;
        for (is_weight, value) in rows(channel) {
            if !is_weight && value != 0 {
                return Err(Problem::Filling);
            }
            if value == i8::MIN {
                return Err(Problem::WeightRange);
            }
            found = found.wrapping_add(value.into());
        }
        if found != i32::from_le_bytes(*sum) {
            return Err(Problem::Sum);
        }
    }
    Ok(())
}

/// Whether the group of weights at `at` is filled up with zeros from its weight `first` on.
#[cfg(device)]
pub(super) fn is_filled(weights: &[i8], at: usize, first: usize) -> bool {
    let group = weights.get(at..).and_then(|rest| rest.first_chunk());
    group.is_some_and(|group| u32::from_le_bytes(group.map(|weight| weight as u8)) >> ((8 * first) & 31) == 0)
}

/// Finds an operator's weights (`len` of them) and constants through the two offsets at `weights_at`.
#[inline]
pub(super) fn parameters<'a>(
    record: &Record,
    weights_at: usize,
    section: &'a [u8],
    len: Option<usize>,
    output: &Tensor,
) -> Result<(&'a [i8], PerChannel<'a>), Problem> {
    match bytes::u8(record, WEIGHT_LAYOUT) {
        Some(format::WEIGHT_LAYOUT_PACKED) => {}
        Some(other) => return Err(Problem::WeightLayout(other)),
        None => return Err(Problem::RecordLength),
    }
    let small = match bytes::u8(record, SMALL_MULTIPLIERS) {
        Some(flag @ 0..=1) => flag == 1,
        _ => return Err(Problem::Reserved),
    };
    let offset = bytes::u32(record, weights_at).ok_or(Problem::RecordLength)?;
    let constants = bytes::u32(record, weights_at.saturating_add(4)).ok_or(Problem::RecordLength)?;
    let find = || {
        let weights = bytes::slice(section, offset, len?)?;
        let channels = PerChannel::decode(section, constants, output.shape.channels.into(), small)?;
        Some((cast::as_i8(weights), channels))
    };
    find().ok_or(Problem::Weights)
}

/// Writes what [`parameters`] reads; `at` is where the weights and the constants begin.
pub(super) fn put_parameters(
    record: &mut Record,
    weights_at: usize,
    at: [u32; 2],
    channels: &PerChannel<'_>,
) {
    fields::put(record, WEIGHT_LAYOUT, [format::WEIGHT_LAYOUT_PACKED]);
    fields::put(record, SMALL_MULTIPLIERS, [channels.small.into()]);
    fields::put(record, weights_at, at[0].to_le_bytes());
    fields::put(record, weights_at + 4, at[1].to_le_bytes());
}
