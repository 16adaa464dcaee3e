//! The 3x3 patches of a picture: they turn the first convolution into a 1x1 convolution.

use rayon::prelude::*;

use super::geometry::{Geometry, KERNEL, TAPS};
use super::vector::LANES;

/// Values of one patch of a picture of `channels` channels: nine pixels and zeros up to a multiple of eight.
pub(crate) fn patch_len(channels: usize) -> usize {
    (TAPS * channels).next_multiple_of(LANES)
}

/// From `[images, height, width, channels]`, of 1 or 3 channels, to `[images, out_height, out_width,`
/// [`patch_len`]`]`: pixel by pixel as the kernel goes, with zeros outside the picture.
pub(crate) fn patches(geometry: &Geometry, channels: usize, pictures: &[f32]) -> Vec<f32> {
    let fill = match channels {
        1 => picture_patches::<1, KERNEL>,
        _ => picture_patches::<3, { 3 * KERNEL }>,
    };
    let (pixels, out) = (geometry.pixels() * channels, geometry.out_pixels() * patch_len(channels));
    let mut patches = vec![0.0; pictures.len() / pixels * out];
    (patches.par_chunks_exact_mut(out))
        .zip(pictures.par_chunks_exact(pixels))
        .for_each(|(patches, picture)| fill(geometry, picture, patches));
    patches
}

/// One picture's patches. `ROW` is the values of one row of the kernel, which lie side by side in picture and patch.
fn picture_patches<const CHANNELS: usize, const ROW: usize>(
    geometry: &Geometry,
    picture: &[f32],
    patches: &mut [f32],
) {
    let (width, padded_width) = (geometry.width * CHANNELS, geometry.padded_width() * CHANNELS);
    let mut padded = vec![0.0; geometry.padded_pixels() * CHANNELS];
    for (y, row) in picture.chunks_exact(width).enumerate() {
        let start = (y + geometry.top) * padded_width + geometry.left * CHANNELS;
        padded[start..start + width].copy_from_slice(row);
    }
    for (pixel, patch) in patches.chunks_exact_mut(patch_len(CHANNELS)).enumerate() {
        let (y, x) = (pixel / geometry.out_width, pixel % geometry.out_width);
        for (tap, patch) in patch.chunks_exact_mut(ROW).take(KERNEL).enumerate() {
            let start = (y * geometry.stride + tap) * padded_width + x * geometry.stride * CHANNELS;
            patch.copy_from_slice(&padded[start..start + ROW]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_hold_what_lies_under_the_kernel() {
        for (channels, height, width, stride) in [(1, 5, 4, 1), (3, 5, 4, 1), (3, 4, 7, 2), (1, 8, 9, 2)] {
            let geometry = Geometry::new(height, width, stride);
            let value = |index: usize| 1.0 + index as f32;
            let length = height * width * channels;
            let pictures: Vec<f32> = (0..2 * length).map(value).collect();
            let found = patches(&geometry, channels, &pictures);
            let mut expected = Vec::new();
            for (image, y, x) in places(2, geometry.out_height, geometry.out_width) {
                let mut patch = vec![0.0; patch_len(channels)];
                for (tap, channel) in (0..TAPS).flat_map(|tap| (0..channels).map(move |c| (tap, c))) {
                    // One row and column too many, so that what lies before the picture counts from 0.
                    let row = y * stride + tap / KERNEL + 1 - geometry.top;
                    let column = x * stride + tap % KERNEL + 1 - geometry.left;
                    if (1..=height).contains(&row) && (1..=width).contains(&column) {
                        let pixel = (row - 1) * width + column - 1;
                        patch[tap * channels + channel] = value(image * length + pixel * channels + channel);
                    }
                }
                expected.extend(patch);
            }
            assert_eq!(found, expected, "{height}x{width}x{channels} by {stride}");
        }
    }

    fn places(images: usize, height: usize, width: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        (0..images * height * width)
            .map(move |index| (index / (height * width), index / width % height, index % width))
    }
}
