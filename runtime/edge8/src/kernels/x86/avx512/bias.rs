//! Biases for inputs that became unsigned.

use super::lanes::first;
use crate::operator::PerChannel;
use core::arch::x86_64::*;

/// Biases of channels for unsigned inputs, `count` of them from `channel` on; 0 in the other lanes.
///
/// # Safety
/// There are as many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub unsafe fn unsigned_bias(channels: &PerChannel<'_>, channel: usize, count: usize) -> __m512i {
    let mask = first(count);
    // SAFETY: the mask lets through the channels that exist.
    unsafe {
        let bias = _mm512_maskz_loadu_epi32(mask, channels.bias.as_ptr().add(channel).cast());
        let sum = _mm512_maskz_loadu_epi32(mask, channels.sum.as_ptr().add(channel).cast());
        _mm512_sub_epi32(bias, _mm512_slli_epi32::<7>(sum))
    }
}
