//! Elastic distortion: a smooth random displacement of every place (Simard et al., "Best practices for convolutional neural
//! networks", 2003), here a cubic B-spline over few control points.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Cells of the grid along each side: a part of a stroke moves, and not the digit.
const CELLS: usize = 4;
/// Control points along each side: a place is moved by the four about it.
const POINTS: usize = CELLS + 3;

/// Where control points move what lies about them, across and down, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Warp([Line; POINTS]);

/// The control points of one row.
pub(super) type Line = [[f32; 2]; POINTS];

impl Warp {
    /// Control points that move by up to so much of each side. What lies between them moves less: the standard deviation is 0.28
    /// of the limit.
    pub(super) fn random(rng: &mut ChaCha8Rng, limit: f32, [height, width, _]: [usize; 3]) -> Self {
        let mut within = |side: usize| rng.random_range(-limit..=limit) * side as f32;
        Self(std::array::from_fn(|_| std::array::from_fn(|_| [within(width), within(height)])))
    }

    /// The control points for row `y` of so many.
    pub(super) fn row(&self, y: usize, height: usize) -> Line {
        let (first, weights) = spline(y, height);
        let four = &self.0[first..first + 4];
        std::array::from_fn(|column| mean([0, 1, 2, 3].map(|row| four[row][column]), weights))
    }
}

/// How place `x` of so many in a row moves.
pub(super) fn at(line: &Line, x: usize, width: usize) -> [f32; 2] {
    let (first, weights) = spline(x, width);
    mean([0, 1, 2, 3].map(|column| line[first + column]), weights)
}

fn mean(four: [[f32; 2]; 4], weights: [f32; 4]) -> [f32; 2] {
    [0, 1].map(|axis| four.iter().zip(weights).map(|(point, weight)| point[axis] * weight).sum())
}

/// The first of the four control points about a place, and their weights in the uniform cubic B-spline.
fn spline(place: usize, len: usize) -> (usize, [f32; 4]) {
    let at = (place as f32 + 0.5) * CELLS as f32 / len as f32;
    let cell = (at as usize).min(CELLS - 1);
    let t = at - cell as f32;
    let s = 1.0 - t;
    let [near, far] = [t, s].map(|t| (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0);
    (cell, [s * s * s / 6.0, near, far, t * t * t / 6.0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn equal_control_points_move_everything_alike() {
        let warp = Warp([[[3.0, -2.0]; POINTS]; POINTS]);
        for place in 0..29 {
            let [across, down] = at(&warp.row(place, 29), 28 - place, 29);
            assert!((across - 3.0).abs() < 1e-5 && (down + 2.0).abs() < 1e-5);
        }
    }

    #[test]
    fn places_move_as_far_as_said_and_as_their_neighbours_do() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let [mut square, mut step] = [0f32; 2];
        for _ in 0..400 {
            let warp = Warp::random(&mut rng, 0.1, [30, 30, 1]);
            let row = warp.row(14, 30);
            let [here, beside] = [11, 12].map(|x| at(&row, x, 30)[0]);
            square += here * here / 400.0;
            step = step.max((here - beside).abs());
        }
        assert!((0.7..1.0).contains(&square.sqrt()), "{}", square.sqrt());
        assert!(step < 0.7, "{step}");
    }
}
