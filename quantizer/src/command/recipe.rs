//! The options that say how a picture becomes a network's input, where the network's file does not.

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use edge8::{Fit, Framing, Preparation, Sizing};
use quantizer::graph::Shape;
use quantizer::samples::Normalisation;
use std::path::{Path, PathBuf};

/// See [`RecipeOptions::preparation`] and [`RecipeOptions::normalisation`].
#[derive(Clone, Debug, Default, Args)]
pub struct RecipeOptions {
    /// What a picture shows: one digit, which is looked for, or anything
    #[arg(long, value_enum)]
    recipe: Option<Kind>,
    /// What happens to pictures in other proportions than the input [default: stretch]
    #[arg(long, value_enum)]
    fit: Option<FitOption>,
    /// The network reads (byte / 255 - mean) / std; one value, or one per channel [default: 0]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    mean: Vec<f64>,
    /// See --mean [default: 1]
    #[arg(long, value_delimiter = ',')]
    std: Vec<f64>,
    /// The names of the classes, one a line in the order of the outputs
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Digit,
    Picture,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FitOption {
    /// They are stretched
    Stretch,
    /// What protrudes is cut off
    Crop,
    /// The rest is filled with black
    Letterbox,
}

impl RecipeOptions {
    /// Whether none is given.
    pub fn are_absent(&self) -> bool {
        !self.are_given() && self.labels.is_none()
    }

    /// Whether a recipe is asked for, and not only what bytes are normalised with, as those of arrays are too.
    pub fn is_asked_for(&self) -> bool {
        self.recipe.is_some() || self.fit.is_some()
    }

    /// Whether one is given that says how a picture becomes the input.
    pub fn are_given(&self) -> bool {
        self.is_asked_for() || !self.mean.is_empty() || !self.std.is_empty()
    }

    /// How pictures become bytes for a network that reads this shape.
    ///
    /// # Errors
    /// If no picture becomes an input of this shape.
    pub fn preparation(&self, shape: Shape) -> Result<Preparation> {
        let Shape { height, width, channels } = shape;
        if self.recipe == Some(Kind::Digit) {
            ensure!(self.fit.is_none(), "--recipe digit frames the digit: leave --fit out");
            let square = height == width && channels == 1;
            let side = u16::try_from(height).ok().filter(|_| square);
            let side = side
                .with_context(|| format!("the network reads {shape}: a digit is framed to a grey square"))?;
            return Ok(Preparation::Digit(Framing::mnist(side)));
        }
        let fit = match self.fit {
            None | Some(FitOption::Stretch) => Fit::Stretch,
            Some(FitOption::Crop) => Fit::Crop,
            Some(FitOption::Letterbox) => Fit::Letterbox,
        };
        let sizing = || {
            let (height, width) = (height.try_into().ok()?, width.try_into().ok()?);
            let sizing = Sizing { height, width, channels: channels.try_into().ok()?, fit, fill: 0 };
            sizing.is_valid().then_some(Preparation::Picture(sizing))
        };
        sizing().with_context(|| {
            format!(
                "the network reads {shape}: a picture has 1 channel or 3, and up to 4096 rows and columns"
            )
        })
    }

    /// What the network reads of a byte.
    ///
    /// # Errors
    /// If means and standard deviations do not fit one another.
    pub fn normalisation(&self) -> Result<Normalisation> {
        let or = |values: &[f64], default, count: usize| match values {
            [] => vec![default; count.max(1)],
            values => values.to_vec(),
        };
        Normalisation::new(&or(&self.mean, 0.0, self.std.len()), &or(&self.std, 1.0, self.mean.len()))
    }

    /// The names of the classes, or nothing without a file of them.
    ///
    /// # Errors
    /// If it cannot be read, or a line is empty.
    pub fn labels(&self) -> Result<Vec<String>> {
        self.labels.as_deref().map_or(Ok(Vec::new()), read_labels)
    }

    /// The names of a network's classes, if there is a file of them.
    ///
    /// # Errors
    /// As [`labels`](Self::labels); if it has not as many lines as the network has outputs.
    pub fn labels_for(&self, outputs: usize) -> Result<Option<Vec<String>>> {
        let Some(path) = &self.labels else { return Ok(None) };
        let (labels, name) = (self.labels()?, path.display());
        ensure!(
            labels.len() == outputs,
            "{name} has {} lines, the network {outputs} outputs: one name a line is expected",
            labels.len()
        );
        Ok(Some(labels))
    }
}

fn read_labels(path: &Path) -> Result<Vec<String>> {
    let name = path.display();
    let text = String::from_utf8(files::read(path)?).with_context(|| format!("{name} is not UTF-8 text"))?;
    let labels: Vec<String> =
        text.trim_start_matches('\u{feff}').lines().map(|line| line.trim().to_owned()).collect();
    let end = labels.iter().rposition(|label| !label.is_empty()).map_or(0, |last| last + 1);
    let labels = labels.get(..end).unwrap_or(&[]);
    let empty = labels.iter().position(String::is_empty);
    ensure!(
        empty.is_none(),
        "line {} of {name} is empty: one name a line is expected",
        empty.unwrap_or(0) + 1
    );
    Ok(labels.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_decides_what_is_possible() {
        let picture = RecipeOptions::default().preparation(Shape::new(20, 32, 3)).unwrap();
        assert_eq!(picture, Preparation::Picture(Sizing::stretch([20, 32], 3)));
        assert!(RecipeOptions::default().preparation(Shape::new(1, 1, 640)).is_err());
        let digit = RecipeOptions { recipe: Some(Kind::Digit), ..RecipeOptions::default() };
        assert_eq!(digit.preparation(Shape::new(28, 28, 1)).unwrap(), Preparation::Digit(Framing::mnist(28)));
        for shape in [Shape::new(28, 28, 3), Shape::new(28, 20, 1)] {
            assert!(digit.preparation(shape).unwrap_err().to_string().contains("grey square"));
        }
    }

    #[test]
    fn labels_are_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.txt");
        std::fs::write(&path, "\u{feff}red fox\r\nÄpfel\r\n\r\n").unwrap();
        let options = RecipeOptions { labels: Some(path.clone()), ..RecipeOptions::default() };
        assert_eq!(options.labels_for(2).unwrap().unwrap(), ["red fox", "Äpfel"]);
        assert!(options.labels_for(3).unwrap_err().to_string().contains("2 lines, the network 3 outputs"));
        std::fs::write(&path, "a\n\nb").unwrap();
        assert!(options.labels().unwrap_err().to_string().contains("line 2"));
    }
}
