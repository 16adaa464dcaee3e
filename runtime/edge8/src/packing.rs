//! The order of the weights in a model image: one order that every kernel set reads forwards.
//!
//! *Matrix* (convolution, fully connected). A row has the weights of one output over a patch of the input,
//! `[kernel row][kernel column][in]`, filled up with zeros to a multiple of 4. Outputs come in blocks of 16, the last
//! block as many as are left, filled up with zeros to a multiple of 4. In a block, 4 weights of its first output, 4 of its
//! second and so on, then the next 4 of each: `[outputs / 16][patch / 4][16][4]`. Four bytes are what one lane of x86's
//! `vpdpbusd` and Arm's `sdot` multiplies at once, and what a Cortex-M loads as a word; 16 lanes are the widest register.
//!
//! *Depthwise*. The kernel's rows come in groups of 4, filled up with zeros: `[kernel rows / 4][kernel columns][out][4]`,
//! the last index the row. A kernel multiplies the 4 bytes with one column of as many input rows.
//!
//! Weights are in [-127, 127], as a symmetric quantisation makes them; hosts refuse an image with a weight of -128. Without
//! `sdot`, AArch64's kernels rely on it: they add two products in 16 bits.

/// Outputs in a whole block of a matrix.
pub const BLOCK: usize = 16;

/// Bytes that are multiplied together.
pub const GROUP: usize = 4;

/// A number of weights filled up to whole groups.
pub const fn padded(len: usize) -> usize {
    len.div_ceil(GROUP).wrapping_mul(GROUP)
}

/// Bytes of a matrix of `outputs` rows for patches of `patch` values; [`None`] beyond the address space.
pub const fn matrix_len(outputs: usize, patch: usize) -> Option<usize> {
    padded(outputs).checked_mul(padded(patch))
}

/// Where a matrix has the weight of an output for one value of its patch.
pub const fn matrix_index(outputs: usize, patch: usize, output: usize, value: usize) -> usize {
    let start = matrix_start(outputs, patch, output);
    start.0.wrapping_add((value / GROUP).wrapping_mul(start.1)).wrapping_add(value % GROUP)
}

/// Where a matrix has the first weight of an output, and how many bytes further each next group of 4 begins.
pub const fn matrix_start(outputs: usize, patch: usize, output: usize) -> (usize, usize) {
    let block = output / BLOCK;
    let first = block.wrapping_mul(BLOCK);
    let left = padded(outputs).saturating_sub(first);
    let width = if left < BLOCK { left } else { BLOCK };
    let start = first.wrapping_mul(padded(patch)).wrapping_add((output % BLOCK).wrapping_mul(GROUP));
    (start, width.wrapping_mul(GROUP))
}

/// Bytes of a depthwise kernel of some rows and columns; [`None`] beyond the address space.
pub const fn depthwise_len(kernel: [usize; 2], channels: usize) -> Option<usize> {
    match padded(kernel[0]).checked_mul(kernel[1]) {
        Some(taps) => taps.checked_mul(channels),
        None => None,
    }
}

/// Where a depthwise kernel has the weight of a channel at a row and a column.
pub const fn depthwise_index(
    kernel: [usize; 2],
    channels: usize,
    [row, column]: [usize; 2],
    channel: usize,
) -> usize {
    let columns = (row / GROUP).wrapping_mul(kernel[1]).wrapping_add(column);
    columns.wrapping_mul(channels).wrapping_add(channel).wrapping_mul(GROUP).wrapping_add(row % GROUP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Every weight has a place of its own, and what is left over is the filling.
    fn check(len: usize, weights: usize, indices: impl Iterator<Item = usize>) {
        let mut taken = vec![false; len];
        let indices: Vec<usize> = indices.collect();
        assert_eq!(indices.len(), weights);
        for index in indices {
            assert!(!core::mem::replace(&mut taken[index], true), "{index} twice");
        }
    }

    #[test]
    fn weights_have_places_of_their_own() {
        for (outputs, patch) in [(1, 1), (3, 9), (8, 48), (16, 4), (17, 5), (36, 27), (48, 8)] {
            let all = (0..outputs).flat_map(|o| (0..patch).map(move |k| matrix_index(outputs, patch, o, k)));
            check(matrix_len(outputs, patch).unwrap(), outputs * patch, all);
        }
        for (kernel, channels) in [([3, 3], 5), ([1, 1], 1), ([10, 8], 8), ([5, 2], 7)] {
            let taps = (0..kernel[0]).flat_map(|row| (0..kernel[1]).map(move |column| [row, column]));
            let all =
                taps.flat_map(|tap| (0..channels).map(move |c| depthwise_index(kernel, channels, tap, c)));
            check(depthwise_len(kernel, channels).unwrap(), kernel[0] * kernel[1] * channels, all);
        }
    }

    #[test]
    fn sixteen_outputs_take_turns_by_four() {
        assert_eq!([0, 3, 4].map(|k| matrix_index(20, 8, 0, k)), [0, 3, 64]);
        assert_eq!(
            [(1, 0), (15, 7), (16, 0), (16, 4), (19, 7)].map(|(o, k)| matrix_index(20, 8, o, k)),
            [4, 127, 128, 144, 159]
        );
    }
}
