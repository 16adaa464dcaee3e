//! The architecture: MobileNetV2 as Keras builds it, for grey or colour pictures of any size, with a small head.
//!
//! Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2, with Keras' rounding of channels.

mod json;

use std::ops::RangeInclusive;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// Epsilon inside the square root of every batch normalisation.
pub const BATCH_NORM_EPSILON: f64 = 1e-3;

/// Rows and columns of the spatial convolutions.
pub const KERNEL: usize = 3;

/// Units of the dense layer between the pooled features and the classes, unless the architecture says otherwise.
pub const DEFAULT_HIDDEN: usize = 128;

/// Length of each side of the input. At eight pixels the last maps are single ones.
const SIDES: RangeInclusive<usize> = 8..=224;

/// Units that the hidden layer may have.
const HIDDEN_UNITS: RangeInclusive<usize> = 1..=4096;

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
    /// Rows and columns of the input.
    #[serde(rename = "input_size", with = "json::input_size")]
    pub input: [usize; 2],
    /// Stride of the first convolution, 1 or 2.
    pub stem_stride: usize,
    /// Name of each class, in the order of the logits.
    pub classes: Vec<String>,
    /// Channels of the last convolution, if they are not the paper's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_channels: Option<usize>,
    /// Channels of the input: 1 for grey pictures, 3 for colour.
    #[serde(default = "json::one", skip_serializing_if = "json::is_one")]
    pub channels: usize,
    /// Units of the dense layer between the pooled features and the classes; `None` for no such layer.
    #[serde(
        default = "json::default_hidden",
        skip_serializing_if = "json::is_default_hidden",
        with = "json::hidden"
    )]
    pub hidden: Option<usize>,
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

/// A dense layer of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Its name in the file.
    pub name: &'static str,
    /// Values in.
    pub inputs: usize,
    /// Values out.
    pub units: usize,
}

impl Architecture {
    /// The network for grey pictures of `input` rows and columns, with a hidden layer of [`DEFAULT_HIDDEN`] units. Checks
    /// the ranges: alpha 0.1 to 2, each side 8 to 224, stem stride 1 or 2, 2 to 1000 classes.
    ///
    /// # Errors
    /// Names the value outside its range.
    pub fn new(alpha: f64, input: [usize; 2], stem_stride: usize, classes: Vec<String>) -> Result<Self> {
        let architecture = Self {
            network: NetworkKind::MobileNetV2,
            alpha,
            input,
            stem_stride,
            classes,
            last_channels: None,
            channels: 1,
            hidden: Some(DEFAULT_HIDDEN),
        };
        architecture.check()?;
        Ok(architecture)
    }

    /// The same network for pictures of 1 channel (grey) or 3 (colour).
    ///
    /// # Errors
    /// For any other number.
    pub fn with_channels(self, channels: usize) -> Result<Self> {
        let architecture = Self { channels, ..self };
        architecture.check()?;
        Ok(architecture)
    }

    /// The same network with so many units in the hidden layer; `None` for no hidden layer.
    ///
    /// # Errors
    /// For a number that is not from 1 to 4096.
    pub fn with_hidden(self, hidden: Option<usize>) -> Result<Self> {
        let architecture = Self { hidden, ..self };
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
        let [shortest, longest] = [SIDES.start(), SIDES.end()];
        ensure!(
            self.input.iter().all(|side| SIDES.contains(side)),
            "the input size is {}, expected {shortest} to {longest}",
            self.input_size()
        );
        ensure!(
            matches!(self.channels, 1 | 3),
            "the input has {} channels, expected 1 (grey) or 3 (colour)",
            self.channels
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
        if let Some(hidden) = self.hidden {
            let [fewest, most] = [HIDDEN_UNITS.start(), HIDDEN_UNITS.end()];
            ensure!(
                HIDDEN_UNITS.contains(&hidden),
                "the hidden layer has {hidden} units, expected {fewest} to {most}"
            );
        }
        let last = self.last_channels();
        ensure!(
            (8..=4096).contains(&last) && last.is_multiple_of(8),
            "the last convolution has {last} channels, expected a multiple of 8 from 8 to 4096"
        );
        Ok(())
    }

    /// The input's size as options and messages say it: `32`, or rows and columns, `20x32`.
    pub fn input_size(&self) -> String {
        match self.input {
            [rows, columns] if rows == columns => rows.to_string(),
            [rows, columns] => format!("{rows}x{columns}"),
        }
    }

    /// Rows, columns and channels of the input.
    pub fn input_shape(&self) -> [usize; 3] {
        [self.input[0], self.input[1], self.channels]
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

    /// The dense layers behind the pooled features: the hidden one, if there is one, with ReLU, and that of the classes.
    pub fn dense_layers(&self) -> Vec<Dense> {
        let (features, classes) = (self.last_channels(), self.classes.len());
        match self.hidden {
            Some(hidden) => vec![
                Dense { name: "dense1", inputs: features, units: hidden },
                Dense { name: "dense2", inputs: hidden, units: classes },
            ],
            None => vec![Dense { name: "dense", inputs: features, units: classes }],
        }
    }

    /// Values of a picture that training drops some of: the hidden units, without a hidden layer the pooled features.
    pub fn dropout_width(&self) -> usize {
        self.hidden.unwrap_or_else(|| self.last_channels())
    }

    /// Name and shape of each tensor of the file; the last side is the output channel.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let stem = (String::from("stem"), vec![KERNEL, KERNEL, self.channels, self.stem_channels()]);
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
        for Dense { name, inputs, units } in self.dense_layers() {
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
mod tests;
