//! Pictures and arrays as inputs of a float network.

mod content;
mod int8;
mod normalisation;
mod npz;

pub use content::Layout;
pub(crate) use int8::Int8Input;
pub use normalisation::Normalisation;

use crate::graph::Shape;
use crate::quantize::Range;
use anyhow::{Context, Result, ensure};
use content::Content;
use edge8::Preparation;
use files::{Dataset, Kind, LeftOut, Pictures};
use std::path::Path;

/// One input, channels last.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// Before the normalisation.
    Bytes(Vec<u8>),
    /// What the float network reads.
    Reals(Vec<f32>),
}

/// Inputs for a network, with their classes where these are known.
#[derive(Clone, Debug)]
pub struct Samples {
    /// What the network reads.
    pub shape: Shape,
    /// How bytes become reals.
    pub normalisation: Normalisation,
    /// The class of each sample, or nothing if they are unknown.
    pub labels: Option<Vec<u32>>,
    /// Names of the classes, or nothing if they are unknown.
    pub classes: Vec<String>,
    /// Pictures that were left out when a data set was framed; others are tried by [`Samples::readable`].
    pub left_out: LeftOut,
    content: Content,
}

impl Samples {
    /// Pictures that have been prepared.
    pub fn of_dataset(dataset: Dataset, normalisation: Normalisation) -> Self {
        let [height, width, channels] = dataset.shape();
        Self {
            shape: Shape::new(height, width, channels),
            normalisation,
            labels: Some(dataset.labels),
            classes: dataset.classes,
            left_out: LeftOut::default(),
            content: Content::Bytes(dataset.images, Layout::Nhwc),
        }
    }

    /// Pictures that are prepared when they are asked for.
    ///
    /// # Errors
    /// If the normalisation is for another number of channels, or a class is none of the pictures'.
    pub fn of_pictures(
        pictures: Pictures,
        preparation: Preparation,
        normalisation: Normalisation,
    ) -> Result<Self> {
        let edge8::Shape { height, width, channels } = preparation.shape();
        let shape = Shape::new(height.into(), width.into(), channels.into());
        normalisation.check(shape.channels)?;
        let labels = pictures.have_labels().then(|| pictures.labels().map(<[u32]>::to_vec)).transpose()?;
        let classes = pictures.classes().to_vec();
        let content = Content::Pictures(pictures, preparation);
        Ok(Self { shape, normalisation, labels, classes, left_out: LeftOut::default(), content })
    }

    /// Samples for a network that reads `shape`: of an `.npz` file the array `x` or the only one with several dimensions: u8,
    /// normalised as pictures, or f32, taken as they are; its first dimension counts the samples, `layout` says how the others
    /// lie. An array `y` of integers holds their classes.
    ///
    /// # Errors
    /// Says what is missing, broken or of another size.
    pub fn of_arrays(
        path: &Path,
        shape: Shape,
        layout: Layout,
        normalisation: Normalisation,
    ) -> Result<Self> {
        normalisation.check(shape.channels)?;
        let kind = Kind::of_file(path)?;
        let name = path.display();
        ensure!(kind == Kind::Zip, "{name} is {kind}: a folder of pictures or an .npz file is expected");
        let (content, labels) = npz::read(path, shape, layout)
            .with_context(|| format!("{name} is not an .npz file of samples"))?;
        let (classes, left_out) = (Vec::new(), LeftOut::default());
        let samples = Self { shape, normalisation, labels, classes, left_out, content };
        let labels = samples.labels.as_ref().map_or(samples.len(), Vec::len);
        ensure!(labels == samples.len(), "{} samples, but {labels} labels", samples.len());
        ensure!(labels > 0, "{name} holds no sample");
        Ok(samples)
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match &self.content {
            Content::Pictures(pictures, _) => pictures.len(),
            Content::Bytes(bytes, _) => bytes.len() / self.shape.volume(),
            Content::Reals(reals, _) => reals.len() / self.shape.volume(),
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The indices of `count` samples, evenly spread.
    ///
    /// # Errors
    /// If there are fewer samples.
    pub fn spread(&self, count: usize) -> Result<Vec<usize>> {
        let all = self.len();
        ensure!(
            (1..=all).contains(&count),
            "{count} samples of {all} images: pass --samples from 1 to {all}, or --data with more images"
        );
        Ok((0..count).map(|index| index * all / count).collect())
    }

    /// One sample.
    ///
    /// # Errors
    /// If there is none of this index, or its picture cannot be read.
    pub fn get(&self, index: usize) -> Result<Sample> {
        let volume = self.shape.volume();
        let missing = || format!("there is no sample {index}");
        match &self.content {
            Content::Pictures(pictures, preparation) => {
                ensure!(index < pictures.len(), missing());
                Ok(Sample::Bytes(pictures.prepared(index, preparation)?))
            }
            Content::Bytes(bytes, layout) => {
                let bytes = bytes.chunks_exact(volume).nth(index).with_context(missing)?;
                Ok(Sample::Bytes(channels_last(bytes, self.shape, *layout)))
            }
            Content::Reals(reals, layout) => {
                let reals = reals.chunks_exact(volume).nth(index).with_context(missing)?;
                Ok(Sample::Reals(channels_last(reals, self.shape, *layout)))
            }
        }
    }

    /// Those of the indices whose samples can be read, and which pictures are left out.
    pub fn readable(&self, indices: &[usize]) -> (Vec<usize>, LeftOut) {
        match &self.content {
            Content::Pictures(pictures, _) => pictures.readable(indices, |index| self.get(index).map(drop)),
            _ => (indices.to_vec(), self.left_out.clone()),
        }
    }

    /// What the float network reads of a sample.
    pub fn reals(&self, sample: &Sample) -> Vec<f32> {
        match sample {
            Sample::Bytes(bytes) => self.normalisation.apply(bytes, self.shape.channels),
            Sample::Reals(reals) => reals.clone(),
        }
    }

    /// The range of the network's input: what bytes can become, or what occurs among reals.
    pub fn range(&self) -> Range {
        match &self.content {
            Content::Reals(reals, _) => Range::of(reals),
            _ => self.normalisation.range(),
        }
    }
}

/// One image with the channels as the fastest index.
fn channels_last<T: Copy>(values: &[T], shape: Shape, layout: Layout) -> Vec<T> {
    match layout {
        Layout::Nhwc => values.to_vec(),
        Layout::Nchw => {
            let pixels = shape.height * shape.width;
            (0..pixels).flat_map(|pixel| values.iter().skip(pixel).step_by(pixels)).copied().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(images: usize, layout: Layout) -> Samples {
        let shape = Shape::new(1, 2, 3);
        let bytes = (0..images * shape.volume()).map(|value| value as u8).collect();
        let normalisation = Normalisation::linear(1.0, 0.0);
        Samples {
            shape,
            normalisation,
            labels: None,
            classes: Vec::new(),
            left_out: LeftOut::default(),
            content: Content::Bytes(bytes, layout),
        }
    }

    #[test]
    fn samples_are_spread_over_the_set() {
        let samples = numbered(10, Layout::Nhwc);
        assert_eq!(samples.spread(4).unwrap(), [0, 2, 5, 7]);
        assert!(samples.spread(11).is_err() && samples.spread(0).is_err());
    }

    #[test]
    fn channels_come_last() {
        assert_eq!(numbered(2, Layout::Nhwc).get(1).unwrap(), Sample::Bytes(vec![6, 7, 8, 9, 10, 11]));
        assert_eq!(numbered(2, Layout::Nchw).get(1).unwrap(), Sample::Bytes(vec![6, 8, 10, 7, 9, 11]));
        assert!(numbered(2, Layout::Nchw).get(2).is_err());
    }
}
