//! The products of each set of instructions against plain loops.

use super::super::vector::Portable;
use super::*;

/// Whole numbers, so that every order of a sum gives the same bits.
fn matrix(rows: usize, columns: usize, seed: usize) -> Vec<f32> {
    (0..rows * columns).map(|index| ((index * 7 + seed * 5) % 13) as f32 - 6.0).collect()
}

fn product(m: usize, k: usize, n: usize, a: impl Fn(usize, usize) -> f32, b: &[f32]) -> Vec<f32> {
    let value = |row: usize, column: usize| (0..k).map(|depth| a(row, depth) * b[depth * n + column]).sum();
    (0..m * n).map(|index| value(index / n, index % n)).collect()
}

/// Sizes that leave rests: of rows for tiles of four and eight, of columns for each width of a tile.
const SIZES: [(usize, usize, usize); 7] =
    [(1, 8, 8), (3, 8, 16), (4, 9, 24), (13, 16, 32), (37, 27, 40), (8, 24, 56), (70, 8, 104)];

fn assert_multiplies<V: Vector>() {
    for (m, k, n) in SIZES {
        let stride = k + 3;
        let (a, b) = (matrix(m, stride, 1), matrix(k, n, 2));
        let expected = product(m, k, n, |row, depth| a[row * stride + depth], &b);
        let mut found = vec![f32::NAN; m * n];
        // SAFETY: the callers have the instructions.
        unsafe { multiply_kernel::<V>(m, &a, stride, &Panels::new(k, n, &b), &mut found, Output::Rows) };
        assert_eq!(found, expected, "{m}x{k}x{n}");

        let (bias, offsets) =
            (matrix(1, n, 3), (0..m).map(|row| (m - 1 - row) * (n + 2)).collect::<Vec<_>>());
        let mut found = vec![f32::NAN; m * (n + 2)];
        let output = Output::BiasRelu6 { bias: &bias, offsets: &offsets };
        // SAFETY: as above.
        unsafe { multiply_kernel::<V>(m, &a, stride, &Panels::new(k, n, &b), &mut found, output) };
        for (row, offset) in offsets.iter().enumerate() {
            let expected = expected[row * n..][..n]
                .iter()
                .zip(&bias)
                .map(|(value, bias)| (value + bias).clamp(0.0, 6.0));
            assert!(found[*offset..][..n].iter().copied().eq(expected), "{m}x{k}x{n}, row {row}");
            assert!(found[offset + n..][..2].iter().all(|value| value.is_nan()), "nothing between the rows");
        }
    }
}

fn assert_accumulates<V: Vector>() {
    for (m, k, n) in SIZES {
        let stride = k + 3;
        let (a, b, before) = (matrix(m, stride, 1), matrix(m, n, 2), matrix(k, n, 3));
        let mut expected = product(k, m, n, |row, depth| a[depth * stride + row], &b);
        expected.iter_mut().zip(&before).for_each(|(value, before)| *value += before);
        let mut found = before;
        // SAFETY: the callers have the instructions.
        unsafe { accumulate_kernel::<V>(m, k, n, &a, stride, &b, &mut found) };
        assert_eq!(found, expected, "{m}x{k}x{n}");
    }
}

#[test]
fn plain_rust_multiplies() {
    assert_multiplies::<Portable>();
    assert_accumulates::<Portable>();
}

#[cfg(target_arch = "x86_64")]
#[test]
fn avx2_multiplies_in_tiles_of_four_and_of_eight_rows() {
    use super::super::avx2::Avx2;

    #[target_feature(enable = "avx2,fma")]
    fn check() {
        assert_multiplies::<Avx2<16>>();
        assert_accumulates::<Avx2<16>>();
        assert_multiplies::<Avx2<32>>();
        assert_accumulates::<Avx2<32>>();
    }
    if !is_x86_feature_detected!("avx2") || !is_x86_feature_detected!("fma") {
        println!("this processor has no AVX2: nothing was compared");
        return;
    }
    // SAFETY: the instructions were detected just now.
    unsafe { check() };
}

#[test]
fn panels_of_a_transpose_are_those_of_the_transposed() {
    for (k, n) in [(8, 8), (16, 32), (24, 40), (40, 104)] {
        let matrix = matrix(n, k, 4);
        let transposed: Vec<f32> = (0..k * n).map(|index| matrix[index % n * k + index / n]).collect();
        assert_eq!(Panels::transposed(k, n, &matrix).values, Panels::new(k, n, &transposed).values);
    }
}
