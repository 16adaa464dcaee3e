//! The layers against candle's own (slow) ones and against finite differences.

use candle_core::{Device, Result, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::chain::{Chain, Input, Layer};
use super::expansion::Sizes;
use super::features::Features;
use super::geometry::Geometry;
use super::inverted_residual::BlockShape;
use super::reference::{block as reference_block, features as reference_features};

const CPU: Device = Device::Cpu;

/// Random values whose mean is `mean`, spread by about `spread` to both sides.
fn random(rng: &mut ChaCha8Rng, length: usize, mean: f32, spread: f32) -> Vec<f32> {
    (0..length).map(|_| mean + spread * rng.random_range(-1.0..1.0)).collect()
}

/// Weights of a spread that keeps activations in range, gammas about 1.5, betas about 1: both ends of ReLU6 occur.
fn block_parameters(rng: &mut ChaCha8Rng, parts: &[usize]) -> Vec<f32> {
    let mut values = Vec::new();
    for part in parts.chunks(3) {
        values.extend(random(rng, part[0], 0.0, 0.5));
        values.extend(random(rng, part[1], 1.5, 1.0));
        values.extend(random(rng, part[2], 1.0, 1.0));
    }
    values
}

fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let scale = expected.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap().max(1e-3);
    let worst = (found - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(worst <= tolerance * scale, "{what}: differs by {worst}, values up to {scale}");
}

/// A layer's output, and the gradients of the packed parameters and of the input (none for a picture) that follow from the
/// output's.
struct Pass {
    output: Vec<f32>,
    parameters: Vec<f32>,
    input: Vec<f32>,
}

impl Pass {
    fn new(layer: Layer, x: &Tensor, packed: &Tensor, gradient: impl Fn(&[f32]) -> Vec<f32>) -> Self {
        let (x, images) = (values(x), x.dim(0).unwrap());
        let packed = values(packed);
        let input = Input { x: &x, images, packed: &packed };
        let mut chain = Chain::new(&[layer]);
        let output = chain.forward(&[], input).to_vec();
        let mut parameters = vec![f32::NAN; packed.len()];
        chain.backward(0, input, &gradient(&output), &mut parameters);
        Self { output, parameters, input: chain.input_gradient().to_vec() }
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The gradient of a random linear loss.
fn slope(length: usize) -> Vec<f32> {
    random(&mut ChaCha8Rng::seed_from_u64(9), length, 0.1, 1.0)
}

/// Compares output and both gradients of `layer` with those of `reference`, for a random linear loss.
fn compare(
    what: &str,
    layer: Layer,
    x: &Var,
    packed: &Var,
    reference: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) {
    let expected = reference(x, packed).unwrap();
    let found = Pass::new(layer, x, packed, |output| slope(output.len()));
    let like = |values: Vec<f32>, other: &Tensor| Tensor::from_vec(values, other.shape(), &CPU).unwrap();
    assert_close(&format!("{what}: forward"), &like(found.output, &expected), &expected, 2e-5);
    let slope = like(slope(expected.elem_count()), &expected);
    let gradients = (expected * &slope).unwrap().sum_all().unwrap().backward().unwrap();
    let of_parameters = like(found.parameters, packed);
    assert_close(&format!("{what}: parameters"), &of_parameters, gradients.get(packed).unwrap(), 2e-4);
    let is_stem = matches!(layer, Layer::Block(BlockShape { expansion, .. }) if expansion.is_stem());
    assert_eq!(found.input.is_empty(), is_stem, "{what}: a picture needs no gradient");
    if !is_stem {
        assert_close(&format!("{what}: input"), &like(found.input, x), gradients.get(x).unwrap(), 2e-4);
    }
}

fn block(
    k: usize,
    n: usize,
    output: usize,
    side: (usize, usize),
    stride: usize,
    residual: bool,
) -> BlockShape {
    BlockShape {
        expansion: Sizes { k, stride: k.next_multiple_of(8), n },
        output,
        geometry: Geometry::new(side.0, side.1, stride),
        residual,
    }
}

fn block_case(shape: BlockShape, images: usize) -> (Var, Var) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let Sizes { k, stride, .. } = shape.expansion;
    let (height, width) = (shape.geometry.height, shape.geometry.width);
    let mut x = random(&mut rng, images * height * width * stride, 0.3, 1.0);
    x.chunks_exact_mut(stride).for_each(|row| row[k..].fill(0.0));
    let x = Var::from_vec(x, (images, height, width, stride), &CPU).unwrap();
    let packed = block_parameters(&mut rng, &shape.parts());
    let length = packed.len();
    (x, Var::from_vec(packed, length, &CPU).unwrap())
}

#[test]
fn blocks_agree_with_candles_operators() {
    for (k, n, output, side, stride, residual, images) in [
        (8, 48, 8, (6, 6), 1, true, 3),
        (8, 48, 16, (6, 6), 2, false, 3),
        (16, 32, 24, (5, 7), 2, false, 19),
        (24, 40, 24, (5, 3), 1, true, 17),
        (8, 8, 56, (2, 2), 1, false, 40),
        (8, 24, 8, (1, 1), 1, true, 33),
        (9, 16, 8, (9, 8), 1, false, 5),
        (40, 336, 112, (2, 2), 1, false, 20),
        (8, 48, 8, (16, 16), 1, true, 35),
        (9, 16, 8, (32, 32), 1, false, 17),
        (27, 16, 8, (20, 32), 1, false, 5),
        (27, 8, 16, (4, 5), 2, false, 18),
    ] {
        let shape = block(k, n, output, side, stride, residual);
        let (x, packed) = block_case(shape, images);
        let what = format!("{k}-{n}-{output}, {side:?} by {stride}");
        compare(&what, Layer::Block(shape), &x, &packed, |x, packed| reference_block(&shape, x, packed));
    }
}

#[test]
fn features_agree_with_candles_operators() {
    for (k, n, (height, width), images) in [
        (16, 136, (2, 2), 21),
        (8, 8, (3, 3), 2),
        (112, 256, (1, 1), 40),
        (112, 256, (2, 3), 19),
        (112, 1280, (2, 2), 6),
        (112, 1280, (2, 2), 128),
    ] {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let x = random(&mut rng, images * height * width * k, 0.2, 1.0);
        let x = Var::from_vec(x, (images, height, width, k), &CPU).unwrap();
        let packed = block_parameters(&mut rng, &[k * n, n, n]);
        let packed = Var::from_vec(packed, (k + 2) * n, &CPU).unwrap();
        let layer = Layer::Features(Features { height, width, k, n });
        compare(&format!("{k}-{n}"), layer, &x, &packed, |x, packed| reference_features(k, n, x, packed));
    }
}

/// The gradient along random directions against central differences, in f64 sums of the f32 operator's output. Every
/// value before ReLU6 is between 1 and 5, where the block is smooth; the kinks are for the comparison with candle.
#[test]
fn gradients_agree_with_finite_differences() {
    let shape = block(8, 16, 8, (5, 4), 1, true);
    let (x, _) = block_case(shape, 4);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut smooth = Vec::new();
    for part in shape.parts().chunks(3) {
        smooth.extend(random(&mut rng, part[0], 0.0, 0.5));
        smooth.extend(random(&mut rng, part[1], 0.5, 0.1));
        smooth.extend(random(&mut rng, part[2], 3.0, 0.1));
    }
    let length = smooth.len();
    let packed = Var::from_vec(smooth, length, &CPU).unwrap();
    let slope = random(&mut rng, x.elem_count(), 0.0, 1.0);
    let pass = |x: &Tensor, packed: &Tensor| Pass::new(Layer::Block(shape), x, packed, |_| slope.clone());
    let product =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    let gradients = pass(&x, &packed);
    for trial in 0..8 {
        for (variable, gradient) in [(&x, &gradients.input), (&packed, &gradients.parameters)] {
            let direction = random(&mut rng, variable.elem_count(), 0.0, 1.0);
            let found = product(gradient, &direction);
            let direction = Tensor::from_vec(direction, variable.shape(), &CPU).unwrap();
            let step = 1e-3;
            let loss = |sign: f64| {
                let moved = (variable.as_tensor() + (&direction * (sign * step)).unwrap()).unwrap();
                let moved = if std::ptr::eq(variable, &x) { pass(&moved, &packed) } else { pass(&x, &moved) };
                product(&moved.output, &slope)
            };
            let expected = (loss(1.0) - loss(-1.0)) / (2.0 * step);
            assert!(
                (found - expected).abs() < 3e-3 * expected.abs() + 0.01,
                "{trial}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (k, n) = (8, 48);
    let shape = block(k, n, 8, (8, 8), 1, true);
    let (x, packed) = block_case(shape, 37);
    assert_same_bits(Layer::Block(shape), &x, &packed);
    let packed = packed.narrow(0, 0, (k + 2) * n).unwrap();
    assert_same_bits(Layer::Features(Features { height: 8, width: 8, k, n }), &x, &packed);
}

/// On any number of threads.
fn assert_same_bits(layer: Layer, x: &Tensor, packed: &Tensor) {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let Pass { output, parameters, input } =
            pool.install(|| Pass::new(layer, x, packed, <[f32]>::to_vec));
        [output, parameters, input]
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}
