//! From bytes to what a float network reads.

use crate::quantize::Range;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// `byte * scale + shift`, with one value for all channels or one for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Normalisation {
    /// `(byte / 255 - mean) / std`, as PyTorch writes it; [`check`](Self::check) compares their number with the channels.
    ///
    /// # Errors
    /// If the two have different lengths, or a standard deviation is not above 0.
    pub fn new(mean: &[f64], std: &[f64]) -> Result<Self> {
        ensure!(
            mean.len() == std.len() && !mean.is_empty(),
            "{} means and {} standard deviations: pass one of each, or one of each per channel",
            mean.len(),
            std.len()
        );
        ensure!(
            std.iter().all(|std| *std > 0.0) && mean.iter().chain(std).all(|value| value.is_finite()),
            "means {mean:?} and standard deviations {std:?}: finite numbers are expected, deviations above 0"
        );
        let scale = std.iter().map(|std| (1.0 / (255.0 * std)) as f32);
        let shift = mean.iter().zip(std).map(|(mean, std)| (-mean / std) as f32);
        Ok(Self { scale: scale.collect(), shift: shift.collect() })
    }

    /// `byte * scale + shift` in all channels.
    pub fn linear(scale: f32, shift: f32) -> Self {
        Self { scale: vec![scale], shift: vec![shift] }
    }

    /// Whether it fits a number of channels.
    ///
    /// # Errors
    /// If it has neither one value nor one for each channel.
    pub fn check(&self, channels: usize) -> Result<()> {
        let found = self.scale.len();
        ensure!(
            self.shift.len() == found && (found == 1 || found == channels),
            "{found} means and standard deviations for {channels} channels: pass one of each, or one per channel"
        );
        Ok(())
    }

    /// The real of each byte in a channel.
    pub fn table(&self, channel: usize) -> [f32; 256] {
        let at = |values: &[f32]| values.get(channel).or(values.first()).copied().unwrap_or(0.0);
        let (scale, shift) = (at(&self.scale), at(&self.shift));
        std::array::from_fn(|byte| byte as f32 * scale + shift)
    }

    /// The reals of bytes that lie channels last.
    pub(super) fn apply(&self, bytes: &[u8], channels: usize) -> Vec<f32> {
        let constants = self.scale.iter().zip(&self.shift).cycle().take(channels);
        let constants: Vec<_> = constants.collect();
        let pixels = bytes.chunks(channels.max(1));
        let real = |(&byte, &(scale, shift)): (&u8, &(&f32, &f32))| f32::from(byte) * scale + shift;
        pixels.flat_map(|pixel| pixel.iter().zip(&constants).map(real)).collect()
    }

    /// What all bytes become.
    pub(super) fn range(&self) -> Range {
        let ranges = self.scale.iter().zip(&self.shift);
        let ranges = ranges.map(|(scale, shift)| Range { min: *shift, max: 255.0 * scale + shift });
        ranges.reduce(Range::union).unwrap_or(Range::EMPTY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imagenet_s_constants() {
        let normalisation = Normalisation::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]).unwrap();
        normalisation.check(3).unwrap();
        let found = normalisation.apply(&[0, 128, 255, 255, 0, 0], 3);
        let expected = [-2.117904, 0.205182, 2.64, 2.248908, -2.035714, -1.804444];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
        let range = normalisation.range();
        assert!((range.min + 2.117904).abs() < 1e-5 && (range.max - 2.64).abs() < 1e-5, "{range:?}");
        assert!(normalisation.check(1).is_err());
    }

    #[test]
    fn constants_that_cannot_be_are_refused() {
        for (mean, std) in [(&[0.5][..], &[][..]), (&[0.5], &[0.0]), (&[f64::NAN], &[1.0]), (&[], &[])] {
            assert!(Normalisation::new(mean, std).is_err(), "{mean:?} {std:?}");
        }
    }
}
