//! The network to and from the tensors of its file.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::Network;
use super::layers::{Part, convolutions};
use crate::ops::batch_norm::Statistics;
use mobilenet::{ModelFile, Weights};

impl Network {
    /// The network that a file describes.
    ///
    /// # Errors
    /// Names the tensor that is missing, has the wrong shape, is not part of the network or holds a negative variance.
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        let mut network = Self::new(file.architecture.clone(), 0);
        for (part, values) in network.named_mut() {
            values.copy_from_slice(file.tensor(&part.name, &part.shape)?);
        }
        network.statistics = network.stored_statistics(file)?;
        let used = network.parts.len() + 2 * network.statistics.iter().map(Vec::len).sum::<usize>();
        ensure!(
            used == file.tensors.len(),
            "the model has {} tensors, its architecture needs {used}",
            file.tensors.len()
        );
        Ok(network)
    }

    /// The statistics of a file for a network of the same widths.
    pub(super) fn stored_statistics(&self, file: &ModelFile) -> Result<Vec<Vec<Statistics>>> {
        let stored = |(name, norm): (&String, &Statistics)| {
            let shape = [norm.mean.len()];
            let mean = file.tensor(&format!("{name}.mean"), &shape)?.to_vec();
            let variance = file.tensor(&format!("{name}.variance"), &shape)?.to_vec();
            ensure!(variance.iter().all(|&value| value >= 0.0), "{name}.variance holds a negative value");
            Ok(Statistics { mean, variance })
        };
        let names = norm_names(self.statistics.len());
        let layers = names.iter().zip(self.statistics.iter());
        layers.map(|(names, norms)| names.iter().zip(norms).map(stored).collect()).collect()
    }

    /// All tensors as they go into a file.
    pub fn tensors(&self) -> BTreeMap<String, Weights> {
        let mut tensors = BTreeMap::new();
        for (Part { name, shape, .. }, values) in self.named() {
            tensors.insert(name.clone(), Weights { shape: shape.clone(), values: values.to_vec() });
        }
        for (names, statistics) in norm_names(self.statistics.len()).iter().zip(self.statistics.iter()) {
            for (name, Statistics { mean, variance }) in names.iter().zip(statistics) {
                for (kind, values) in [("mean", mean), ("variance", variance)] {
                    let weights = Weights { shape: vec![values.len()], values: values.clone() };
                    tensors.insert(format!("{name}.{kind}"), weights);
                }
            }
        }
        tensors
    }
}

/// Names of the batch normalisations of every layer, the last convolution's at the end.
fn norm_names(layers: usize) -> Vec<Vec<String>> {
    let blocks = (0..layers - 1).map(|index| convolutions(index).to_vec());
    blocks.chain([vec!["last".to_owned()]]).collect()
}
