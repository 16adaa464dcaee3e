//! Which measure tells best that a picture shows none of a model's classes: with the pictures that a network was trained on in
//! DIR, of which its validation split counts, and pictures of none of its classes in OTHERS, one subfolder for each kind
//!
//! ```sh
//! cargo run --release -p tests --example reject -- DIR OTHERS MODEL.edge8
//! ```
//!
//! For each measure and share of the validation pictures: the limit that so many of them lie below, and of each kind the share
//! that is accepted. Pictures in which the recipe finds nothing are not accepted.

use anyhow::{Context, Result};
use edge8::Model;
use edge8_preprocess::{Picture, apply, workspace_len};
use files::{Pictures, Set};
use std::path::PathBuf;

/// What a reading is measured by, of its probabilities in falling order.
type Measure = (&'static str, fn(&[f64]) -> f64);

const MEASURES: [Measure; 5] = [
    ("probability", |sorted| sorted[0]),
    ("margin", |sorted| sorted[0] - sorted[1]),
    ("two likeliest", |sorted| sorted[0] + sorted[1]),
    ("sum of squares", |sorted| sorted.iter().map(|p| p * p).sum()),
    ("entropy, negative", |sorted| sorted.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum()),
];

/// Shares of the validation pictures that may be rejected.
const SHARES: [f64; 3] = [0.002, 0.003, 0.005];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let mut argument = || arguments.next().context("usage: reject DIR OTHERS MODEL.edge8");
    let [folder, others, path] = [argument()?, argument()?, argument()?];
    let image = files::read(&path)?;
    let model = Model::parse(&image)?;
    let data = files::load_train(&folder, model.recipe()?.preparation())?;
    let recipe = model.recipe()?;
    let table = recipe.tables();
    let validation = trainer::fit::validation_split(&data, false);
    let of_validation = |index: usize| {
        let bytes = data.image(index).iter().zip(table.iter().cycle());
        let input: Vec<i8> = bytes.map(|(&byte, table)| table[usize::from(byte)]).collect();
        probabilities(&model, &input)
    };
    let known: Vec<Vec<f64>> = validation.into_iter().map(of_validation).collect::<Result<_>>()?;
    let pictures = Pictures::open(&others, Set::Any)?;
    let mut kinds: Vec<(&str, Vec<Option<Vec<f64>>>)> =
        pictures.classes().iter().map(|kind| (kind.as_str(), Vec::new())).collect();
    for (index, &kind) in pictures.labels()?.iter().enumerate() {
        let read = |picture: &Picture<'_>| {
            let mut workspace =
                vec![0; workspace_len(&recipe.preparation(), picture.width(), picture.height())];
            let mut input = vec![0; model.input_len()];
            match apply(&recipe, picture, &mut workspace, &mut input) {
                Ok(()) => probabilities(&model, &input).map(Some),
                Err(_) => Ok(None),
            }
        };
        let reading = pictures.with(index, recipe.input_shape().channels.into(), read)?;
        kinds[kind as usize].1.push(reading);
    }
    print!("{:<18} {:>6} {:>8}", "measure", "share", "limit");
    kinds.iter().for_each(|(name, _)| print!(" {name:>9}"));
    println!();
    for (name, measure) in MEASURES {
        let mut values: Vec<f64> = known.iter().map(|sorted| measure(sorted)).collect();
        values.sort_by(f64::total_cmp);
        for share in SHARES {
            let limit = values[(values.len() as f64 * share) as usize];
            print!("{name:<18} {share:>6} {limit:>8.3}");
            for (_, readings) in &kinds {
                let accepts = |reading: &&Option<Vec<f64>>| {
                    reading.as_ref().is_some_and(|sorted| measure(sorted) >= limit)
                };
                let accepted = readings.iter().filter(accepts).count();
                print!(" {:>7.1} %", 100.0 * accepted as f64 / readings.len().max(1) as f64);
            }
            println!();
        }
    }
    Ok(())
}

/// The probabilities of an input's classes, the largest first.
fn probabilities(model: &Model<'_>, input: &[i8]) -> Result<Vec<f64>> {
    let mut arena = vec![0; model.arena_len()];
    let mut output = vec![0; model.output_len()];
    model.run(input, &mut arena, &mut output)?;
    let mut sorted: Vec<f64> =
        output.iter().map(|&value| f64::from(i16::from(value) + 128) / 256.0).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    Ok(sorted)
}
