//! The fused activation, after values have been saturated to int8.

use super::instructions::{max4, min4};
use crate::fixed_point::Activation;
use crate::slices::not_unrolled;

/// Clamps all values, four at a time; most activations leave all of int8.
#[inline(never)]
pub(super) fn clamp(activation: Activation, values: &mut [i8]) {
    if activation == Activation::NONE {
        return;
    }
    let [min, max] = [activation.min, activation.max].map(|bound| u32::from_ne_bytes([bound as u8; 4]));
    let (words, rest) = values.as_chunks_mut::<4>();
    for word in words {
        not_unrolled();
        let bytes = u32::from_ne_bytes(word.map(|value| value as u8));
        *word = min4(max4(bytes, min), max).to_ne_bytes().map(|byte| byte as i8);
    }
    for value in rest {
        not_unrolled();
        *value = activation.clamp((*value).into());
    }
}
