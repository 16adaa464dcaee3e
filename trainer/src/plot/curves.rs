//! Loss and error rate over the epochs.

use anyhow::Result;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::Alignment;

use super::canvas::{Canvas, GRID, INK, Size};
use crate::fit::Epoch;

const TRAINING: Rgb888 = Rgb888::new(31, 119, 180);
const VALIDATION: Rgb888 = Rgb888::new(214, 95, 14);

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 420;

/// One of the two diagrams: its frame in the picture and its logarithmic range.
struct Panel {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    epochs: usize,
    /// Powers of ten at the lower and upper end.
    decades: (i32, i32),
}

/// The training curves as a PNG file: loss and error rate in percent, training and validation, on logarithmic scales.
/// Training includes augmentation and dropout, so that its curves lie above those of validation.
///
/// # Errors
/// Only if the PNG cannot be encoded.
pub fn curves_png(history: &[Epoch]) -> Result<Vec<u8>> {
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    let percent = |accuracy: f64| 100.0 * (1.0 - accuracy);
    let series = |value: fn(&Epoch) -> f64| history.iter().map(value).collect::<Vec<f64>>();
    let loss = [series(|epoch| epoch.loss), series(|epoch| epoch.validation_loss)];
    let errors = [series(|epoch| epoch.accuracy), series(|epoch| epoch.validation_accuracy)]
        .map(|accuracies| accuracies.into_iter().map(percent).collect::<Vec<f64>>());
    for (left, title, curves) in [(70, "loss", loss), (570, "errors, %", errors)] {
        let panel = Panel::new(left, history.len(), &curves);
        panel.frame(&mut canvas, title);
        for (curve, colour) in curves.iter().zip([TRAINING, VALIDATION]) {
            panel.curve(&mut canvas, curve, colour);
        }
    }
    for (x, name, colour) in
        [(370, "training (augmented, dropout)", TRAINING), (740, "validation", VALIDATION)]
    {
        let y = HEIGHT as i32 - 18;
        canvas.line((x - 50, y), (x - 10, y), 3, colour);
        canvas.text(name, x, y, Size::Normal, Alignment::Left, INK);
    }
    canvas.png()
}

impl Panel {
    fn new(left: i32, epochs: usize, curves: &[Vec<f64>; 2]) -> Self {
        let values = || curves.iter().flatten().copied().filter(|value| *value > 0.0);
        let lowest = values().fold(f64::INFINITY, f64::min);
        let highest = values().fold(0.0, f64::max);
        let decades = if lowest > highest {
            (-1, 0)
        } else {
            let lower = lowest.log10().floor() as i32;
            (lower, (highest.log10().ceil() as i32).max(lower + 1))
        };
        Self { left, top: 40, width: 410, height: 300, epochs, decades }
    }

    fn x(&self, epoch: usize) -> i32 {
        self.left + self.width * (2 * epoch as i32 + 1) / (2 * self.epochs.max(1) as i32)
    }

    /// A value of zero lies on the lower edge.
    fn y(&self, value: f64) -> i32 {
        let (lower, upper) = (f64::from(self.decades.0), f64::from(self.decades.1));
        let height = (value.max(1e-30).log10().max(lower) - lower) / (upper - lower);
        self.top + self.height - (height * f64::from(self.height)).round() as i32
    }

    fn frame(&self, canvas: &mut Canvas, title: &str) {
        let right = self.left + self.width;
        canvas.text(title, self.left + self.width / 2, 20, Size::Title, Alignment::Center, INK);
        for decade in self.decades.0..=self.decades.1 {
            let value = 10f64.powi(decade);
            let y = self.y(value);
            canvas.line((self.left, y), (right, y), 1, GRID);
            canvas.text(&format!("{value}"), self.left - 8, y, Size::Normal, Alignment::Right, INK);
            for step in (2..10).filter(|_| decade < self.decades.1) {
                let y = self.y(f64::from(step) * value);
                canvas.line((self.left, y), (self.left + 5, y), 1, INK);
            }
        }
        let bottom = self.top + self.height;
        canvas.line((self.left, self.top), (self.left, bottom), 1, INK);
        canvas.line((self.left, bottom), (right, bottom), 1, INK);
        let step = self.epochs.div_ceil(10).max(1);
        for epoch in (0..self.epochs).filter(|epoch| (epoch + 1) % step == 0) {
            let x = self.x(epoch);
            canvas.line((x, bottom), (x, bottom + 4), 1, INK);
            canvas.text(&format!("{}", epoch + 1), x, bottom + 14, Size::Normal, Alignment::Center, INK);
        }
        canvas.text("epoch", right, bottom + 32, Size::Normal, Alignment::Right, INK);
    }

    fn curve(&self, canvas: &mut Canvas, values: &[f64], colour: Rgb888) {
        let points: Vec<(i32, i32)> =
            values.iter().enumerate().map(|(epoch, &value)| (self.x(epoch), self.y(value))).collect();
        for pair in points.windows(2) {
            canvas.line(pair[0], pair[1], 2, colour);
        }
        for (x, y) in points {
            canvas.fill(x - 2, y - 2, 5, 5, colour);
        }
    }
}
