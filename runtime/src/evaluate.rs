//! A model on all pictures of a data set.

use crate::classifier::{Classifier, Reading};
use crate::threads::Pool;
use anyhow::{Result, anyhow, ensure};
use edge8::Model;
use edge8_preprocess::Picture;
use files::{LeftOut, Pictures, Set};
use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::Instant;

/// Classes of MNIST's files.
const DIGITS: usize = 10;

/// What a model says of labelled pictures.
pub struct Evaluation {
    /// The names of the classes.
    pub labels: Vec<String>,
    /// Pictures of each class.
    pub images: Vec<usize>,
    /// `confusion[class][answer]`, of the pictures that can be read; of one that is rejected, what it would have been read as.
    pub confusion: Vec<Vec<usize>>,
    /// Pictures that the model's rule rejects.
    pub rejected: usize,
    /// Pictures that cannot be read.
    pub unreadable: LeftOut,
    /// Nanoseconds for a picture, on all cores.
    pub per_image: u128,
}

impl Evaluation {
    /// Of a model on the pictures in a folder.
    pub fn new(model: Model<'_>, folder: &Path) -> Result<Self> {
        let classifier = Classifier::new(model, Pool::ALONE)?;
        let classes = classifier.classes();
        let labels: Vec<String> = (0..classes).map(|class| classifier.label(class)).collect();
        let data = Pictures::open_for(folder, Set::Any, &labels)?;
        let digits = (0..classes).all(|class| labels[class] == class.to_string());
        ensure!(
            !data.are_numbered() || digits || classes == DIGITS,
            "{} has pictures of {DIGITS} digits, the model knows {classes} classes, from {:?} to {:?}: pass --data with one \
             subfolder of pictures for each",
            folder.display(),
            labels[0],
            labels[classes - 1]
        );
        let begin = Instant::now();
        let readings = classify_all(model, &data)?;
        let per_image = begin.elapsed().as_nanos() / data.len() as u128;
        let mut images = vec![0; classes];
        let mut confusion = vec![vec![0; classes]; classes];
        let (mut rejected, mut reasons) = (0, Vec::new());
        for (reading, &label) in readings.into_iter().zip(data.labels()?) {
            images[label as usize] += 1;
            match reading {
                Ok(reading) => {
                    confusion[label as usize][reading.class] += 1;
                    rejected += usize::from(reading.rejected);
                }
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        let unreadable = LeftOut::new(data.len(), reasons);
        Ok(Self { labels, images, confusion, rejected, unreadable, per_image })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.images.iter().sum()
    }

    /// How many were read right.
    pub fn correct(&self) -> usize {
        (0..self.labels.len()).map(|class| self.confusion[class][class]).sum()
    }

    /// The same as a share; those that cannot be read count as wrong.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.len().max(1) as f64
    }
}

/// The reading of every picture, or why it cannot be read, in order, on all cores.
fn classify_all(model: Model<'_>, data: &Pictures) -> Result<Vec<Result<Reading>>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(data.len());
    let share = data.len().div_ceil(threads);
    let ranges = (0..data.len()).step_by(share).map(|start| start..data.len().min(start + share));
    thread::scope(|scope| {
        let spawned: Vec<_> = ranges.map(|range| scope.spawn(move || classify(model, data, range))).collect();
        let mut readings = Vec::with_capacity(data.len());
        for thread in spawned {
            readings.extend(thread.join().map_err(|_| anyhow!("a thread failed"))??);
        }
        Ok(readings)
    })
}

fn classify(model: Model<'_>, data: &Pictures, range: Range<usize>) -> Result<Vec<Result<Reading>>> {
    let mut classifier = Classifier::new(model, Pool::ALONE)?;
    let channels = classifier.channels();
    let mut read = |picture: &Picture<'_>| classifier.classify(picture);
    Ok(range.map(|index| data.with(index, channels, &mut read)).collect())
}
