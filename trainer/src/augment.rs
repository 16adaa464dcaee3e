//! Augmentation: rotation, zoom, shear and shift in one affine resampling.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Rotation to either side, in degrees.
const ROTATION: f32 = 12.0;
/// Change of each side's length.
const ZOOM: f32 = 0.12;
/// Horizontal shear: columns moved for each row.
const SHEAR: f32 = 0.15;
/// Shift to either side, as part of the picture's side.
const SHIFT: f32 = 1.5 / 28.0;

/// Maps an output pixel to the place in the source it is taken from, both measured from the centre.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    matrix: [f32; 4],
    shift: [f32; 2],
}

impl Affine {
    /// A random map for pictures of `side` x `side`.
    pub(crate) fn random(rng: &mut ChaCha8Rng, side: usize) -> Self {
        let mut within = |limit: f32| rng.random_range(-limit..=limit);
        let (sine, cosine) = within(ROTATION).to_radians().sin_cos();
        let (across, down) = (1.0 + within(ZOOM), 1.0 + within(ZOOM));
        let shear = within(SHEAR);
        let shift = SHIFT * side as f32;
        // Rotation after shear, then the zoom of each source axis.
        let matrix =
            [cosine / across, (shear * cosine - sine) / across, sine / down, (shear * sine + cosine) / down];
        Self { matrix, shift: [within(shift), within(shift)] }
    }

    /// `target[i] = source / 255` at the mapped place, bilinear, black outside; both are `side` x `side`.
    pub(crate) fn apply(&self, side: usize, source: &[u8], target: &mut [f32]) {
        let [xx, xy, yx, yy] = self.matrix;
        let centre = (side as f32 - 1.0) / 2.0;
        for (y, row) in target.chunks_exact_mut(side).enumerate() {
            let v = y as f32 - centre;
            for (x, value) in row.iter_mut().enumerate() {
                let u = x as f32 - centre;
                let from_x = xx * u + xy * v + centre + self.shift[0];
                let from_y = yx * u + yy * v + centre + self.shift[1];
                *value = bilinear(side, source, from_x, from_y) / 255.0;
            }
        }
    }
}

fn bilinear(side: usize, source: &[u8], x: f32, y: f32) -> f32 {
    // Everything from one pixel outside is black; moved up by one to truncate like floor.
    let (x, y) = (x + 1.0, y + 1.0);
    let limit = (side + 1) as f32;
    if !(x > 0.0 && y > 0.0 && x < limit && y < limit) {
        return 0.0;
    }
    let (left, top) = (x as usize, y as usize);
    let (fx, fy) = (x - left as f32, y - top as f32);
    let pixel = |x: usize, y: usize| {
        let inside = x >= 1 && y >= 1 && x <= side && y <= side;
        if inside { f32::from(source[(y - 1) * side + x - 1]) } else { 0.0 }
    };
    let upper = pixel(left, top) * (1.0 - fx) + pixel(left + 1, top) * fx;
    let lower = pixel(left, top + 1) * (1.0 - fx) + pixel(left + 1, top + 1) * fx;
    upper * (1.0 - fy) + lower * fy
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_identity_changes_nothing() {
        let source: Vec<u8> = (0..25).map(|i| i * 10).collect();
        let mut target = vec![0.0; 25];
        Affine { matrix: [1.0, 0.0, 0.0, 1.0], shift: [0.0; 2] }.apply(5, &source, &mut target);
        for (source, target) in source.iter().zip(&target) {
            assert!((f32::from(*source) / 255.0 - target).abs() < 1e-6);
        }
    }

    #[test]
    fn a_shift_moves_and_the_outside_is_black() {
        let source = [0, 0, 0, 0, 255, 0, 0, 0, 0];
        let mut target = vec![1.0; 9];
        Affine { matrix: [1.0, 0.0, 0.0, 1.0], shift: [1.0, 0.5] }.apply(3, &source, &mut target);
        assert_eq!(target, [0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn random_maps_keep_most_of_the_ink() {
        let source: Vec<u8> = (0..1024)
            .map(|i: usize| if (i / 32).abs_diff(16) < 11 && (i % 32).abs_diff(16) < 3 { 255 } else { 0 })
            .collect();
        let ink = source.iter().filter(|&&byte| byte > 0).count() as f32;
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..200 {
            let mut target = vec![0.0; 1024];
            Affine::random(&mut rng, 32).apply(32, &source, &mut target);
            let share = target.iter().sum::<f32>() / ink;
            assert!((0.7..1.35).contains(&share), "{share}");
        }
    }
}
