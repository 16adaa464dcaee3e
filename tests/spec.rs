//! An operator stated in full, as plain numbers, and random ones.

use fastrand::Rng;

/// Shape `[height, width, channels]` and quantisation of an int8 tensor.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// int8 value of real 0.
    pub zero_point: i8,
    /// Step between two values; no kernel reads it.
    pub scale: f32,
}

impl Tensor {
    /// Number of values.
    pub fn volume(&self) -> usize {
        self.shape.iter().product()
    }

    /// A tensor with a random zero point, often an extreme one.
    pub fn random(rng: &mut Rng, shape: [usize; 3]) -> Self {
        Self { shape, zero_point: random_i8(rng), scale: 0.5 }
    }

    /// What a softmax writes: steps of 1/256 from -128 on.
    pub fn probabilities(shape: [usize; 3]) -> Self {
        Self { shape, zero_point: -128, scale: 1.0 / 256.0 }
    }

    /// Random values, a third of them extreme.
    pub fn values(&self, rng: &mut Rng) -> Vec<i8> {
        (0..self.volume()).map(|_| random_i8(rng)).collect()
    }
}

/// An int8 value, in a third of the cases one of the two extremes.
pub fn random_i8(rng: &mut Rng) -> i8 {
    match rng.u8(..6) {
        0 => -128,
        1 => 127,
        _ => rng.i8(..),
    }
}

/// `m = mantissa * 2^(shift - 31)`.
pub type Multiplier = (i32, i8);

/// What an operator computes, apart from its tensors.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Convolution or depthwise convolution. `window` is kernel height and width, stride down and across, padding
    /// above and left; weights are packed as in the model image.
    Convolution {
        /// Whether each channel is convolved by itself.
        depthwise: bool,
        /// Kernel, stride, padding.
        window: [usize; 6],
        /// As in the model image.
        weights: Vec<i8>,
    },
    /// Weights `[out][in]`.
    FullyConnected(Vec<i8>),
    /// Multipliers of the first input, the second input, the output.
    Add([Multiplier; 3]),
    /// Multiplier with 1/n in it.
    Mean(Multiplier),
    /// Multiplier of the differences, smallest difference that counts.
    Softmax(Multiplier, i32),
}

/// An operator in full.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What it computes.
    pub kind: Kind,
    /// One tensor, of ADD two.
    pub inputs: Vec<Tensor>,
    /// The output.
    pub output: Tensor,
    /// Smallest and largest output.
    pub activation: (i8, i8),
    /// Bias and multiplier of each output channel; empty for operators without weights.
    pub constants: Vec<(i32, Multiplier)>,
}

/// A multiplier: mostly one that maps `typical` sums into int8, at times any valid one.
fn random_multiplier(rng: &mut Rng, typical: f64) -> Multiplier {
    let mantissa = rng.i32(1 << 30..=i32::MAX);
    match rng.u8(..8) {
        0 => (mantissa, rng.i8(-31..=30)),
        1 => ([0, 1 << 30, i32::MAX][rng.usize(..3)], rng.i8(-31..=30)),
        _ => (mantissa, ((100.0 / typical).log2().round() as i8 + rng.i8(-1..=1)).clamp(-31, 30)),
    }
}

pub(crate) fn random_activation(rng: &mut Rng) -> (i8, i8) {
    if rng.bool() {
        return (-128, 127);
    }
    let (a, b) = (rng.i8(..), rng.i8(..));
    (a.min(b), a.max(b))
}

pub(crate) fn random_constants(rng: &mut Rng, channels: usize, taps: usize) -> Vec<(i32, Multiplier)> {
    let products = taps as i32 * 128 * 255;
    let constant = |_| {
        let bias = match rng.u8(..8) {
            0 => i32::MAX - products,
            1 => -(i32::MAX - products),
            _ => rng.i32(-20_000..20_000),
        };
        (bias, random_multiplier(rng, 5000.0 * (taps as f64).sqrt()))
    };
    (0..channels).map(constant).collect()
}

pub(crate) fn random_weights(rng: &mut Rng, len: usize) -> Vec<i8> {
    (0..len).map(|_| random_i8(rng)).collect()
}

/// A convolution or depthwise convolution; `side` is the largest extent.
pub fn random_convolution(rng: &mut Rng, depthwise: bool, side: usize) -> Spec {
    let shape = [rng.usize(1..=side), rng.usize(1..=side), rng.usize(1..=20)];
    let point = rng.u8(..3) == 0 && !depthwise;
    let mut draw = |most: usize| if point { 1 } else { rng.usize(1..=most) };
    let (kernel, stride) = ([draw(5), draw(5)], [draw(3), draw(3)]);
    let padding = kernel.map(|k| if point { 0 } else { rng.usize(0..k) });
    // As many output positions as meet the input, or fewer.
    let positions = [0, 1].map(|axis| {
        let most = (shape[axis] + padding[axis] - 1) / stride[axis] + 1;
        if point { shape[axis] } else { rng.usize(1..=most) }
    });
    let outputs = if depthwise { shape[2] * rng.usize(1..=4) } else { rng.usize(1..=20) };
    let taps = kernel[0] * kernel[1] * if depthwise { 1 } else { shape[2] };
    let weights = kernel[0] * kernel[1] * outputs * if depthwise { 1 } else { shape[2] };
    let window = [kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]];
    Spec {
        kind: Kind::Convolution { depthwise, window, weights: random_weights(rng, weights) },
        inputs: vec![Tensor::random(rng, shape)],
        output: Tensor::random(rng, [positions[0], positions[1], outputs]),
        activation: random_activation(rng),
        constants: random_constants(rng, outputs, taps),
    }
}

/// A fully connected layer.
pub fn random_fully_connected(rng: &mut Rng) -> Spec {
    let shape = [rng.usize(1..=4), rng.usize(1..=4), rng.usize(1..=40)];
    let (inputs, outputs) = (shape.iter().product::<usize>(), rng.usize(1..=20));
    Spec {
        kind: Kind::FullyConnected(random_weights(rng, inputs * outputs)),
        inputs: vec![Tensor::random(rng, shape)],
        output: Tensor::random(rng, [1, 1, outputs]),
        activation: random_activation(rng),
        constants: random_constants(rng, outputs, inputs),
    }
}

/// A sum.
pub fn random_add(rng: &mut Rng) -> Spec {
    let shape = [rng.usize(1..=5), rng.usize(1..=5), rng.usize(1..=20)];
    let mut below_one = |low: i8| (rng.i32(1 << 30..=i32::MAX), rng.i8(low..=0));
    let (first, second) = (below_one(-3), below_one(-12));
    Spec {
        kind: Kind::Add([first, second, (rng.i32(1 << 30..=i32::MAX), rng.i8(-22..=-17))]),
        inputs: vec![Tensor::random(rng, shape), Tensor::random(rng, shape)],
        output: Tensor::random(rng, shape),
        activation: random_activation(rng),
        constants: Vec::new(),
    }
}

/// A mean over height and width.
pub fn random_mean(rng: &mut Rng) -> Spec {
    let shape = [rng.usize(1..=9), rng.usize(1..=9), rng.usize(1..=40)];
    let pixels = (shape[0] * shape[1]) as f64;
    Spec {
        kind: Kind::Mean(random_multiplier(rng, 60.0 * pixels)),
        inputs: vec![Tensor::random(rng, shape)],
        output: Tensor::random(rng, [1, 1, shape[2]]),
        activation: random_activation(rng),
        constants: Vec::new(),
    }
}

/// A softmax. `diff_min` is TensorFlow Lite's: differences beyond 31 in Q5.26 do not count.
pub fn random_softmax(rng: &mut Rng) -> Spec {
    let most = if rng.bool() { 300 } else { 6 };
    let shape = [rng.usize(1..=3), rng.usize(1..=3), rng.usize(1..=most)];
    let shift = rng.i8(15..=30);
    let diff_min = -((31i64 << 26) >> shift).min(255) as i32;
    Spec {
        kind: Kind::Softmax((rng.i32(1 << 30..=i32::MAX), shift), diff_min),
        inputs: vec![Tensor::random(rng, shape)],
        output: Tensor::probabilities(shape),
        activation: (-128, 127),
        constants: Vec::new(),
    }
}
