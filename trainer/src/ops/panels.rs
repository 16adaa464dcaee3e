//! The second factor of a matrix product, stored as the product reads it.

use rayon::prelude::*;

use super::vector::LANES;

/// Widest tile of columns in vectors.
pub(super) const WIDE: usize = 3;

/// A `[k, n]` matrix, `n` a multiple of eight, in panels of a tile's columns: each panel is `[k, width]`, one after the
/// other, so that its rows do not compete for the same places of the cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panels {
    /// Rows.
    pub(super) k: usize,
    /// Columns.
    pub(super) n: usize,
    /// The panel that begins with column `c` begins at `c * k`.
    pub(super) values: Vec<f32>,
}

/// How wide the first tile of so many vectors of columns is: [`WIDE`], but at the end two of two rather than three and one.
/// [`Panels`] are cut by it, and so the products have to be.
pub(super) fn tile_width(vectors: usize) -> usize {
    if vectors == WIDE + 1 { 2 } else { vectors.min(WIDE) }
}

impl Panels {
    /// Of a row-major `matrix`, `[k, n]`.
    pub(crate) fn new(k: usize, n: usize, matrix: &[f32]) -> Self {
        Self::of_panels(k, n, |column, panel| {
            let width = panel.len() / k;
            for (target, row) in panel.chunks_exact_mut(width).zip(matrix.chunks_exact(n)) {
                target.copy_from_slice(&row[column..column + width]);
            }
        })
    }

    /// Of the transpose of a row-major `matrix`, `[n, k]`, `k` a multiple of eight too.
    pub(crate) fn transposed(k: usize, n: usize, matrix: &[f32]) -> Self {
        assert!(k.is_multiple_of(LANES));
        Self::of_panels(k, n, |column, panel| {
            let width = panel.len() / k;
            for vector in (0..width).step_by(LANES) {
                let rows = &matrix[(column + vector) * k..][..LANES * k];
                for first in (0..k).step_by(LANES) {
                    let row = |lane| -> [f32; LANES] {
                        std::array::from_fn(|depth| rows[lane * k + first..][depth])
                    };
                    let block: [[f32; LANES]; LANES] = std::array::from_fn(row);
                    for depth in 0..LANES {
                        let target = &mut panel[(first + depth) * width + vector..][..LANES];
                        target.copy_from_slice(&block.map(|row| row[depth]));
                    }
                }
            }
        })
    }

    /// `fill` is given each panel with its first column.
    fn of_panels(k: usize, n: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        assert!(n.is_multiple_of(LANES));
        let mut values = vec![0.0; k * n];
        let (mut panels, mut rest, mut column) = (Vec::new(), values.as_mut_slice(), 0);
        while column < n {
            let width = tile_width((n - column) / LANES) * LANES;
            let (panel, others) = rest.split_at_mut(width * k);
            panels.push((column, panel));
            (rest, column) = (others, column + width);
        }
        panels.into_par_iter().for_each(|(column, panel)| fill(column, panel));
        Self { k, n, values }
    }
}
