//! Paper, light and a pen.

use crate::digits::{Point, Stroke};

/// Red, green and blue from 0 to 1.
pub type Colour = [f32; 3];

/// Straight pieces per pair of points of a stroke.
const PIECES: usize = 12;

pub struct Canvas {
    pub width: usize,
    pub height: usize,
    /// Colours of the paper with what is written on it.
    pub colours: Vec<Colour>,
    /// How much ink covers each pixel, from 0 to 1.
    pub cover: Vec<f32>,
    random: Random,
}

/// A pen that writes a digit.
pub struct Pen {
    pub ink: Colour,
    /// Width of a line in pixels.
    pub width: f32,
    /// How much the width changes with pressure, from 0 to 1.
    pub pressure: f32,
}

/// Where a digit lies.
pub struct Place {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
    /// Turn around the middle, in degrees, clockwise.
    pub turn: f32,
    /// How far the top leans to the right, as a part of the height.
    pub lean: f32,
}

impl Canvas {
    /// Paper whose colour is `paper` of the place, both coordinates from -0.5 to 0.5.
    pub fn new(width: usize, height: usize, seed: u32, paper: impl Fn(f32, f32) -> Colour) -> Self {
        let place = |index: usize| {
            let (x, y) = ((index % width) as f32 + 0.5, (index / width) as f32 + 0.5);
            (x / width as f32 - 0.5, y / height as f32 - 0.5)
        };
        let colours = (0..width * height).map(|index| paper(place(index).0, place(index).1)).collect();
        Self { width, height, colours, cover: vec![0.0; width * height], random: Random(seed.max(1)) }
    }

    pub fn write(&mut self, strokes: &[Stroke], place: &Place, pen: &Pen) {
        let curves: Vec<Vec<Point>> =
            strokes.iter().map(|stroke| self.tremble(&curve(stroke), place)).collect();
        for y in 0..self.height {
            for x in 0..self.width {
                let here = (x as f32 + 0.5, y as f32 + 0.5);
                let cover = curves.iter().map(|curve| pen.cover(curve, here)).fold(0.0, f32::max);
                let index = y * self.width + x;
                self.cover[index] = self.cover[index].max(cover);
                for (paper, ink) in self.colours[index].iter_mut().zip(pen.ink) {
                    *paper += (ink - *paper) * cover;
                }
            }
        }
    }

    /// The curve at its place, with the unsteadiness of a hand.
    fn tremble(&mut self, curve: &[Point], place: &Place) -> Vec<Point> {
        let (sine, cosine) = place.turn.to_radians().sin_cos();
        let (mut dx, mut dy) = (0.0, 0.0);
        let step = 0.004 * place.height;
        curve
            .iter()
            .map(|(x, y)| {
                dx = 0.9 * dx + step * self.random.even();
                dy = 0.9 * dy + step * self.random.even();
                let (x, y) = (
                    (x - 0.5) * place.width + (0.5 - y) * place.lean * place.height,
                    (y - 0.5) * place.height,
                );
                let (x, y) = (x * cosine - y * sine, x * sine + y * cosine);
                (place.left + place.width / 2.0 + x + dx, place.top + place.height / 2.0 + y + dy)
            })
            .collect()
    }

    /// Grain of the paper or of a camera: every pixel becomes up to `strength` lighter or darker.
    pub fn grain(&mut self, strength: f32) {
        for colour in &mut self.colours {
            let change = strength * (self.random.even() + self.random.even());
            colour.iter_mut().for_each(|part| *part += change);
        }
    }

    /// Fibres: short faint lines in all directions.
    pub fn fibres(&mut self, count: usize, strength: f32) {
        for _ in 0..count {
            let (mut x, mut y) =
                (self.random.part() * self.width as f32, self.random.part() * self.height as f32);
            let (sine, cosine) = (self.random.even() * std::f32::consts::PI).sin_cos();
            for _ in 0..12 {
                (x, y) = (x + cosine, y + sine);
                if (0.0..self.width as f32).contains(&x) && (0.0..self.height as f32).contains(&y) {
                    let index = y as usize * self.width + x as usize;
                    self.colours[index].iter_mut().for_each(|part| *part -= strength);
                }
            }
        }
    }

    /// Squares of `size` pixels printed on the paper.
    pub fn squares(&mut self, size: usize, colour: Colour) {
        for (index, paper) in self.colours.iter_mut().enumerate() {
            if (index % self.width) % size == 3 || (index / self.width) % size == 5 {
                *paper = colour;
            }
        }
    }
}

impl Pen {
    /// How much of the pixel at `here` the pen covers.
    fn cover(&self, curve: &[Point], here: Point) -> f32 {
        let length = curve.len().max(2) as f32;
        let covers = curve.windows(2).enumerate().map(|(index, ends)| {
            let phase = index as f32 / length * std::f32::consts::PI;
            let width = self.width * (1.0 - self.pressure * (1.0 - phase.sin()));
            (width / 2.0 + 0.5 - distance(here, ends[0], ends[1])).clamp(0.0, 1.0)
        });
        covers.fold(0.0, f32::max)
    }
}

/// The points of a smooth (Catmull-Rom) curve.
fn curve(stroke: Stroke) -> Vec<Point> {
    let at = |index: isize| stroke[index.clamp(0, stroke.len() as isize - 1) as usize];
    let mut points = Vec::new();
    for start in 0..stroke.len() as isize - 1 {
        let [a, b, c, d] = [at(start - 1), at(start), at(start + 1), at(start + 2)];
        for piece in 0..PIECES {
            let t = piece as f32 / PIECES as f32;
            points.push((spline(t, a.0, b.0, c.0, d.0), spline(t, a.1, b.1, c.1, d.1)));
        }
    }
    points.extend(stroke.last());
    points
}

fn spline(t: f32, a: f32, b: f32, c: f32, d: f32) -> f32 {
    b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
}

fn distance(point: Point, from: Point, to: Point) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let along = ((point.0 - from.0) * dx + (point.1 - from.1) * dy) / (dx * dx + dy * dy).max(1e-9);
    let along = along.clamp(0.0, 1.0);
    (point.0 - from.0 - along * dx).hypot(point.1 - from.1 - along * dy)
}

/// Marsaglia's xorshift.
struct Random(u32);

impl Random {
    /// Even between 0 and 1.
    fn part(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }

    /// Even between -1 and 1.
    fn even(&mut self) -> f32 {
        2.0 * self.part() - 1.0
    }
}
