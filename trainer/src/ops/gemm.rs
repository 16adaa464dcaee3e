//! The two matrix products of training, for matrices that fit the cache: few columns, all multiples of eight.
//!
//! Matrices are row-major without gaps, but for the second factor of [`multiply`], which is [`Panels`]. Tiles of the output
//! live in registers; every sum runs in a fixed order.

use rayon::prelude::*;

use super::panels::{Panels, WIDE, tile_width};
use super::vector::{LANES, Vector, multiversion};

/// Where [`multiply`] puts its rows, and what it does to them first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Output<'a> {
    /// Row `r` of the product goes to `out[r * n..]`.
    Rows,
    /// `relu6(product + bias)`; row `r` goes to `out[offsets[r]..]`.
    BiasRelu6 {
        /// One value for each of the `n` columns.
        bias: &'a [f32],
        /// Start of each of the `m` rows.
        offsets: &'a [usize],
    },
}

multiversion! {
    /// `out = a * b`: `a` is `[m, k]` with rows `stride` values apart, `b` is `[k, n]`.
    pub(crate) fn multiply(
        m: usize, a: &[f32], stride: usize, b: &Panels, out: &mut [f32], output: Output<'_>,
    ) = multiply_kernel
}

multiversion! {
    /// `sum += a^T * b`: `a` is `[m, k]` with rows `stride` values apart, `b` is `[m, n]`, `sum` is `[k, n]`.
    pub(crate) fn accumulate(
        m: usize, k: usize, n: usize, a: &[f32], stride: usize, b: &[f32], sum: &mut [f32],
    ) = accumulate_kernel
}

/// Whether a tile has eight rows rather than four: three vectors of columns then fill 24 of 32 registers, or 12 of 16.
const fn is_high<V: Vector>() -> bool {
    V::REGISTERS >= 32
}

struct Product<'a> {
    m: usize,
    a: *const f32,
    stride: usize,
    b: &'a Panels,
    out: *mut f32,
    output: Output<'a>,
}

#[inline(always)]
unsafe fn multiply_kernel<V: Vector>(
    m: usize,
    a: &[f32],
    stride: usize,
    b: &Panels,
    out: &mut [f32],
    output: Output<'_>,
) {
    let Panels { k, n, .. } = *b;
    assert!(n.is_multiple_of(LANES) && k > 0 && k <= stride && b.values.len() >= k * n);
    assert!(m == 0 || a.len() >= (m - 1) * stride + k);
    match output {
        Output::Rows => assert!(out.len() >= m * n),
        Output::BiasRelu6 { bias, offsets } => {
            assert!(bias.len() >= n && offsets.len() >= m);
            assert!(offsets[..m].iter().all(|&offset| offset <= out.len() && out.len() - offset >= n));
        }
    }
    let product = Product { m, a: a.as_ptr(), stride, b, out: out.as_mut_ptr(), output };
    let mut column = 0;
    while column < n {
        let width = tile_width((n - column) / LANES);
        // SAFETY: the lengths were checked above; the columns of the panel end at or before `n`.
        unsafe {
            match (width, is_high::<V>()) {
                (1, _) => product.panel::<V, 8, 1>(column),
                (2, false) => product.panel::<V, 4, 2>(column),
                (2, true) => product.panel::<V, 8, 2>(column),
                (_, false) => product.panel::<V, 4, WIDE>(column),
                (_, true) => product.panel::<V, 8, WIDE>(column),
            }
        }
        column += width * LANES;
    }
}

impl Product<'_> {
    /// All rows of the columns `column..column + C * LANES`, `R` at a time.
    #[inline(always)]
    unsafe fn panel<V: Vector, const R: usize, const C: usize>(&self, column: usize) {
        let mut row = 0;
        // SAFETY: the rows stay below `m`; the rest is the caller's promise.
        unsafe {
            while row + R <= self.m {
                self.tile::<V, R, C>(row, column);
                row += R;
            }
            while row < self.m {
                self.tile::<V, 1, C>(row, column);
                row += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<V: Vector, const R: usize, const C: usize>(&self, row: usize, column: usize) {
        // SAFETY: `row + R <= m` and `column + C * LANES <= n`: within the lengths that the kernel checked.
        unsafe {
            let mut sums = [[V::splat(0.0); C]; R];
            let a = self.a.add(row * self.stride);
            let mut b = self.b.values.as_ptr().add(column * self.b.k);
            for depth in 0..self.b.k {
                let mut weights = [V::splat(0.0); C];
                for (c, weight) in weights.iter_mut().enumerate() {
                    *weight = V::load(b.add(c * LANES));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let value = V::splat(*a.add(r * self.stride + depth));
                    for c in 0..C {
                        sums[c] = value.mul_add(weights[c], sums[c]);
                    }
                }
                b = b.add(C * LANES);
            }
            match self.output {
                Output::Rows => {
                    for (r, sums) in sums.iter().enumerate() {
                        let out = self.out.add((row + r) * self.b.n + column);
                        for (c, sum) in sums.iter().enumerate() {
                            sum.store(out.add(c * LANES));
                        }
                    }
                }
                Output::BiasRelu6 { bias, offsets } => {
                    for (r, sums) in sums.iter().enumerate() {
                        let out = self.out.add(*offsets.get_unchecked(row + r) + column);
                        for (c, sum) in sums.iter().enumerate() {
                            let bias = V::load(bias.as_ptr().add(column + c * LANES));
                            sum.add(bias).relu6().store(out.add(c * LANES));
                        }
                    }
                }
            }
        }
    }
}

struct Accumulation {
    m: usize,
    k: usize,
    n: usize,
    a: *const f32,
    stride: usize,
    b: *const f32,
    sum: *mut f32,
}

/// Bytes of `b` that stay in the first-level cache while all tiles of the sum pass over them.
const RESIDENT: usize = 12 << 10;

#[inline(always)]
unsafe fn accumulate_kernel<V: Vector>(
    m: usize,
    k: usize,
    n: usize,
    a: &[f32],
    stride: usize,
    b: &[f32],
    sum: &mut [f32],
) {
    assert!(n.is_multiple_of(LANES) && k <= stride && b.len() >= m * n && sum.len() >= k * n);
    assert!(m == 0 || a.len() >= (m - 1) * stride + k);
    let rows = (RESIDENT / (4 * n)).max(32);
    let mut row = 0;
    while row < m {
        let length = rows.min(m - row);
        // SAFETY: `row + length <= m`, and the lengths were checked above.
        let block = unsafe {
            Accumulation {
                m: length,
                k,
                n,
                a: a.as_ptr().add(row * stride),
                stride,
                b: b.as_ptr().add(row * n),
                sum: sum.as_mut_ptr(),
            }
        };
        let mut column = 0;
        while column < n {
            let width = tile_width((n - column) / LANES);
            // SAFETY: as above; the columns of the panel end at or before `n`.
            unsafe {
                match (width, is_high::<V>()) {
                    (1, _) => block.panel::<V, 8, 1>(column),
                    (2, false) => block.panel::<V, 4, 2>(column),
                    (2, true) => block.panel::<V, 8, 2>(column),
                    (_, false) => block.panel::<V, 4, WIDE>(column),
                    (_, true) => block.panel::<V, 8, WIDE>(column),
                }
            }
            column += width * LANES;
        }
        row += length;
    }
}

impl Accumulation {
    /// The columns `column..column + C * LANES` of the sum, `R` of its rows at a time.
    #[inline(always)]
    unsafe fn panel<V: Vector, const R: usize, const C: usize>(&self, column: usize) {
        let mut depth = 0;
        // SAFETY: the rows of the sum stay below `k`; the rest is the caller's promise.
        unsafe {
            while depth + R <= self.k {
                self.tile::<V, R, C>(depth, column);
                depth += R;
            }
            while depth < self.k {
                self.tile::<V, 1, C>(depth, column);
                depth += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<V: Vector, const R: usize, const C: usize>(&self, depth: usize, column: usize) {
        // SAFETY: `depth + R <= k` and `column + C * LANES <= n`: within the lengths that the kernel checked.
        unsafe {
            let out = self.sum.add(depth * self.n + column);
            let mut sums = [[V::splat(0.0); C]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (c, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(out.add(r * self.n + c * LANES));
                }
            }
            let mut a = self.a.add(depth);
            let mut b = self.b.add(column);
            for _ in 0..self.m {
                let mut values = [V::splat(0.0); C];
                for (c, value) in values.iter_mut().enumerate() {
                    *value = V::load(b.add(c * LANES));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = V::splat(*a.add(r));
                    for c in 0..C {
                        sums[c] = factor.mul_add(values[c], sums[c]);
                    }
                }
                a = a.add(self.stride);
                b = b.add(self.n);
            }
            for (r, sums) in sums.iter().enumerate() {
                for (c, sum) in sums.iter().enumerate() {
                    sum.store(out.add(r * self.n + c * LANES));
                }
            }
        }
    }
}

/// `out = a * b` as [`multiply`] with rows without gaps, on all cores.
pub(crate) fn multiply_parallel(a: &[f32], stride: usize, b: &Panels, out: &mut [f32]) {
    /// Rows of a task.
    const TASK: usize = 16;
    (out.par_chunks_mut(TASK * b.n)).zip(a.par_chunks(TASK * stride)).for_each(|(out, a)| {
        multiply(out.len() / b.n, a, stride, b, out, Output::Rows);
    });
}

#[cfg(test)]
mod tests;
