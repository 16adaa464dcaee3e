//! Every kernel set beside the scalar one: all small sizes, where blocks of outputs and vectors end.

use fastrand::Rng;
use runtime::Model;
use runtime::kernels::KernelSet;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, random};

/// Sizes up to this one are all tried; under Miri few.
const SIZES: usize = if cfg!(miri) { 3 } else { 40 };

/// What a kernel set makes of an operator.
fn run(image: &[u8], input: &[i8], kernels: KernelSet) -> Vec<i8> {
    let model = Model::parse(image).expect("a valid image").with_kernels(kernels);
    let mut output = vec![0; model.output().shape.len()];
    model.run(input, &mut vec![0x55; model.arena_len()], &mut output).expect("lengths are the model's own");
    output
}

/// Compares every kernel set with the scalar one.
fn compare(rng: &mut Rng, kind: Kind, shapes: &[[usize; 3]], output: [usize; 3]) {
    let inputs: Vec<Tensor> = shapes.iter().map(|&shape| Tensor::random(rng, shape)).collect();
    let mut spec: Spec = random::operator(rng, kind, inputs, output);
    // What is beyond the fast form of the rescale, all sets leave to the scalar one.
    for (_, multiplier) in &mut spec.constants {
        multiplier.1 = multiplier.1.min(-2);
    }
    let input: Vec<i8> = spec.inputs.iter().flat_map(|tensor| tensor.values(rng)).collect();
    let image = bytes::single(&spec);
    let expected = run(&image, &input, KernelSet::Scalar);
    for &kernels in KernelSet::ALL.iter().filter(|set| set.is_available()) {
        assert_eq!(run(&image, &input, kernels), expected, "{}: {spec:?}", kernels.name());
    }
}

fn convolution(rng: &mut Rng, depthwise: bool, window: [usize; 6], input: [usize; 3], outputs: usize) {
    let extent = |axis: usize| (input[axis] + window[4 + axis] - 1) / window[2 + axis] + 1;
    let each = if depthwise { 1 } else { input[2] };
    let weights = random::weights(rng, window[0] * window[1] * each * outputs);
    let kind = Kind::Convolution { depthwise, window, weights };
    compare(rng, kind, &[input], [extent(0), extent(1), outputs]);
}

#[test]
fn products_of_all_depths_and_outputs() {
    let mut rng = Rng::with_seed(1);
    for depth in 1..=SIZES {
        for outputs in 1..=SIZES {
            let pixels = rng.usize(1..=SIZES);
            convolution(&mut rng, false, [1, 1, 1, 1, 0, 0], [1, pixels, depth], outputs);
        }
    }
}

#[test]
fn products_of_all_numbers_of_pixels() {
    let mut rng = Rng::with_seed(2);
    for pixels in 1..=SIZES {
        for outputs in [8, 16, 24, 32, 48, 64, 72, 96, 112, 130] {
            convolution(&mut rng, false, [1, 1, 1, 1, 0, 0], [1, pixels, 4 * (pixels % 5 + 1)], outputs);
        }
    }
}

#[test]
fn depthwise_of_all_channels_and_widths() {
    let mut rng = Rng::with_seed(3);
    for channels in (1..=SIZES).chain([48, 63, 64, 65, 96, 130]) {
        for width in 1..=SIZES {
            let height = rng.usize(1..=4);
            let stride = rng.usize(1..=3);
            let padding = [rng.usize(..3), rng.usize(..3)];
            let window = [3, 3, stride, stride, padding[0], padding[1]];
            convolution(&mut rng, true, window, [height, width, channels], channels);
        }
    }
}

#[test]
fn convolutions_of_all_widths() {
    let mut rng = Rng::with_seed(4);
    for width in 1..=SIZES {
        for channels in [1, 2, 3, 4, 7, 16] {
            let kernel = [rng.usize(1..=5), rng.usize(1..=5)];
            let stride = [rng.usize(1..=2), rng.usize(1..=2)];
            let padding = kernel.map(|kernel| rng.usize(..kernel));
            let window = [kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]];
            let (height, outputs) = (rng.usize(1..=5), rng.usize(1..=SIZES));
            convolution(&mut rng, false, window, [height, width, channels], outputs);
        }
    }
}

#[test]
fn fully_connected_of_all_lengths() {
    let mut rng = Rng::with_seed(5);
    for inputs in (1..=SIZES).chain([640, 1280]) {
        for outputs in 1..=SIZES {
            let weights = Kind::FullyConnected(random::weights(&mut rng, inputs * outputs));
            compare(&mut rng, weights, &[[1, 1, inputs]], [1, 1, outputs]);
        }
    }
}

#[test]
fn sums_and_means_of_all_lengths() {
    let mut rng = Rng::with_seed(6);
    for channels in 1..=2 * SIZES {
        let mut multiplier = |low: i8, high: i8| (rng.i32(1 << 30..=i32::MAX), rng.i8(low..=high));
        let sum = Kind::Add([multiplier(-12, 0), multiplier(-12, 0), multiplier(-22, -17)]);
        let mean = Kind::Mean(multiplier(-31, 30));
        let shape = [1, rng.usize(1..=5), channels];
        compare(&mut rng, sum, &[shape; 2], shape);
        compare(&mut rng, mean, &[shape], [1, 1, channels]);
    }
}
