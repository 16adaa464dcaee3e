//! Loss and error rate over the epochs.

use anyhow::Result;
use plot::{Alignment, Axis, Canvas, Chart, INK, Mark, Scale, Series, Size, colour};

use crate::fit::Epoch;

const WIDTH: u32 = 1000;
/// Of the diagrams and what lies around them; each run has a line below.
const HEIGHT: u32 = 395;
const LINE: u32 = 25;

/// One of the curves: a value for each epoch.
type Curve = fn(&Epoch) -> f64;

/// The training curves as a PNG file: loss and error rate in percent, training and validation, on logarithmic scales.
/// Training includes augmentation and dropout, so that its curves lie above those of validation.
///
/// # Errors
/// Only if the PNG cannot be encoded.
pub fn curves_png(history: &[Epoch]) -> Result<Vec<u8>> {
    let training = ("training (augmented, dropout)", history, [loss as Curve, errors as Curve]);
    let validation = ("validation", history, [validation_loss as Curve, validation_errors as Curve]);
    png(&[training, validation])
}

/// The validation curves of several runs, each with its name, as [`curves_png`].
///
/// # Errors
/// Only if the PNG cannot be encoded.
pub fn runs_png(runs: &[(&str, &[Epoch])]) -> Result<Vec<u8>> {
    let curves = [validation_loss as Curve, validation_errors as Curve];
    let runs: Vec<_> = runs.iter().map(|&(name, history)| (name, history, curves)).collect();
    png(&runs)
}

fn loss(epoch: &Epoch) -> f64 {
    epoch.loss
}

fn validation_loss(epoch: &Epoch) -> f64 {
    epoch.validation_loss
}

fn errors(epoch: &Epoch) -> f64 {
    100.0 * (1.0 - epoch.accuracy)
}

fn validation_errors(epoch: &Epoch) -> f64 {
    100.0 * (1.0 - epoch.validation_accuracy)
}

/// Two diagrams of the same lines: a name, the epochs, and what of them each diagram shows.
fn png(lines: &[(&str, &[Epoch], [Curve; 2])]) -> Result<Vec<u8>> {
    let mut canvas = Canvas::new(WIDTH, HEIGHT + LINE * lines.len() as u32);
    for (panel, title) in ["loss", "errors, %"].into_iter().enumerate() {
        let series: Vec<Series> = (lines.iter().enumerate())
            .map(|(index, &(name, history, curves))| {
                let points =
                    (1..).zip(history).map(|(number, epoch)| [f64::from(number), curves[panel](epoch)]);
                Series {
                    name: name.to_owned(),
                    colour: colour(index),
                    points: points.collect(),
                    mark: Mark::Curve,
                }
            })
            .collect();
        let values = |axis: usize| {
            series.iter().flat_map(move |series| series.points.iter().map(move |point| point[axis]))
        };
        let axes =
            [Axis::new("epoch", Scale::Linear, values(0)), Axis::new("", Scale::Logarithmic, values(1))];
        Chart { title, axes, series: &series }.draw(&mut canvas, [70 + 500 * panel as i32, 40], [410, 300]);
    }
    for (index, (name, ..)) in lines.iter().enumerate() {
        let y = (HEIGHT + LINE * index as u32) as i32;
        canvas.line((70, y), (110, y), 3, colour(index));
        canvas.text(name, 120, y, Size::Normal, Alignment::Left, INK);
    }
    canvas.png()
}
