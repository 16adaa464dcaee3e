//! The constants of all channels, checked: there are thousands, and a device waits for it.

use crate::fixed_point::Multiplier;
#[cfg(arm_dsp)]
use crate::fold;
use crate::slices::not_unrolled;

/// Whether no word is further from zero than `most`.
pub(super) fn are_within(words: &[[u8; 4]], most: u32) -> bool {
    // Almost always so, and then known in no time.
    #[cfg(arm_dsp)]
    if most >= 1 << 30 && fold::fit_31_bits(words) {
        return true;
    }
    words.iter().all(|word| {
        not_unrolled();
        i32::from_le_bytes(*word).unsigned_abs() <= most
    })
}

/// Whether no word is below zero.
pub(super) fn are_not_negative(words: &[[u8; 4]]) -> bool {
    #[cfg(arm_dsp)]
    if fold::are_not_negative(words) {
        return true;
    }
    words.iter().all(|word| {
        not_unrolled();
        word[3] < 128
    })
}

/// Whether all shifts are valid and at most `largest`.
pub(super) fn are_shifts(shifts: &[i8], largest: i8) -> bool {
    // The last few, of fewer than four, are looked at one by one.
    #[cfg(arm_dsp)]
    let shifts = match shifts.as_chunks() {
        (words, rest) if fold::are_between(words, Multiplier::MIN_SHIFT, largest) => rest,
        _ => shifts,
    };
    shifts.iter().all(|shift| {
        not_unrolled();
        (Multiplier::MIN_SHIFT..=largest).contains(shift)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::PerChannel;
    use std::vec;

    #[test]
    fn shifts_are_told_from_invalid_ones_at_any_place() {
        for largest in [PerChannel::SMALL_SHIFT, Multiplier::MAX_SHIFT] {
            for len in 1..10 {
                for (place, shift) in (0..len).flat_map(|place| (i8::MIN..=i8::MAX).map(move |s| (place, s)))
                {
                    let mut shifts = vec![Multiplier::MIN_SHIFT; len];
                    shifts[(place + 1) % len] = largest;
                    shifts[place] = shift;
                    let valid = (Multiplier::MIN_SHIFT..=largest).contains(&shift);
                    assert_eq!(are_shifts(&shifts, largest), valid, "{shifts:?}");
                }
            }
        }
    }

    #[test]
    fn words_are_told_from_those_beyond_a_bound() {
        let within = |values: &[i32], most| {
            let words: vec::Vec<[u8; 4]> = values.iter().map(|value| value.to_le_bytes()).collect();
            are_within(&words, most)
        };
        for most in [1, 5, 8, 1000, i32::MAX as u32 - 1] {
            let edge = most as i32;
            assert!(within(&[0, edge, -edge, 0], most));
            assert!(
                !within(&[0, edge + 1], most) && !within(&[-edge - 1, 0], most) && !within(&[i32::MIN], most)
            );
        }
        assert!(within(&[0, 0], 0) && !within(&[0, -1], 0));
    }
}
