//! Random numbers and networks for tests, the same in every run.

use edge8::{Framing, Preparation, Sizing};
use mobilenet::{Architecture, ModelFile, Preprocessing};

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0..limit.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// About normal with mean 0 and deviation 1: the sum of twelve uniform numbers.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform(-0.5, 0.5)).sum()
    }
}

/// An untrained MobileNetV2 for grey squares, as [`untrained`].
pub fn mobilenet(side: usize, stem_stride: usize, seed: u64) -> ModelFile {
    untrained(architecture([side; 2], stem_stride), seed)
}

/// An untrained MobileNetV2 for colour pictures wider than high, without a hidden layer, as [`untrained`].
pub fn colour_mobilenet(seed: u64) -> ModelFile {
    let architecture = architecture([20, 32], 1).with_channels(3).unwrap();
    untrained(architecture.with_hidden(None).unwrap(), seed)
}

fn architecture(input: [usize; 2], stem_stride: usize) -> Architecture {
    let classes = (0..10).map(|digit| digit.to_string()).collect();
    Architecture::new(0.35, input, stem_stride, classes).unwrap()
}

/// A network whose batch norms do something, but amplify little: in a network of 50 random layers with gain, rounding
/// errors double in each.
fn untrained(architecture: Architecture, seed: u64) -> ModelFile {
    let [rows, columns, channels] = architecture.input_shape();
    let preparation = match channels {
        1 => Preparation::Digit(Framing::mnist(rows as u16)),
        _ => Preparation::Picture(Sizing::stretch([rows as u16, columns as u16], channels as u8)),
    };
    let preprocessing = Preprocessing::new(preparation);
    let mut file = ModelFile::untrained(architecture, preprocessing, seed);
    let mut random = Random::new(seed);
    for (name, weights) in &mut file.tensors {
        let (low, high) = match name.rsplit('.').next() {
            Some("gamma") => (0.5, 1.0),
            Some("beta") => (-0.2, 0.5),
            Some("mean") => (-0.2, 0.2),
            Some("variance") => (0.7, 1.2),
            _ => continue,
        };
        weights.values.fill_with(|| random.uniform(low, high));
    }
    file
}
