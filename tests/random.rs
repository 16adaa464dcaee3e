//! Random operators.

use crate::spec::{Kind, Multiplier, Spec, Tensor, Window};
use fastrand::Rng;

/// An int8 value, in a third of the cases one of the two extremes.
pub fn int8(rng: &mut Rng) -> i8 {
    match rng.u8(..6) {
        0 => -128,
        1 => 127,
        _ => rng.i8(..),
    }
}

/// Values, a third of them extreme.
pub fn values(rng: &mut Rng, len: usize) -> Vec<i8> {
    (0..len).map(|_| int8(rng)).collect()
}

/// Weights, a third of them extreme: the contract has none of -128.
pub fn weights(rng: &mut Rng, len: usize) -> Vec<i8> {
    (0..len).map(|_| int8(rng).max(-127)).collect()
}

/// An operator with an output of this shape; what the kind leaves open is random.
pub fn operator(rng: &mut Rng, kind: Kind, inputs: Vec<Tensor>, shape: [usize; 3]) -> Spec {
    let output = match &kind {
        Kind::Softmax(..) => Tensor::probabilities(shape),
        Kind::AveragePool(_) | Kind::MaxPool(_) | Kind::Pad(_) => Tensor { shape, ..inputs[0] },
        _ => Tensor::random(rng, shape),
    };
    let activation = match &kind {
        Kind::Softmax(..) | Kind::Pad(_) | Kind::Constant(_) => (-128, 127),
        _ => activation(rng),
    };
    let constants = match &kind {
        Kind::Convolution { weights, .. } | Kind::FullyConnected(weights) => {
            constants(rng, shape[2], weights.len() / shape[2])
        }
        _ => Vec::new(),
    };
    Spec { kind, inputs, output, in_place: false, activation, constants }
}

fn activation(rng: &mut Rng) -> (i8, i8) {
    if rng.bool() {
        return (-128, 127);
    }
    let (a, b) = (rng.i8(..), rng.i8(..));
    (a.min(b), a.max(b))
}

fn constants(rng: &mut Rng, channels: usize, taps: usize) -> Vec<(i32, Multiplier)> {
    // What a reader allows: 255 a tap, and 128 more for the zero point, which the image has in the bias.
    let products = taps as i32 * 128 * (255 + 2 * 128);
    // Fast kernels are for operators all of whose multipliers are below a quarter: half of all.
    let largest = if rng.bool() { -2 } else { 30 };
    let constant = |_| {
        let bias = match rng.u8(..8) {
            0 => i32::MAX - products,
            1 => -(i32::MAX - products),
            _ => rng.i32(-20_000..20_000),
        };
        let (mantissa, shift) = multiplier(rng, 5000.0 * (taps as f64).sqrt());
        (bias, (mantissa, shift.min(largest)))
    };
    (0..channels).map(constant).collect()
}

/// A multiplier: mostly one that maps `typical` sums into int8, at times any valid one.
fn multiplier(rng: &mut Rng, typical: f64) -> Multiplier {
    let mantissa = rng.i32(1 << 30..=i32::MAX);
    match rng.u8(..8) {
        0 => (mantissa, rng.i8(-31..=30)),
        1 => ([0, 1 << 30, i32::MAX][rng.usize(..3)], rng.i8(-31..=30)),
        _ => (mantissa, ((100.0 / typical).log2().round() as i8 + rng.i8(-1..=1)).clamp(-31, 30)),
    }
}

/// A shape with sides and channels up to these.
fn shape(rng: &mut Rng, side: usize, channels: usize) -> [usize; 3] {
    [rng.usize(1..=side), rng.usize(1..=side), rng.usize(1..=channels)]
}

/// A window on an input of this shape, and the rows and columns of an output: as many as meet the input, or fewer.
fn window(rng: &mut Rng, shape: [usize; 3]) -> (Window, [usize; 2]) {
    let (kernel, stride) = ([rng.usize(1..=5), rng.usize(1..=5)], [rng.usize(1..=3), rng.usize(1..=3)]);
    let padding = kernel.map(|k| rng.usize(0..k));
    let positions = [0, 1].map(|axis| rng.usize(1..=(shape[axis] + padding[axis] - 1) / stride[axis] + 1));
    ([kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]], positions)
}

/// A convolution, a fourth of them 1x1, or a depthwise convolution; `side` is the largest extent.
pub fn convolution(rng: &mut Rng, depthwise: bool, side: usize) -> Spec {
    let shape = shape(rng, side, 20);
    let (window, [rows, columns]) = match rng.u8(..4) {
        0 if !depthwise => ([1, 1, 1, 1, 0, 0], [shape[0], shape[1]]),
        _ => window(rng, shape),
    };
    let outputs = if depthwise { shape[2] * rng.usize(1..=4) } else { rng.usize(1..=20) };
    let inputs_each = if depthwise { 1 } else { shape[2] };
    let weights = weights(rng, window[0] * window[1] * inputs_each * outputs);
    let input = Tensor::random(rng, shape);
    operator(rng, Kind::Convolution { depthwise, window, weights }, vec![input], [rows, columns, outputs])
}

/// A fully connected layer.
pub fn fully_connected(rng: &mut Rng) -> Spec {
    let shape = shape(rng, 4, 40);
    let input = Tensor::random(rng, shape);
    let outputs = rng.usize(1..=20);
    let weights = weights(rng, input.volume() * outputs);
    operator(rng, Kind::FullyConnected(weights), vec![input], [1, 1, outputs])
}

/// A sum, in half of the cases of a second input with sides of 1 that are repeated, in half of them in place.
pub fn add(rng: &mut Rng) -> Spec {
    let shape = shape(rng, 5, 20);
    let repeat = rng.bool();
    let second = shape.map(|side| if repeat && rng.bool() { 1 } else { side });
    let mut multiplier = |low: i8, high: i8| (rng.i32(1 << 30..=i32::MAX), rng.i8(low..=high));
    let kind = Kind::Add([multiplier(-3, 0), multiplier(-12, 0), multiplier(-22, -17)]);
    let inputs = vec![Tensor::random(rng, shape), Tensor::random(rng, second)];
    Spec { in_place: rng.bool(), ..operator(rng, kind, inputs, shape) }
}

/// A mean over height and width.
pub fn mean(rng: &mut Rng) -> Spec {
    let shape = shape(rng, 9, 40);
    let kind = Kind::Mean(multiplier(rng, 60.0 * (shape[0] * shape[1]) as f64));
    let input = Tensor::random(rng, shape);
    operator(rng, kind, vec![input], [1, 1, shape[2]])
}

/// A softmax, in half of the cases in place. `diff_min` is TensorFlow Lite's: differences beyond 31 in Q5.26 do not
/// count.
pub fn softmax(rng: &mut Rng) -> Spec {
    let most = if rng.bool() { 300 } else { 6 };
    let shape = shape(rng, 3, most);
    let shift = rng.i8(15..=30);
    let diff_min = -((31i64 << 26) >> shift).min(255) as i32;
    let kind = Kind::Softmax((rng.i32(1 << 30..=i32::MAX), shift), diff_min);
    let input = Tensor::random(rng, shape);
    Spec { in_place: rng.bool(), ..operator(rng, kind, vec![input], shape) }
}

/// A pool of the kind that `kind` makes of a window.
pub fn pool(rng: &mut Rng, kind: impl Fn(Window) -> Kind) -> Spec {
    let shape = shape(rng, 9, 40);
    let (window, [rows, columns]) = window(rng, shape);
    let input = Tensor::random(rng, shape);
    operator(rng, kind(window), vec![input], [rows, columns, shape[2]])
}

/// A pad, at times on some sides only.
pub fn pad(rng: &mut Rng) -> Spec {
    let shape = shape(rng, 6, 20);
    let [before, after] = [(); 2].map(|()| [(); 3].map(|()| rng.usize(..4)));
    let input = Tensor::random(rng, shape);
    let padded = [0, 1, 2].map(|axis| before[axis] + shape[axis] + after[axis]);
    operator(rng, Kind::Pad(before), vec![input], padded)
}

/// A constant.
pub fn constant(rng: &mut Rng) -> Spec {
    let shape = shape(rng, 6, 40);
    let values = values(rng, shape.iter().product());
    operator(rng, Kind::Constant(values), Vec::new(), shape)
}
