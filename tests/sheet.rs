//! Paper to draw on: grey pictures of strokes and areas with soft edges.

use fastrand::Rng;

/// A place, in hundredths of the sheet's side from its left upper corner.
pub type Spot = [f64; 2];

/// A square sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Rows and columns.
    pub side: usize,
    /// How much ink lies on each pixel, 0 to 1, row by row.
    pub ink: Vec<f64>,
}

impl Sheet {
    /// Blank paper.
    pub fn new(side: usize) -> Self {
        Self { side, ink: vec![0.0; side * side] }
    }

    /// Puts ink where `distance`, in hundredths of the side, is below 0; on the edge of it less.
    pub fn area(&mut self, distance: impl Fn(Spot) -> f64) {
        let pixel = 100.0 / self.side as f64;
        for (index, ink) in self.ink.iter_mut().enumerate() {
            let spot = [index % self.side, index / self.side].map(|at| (at as f64 + 0.5) * pixel);
            *ink = (0.5 - distance(spot) / pixel).clamp(*ink, 1.0);
        }
    }

    /// Draws a line from spot to spot, with a pen of this radius.
    pub fn line(&mut self, spots: &[Spot], radius: f64) {
        self.area(|spot| {
            let near = spots.windows(2).map(|ends| distance(spot, [ends[0], ends[1]]));
            near.fold(f64::INFINITY, f64::min) - radius
        });
    }

    /// The sheet as a grey picture: ink and paper of any two levels that differ enough, dark on light or light on dark.
    pub fn picture(&self, rng: &mut Rng) -> Vec<u8> {
        let (dark, light) = (rng.u8(0..90), rng.u8(170..=255));
        let [ink, paper] = if rng.bool() { [dark, light] } else { [light, dark] }.map(f64::from);
        self.ink.iter().map(|share| (paper + share * (ink - paper)).round() as u8).collect()
    }
}

/// From a spot to a straight line.
fn distance([x, y]: Spot, [[x0, y0], [x1, y1]]: [Spot; 2]) -> f64 {
    let [dx, dy] = [x1 - x0, y1 - y0];
    let length = (dx * dx + dy * dy).max(1e-9);
    let along = (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0);
    (x - x0 - along * dx).hypot(y - y0 - along * dy)
}
