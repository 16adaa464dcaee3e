//! The 3x3 patches of a one-channel picture: they turn the first convolution into a 1x1 convolution.

use rayon::prelude::*;

use super::geometry::{Geometry, KERNEL, TAPS};

/// Values of one patch: nine pixels and zeros up to a multiple of eight.
pub(crate) const PATCH: usize = 16;

/// From `[images, height, width]` to `[images, out_height, out_width, PATCH]`, with zeros outside the picture.
pub(crate) fn patches(geometry: &Geometry, pictures: &[f32]) -> Vec<f32> {
    let images = pictures.len() / geometry.pixels();
    let mut patches = vec![0.0; images * geometry.out_pixels() * PATCH];
    (patches.par_chunks_exact_mut(geometry.out_pixels() * PATCH))
        .zip(pictures.par_chunks_exact(geometry.pixels()))
        .for_each(|(patches, picture)| picture_patches(geometry, picture, patches));
    patches
}

fn picture_patches(geometry: &Geometry, picture: &[f32], patches: &mut [f32]) {
    let mut padded = vec![0.0; geometry.padded_pixels()];
    for (y, row) in picture.chunks_exact(geometry.width).enumerate() {
        let start = (y + geometry.top) * geometry.padded_width() + geometry.left;
        padded[start..start + geometry.width].copy_from_slice(row);
    }
    for (pixel, patch) in patches.chunks_exact_mut(PATCH).enumerate() {
        let (y, x) = (pixel / geometry.out_width, pixel % geometry.out_width);
        for tap in 0..TAPS {
            let row = y * geometry.stride + tap / KERNEL;
            patch[tap] = padded[row * geometry.padded_width() + x * geometry.stride + tap % KERNEL];
        }
    }
}
