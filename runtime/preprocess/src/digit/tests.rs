//! The whole way, on drawn digits.

use super::*;
use std::vec::Vec;

/// A stroke from point to point, in a box of 1 x 1 with `y` downwards.
type Stroke = &'static [(f32, f32)];

const SEVEN: &[Stroke] = &[&[(0.0, 0.0), (0.6, 0.02), (0.2, 1.0)]];
const TWO: &[Stroke] =
    &[&[(0.0, 0.25), (0.15, 0.05), (0.4, 0.0), (0.6, 0.15), (0.55, 0.4), (0.0, 1.0), (0.65, 0.97)]];
const FIVE: &[Stroke] = &[
    &[(0.1, 0.1), (0.05, 0.45), (0.35, 0.4), (0.55, 0.6), (0.5, 0.85), (0.25, 1.0), (0.0, 0.9)],
    &[(0.25, 0.0), (0.6, 0.0)],
];

const ZERO: &[Stroke] = &[&[
    (0.3, 0.0),
    (0.55, 0.2),
    (0.6, 0.5),
    (0.5, 0.85),
    (0.3, 1.0),
    (0.05, 0.8),
    (0.0, 0.5),
    (0.1, 0.15),
    (0.3, 0.0),
]];

struct Drawing {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
}

impl Drawing {
    fn paper(width: usize, height: usize, grey: impl Fn(f32, f32) -> f32) -> Self {
        let place = |index: usize| {
            ((index % width) as f32 / width as f32 - 0.5, (index / width) as f32 / height as f32 - 0.5)
        };
        let pixels = (0..width * height).map(|index| grey(place(index).0, place(index).1)).collect();
        Self { width, height, pixels }
    }

    /// Adds `contrast` along the strokes, `size` pixels high from `(left, top)`, with a pen `pen` pixels wide.
    fn draw(mut self, strokes: &[Stroke], left: f32, top: f32, size: f32, pen: f32, contrast: f32) -> Self {
        for y in 0..self.height {
            for x in 0..self.width {
                let (px, py) = (x as f32 + 0.5 - left, y as f32 + 0.5 - top);
                let segments = strokes.iter().flat_map(|stroke| stroke.windows(2));
                let distance = segments
                    .map(|ends| distance((px, py), ends[0], ends[1], size))
                    .fold(f32::INFINITY, f32::min);
                let cover = (pen / 2.0 + 0.5 - distance).clamp(0.0, 1.0);
                self.pixels[y * self.width + x] += contrast * cover;
            }
        }
        self
    }

    /// What is left of white strokes on black, cut out tightly but for `margin` pixels on the sides that have a bit in `sides`.
    fn cut_out(&self, sides: usize, margin: usize) -> Self {
        let (left, top, right, bottom) = extent(&self.bytes(), self.width);
        let margin = |side: usize| margin * (sides >> side & 1);
        let (left, right) = (left - margin(0), right + margin(1));
        let (top, bottom) = (top - margin(2), bottom + margin(3));
        let rows = self.pixels.chunks(self.width).take(bottom).skip(top);
        let pixels = rows.flat_map(|row| row[left..right].to_vec()).collect();
        Self { width: right - left, height: bottom - top, pixels }
    }

    /// Black on white instead of white on black.
    fn negative(&self) -> Self {
        let pixels = self.pixels.iter().map(|grey| 255.0 - grey).collect();
        Self { width: self.width, height: self.height, pixels }
    }

    /// Adds noise between `-strength` and `strength`.
    fn noisy(mut self, strength: f32) -> Self {
        let mut state = 12345u32;
        for pixel in &mut self.pixels {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *pixel += ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * strength;
        }
        self
    }

    fn bytes(&self) -> Vec<u8> {
        self.pixels.iter().map(|grey| grey.clamp(0.0, 255.0) as u8).collect()
    }

    fn frame(&self, framing: Framing) -> Result<Vec<u8>, PictureError> {
        let bytes = self.bytes();
        let mut framed = std::vec![0; usize::from(framing.side).pow(2)];
        let picture = Picture::new(self.width, self.height, &bytes)?;
        frame(&picture, framing, Workspace::new().bytes(), &mut framed)?;
        Ok(framed)
    }
}

fn distance(point: (f32, f32), from: (f32, f32), to: (f32, f32), size: f32) -> f32 {
    let (x0, y0, x1, y1) = (from.0 * size, from.1 * size, to.0 * size, to.1 * size);
    let (dx, dy) = (x1 - x0, y1 - y0);
    let along = ((point.0 - x0) * dx + (point.1 - y0) * dy) / (dx * dx + dy * dy);
    let along = along.clamp(0.0, 1.0);
    let (x, y) = (point.0 - x0 - along * dx, point.1 - y0 - along * dy);
    (x * x + y * y).sqrt()
}

const INPUT: Framing = Framing::mnist(32);

/// Light on black, as large as a good scan: what the other drawings of the same digit must come near to.
fn ideal(strokes: &[Stroke]) -> Vec<u8> {
    Drawing::paper(200, 200, |_, _| 0.0).draw(strokes, 50.0, 30.0, 140.0, 18.0, 255.0).frame(INPUT).unwrap()
}

/// Fails if more than `tolerance` percent of the ink differs. A pixel's shift is allowed: the centre is rounded.
#[track_caller]
fn near(framed: &[u8], expected: &[u8], tolerance: u32) {
    let side = usize::from(INPUT.side);
    let shifts = [0, 1, side - 1, side, side + 1];
    // Both are black all around, so nothing is lost by a rotation of the whole buffer.
    let differences = shifts.iter().flat_map(|shift| {
        let mut right = framed.to_vec();
        let mut left = framed.to_vec();
        right.rotate_right(*shift);
        left.rotate_left(*shift);
        [difference(&right, expected), difference(&left, expected)]
    });
    let ink = difference(expected, &std::vec![0; expected.len()]);
    let percent = 100 * differences.min().unwrap() / ink;
    assert!(percent <= tolerance, "differs by {percent} % of the ink\n{}\n{}", text(framed), text(expected));
}

fn difference(one: &[u8], other: &[u8]) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
}

/// Four grey levels as letters, a line per row.
fn text(framed: &[u8]) -> std::string::String {
    let letter = |byte: &u8| char::from(b".-+#"[usize::from(byte / 64)]);
    framed.chunks(usize::from(INPUT.side)).flat_map(|row| row.iter().map(letter).chain(['\n'])).collect()
}

/// Rows and columns of the ink: `(left, top, right, bottom)`, the latter two exclusive.
fn extent(framed: &[u8], side: usize) -> (usize, usize, usize, usize) {
    let ink = || (0..framed.len()).filter(|index| framed[*index] >= 32);
    let columns = || ink().map(|index| index % side);
    let rows = || ink().map(|index| index / side);
    (columns().min().unwrap(), rows().min().unwrap(), columns().max().unwrap() + 1, rows().max().unwrap() + 1)
}

#[test]
fn dark_on_light_is_light_on_dark() {
    for digit in [TWO, FIVE, SEVEN] {
        let dark =
            Drawing::paper(90, 120, |_, _| 235.0).draw(digit, 20.0, 20.0, 70.0, 9.0, -180.0).frame(INPUT);
        near(&dark.unwrap(), &ideal(digit), 12);
    }
}

#[test]
fn a_corner_of_a_large_picture() {
    for digit in [TWO, FIVE, SEVEN] {
        let corner = Drawing::paper(800, 600, |_, _| 220.0)
            .draw(digit, 720.0, 20.0, 60.0, 7.7, -150.0)
            .noisy(4.0)
            .frame(INPUT);
        near(&corner.unwrap(), &ideal(digit), 12);
    }
}

#[test]
fn uneven_light() {
    let gradient = |x: f32, y: f32| 150.0 + 120.0 * x - 60.0 * y;
    let vignette = |x: f32, y: f32| 220.0 - 160.0 * (x * x + y * y);
    for digit in [TWO, FIVE, SEVEN] {
        let drawing = Drawing::paper(160, 160, gradient).draw(digit, 45.0, 40.0, 80.0, 10.3, -80.0);
        near(&drawing.frame(INPUT).unwrap(), &ideal(digit), 20);
        let drawing = Drawing::paper(160, 160, vignette).draw(digit, 45.0, 40.0, 80.0, 10.3, -100.0);
        near(&drawing.frame(INPUT).unwrap(), &ideal(digit), 20);
    }
}

#[test]
fn noise_dust_and_a_frame_around() {
    for digit in [TWO, FIVE, SEVEN] {
        let mut drawing =
            Drawing::paper(60, 60, |_, _| 60.0).draw(digit, 15.0, 10.0, 40.0, 5.2, 130.0).noisy(15.0);
        for (index, pixel) in drawing.pixels.iter_mut().enumerate() {
            let (x, y) = (index % 60, index / 60);
            if x == 0 || y == 59 || (x, y) == (50, 8) {
                *pixel = 200.0;
            }
        }
        near(&drawing.frame(INPUT).unwrap(), &ideal(digit), 30);
    }
}

#[test]
fn a_sheet_on_a_table() {
    for digit in [TWO, FIVE, SEVEN] {
        let sheet = |x: f32, y: f32| if x.abs() < 0.3 && y.abs() < 0.35 { 230.0 } else { 60.0 };
        let drawing =
            Drawing::paper(400, 300, sheet).draw(digit, 180.0, 110.0, 80.0, 10.3, -170.0).noisy(5.0);
        near(&drawing.frame(INPUT).unwrap(), &ideal(digit), 25);
        let edge = |x: f32, y: f32| if x < 0.3 && y < 0.35 { 230.0 } else { 60.0 };
        let drawing = Drawing::paper(400, 300, edge).draw(digit, 130.0, 90.0, 80.0, 10.3, -170.0).noisy(5.0);
        near(&drawing.frame(INPUT).unwrap(), &ideal(digit), 25);
    }
    // Nothing is written on this one, so the sheet itself is what is seen.
    let block = Drawing::paper(200, 200, |x, y| if x.abs() < 0.2 && y.abs() < 0.25 { 230.0 } else { 60.0 });
    let framed = block.frame(INPUT).unwrap();
    assert!(framed.iter().filter(|byte| **byte == 255).count() > 300, "{}", text(&framed));
}

/// Cut out with a margin on any of the sides, down to none.
#[test]
fn crops_without_a_margin() {
    for digit in [ZERO, TWO, FIVE, SEVEN] {
        let ideal = ideal(digit);
        for (size, pen) in [(40.0, 5.2), (140.0, 18.0)] {
            let drawing = Drawing::paper(240, 240, |_, _| 0.0).draw(digit, 50.0, 40.0, size, pen, 255.0);
            for sides in 0..16 {
                let crop = drawing.cut_out(sides, 8);
                near(&crop.frame(INPUT).unwrap(), &ideal, 15);
                near(&crop.negative().frame(INPUT).unwrap(), &ideal, 15);
            }
        }
    }
}

/// Its ink is most of the picture, and what is left of the paper within is a stroke.
#[test]
fn the_hole_of_a_bold_zero_is_no_one() {
    for (margin, pen) in [(0, 45.0), (0, 60.0), (4, 60.0)] {
        let drawing = Drawing::paper(240, 240, |_, _| 0.0).draw(ZERO, 70.0, 50.0, 130.0, pen, 255.0);
        let crop = drawing.cut_out(0b1111, margin);
        let inked = crop.pixels.iter().filter(|grey| **grey > 128.0).count();
        assert!(2 * inked > crop.pixels.len());
        for picture in [crop.negative(), crop] {
            let framed = picture.frame(INPUT).unwrap();
            let row: Vec<u8> = framed[16 * 32..17 * 32].to_vec();
            assert!(
                row[..5].iter().chain(&row[27..]).chain(&row[16..17]).all(|byte| *byte < 64),
                "{}",
                text(&framed)
            );
            assert!(row[10] > 192 && row[22] > 192, "{}", text(&framed));
        }
    }
}

#[test]
fn a_frame_on_any_side_is_no_ink() {
    for digit in [ZERO, TWO, FIVE, SEVEN] {
        for sides in 0..16 {
            let mut drawing = Drawing::paper(130, 120, |_, _| 0.0).draw(digit, 40.0, 20.0, 80.0, 10.3, 255.0);
            for (index, pixel) in drawing.pixels.iter_mut().enumerate() {
                let (x, y) = (index % 130, index / 130);
                let framed = [x < 6, x >= 124, y < 6, y >= 114];
                if (0..4).any(|side| framed[side] && sides >> side & 1 == 1) {
                    *pixel = 255.0;
                }
            }
            near(&drawing.frame(INPUT).unwrap(), &ideal(digit), 20);
            near(&drawing.negative().frame(INPUT).unwrap(), &ideal(digit), 20);
        }
    }
}

#[test]
fn thin_and_thick_pens_fill_the_same_frame() {
    for (pen, size) in [(2.0, 300.0), (90.0, 250.0)] {
        let drawing = Drawing::paper(480, 480, |_, _| 250.0).draw(TWO, 120.0, 80.0, size, pen, -240.0);
        let framed = drawing.frame(INPUT).unwrap();
        let (left, top, right, bottom) = extent(&framed, 32);
        let longer = (bottom - top).max(right - left);
        assert!((22..=23).contains(&longer), "{}", text(&framed));
        assert!(framed.contains(&255));
    }
}

#[test]
fn a_digit_that_fits_passes_unchanged() {
    let framing = Framing::mnist(28);
    let drawing = Drawing::paper(28, 28, |_, _| 0.0).draw(TWO, 7.5, 5.5, 17.0, 2.0, 255.0);
    let once = drawing.frame(framing).unwrap();
    let (left, top, right, bottom) = extent(&once, 28);
    assert!((right - left).max(bottom - top) >= 19);
    let again = Drawing { width: 28, height: 28, pixels: once.iter().map(|byte| f32::from(*byte)).collect() };
    let twice = again.frame(framing).unwrap();
    assert!(once.iter().zip(&twice).all(|(a, b)| a.abs_diff(*b) <= 2), "{once:?}\n{twice:?}");
}

#[test]
fn nothing_to_see_is_blank() {
    let blank = Err(PictureError::Blank);
    for (width, height) in [(1, 1), (28, 28), (300, 7), (640, 480)] {
        for grey in [0.0, 128.0, 255.0] {
            let paper = || Drawing::paper(width, height, |_, _| grey);
            assert_eq!(paper().frame(INPUT), blank);
            assert_eq!(paper().noisy(3.0).frame(INPUT), blank, "{width}x{height}, {grey}");
            assert_eq!(paper().noisy(25.0).frame(INPUT), blank, "{width}x{height}, {grey}");
        }
        assert_eq!(Drawing::paper(width, height, |x, y| 120.0 + 90.0 * x + 90.0 * y).frame(INPUT), blank);
    }
    let mut dust = Drawing::paper(28, 28, |_, _| 0.0);
    dust.pixels[300] = 255.0;
    assert_eq!(dust.frame(INPUT), blank);
}

#[test]
fn every_shape_and_framing_gives_an_answer() {
    for (width, height) in [(5, 1), (1, 5), (6, 6), (3000, 6), (6, 3000), (65, 64), (129, 40)] {
        for (side, digit) in [(1, 1), (28, 20), (96, 69), (5, 0), (4, 9)] {
            let size = width.max(height) as f32;
            let drawing = Drawing::paper(width, height, |_, _| 0.0).draw(TWO, 0.0, 0.0, size, 1.5, 200.0);
            let framed = drawing.frame(Framing { side, digit });
            assert!(framed.is_err() || framed.unwrap().iter().any(|byte| *byte > 0));
        }
    }
}

#[test]
fn wrong_buffers_are_refused() {
    let picture = Picture::new(2, 2, &[0, 255, 0, 0]).unwrap();
    let result = frame(&picture, INPUT, Workspace::new().bytes(), &mut [0; 5]);
    assert_eq!(result, Err(PictureError::OutputLength { expected: 1024, found: 5 }));
    for (width, height, expected) in [(2, 2, 2312), (56, 56, 8576), (100, 10, 3584), (1000, 1000, 10_496)] {
        let pixels = std::vec![0; width * height];
        let picture = Picture::new(width, height, &pixels).unwrap();
        let mut framed = [0; 1024];
        for found in [0, 2303, expected - 1] {
            let result = frame(&picture, INPUT, &mut std::vec![0; found], &mut framed);
            assert_eq!(result, Err(PictureError::WorkspaceLength { expected, found }));
        }
        let result = frame(&picture, INPUT, &mut std::vec![0; expected], &mut framed);
        assert_eq!(result, Err(PictureError::Blank));
    }
    assert_eq!(
        Picture::new(3, 2, &[0; 5]).unwrap_err(),
        PictureError::Size { width: 3, height: 2, pixels: 5 }
    );
    let large = Picture::new(20_000, 10_000, &[]).unwrap_err();
    assert_eq!(large, PictureError::TooLarge { width: 20_000, height: 10_000 });
}

#[test]
fn what_was_in_the_workspace_does_not_matter() {
    let drawing = |strokes| Drawing::paper(70, 70, |_, _| 30.0).draw(strokes, 15.0, 15.0, 40.0, 5.0, 200.0);
    let (two, seven) = (drawing(TWO).bytes(), drawing(SEVEN).bytes());
    let mut workspace = Workspace::new();
    let mut framed = [9; 1024];
    for pixels in [&seven, &two] {
        frame(&Picture::new(70, 70, pixels).unwrap(), INPUT, workspace.bytes(), &mut framed).unwrap();
    }
    assert_eq!(framed.as_slice(), drawing(TWO).frame(INPUT).unwrap());
}
