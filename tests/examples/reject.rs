//! How a reader tells what is no digit, and the rule for it in a model image: with MNIST's training files in DIR
//!
//! ```sh
//! cargo run --release -p tests --example reject -- DIR MODEL.edge8 [PROBABILITY SHARE]
//! ```
//!
//! Digits are the validation split, which no weight was fitted to; what is none are scribbles of four kinds, drawn at random on
//! the app's sheet. For each limit of the probability, in 1/256, and of the crossings, that of a share of each digit's pictures: how
//! many digits are kept, how many scribbles rejected. With a PROBABILITY and a SHARE the rule of these is written into the model:
//! the shipped ones have 230 and 0.99.

use anyhow::{Context, Result};
use edge8::{Model, Reject, section};
use edge8_preprocess::Picture;
use fastrand::Rng;
use firmware_sim::canvas::{Canvas, SIDE, Spot};
use firmware_sim::reader::{Memory, Reader, Verdict, WORKSPACE_LEN};
use quantizer::image;
use std::path::PathBuf;

/// Classes of the network.
const DIGITS: usize = 10;

/// Scribbles of each kind.
const SCRIBBLES: usize = 500;

/// What the rule looks at.
struct Reading {
    /// What the network says.
    digit: usize,
    /// Of 256.
    probability: u8,
    crossings: u32,
}

/// Draws a scribble.
type Draw = fn(&mut Rng) -> Canvas;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().context("usage: reject DIR MODEL.edge8 [PROBABILITY SHARE]");
    let (folder, path) = (PathBuf::from(argument()?), PathBuf::from(argument()?));
    let rule: Option<(u8, f64)> = match argument() {
        Ok(least) => Some((least.parse()?, argument()?.parse()?)),
        Err(_) => None,
    };
    let image = files::read(&path)?;
    let model = Model::parse(&image)?;
    let data = files::load_train(&folder, model.recipe()?.preparation())?;
    let mut arena = vec![0; model.arena_len().max(WORKSPACE_LEN)];
    let mut input = vec![0; model.input().shape.len()];
    let mut output = vec![0; model.output_len()];
    let memory = Memory { arena: &mut arena, input: &mut input, output: &mut output };
    let mut reader = Reader::new(model, memory).map_err(|refused| anyhow::anyhow!("{refused}"))?;
    let mut digits = Vec::new();
    for index in trainer::fit::validation_split(&data, false) {
        let [height, width, _] = data.shape();
        let picture = Picture::new(width, height, data.image(index))?;
        let verdict = reader.read_picture(&picture);
        digits.extend(reading(&reader, verdict));
    }
    let mut rng = Rng::with_seed(1);
    let kinds: [(&str, Draw); 4] =
        [("zigzags", zigzag), ("loops", loops), ("grids", grid), ("hatchings", hatching)];
    let scribbles = kinds.map(|(name, draw)| {
        let one = |_| {
            let verdict = reader.read(&draw(&mut rng));
            reading(&reader, verdict)
        };
        (name, (0..SCRIBBLES).filter_map(one).collect::<Vec<_>>())
    });
    print(&digits, &scribbles);
    if let Some((least, share)) = rule {
        files::write(&path, &with_rule(&model, least, &limits(&digits, share))?)?;
        println!("written: {}", path.display());
    }
    Ok(())
}

/// The image with a rule, in the place of the one that it may have had.
fn with_rule(model: &Model<'_>, least: u8, limits: &[u32; DIGITS]) -> Result<Vec<u8>> {
    let mut sections = image::optional_sections(model);
    sections.retain(|(kind, _)| *kind != section::REJECT);
    let mut rule = Reject::head(least).to_vec();
    rule.extend(limits.iter().map(|&most| u8::try_from(most).unwrap_or(u8::MAX)));
    sections.push((section::REJECT, rule));
    image::write_sections(&image::read(model)?, &sections)
}

/// What the reader found; nothing of a blank sheet.
fn reading(reader: &Reader<'_>, verdict: Verdict) -> Option<Reading> {
    let (digit, probability) =
        reader.probabilities().enumerate().max_by_key(|&(_, probability)| probability)?;
    (verdict != Verdict::Blank).then(|| Reading { digit, probability, crossings: reader.crossings() })
}

fn print(digits: &[Reading], scribbles: &[(&str, Vec<Reading>)]) {
    println!("limits of crossings for each digit, from the share of its pictures that have no more");
    let shares = [0.98, 0.99, 0.995, 0.998, 1.0];
    let limits = shares.map(|share| limits(digits, share));
    for (share, limits) in shares.iter().zip(&limits) {
        println!("{share:>6} {limits:?}");
    }
    print!("probability  share   kept");
    scribbles.iter().for_each(|(name, _)| print!(" {name:>10}"));
    println!();
    for probability in [128, 154, 179, 205, 230, 243, 250] {
        for (share, limits) in shares.iter().zip(&limits) {
            let keeps = |reading: &&Reading| {
                reading.probability >= probability && reading.crossings <= limits[reading.digit]
            };
            let kept = |readings: &[Reading]| {
                100.0 * readings.iter().filter(keeps).count() as f64 / readings.len().max(1) as f64
            };
            print!("{probability:>11} {share:>6} {:>6.2}", kept(digits));
            scribbles.iter().for_each(|(_, readings)| print!(" {:>10.1}", 100.0 - kept(readings)));
            println!();
        }
    }
}

/// For each digit the crossings that a share of its pictures does not exceed.
fn limits(digits: &[Reading], share: f64) -> [u32; DIGITS] {
    std::array::from_fn(|digit| {
        let of_digit = digits.iter().filter(|reading| reading.digit == digit);
        let mut crossings: Vec<u32> = of_digit.map(|reading| reading.crossings).collect();
        crossings.sort_unstable();
        let last = crossings.len().saturating_sub(1);
        crossings.get((last as f64 * share).ceil() as usize).copied().unwrap_or(0)
    })
}

/// Strokes from point to point.
fn strokes(points: impl IntoIterator<Item = [i32; 2]>) -> impl FnOnce(&mut Canvas) {
    let side = SIDE as i32 * Spot::UNIT;
    let spots: Vec<Spot> =
        points.into_iter().map(|[x, y]| Spot { x: x * side / 100, y: y * side / 100 }).collect();
    move |canvas| {
        spots.windows(2).for_each(|ends| {
            canvas.stroke(ends[0], ends[1]);
        });
    }
}

fn drawn(lines: impl IntoIterator<Item = Vec<[i32; 2]>>) -> Canvas {
    let mut canvas = Canvas::new();
    lines.into_iter().for_each(|line| strokes(line)(&mut canvas));
    canvas
}

fn zigzag(rng: &mut Rng) -> Canvas {
    let turns = rng.i32(5..14);
    let step = 76 / turns;
    let turn = |index: i32| {
        let across = if index % 2 == 0 { rng.i32(8..30) } else { rng.i32(70..92) };
        [across, 12 + index * step]
    };
    let line: Vec<[i32; 2]> = (0..=turns).map(turn).collect();
    let upright = rng.bool();
    drawn([line.into_iter().map(|[x, y]| if upright { [y, x] } else { [x, y] }).collect()])
}

/// A smooth curve through random points.
fn loops(rng: &mut Rng) -> Canvas {
    let count = rng.usize(9..22);
    let points: Vec<[f64; 2]> =
        (0..count).map(|_| [10.0 + 80.0 * rng.f64(), 10.0 + 80.0 * rng.f64()]).collect();
    let mut line = Vec::new();
    for four in points.windows(4) {
        for part in 0..8 {
            let t = f64::from(part) / 8.0;
            line.push([0, 1].map(|axis| {
                let [a, b, c, d] = [four[0][axis], four[1][axis], four[2][axis], four[3][axis]];
                // Catmull and Rom's spline.
                let third = 3.0 * (b - c) + d - a;
                let at = b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * third));
                at.clamp(0.0, 100.0) as i32
            }));
        }
    }
    drawn([line])
}

fn grid(rng: &mut Rng) -> Canvas {
    let [columns, rows] = [rng.i32(2..6), rng.i32(2..6)];
    let at = |index: i32, count: i32| 12 + (2 * index + 1) * 76 / (2 * count);
    let upright = (0..columns).map(|index| vec![[at(index, columns), 12], [at(index, columns), 88]]);
    let across = (0..rows).map(|index| vec![[12, at(index, rows)], [88, at(index, rows)]]);
    drawn(upright.chain(across))
}

/// Short strokes all over the sheet.
fn hatching(rng: &mut Rng) -> Canvas {
    let count = rng.usize(8..30);
    let stroke = |_| {
        let [x, y] = [rng.i32(5..75), rng.i32(5..75)];
        vec![[x, y], [x + rng.i32(5..20), y + rng.i32(5..20)]]
    };
    drawn((0..count).map(stroke).collect::<Vec<_>>())
}
