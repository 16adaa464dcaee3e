//! Outputs of a packed matrix for one, two or four patches at once.
//!
//! The sums of an output and some patches stay in registers; a word of weights is widened once for all patches. Of one or two
//! patches there are registers for the sums of several outputs: their weights lie side by side.
//!
//! With `k = -1 - shift` the value of a sum is `(high half of sum * mantissa + 2^(k - 1)) >> k`, plus the zero point, which is
//! added before the shift where that fits into 32 bits: up to `k = 23`.

/// The loop of groups: `$count` says how often, beside the step in its lowest byte, and the word at `$enter` on the stack where
/// it is entered.
#[rustfmt::skip]
macro_rules! groups {
    ($group:expr, $count:literal, $enter:literal) => {
        concat!(
            "ldr r12, [sp, #", $enter, "]\n",
            "tbb [pc, r12]\n",
            "3: .byte (51f - 3b) / 2, (52f - 3b) / 2, (53f - 3b) / 2, (54f - 3b) / 2\n",
            "50:\n", $group, "\n",
            "51:\n", $group, "\n",
            "52:\n", $group, "\n",
            "53:\n", $group, "\n",
            "54: subs ", $count, ", ", $count, ", #256\n",
            "bcs 50b\n"
        )
    };
}

mod many;
mod outputs;
mod single;

pub(super) use many::{one_by_four, two_by_two};
pub(super) use outputs::{ANY, HALF, Outputs, WHOLE};
pub(super) use single::{four, one, two};
