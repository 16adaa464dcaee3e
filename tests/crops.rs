//! Digits that fill their picture: cut out tightly, with bold, thin and hollow strokes. And MNIST's own pictures, which are framed
//! as ever.

use edge8::{Framing, Model};
use edge8_preprocess::digit::{Workspace, frame};
use edge8_preprocess::{Picture, apply};
use tests::commands::shipped;
use tests::mnist::test_images;

/// Test images of each digit.
const EACH: usize = 12;

/// CRC-32 of the framed test images: what the shipped networks were trained on. With other bits they must be trained anew.
const BITS: u32 = 0xaa72_ec1c;

/// Longer sides of the crops, in pixels.
const SIDES: [usize; 4] = [20, 45, 100, 200];

/// So many pixels strokes may grow by.
const REACH: usize = 8;

/// Light ink on black, row-major.
struct Ink {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Ink {
    /// The ink of `grey` everywhere, in columns and rows.
    fn new(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> Self {
        let pixels = (0..width * height).map(|at| grey(at % width, at / width)).collect();
        Self { width, height, pixels }
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        self.pixels[y * self.width + x]
    }

    /// The least picture with all the ink.
    fn tight(&self) -> Self {
        let inked = || (0..self.pixels.len()).filter(|&at| self.pixels[at] > 0);
        let rows = || inked().map(|at| at / self.width);
        let columns = || inked().map(|at| at % self.width);
        let (left, right) = (columns().min().expect("ink"), columns().max().expect("ink") + 1);
        let (top, bottom) = (rows().min().expect("ink"), rows().max().expect("ink") + 1);
        Self::new(right - left, bottom - top, |x, y| self.at(left + x, top + y))
    }

    /// As large that the longer side has `side` pixels, interpolated linearly.
    fn scaled(&self, side: usize) -> Self {
        let step = self.width.max(self.height) as f64 / side as f64;
        let length = |pixels: usize| ((pixels as f64 / step).round() as usize).max(1);
        let ends = |to: usize, limit: usize| {
            let from = ((to as f64 + 0.5) * step - 0.5).clamp(0.0, limit as f64 - 1.0);
            (from as usize, (from as usize + 1).min(limit - 1), from.fract())
        };
        Self::new(length(self.width), length(self.height), |x, y| {
            let ((left, right, x), (top, bottom, y)) = (ends(x, self.width), ends(y, self.height));
            let row = |y| f64::from(self.at(left, y)) * (1.0 - x) + f64::from(self.at(right, y)) * x;
            (row(top) * (1.0 - y) + row(bottom) * y).round() as u8
        })
    }

    /// With `margin` pixels of black on each side.
    fn with_margin(&self, margin: usize) -> Self {
        Self::new(self.width + 2 * margin, self.height + 2 * margin, |x, y| {
            let (x, y) = (x.wrapping_sub(margin), y.wrapping_sub(margin));
            if x < self.width && y < self.height { self.at(x, y) } else { 0 }
        })
    }

    /// White or black by the distance from the edge of the ink with at least half of its strength, negative within, at most
    /// [`REACH`].
    fn redrawn(&self, is_white: impl Fn(f64) -> bool) -> Self {
        let space = self.with_margin(REACH);
        let inked = |x: usize, y: usize| space.at(x, y) >= 128;
        let distance = |x: usize, y: usize| {
            let columns = x.saturating_sub(REACH)..(x + REACH + 1).min(space.width);
            let rows = y.saturating_sub(REACH)..(y + REACH + 1).min(space.height);
            let others = rows.flat_map(|row| columns.clone().map(move |column| (column, row)));
            let others = others.filter(|&(column, row)| inked(column, row) != inked(x, y));
            let square = others.map(|(column, row)| column.abs_diff(x).pow(2) + row.abs_diff(y).pow(2)).min();
            let distance = square.map_or(REACH as f64, |square| (square as f64).sqrt() - 0.5);
            if inked(x, y) { -distance } else { distance }
        };
        Self::new(space.width, space.height, |x, y| if is_white(distance(x, y)) { 255 } else { 0 })
    }
}

/// The shipped network.
struct Reader<'a> {
    model: Model<'a>,
    arena: Vec<u8>,
    input: Vec<i8>,
}

impl<'a> Reader<'a> {
    fn new(image: &'a [u8]) -> Self {
        let model = Model::parse(image).expect("the shipped image");
        let arena = vec![0; model.arena_len()];
        Self { arena, input: vec![0; model.input().shape.len()], model }
    }

    /// The digit, or none if the picture is blank.
    fn read(&mut self, ink: &Ink, dark: bool) -> Option<u8> {
        let pixels: Vec<u8> = ink.pixels.iter().map(|grey| if dark { 255 - grey } else { *grey }).collect();
        let picture = Picture::new(ink.width, ink.height, &pixels).expect("whole rows");
        let recipe = self.model.recipe().expect("a recipe");
        apply(&recipe, &picture, Workspace::new().bytes(), &mut self.input).ok()?;
        let mut output = [0; 10];
        self.model.run(&self.input, &mut self.arena, &mut output).expect("lengths that fit");
        Some(Model::class(&output) as u8)
    }
}

/// Pictures tried, those read right with a margin around, and those without.
#[derive(Default)]
struct Tally {
    tried: usize,
    with_margin: usize,
    tight: usize,
}

impl Tally {
    /// Reads a picture that is tight in both polarities.
    fn add(&mut self, reader: &mut Reader<'_>, tight: &Ink, label: u8) {
        let wide = tight.with_margin(tight.width.max(tight.height) / 4);
        for dark in [false, true] {
            self.tried += 1;
            self.with_margin += usize::from(reader.read(&wide, dark) == Some(label));
            self.tight += usize::from(reader.read(tight, dark) == Some(label));
        }
    }

    /// Fails unless `percent` of the pictures are read with a margin, and 95 of 100 of those without one.
    #[track_caller]
    fn check(&self, name: &str, percent: usize) {
        let Self { tried, with_margin, tight } = self;
        println!("{name}: {tried} pictures, {with_margin} right with a margin, {tight} without");
        assert!(100 * with_margin >= percent * tried, "{name}: {with_margin} of {tried} with a margin");
        assert!(100 * tight >= 95 * with_margin, "{name}: {tight} without a margin, {with_margin} with one");
    }
}

/// Tight crops of the first test images of each digit, with their labels.
fn crops() -> Vec<(Ink, u8)> {
    let mut counts = [0; 10];
    let images = test_images().into_iter().filter(|(_, label)| {
        counts[usize::from(*label)] += 1;
        counts[usize::from(*label)] <= EACH
    });
    images.map(|(pixels, label)| (Ink { width: 28, height: 28, pixels }.tight(), label)).collect()
}

#[test]
fn tight_crops_are_read_as_those_with_a_margin() {
    let image = std::fs::read(shipped()).expect("the shipped image");
    let mut reader = Reader::new(&image);
    for side in SIDES {
        let mut tally = Tally::default();
        for (crop, label) in crops() {
            tally.add(&mut reader, &crop.scaled(side).tight(), label);
        }
        tally.check(&format!("{side} pixels"), 97);
    }
}

/// Whether a pixel becomes ink that is so many pixels away from it, below 0 inside.
type Keeps = fn(f64) -> bool;

/// The network knows no hollow digits: of those most are right as they are, and a margin more or less changes little.
#[test]
fn bold_thin_and_hollow_strokes() {
    let image = std::fs::read(shipped()).expect("the shipped image");
    let mut reader = Reader::new(&image);
    let styles: [(&str, usize, Keeps); 4] = [
        ("bold", 95, |distance| distance < 3.0),
        ("bolder", 80, |distance| distance < 6.0),
        ("thin", 90, |distance| distance < -1.0),
        ("hollow", 65, |distance| (distance - 2.0).abs() < 1.5),
    ];
    for (name, percent, is_white) in styles {
        let mut tally = Tally::default();
        for (crop, label) in crops() {
            tally.add(&mut reader, &crop.scaled(60).redrawn(is_white).tight(), label);
        }
        tally.check(name, percent);
    }
}

#[test]
fn mnist_is_framed_as_it_was_trained_on() {
    let mut bits = crc32fast::Hasher::new();
    let mut framed = [0; 28 * 28];
    for (pixels, _) in test_images() {
        let picture = Picture::new(28, 28, &pixels).expect("whole rows");
        frame(&picture, Framing::mnist(28), Workspace::new().bytes(), &mut framed).expect("a digit");
        bits.update(&framed);
    }
    assert!(bits.clone().finalize() == BITS, "other bits: {:#010x}", bits.finalize());
}
