//! The architecture: MobileNetV2 as Keras builds it, with one input channel and a small head.
//!
//! Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2, with Keras' rounding of channels.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// Epsilon inside the square root of every batch normalisation.
pub const BATCH_NORM_EPSILON: f64 = 1e-3;

/// Rows and columns of the spatial convolutions.
pub const KERNEL: usize = 3;

/// Units of the dense layer between the pooled features and the classes.
pub const HIDDEN: usize = 128;

/// Expansion factor t, channels c, repetitions n and stride s of each stage (table 2 of the paper).
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// What is needed to rebuild the network. Stored as JSON in the safetensors' metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    network: NetworkKind,
    /// Width multiplier.
    pub alpha: f64,
    /// Rows and columns of the input, one channel.
    pub input_size: usize,
    /// Stride of the first convolution, 1 or 2.
    pub stem_stride: usize,
    /// Name of each class, in the order of the logits.
    pub classes: Vec<String>,
    /// Channels of the last convolution, if they are not the paper's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_channels: Option<usize>,
}

/// The networks this crate can build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum NetworkKind {
    #[serde(rename = "mobilenet_v2")]
    MobileNetV2,
}

/// An inverted residual: optional 1x1 expansion, depthwise 3x3, linear 1x1 projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Channels in.
    pub input: usize,
    /// Channels after the expansion; `None` for the first block, which has no expansion.
    pub expand: Option<usize>,
    /// Channels out.
    pub output: usize,
    /// Stride of the depthwise convolution.
    pub stride: usize,
}

impl Block {
    /// Channels of the depthwise convolution.
    pub fn middle(&self) -> usize {
        self.expand.unwrap_or(self.input)
    }

    /// Whether the input is added to the output. A block without an expansion, which the training computes with the stem in one,
    /// has no such sum; below alpha 0.3, where it would have as many channels on both sides, Keras' has.
    pub fn residual(&self) -> bool {
        self.stride == 1 && self.input == self.output && self.expand.is_some()
    }
}

impl Architecture {
    /// Checks the ranges: alpha 0.1 to 2, input 28 to 224, stem stride 1 or 2, at least two classes.
    ///
    /// # Errors
    /// Names the value outside its range.
    pub fn new(alpha: f64, input_size: usize, stem_stride: usize, classes: Vec<String>) -> Result<Self> {
        let network = NetworkKind::MobileNetV2;
        let architecture = Self { network, alpha, input_size, stem_stride, classes, last_channels: None };
        architecture.check()?;
        Ok(architecture)
    }

    /// The same network with so many channels of the last convolution; `None` for the paper's.
    ///
    /// # Errors
    /// For a number that is not a multiple of 8 from 8 to 4096.
    pub fn with_last_channels(self, last_channels: Option<usize>) -> Result<Self> {
        let architecture = Self { last_channels, ..self };
        architecture.check()?;
        Ok(architecture)
    }

    /// The checks of [`Architecture::new`], for one that was read from a file.
    ///
    /// # Errors
    /// Names the value outside its range.
    pub fn check(&self) -> Result<()> {
        ensure!((0.1..=2.0).contains(&self.alpha), "alpha is {}, expected 0.1 to 2", self.alpha);
        ensure!(
            (28..=224).contains(&self.input_size),
            "the input size is {}, expected 28 to 224",
            self.input_size
        );
        ensure!(
            matches!(self.stem_stride, 1 | 2),
            "the stem's stride is {}, expected 1 or 2",
            self.stem_stride
        );
        ensure!(
            (2..=1000).contains(&self.classes.len()),
            "there are {} classes, expected 2 to 1000",
            self.classes.len()
        );
        let last = self.last_channels();
        ensure!(
            (8..=4096).contains(&last) && last.is_multiple_of(8),
            "the last convolution has {last} channels, expected a multiple of 8 from 8 to 4096"
        );
        Ok(())
    }

    /// Channels of the first convolution.
    pub fn stem_channels(&self) -> usize {
        make_divisible(32.0 * self.alpha)
    }

    /// Channels of the last convolution: unless given, those of the paper, 1280, more only for alpha above 1.
    pub fn last_channels(&self) -> usize {
        self.last_channels.unwrap_or(if self.alpha > 1.0 {
            make_divisible(1280.0 * self.alpha)
        } else {
            1280
        })
    }

    /// The 17 inverted residuals in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut input = self.stem_channels();
        let mut blocks = Vec::new();
        for (expansion, channels, repetitions, stride) in STAGES {
            let output = make_divisible(channels as f64 * self.alpha);
            for repetition in 0..repetitions {
                blocks.push(Block {
                    input,
                    expand: (expansion > 1).then_some(input * expansion),
                    output,
                    stride: if repetition == 0 { stride } else { 1 },
                });
                input = output;
            }
        }
        blocks
    }

    /// Name and shape of each tensor of the file; the last side is the output channel.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let stem = (String::from("stem"), vec![KERNEL, KERNEL, 1, self.stem_channels()]);
        let mut convolutions = vec![stem];
        let mut features = 0;
        for (index, block) in self.blocks().iter().enumerate() {
            let name = |part: &str| format!("blocks.{index}.{part}");
            if let Some(channels) = block.expand {
                convolutions.push((name("expand"), vec![block.input, channels]));
            }
            convolutions.push((name("depthwise"), vec![KERNEL, KERNEL, block.middle()]));
            convolutions.push((name("project"), vec![block.middle(), block.output]));
            features = block.output;
        }
        convolutions.push((String::from("last"), vec![features, self.last_channels()]));
        let mut tensors = Vec::new();
        for (name, shape) in convolutions {
            let channels = shape[shape.len() - 1];
            tensors.push((format!("{name}.weight"), shape));
            let norm =
                ["gamma", "beta", "mean", "variance"].map(|part| (format!("{name}.{part}"), vec![channels]));
            tensors.extend(norm);
        }
        for (name, inputs, units) in
            [("dense1", self.last_channels(), HIDDEN), ("dense2", HIDDEN, self.classes.len())]
        {
            tensors.push((format!("{name}.weight"), vec![inputs, units]));
            tensors.push((format!("{name}.bias"), vec![units]));
        }
        tensors
    }
}

/// The nearest multiple of 8, at least 8, never more than 10 % below `channels` (Keras' `_make_divisible`).
pub fn make_divisible(channels: f64) -> usize {
    let rounded = ((channels + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * channels { rounded + 8 } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits() -> Vec<String> {
        (0..10).map(|digit| digit.to_string()).collect()
    }

    #[test]
    fn channels_are_those_of_keras() {
        let architecture = Architecture::new(0.35, 32, 1, digits()).unwrap();
        assert_eq!(architecture.stem_channels(), 16);
        let outputs: Vec<usize> = architecture.blocks().iter().map(|block| block.output).collect();
        assert_eq!(outputs, [8, 8, 8, 16, 16, 16, 24, 24, 24, 24, 32, 32, 32, 56, 56, 56, 112]);
        let middles: Vec<usize> = architecture.blocks().iter().map(Block::middle).collect();
        assert_eq!(middles, [16, 48, 48, 48, 96, 96, 96, 144, 144, 144, 144, 192, 192, 192, 336, 336, 336]);
        assert_eq!(architecture.blocks().iter().filter(|block| block.residual()).count(), 10);
        assert_eq!(architecture.last_channels(), 1280);
        assert_eq!(Architecture::new(1.4, 224, 2, digits()).unwrap().last_channels(), 1792);
        assert_eq!(architecture.with_last_channels(Some(256)).unwrap().last_channels(), 256);
        let narrow = Architecture::new(0.15, 36, 2, digits()).unwrap().blocks();
        assert_eq!((narrow[0].input, narrow[0].output, narrow[0].residual()), (8, 8, false));
    }

    #[test]
    fn values_outside_their_ranges_are_refused() {
        for (alpha, size, stride) in
            [(0.0, 32, 1), (f64::NAN, 32, 1), (0.35, 27, 1), (0.35, 225, 1), (0.35, 32, 3)]
        {
            assert!(Architecture::new(alpha, size, stride, digits()).is_err(), "{alpha} {size} {stride}");
        }
        assert!(Architecture::new(0.35, 32, 1, vec!["0".into()]).is_err());
        for last_channels in [0, 4, 100, 4104] {
            let architecture = Architecture::new(0.35, 32, 1, digits()).unwrap();
            assert!(architecture.with_last_channels(Some(last_channels)).is_err(), "{last_channels}");
        }
    }
}
