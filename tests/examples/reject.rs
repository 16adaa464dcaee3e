//! Which measure tells best that a picture shows no digit: with MNIST's training files in DIR, of which the validation split counts,
//! and pictures of no digit as the test `reject` draws them, others of the same kinds
//!
//! ```sh
//! cargo run --release -p tests --example reject -- DIR MODEL.edge8 [SHEET.png]
//! ```
//!
//! For each measure and share of the validation pictures: the limit that so many of them lie below, and of each kind the share
//! that is accepted. Pictures in which the recipe finds nothing are not accepted. The sheet shows pictures of each kind.

use anyhow::{Context, Result};
use edge8::Model;
use edge8_preprocess::{Picture, apply, workspace_len};
use fastrand::Rng;
use image::{GrayImage, imageops};
use std::path::PathBuf;
use tests::strangers::{Grey, KINDS};

/// What a reading is measured by, of its probabilities in falling order.
type Measure = (&'static str, fn(&[f64]) -> f64);

const MEASURES: [Measure; 5] = [
    ("probability", |sorted| sorted[0]),
    ("margin", |sorted| sorted[0] - sorted[1]),
    ("two likeliest", |sorted| sorted[0] + sorted[1]),
    ("sum of squares", |sorted| sorted.iter().map(|p| p * p).sum()),
    ("negative entropy", |sorted| sorted.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum()),
];

/// Shares of the validation pictures that may be rejected.
const SHARES: [f64; 3] = [0.002, 0.003, 0.005];

/// Pictures of each kind; the test draws others.
const EACH: usize = 1000;
const SEED: u64 = 2;

/// Pictures of each kind on the sheet, and the side of each.
const SHOWN: usize = 20;
const TILE: u32 = 64;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let mut argument = || arguments.next().context("usage: reject DIR MODEL.edge8 [SHEET.png]");
    let (folder, path, sheet) = (argument()?, argument()?, argument().ok());
    let image = files::read(&path)?;
    let model = Model::parse(&image)?;
    let mut rng = Rng::with_seed(SEED);
    let kinds = KINDS.map(|(name, draw)| (name, (0..EACH).map(|_| draw(&mut rng)).collect::<Vec<Grey>>()));
    if let Some(sheet) = sheet {
        draw(&kinds).save(sheet)?;
    }
    let known = validation(&model, &folder)?;
    let readings =
        kinds.map(|(_, pictures)| pictures.iter().map(|picture| read(&model, picture)).collect::<Vec<_>>());
    print!("{:<16} {:>6} {:>8}", "measure", "share", "limit");
    KINDS.iter().for_each(|(name, _)| print!(" {name:>9}"));
    println!();
    for (name, measure) in MEASURES {
        let mut values: Vec<f64> = known.iter().map(|sorted| measure(sorted)).collect();
        values.sort_by(f64::total_cmp);
        for share in SHARES {
            let limit = values[(values.len() as f64 * share) as usize];
            print!("{name:<16} {share:>6} {limit:>8.3}");
            for readings in &readings {
                let accepts = |reading: &&Option<Vec<f64>>| {
                    reading.as_ref().is_some_and(|sorted| measure(sorted) >= limit)
                };
                let accepted = readings.iter().filter(accepts).count();
                print!(" {:>7.1} %", 100.0 * accepted as f64 / EACH as f64);
            }
            println!();
        }
    }
    Ok(())
}

/// The probabilities of the validation pictures' classes, each picture's largest first.
fn validation(model: &Model<'_>, folder: &std::path::Path) -> Result<Vec<Vec<f64>>> {
    let recipe = model.recipe()?;
    let tables = recipe.tables();
    let data = files::load_train(folder, recipe.preparation())?;
    let of_picture = |index: usize| {
        let bytes = data.image(index).iter().zip(tables.iter().cycle());
        let input: Vec<i8> = bytes.map(|(&byte, table)| table[usize::from(byte)]).collect();
        probabilities(model, &input)
    };
    trainer::fit::validation_split(&data, false).into_iter().map(of_picture).collect()
}

/// The same of a picture, if the recipe finds something in it.
fn read(model: &Model<'_>, picture: &Grey) -> Option<Vec<f64>> {
    let recipe = model.recipe().ok()?;
    let picture = Picture::new(picture.width, picture.height, &picture.pixels).ok()?;
    let mut workspace = vec![0; workspace_len(&recipe.preparation(), picture.width(), picture.height())];
    let mut input = vec![0; model.input_len()];
    apply(&recipe, &picture, &mut workspace, &mut input).ok()?;
    probabilities(model, &input).ok()
}

fn probabilities(model: &Model<'_>, input: &[i8]) -> Result<Vec<f64>> {
    let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output_len()]);
    model.run(input, &mut arena, &mut output)?;
    let real = |&value: &i8| f64::from(i16::from(value) - i16::from(i8::MIN)) / 256.0;
    let mut sorted: Vec<f64> = output.iter().map(real).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    Ok(sorted)
}

/// A row for each kind.
fn draw(kinds: &[(&str, Vec<Grey>)]) -> GrayImage {
    let mut sheet = GrayImage::new(TILE * SHOWN as u32, TILE * kinds.len() as u32);
    for (row, (_, pictures)) in (0..).zip(kinds) {
        for (column, Grey { width, height, pixels }) in (0..).zip(pictures.iter().take(SHOWN)) {
            if let Some(picture) = GrayImage::from_raw(*width as u32, *height as u32, pixels.clone()) {
                let tile = imageops::thumbnail(&picture, TILE - 2, TILE - 2);
                imageops::overlay(&mut sheet, &tile, (column * TILE).into(), (row * TILE).into());
            }
        }
    }
    sheet
}
