//! Rotation, zoom, shear and shift in one affine resampling.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// How far each may go, to either side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Degrees.
    pub(super) rotation: f32,
    /// Change of the width and of the height.
    pub(super) zoom: [f32; 2],
    /// Horizontal: columns moved for each row.
    pub(super) shear: f32,
    /// Across and down, as part of each side.
    pub(super) shift: [f32; 2],
}

/// What lies outside the picture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outside {
    Black,
    /// The pixel at the edge, again and again.
    Edge,
}

/// A picture's rows, columns and channels.
type Shape = [usize; 3];

/// Maps an output pixel to the place in the source it is taken from, both measured from the centre.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    matrix: [f32; 4],
    shift: [f32; 2],
}

impl Affine {
    /// A random map for pictures of a shape.
    pub(super) fn random(rng: &mut ChaCha8Rng, limits: Limits, [height, width, _]: Shape) -> Self {
        let mut within = |limit: f32| rng.random_range(-limit..=limit);
        let (sine, cosine) = within(limits.rotation).to_radians().sin_cos();
        let [across, down] = limits.zoom.map(|limit| 1.0 + within(limit));
        let shear = within(limits.shear);
        // Rotation after shear, then the zoom of each source axis.
        let matrix =
            [cosine / across, (shear * cosine - sine) / across, sine / down, (shear * sine + cosine) / down];
        let [right, below] = limits.shift;
        Self { matrix, shift: [within(right * width as f32), within(below * height as f32)] }
    }

    /// `target[i] = source` at the mapped place, bilinear; both have the shape.
    pub(super) fn apply(&self, shape: Shape, outside: Outside, source: &[u8], target: &mut [f32]) {
        let [height, width, channels] = shape;
        let [xx, xy, yx, yy] = self.matrix;
        let centre = [width, height].map(|side| (side as f32 - 1.0) / 2.0);
        for (y, row) in target.chunks_exact_mut(width * channels).enumerate() {
            let v = y as f32 - centre[1];
            for (x, pixel) in row.chunks_exact_mut(channels).enumerate() {
                let u = x as f32 - centre[0];
                let from_x = xx * u + xy * v + centre[0] + self.shift[0];
                let from_y = yx * u + yy * v + centre[1] + self.shift[1];
                let (from_x, from_y) = match outside {
                    Outside::Black => (from_x, from_y),
                    Outside::Edge => {
                        (from_x.clamp(0.0, width as f32 - 1.0), from_y.clamp(0.0, height as f32 - 1.0))
                    }
                };
                bilinear(shape, source, [from_x, from_y], pixel);
            }
        }
    }
}

/// A pixel between four others, of which those outside are black.
fn bilinear([height, width, channels]: Shape, source: &[u8], [x, y]: [f32; 2], target: &mut [f32]) {
    // Everything from one pixel outside is black; moved up by one to truncate like floor.
    let (x, y) = (x + 1.0, y + 1.0);
    if !(x > 0.0 && y > 0.0 && x < (width + 1) as f32 && y < (height + 1) as f32) {
        return target.fill(0.0);
    }
    let (left, top) = (x as usize, y as usize);
    let (fx, fy) = (x - left as f32, y - top as f32);
    for (channel, value) in target.iter_mut().enumerate() {
        let pixel = |x: usize, y: usize| {
            let inside = x >= 1 && y >= 1 && x <= width && y <= height;
            if inside { f32::from(source[((y - 1) * width + x - 1) * channels + channel]) } else { 0.0 }
        };
        let upper = pixel(left, top) * (1.0 - fx) + pixel(left + 1, top) * fx;
        let lower = pixel(left, top + 1) * (1.0 - fx) + pixel(left + 1, top + 1) * fx;
        *value = upper * (1.0 - fy) + lower * fy;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_identity_changes_nothing() {
        let source: Vec<u8> = (0..24).map(|i| i * 10).collect();
        let mut target = vec![0.0; 24];
        for outside in [Outside::Black, Outside::Edge] {
            let identity = Affine { matrix: [1.0, 0.0, 0.0, 1.0], shift: [0.0; 2] };
            identity.apply([4, 2, 3], outside, &source, &mut target);
            assert!(source.iter().zip(&target).all(|(source, target)| f32::from(*source) == *target));
        }
    }

    #[test]
    fn a_shift_moves_and_the_outside_is_black_or_the_edge() {
        let source = [0, 0, 0, 0, 200, 0, 0, 0, 60];
        let mut target = vec![1.0; 9];
        let shift = Affine { matrix: [1.0, 0.0, 0.0, 1.0], shift: [1.0, 0.5] };
        shift.apply([3, 3, 1], Outside::Black, &source, &mut target);
        assert_eq!(target, [100.0, 0.0, 0.0, 100.0, 30.0, 0.0, 0.0, 30.0, 0.0]);
        shift.apply([3, 3, 1], Outside::Edge, &source, &mut target);
        assert_eq!(target, [100.0, 0.0, 0.0, 100.0, 30.0, 30.0, 0.0, 60.0, 60.0]);
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
            let shape = [32, 32, 1];
            Affine::random(&mut rng, super::super::DIGITS, shape).apply(
                shape,
                Outside::Black,
                &source,
                &mut target,
            );
            let share = target.iter().sum::<f32>() / 255.0 / ink;
            assert!((0.7..1.35).contains(&share), "{share}");
        }
    }
}
