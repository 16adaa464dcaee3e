//! Operators of all small sizes, where blocks of outputs and vectors end, with multipliers that all kernel sets have a fast form
//! for.

use crate::random;
use crate::spec::{Kind, Spec, Tensor};
use fastrand::Rng;

/// What an operator is drawn for.
pub trait Each: FnMut(&mut Rng, Spec) {}

impl<F: FnMut(&mut Rng, Spec)> Each for F {}

/// An operator with inputs of these shapes.
fn draw(rng: &mut Rng, kind: Kind, shapes: &[[usize; 3]], output: [usize; 3], each: &mut impl Each) {
    let inputs: Vec<Tensor> = shapes.iter().map(|&shape| Tensor::random(rng, shape)).collect();
    let mut spec = random::operator(rng, kind, inputs, output);
    // What is beyond the fast form of the rescale, all sets leave to the scalar one.
    for (_, multiplier) in &mut spec.constants {
        multiplier.1 = multiplier.1.min(-2);
    }
    each(rng, spec);
}

fn convolution(
    rng: &mut Rng,
    depthwise: bool,
    window: [usize; 6],
    input: [usize; 3],
    outputs: usize,
    each: &mut impl Each,
) {
    let extent = |axis: usize| (input[axis] + window[4 + axis] - 1) / window[2 + axis] + 1;
    let inputs_each = if depthwise { 1 } else { input[2] };
    let weights = random::weights(rng, window[0] * window[1] * inputs_each * outputs);
    let kind = Kind::Convolution { depthwise, window, weights };
    draw(rng, kind, &[input], [extent(0), extent(1), outputs], each);
}

/// Products of all depths and outputs up to `sizes`.
pub fn products(sizes: usize, mut each: impl Each) {
    let mut rng = Rng::with_seed(1);
    for depth in 1..=sizes {
        for outputs in 1..=sizes {
            let input = [1, rng.usize(1..=sizes), depth];
            convolution(&mut rng, false, [1, 1, 1, 1, 0, 0], input, outputs, &mut each);
        }
    }
}

/// Products of all numbers of pixels.
pub fn pixels(sizes: usize, mut each: impl Each) {
    let mut rng = Rng::with_seed(2);
    for pixels in 1..=sizes {
        for outputs in [8, 16, 24, 32, 48, 64, 72, 96, 112, 130] {
            let input = [1, pixels, 4 * (pixels % 5 + 1)];
            convolution(&mut rng, false, [1, 1, 1, 1, 0, 0], input, outputs, &mut each);
        }
    }
}

/// Depthwise convolutions of all channels and widths.
pub fn depthwise(sizes: usize, mut each: impl Each) {
    let mut rng = Rng::with_seed(3);
    for channels in (1..=sizes).chain([48, 63, 64, 65, 96, 130]) {
        for width in 1..=sizes {
            let height = rng.usize(1..=4);
            let stride = rng.usize(1..=3);
            let padding = [rng.usize(..3), rng.usize(..3)];
            let window = [3, 3, stride, stride, padding[0], padding[1]];
            convolution(&mut rng, true, window, [height, width, channels], channels, &mut each);
        }
    }
}

/// Depthwise convolutions of all widths as most networks have them: the output as large as the input, or half as large.
pub fn same_depthwise(sizes: usize, mut each: impl Each) {
    let mut rng = Rng::with_seed(7);
    for channels in [8, 15, 16, 17, 24, 25, 31, 32, 48, 56] {
        for width in 1..=sizes {
            for stride in [1, 2] {
                let height = rng.usize(1..=4);
                let extents = [height, width].map(|extent| extent.div_ceil(stride));
                let padding = [height, width].map(|extent| usize::from(stride == 1 || extent % 2 == 1));
                let window = [3, 3, stride, stride, padding[0], padding[1]];
                let kind = Kind::Convolution {
                    depthwise: true,
                    window,
                    weights: random::weights(&mut rng, 9 * channels),
                };
                let output = [extents[0], extents[1], channels];
                draw(&mut rng, kind, &[[height, width, channels]], output, &mut each);
            }
        }
    }
}

/// Convolutions of all widths.
pub fn convolutions(sizes: usize, mut each: impl Each) {
    let mut rng = Rng::with_seed(4);
    for width in 1..=sizes {
        for channels in [1, 2, 3, 4, 7, 16] {
            let kernel = [rng.usize(1..=5), rng.usize(1..=5)];
            let stride = [rng.usize(1..=2), rng.usize(1..=2)];
            let padding = kernel.map(|kernel| rng.usize(..kernel));
            let window = [kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]];
            let (height, outputs) = (rng.usize(1..=5), rng.usize(1..=sizes));
            convolution(&mut rng, false, window, [height, width, channels], outputs, &mut each);
        }
    }
}

/// Fully connected layers of all lengths.
pub fn fully_connected(sizes: usize, mut each: impl Each) {
    let mut rng = Rng::with_seed(5);
    for inputs in (1..=sizes).chain([640, 1280]) {
        for outputs in 1..=sizes {
            let weights = Kind::FullyConnected(random::weights(&mut rng, inputs * outputs));
            draw(&mut rng, weights, &[[1, 1, inputs]], [1, 1, outputs], &mut each);
        }
    }
}

/// Sums and means of all lengths.
pub fn sums_and_means(sizes: usize, mut each: impl Each) {
    let mut rng = Rng::with_seed(6);
    for channels in 1..=2 * sizes {
        let mut multiplier = |low: i8, high: i8| (rng.i32(1 << 30..=i32::MAX), rng.i8(low..=high));
        let sum = Kind::Add([multiplier(-12, 0), multiplier(-12, 0), multiplier(-22, -17)]);
        let mean = Kind::Mean(multiplier(-31, 30));
        let shape = [1, rng.usize(1..=5), channels];
        draw(&mut rng, sum, &[shape; 2], shape, &mut each);
        draw(&mut rng, mean, &[shape], [1, 1, channels], &mut each);
    }
}
