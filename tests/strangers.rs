//! Pictures of no digit, and of digits that nearly are none. No network was trained on such: `trainer`'s outliers are parts of
//! digits and joined strokes at random.

use crate::sheet::{Sheet, Spot};
use fastrand::Rng;
use std::f64::consts::{PI, TAU};

/// Rows and columns of most pictures.
const SIDE: usize = 96;

/// A grey picture.
#[derive(Clone, Debug)]
pub struct Grey {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row.
    pub pixels: Vec<u8>,
}

impl Grey {
    fn square(side: usize, pixel: impl FnMut(usize) -> f64) -> Self {
        let pixels = (0..side * side).map(pixel).map(|value| value.clamp(0.0, 255.0) as u8).collect();
        Self { width: side, height: side, pixels }
    }

    fn of(sheet: &Sheet, rng: &mut Rng) -> Self {
        Self { width: sheet.side, height: sheet.side, pixels: sheet.picture(rng) }
    }
}

/// Lines from spot to spot.
type Strokes = &'static [&'static [Spot]];

/// Letters that resemble no digit.
const LETTERS: [(char, Strokes); 16] = [
    ('A', &[&[[10.0, 95.0], [50.0, 5.0], [90.0, 95.0]], &[[27.0, 60.0], [73.0, 60.0]]]),
    ('E', &[&[[85.0, 5.0], [15.0, 5.0], [15.0, 95.0], [85.0, 95.0]], &[[15.0, 50.0], [70.0, 50.0]]]),
    ('F', &[&[[85.0, 5.0], [15.0, 5.0], [15.0, 95.0]], &[[15.0, 48.0], [70.0, 48.0]]]),
    ('H', &[&[[12.0, 5.0], [12.0, 95.0]], &[[88.0, 5.0], [88.0, 95.0]], &[[12.0, 50.0], [88.0, 50.0]]]),
    ('K', &[&[[15.0, 5.0], [15.0, 95.0]], &[[85.0, 5.0], [15.0, 58.0]], &[[38.0, 42.0], [88.0, 95.0]]]),
    ('M', &[&[[8.0, 95.0], [12.0, 5.0], [50.0, 70.0], [88.0, 5.0], [92.0, 95.0]]]),
    ('N', &[&[[12.0, 95.0], [12.0, 5.0], [88.0, 95.0], [88.0, 5.0]]]),
    (
        'R',
        &[
            &[[15.0, 95.0], [15.0, 5.0], [60.0, 5.0], [80.0, 15.0], [80.0, 35.0], [60.0, 50.0], [15.0, 50.0]],
            &[[50.0, 50.0], [85.0, 95.0]],
        ],
    ),
    ('T', &[&[[8.0, 8.0], [92.0, 8.0]], &[[50.0, 8.0], [50.0, 95.0]]]),
    ('W', &[&[[5.0, 5.0], [28.0, 95.0], [50.0, 30.0], [72.0, 95.0], [95.0, 5.0]]]),
    ('X', &[&[[10.0, 5.0], [90.0, 95.0]], &[[90.0, 5.0], [10.0, 95.0]]]),
    ('k', &[&[[20.0, 2.0], [20.0, 98.0]], &[[70.0, 35.0], [20.0, 70.0]], &[[38.0, 58.0], [75.0, 98.0]]]),
    (
        'm',
        &[
            &[[5.0, 30.0], [5.0, 95.0]],
            &[[5.0, 45.0], [25.0, 30.0], [45.0, 45.0], [45.0, 95.0]],
            &[[45.0, 45.0], [68.0, 30.0], [92.0, 45.0], [92.0, 95.0]],
        ],
    ),
    ('h', &[&[[20.0, 2.0], [20.0, 98.0]], &[[20.0, 60.0], [45.0, 42.0], [75.0, 55.0], [75.0, 98.0]]]),
    ('n', &[&[[20.0, 35.0], [20.0, 98.0]], &[[20.0, 60.0], [45.0, 38.0], [78.0, 55.0], [78.0, 98.0]]]),
    (
        'e',
        &[&[
            [15.0, 60.0],
            [85.0, 60.0],
            [75.0, 32.0],
            [50.0, 22.0],
            [25.0, 32.0],
            [12.0, 60.0],
            [25.0, 88.0],
            [55.0, 97.0],
            [82.0, 85.0],
        ]],
    ),
];

/// Digits as some people write them.
const VARIANTS: [(u8, Strokes); 3] = [
    (7, &[&[[15.0, 10.0], [85.0, 10.0], [42.0, 95.0]], &[[30.0, 52.0], [82.0, 50.0]]]),
    (4, &[&[[30.0, 8.0], [18.0, 55.0], [85.0, 55.0]], &[[66.0, 20.0], [62.0, 95.0]]]),
    (1, &[&[[28.0, 30.0], [52.0, 8.0], [52.0, 95.0]]]),
];

/// Draws one picture of a kind.
pub type Draw = fn(&mut Rng) -> Grey;

/// Kinds of pictures without a digit.
pub const KINDS: [(&str, Draw); 6] = [
    ("letters", letter),
    ("noise", noise),
    ("blanks", blank),
    ("textures", texture),
    ("shapes", shape),
    ("loops", loops),
];

/// Two digits side by side, of two test images.
pub fn two(images: [&[u8]; 2]) -> Grey {
    const MARGIN: usize = 8;
    /// Columns of paper between their ink: of what lies further apart the digit finder takes the heavier one.
    const GAP: usize = 1;
    let inked = |image: &[u8], column: usize| (0..28).any(|row| image[row * 28 + column] > 64);
    let columns = images.map(|image| {
        let first = (0..28).find(|&column| inked(image, column)).unwrap_or(0);
        let last = (0..28).rfind(|&column| inked(image, column)).unwrap_or(27);
        first..last + 1
    });
    let (width, height) = (columns[0].len() + GAP + columns[1].len() + 2 * MARGIN, 28 + 2 * MARGIN);
    let mut pixels = vec![0; width * height];
    let lefts = [MARGIN, MARGIN + columns[0].len() + GAP];
    for ((image, columns), left) in images.into_iter().zip(columns).zip(lefts) {
        for row in 0..28 {
            let line = &image[row * 28..][columns.clone()];
            pixels[(row + MARGIN) * width + left..][..line.len()].copy_from_slice(line);
        }
    }
    Grey { width, height, pixels }
}

/// A digit as some people write it, by strokes.
pub fn variant(rng: &mut Rng) -> (u8, Grey) {
    let (digit, strokes) = VARIANTS[rng.usize(..VARIANTS.len())];
    (digit, written(rng, strokes))
}

/// A test image that leans, to the left or to the right.
pub fn slanted(image: &[u8], rng: &mut Rng) -> Grey {
    let lean = rng.f64() * 0.6 - 0.3;
    changed(image, |[x, y], at| at([x + lean * (y - 14.0), y]))
}

/// A test image with bolder strokes, by up to a pixel to each side.
pub fn bold(image: &[u8], rng: &mut Rng) -> Grey {
    let reach = 0.3 + 0.7 * rng.f64();
    changed(image, |spot, at| around(spot, reach).map(at).fold(0.0, f64::max))
}

/// A test image with thinner strokes, by up to half a pixel on each side.
pub fn thin(image: &[u8], rng: &mut Rng) -> Grey {
    let reach = 0.2 + 0.3 * rng.f64();
    changed(image, |spot, at| around(spot, reach).map(at).fold(255.0, f64::min))
}

/// A test image three times as large, each pixel from `value` of its place in the image and of the image's values between pixels.
fn changed(image: &[u8], value: impl Fn(Spot, &dyn Fn(Spot) -> f64) -> f64) -> Grey {
    let pixel = |x: f64, y: f64| {
        let inside = (0.0..28.0).contains(&x) && (0.0..28.0).contains(&y);
        if inside { f64::from(image[y as usize * 28 + x as usize]) } else { 0.0 }
    };
    let at = |[x, y]: Spot| {
        let (left, top) = (x.floor(), y.floor());
        let row = |y| pixel(left, y) * (1.0 - (x - left)) + pixel(left + 1.0, y) * (x - left);
        row(top) * (1.0 - (y - top)) + row(top + 1.0) * (y - top)
    };
    let place = |pixel: usize| (pixel as f64 - 6.0 * 3.0 - 1.0) / 3.0;
    Grey::square(120, |index| value([place(index % 120), place(index / 120)], &at))
}

fn around([x, y]: Spot, reach: f64) -> impl Iterator<Item = Spot> {
    let ring = (0..8).map(move |turn| f64::from(turn) / 8.0 * TAU);
    ring.map(move |angle| [x + reach * angle.cos(), y + reach * angle.sin()]).chain([[x, y]])
}

fn between(rng: &mut Rng, from: f64, to: f64) -> f64 {
    from + (to - from) * rng.f64()
}

/// Strokes on a sheet: turned, slanted and sized a little otherwise each time.
fn written(rng: &mut Rng, strokes: Strokes) -> Grey {
    let (sine, cosine) = between(rng, -0.14, 0.14).sin_cos();
    let (slant, size, radius) = (between(rng, -0.15, 0.25), between(rng, 0.45, 0.75), between(rng, 2.0, 5.0));
    let mut sheet = Sheet::new(SIDE);
    for stroke in strokes {
        let moved = stroke.iter().map(|&[x, y]| {
            let [x, y] = [x - 50.0 + between(rng, -3.0, 3.0), y - 50.0 + between(rng, -3.0, 3.0)];
            let x = 0.8 * x - slant * y;
            [50.0 + size * (x * cosine - y * sine), 50.0 + size * (x * sine + y * cosine)]
        });
        let spots: Vec<Spot> = moved.collect();
        sheet.line(&spots, radius);
    }
    Grey::of(&sheet, rng)
}

fn letter(rng: &mut Rng) -> Grey {
    let (_, strokes) = LETTERS[rng.usize(..LETTERS.len())];
    written(rng, strokes)
}

fn noise(rng: &mut Rng) -> Grey {
    let side = [28, 64, 96][rng.usize(..3)];
    let share = between(rng, 0.02, 0.4);
    match rng.usize(..3) {
        0 => Grey::square(side, |_| 256.0 * rng.f64()),
        // Near to normal: of four uniform numbers.
        1 => Grey::square(side, |_| 128.0 + 50.0 * ((0..4).map(|_| rng.f64()).sum::<f64>() - 2.0)),
        _ => Grey::square(side, |_| if rng.f64() < share { 230.0 } else { 20.0 }),
    }
}

fn blank(rng: &mut Rng) -> Grey {
    let (level, across, down) = (between(rng, 0.0, 255.0), between(rng, -0.6, 0.6), between(rng, -0.6, 0.6));
    let grain = between(rng, 0.0, 8.0);
    Grey::square(SIDE, |index| {
        let [x, y] = [index % SIDE, index / SIDE].map(|at| at as f64 - 48.0);
        level + across * x + down * y + grain * (rng.f64() - 0.5)
    })
}

fn texture(rng: &mut Rng) -> Grey {
    let (period, phase) = (between(rng, 6.0, 26.0), between(rng, 0.0, TAU));
    let (sine, cosine) = between(rng, 0.0, PI).sin_cos();
    let kind = rng.usize(..5);
    let lattice: Vec<f64> = (0..144).map(|_| rng.f64()).collect();
    Grey::square(SIDE, |index| {
        let [x, y] = [index % SIDE, index / SIDE].map(|at| at as f64);
        let [u, v] = [x * cosine + y * sine, y * cosine - x * sine];
        let within = |value: f64| value.rem_euclid(period) / period;
        let value = match kind {
            0 => 0.5 + 0.4 * (TAU * u / period + phase).sin(),
            1 => f64::from((within(u / 2.0) < 0.5) ^ (within(v / 2.0) < 0.5)),
            // Bricks.
            2 => {
                let course = (v / period).floor();
                let joint = within(v) < 0.15 || within((u + course * period) / 2.0) < 0.08;
                if joint { 0.2 } else { 0.8 }
            }
            3 => 0.5 + 0.3 * (TAU * (u + 5.0 * (v / 9.0).sin()) / period).sin(),
            // Clouds.
            _ => {
                let (column, row) = (x / 9.0, y / 9.0);
                let at = |row: f64, column: f64| lattice[row as usize * 12 + column as usize];
                let soft = |t: f64| t * t * (3.0 - 2.0 * t);
                let (s, t) = (soft(column.fract()), soft(row.fract()));
                let upper =
                    at(row.floor(), column.floor()) * (1.0 - s) + at(row.floor(), column.floor() + 1.0) * s;
                let below = row.floor() + 1.0;
                let lower = at(below, column.floor()) * (1.0 - s) + at(below, column.floor() + 1.0) * s;
                upper * (1.0 - t) + lower * t
            }
        };
        255.0 * value + 16.0 * (rng.f64() - 0.5)
    })
}

fn shape(rng: &mut Rng) -> Grey {
    let mut sheet = Sheet::new(SIDE);
    let (size, radius, turn) = (between(rng, 18.0, 38.0), between(rng, 2.0, 5.0), between(rng, 0.0, TAU));
    let corner = |index: usize, count: usize, inner: f64| {
        let angle = turn + TAU * index as f64 / count as f64;
        let reach = if index % 2 == 1 { inner * size } else { size };
        [50.0 + reach * angle.cos(), 50.0 + reach * angle.sin()]
    };
    let ring =
        |count: usize, inner: f64| (0..=count).map(|index| corner(index, count, inner)).collect::<Vec<_>>();
    match rng.usize(..6) {
        0 => sheet.area(|[x, y]| (x - 50.0).hypot(y - 50.0) - size),
        1 => sheet.area(|[x, y]| (x - 50.0).abs().max(1.3 * (y - 50.0).abs()) - size),
        2 => sheet.line(&ring(3, 1.0), radius),
        3 => sheet.line(&ring(10, 0.4), radius),
        4 => {
            sheet.line(&[[50.0 - size, 50.0], [50.0 + size, 50.0]], radius);
            sheet.line(&[[50.0, 50.0 - size], [50.0, 50.0 + size]], radius);
        }
        _ => {
            let tip = [50.0 + size, 50.0];
            sheet.line(&[[50.0 - size, 50.0], tip], radius);
            sheet.line(
                &[[50.0 + 0.4 * size, 50.0 - 0.5 * size], tip, [50.0 + 0.4 * size, 50.0 + 0.5 * size]],
                radius,
            );
        }
    }
    Grey::of(&sheet, rng)
}

/// A smooth curve through random spots (Catmull and Rom's spline).
fn loops(rng: &mut Rng) -> Grey {
    let spots: Vec<Spot> =
        (0..rng.usize(9..22)).map(|_| [between(rng, 10.0, 90.0), between(rng, 10.0, 90.0)]).collect();
    let mut line = Vec::new();
    for four in spots.windows(4) {
        for part in 0..8 {
            let t = f64::from(part) / 8.0;
            line.push([0, 1].map(|axis| {
                let [a, b, c, d] = [four[0][axis], four[1][axis], four[2][axis], four[3][axis]];
                let third = 3.0 * (b - c) + d - a;
                b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * third))
            }));
        }
    }
    let mut sheet = Sheet::new(SIDE);
    sheet.line(&line, between(rng, 1.5, 4.0));
    Grey::of(&sheet, rng)
}
