//! Every kernel set beside the scalar one: all small sizes, where blocks of outputs and vectors end. Miri has the scalar one only,
//! and it runs in the test `operators`.

#![cfg(not(miri))]

use edge8::KernelSet;
use edge8::Model;
use fastrand::Rng;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, edges, random, sets};

/// Sizes up to this one are all tried.
const SIZES: usize = 40;

/// What a kernel set makes of an operator.
fn run(image: &[u8], input: &[i8], kernels: KernelSet) -> Vec<i8> {
    let model = Model::parse(image).expect("a valid image").with_kernels(kernels);
    let mut output = vec![0; model.output().shape.len()];
    model.run(input, &mut vec![0x55; model.arena_len()], &mut output).expect("lengths are the model's own");
    output
}

/// Compares every kernel set with the scalar one.
fn compare(rng: &mut Rng, spec: Spec) {
    let input: Vec<i8> = spec.inputs.iter().flat_map(|tensor| tensor.values(rng)).collect();
    compare_with(&spec, &input);
}

/// Compares every kernel set with the scalar one, with this input: once with the output at the end of the arena and once with
/// the inputs, so that AddressSanitizer sees what lies beyond either.
fn compare_with(spec: &Spec, input: &[i8]) {
    compare_image(spec, &bytes::single(spec), input);
    let mut end = if spec.in_place { 0 } else { spec.output.volume() };
    let before = vec![0; end];
    let mut place = |tensor: &Tensor| {
        end += tensor.volume();
        end - tensor.volume()
    };
    let places: Vec<usize> = spec.inputs.iter().map(&mut place).collect();
    compare_image(spec, &bytes::placed(spec, &places, 0), &[&before, input].concat());
}

fn compare_image(spec: &Spec, image: &[u8], input: &[i8]) {
    let expected = run(image, input, KernelSet::SCALAR);
    for kernels in KernelSet::available() {
        assert_eq!(run(image, input, kernels), expected, "{}: {spec:?}", kernels.name());
    }
}

#[test]
fn the_scalar_set_and_those_of_this_processor() {
    sets::report();
    assert_eq!(KernelSet::available().last(), Some(KernelSet::SCALAR));
}

#[test]
fn products_of_all_depths_and_outputs() {
    edges::products(SIZES, compare);
}

#[test]
fn products_of_all_numbers_of_pixels() {
    edges::pixels(SIZES, compare);
}

#[test]
fn depthwise_of_all_channels_and_widths() {
    edges::depthwise(SIZES, compare);
}

#[test]
fn depthwise_of_the_same_size_and_half() {
    edges::same_depthwise(SIZES, compare);
}

#[test]
fn convolutions_of_all_widths() {
    edges::convolutions(SIZES, compare);
}

#[test]
fn fully_connected_of_all_lengths() {
    edges::fully_connected(SIZES, compare);
}

#[test]
fn sums_and_means_of_all_lengths() {
    edges::sums_and_means(SIZES, compare);
}

/// Sums of so many extreme values that 16 bits cannot hold them.
#[test]
fn means_of_many_pixels() {
    let mut rng = Rng::with_seed(7);
    for pixels in [256, 257, 300, 512, 600, 1100] {
        for (channels, value) in [(8, 127), (8, -128), (20, 127), (20, -128)] {
            let input = Tensor::random(&mut rng, [1, pixels, channels]);
            let kind = Kind::Mean((i32::MAX / pixels as i32 * 256, -8));
            let spec = random::operator(&mut rng, kind, vec![input], [1, 1, channels]);
            compare_with(&spec, &vec![value; pixels * channels]);
        }
    }
}

#[test]
fn sums_of_all_shifts() {
    let mut rng = Rng::with_seed(8);
    for shift in -31..=0 {
        for other in [-31, -30, -12, 0] {
            let inputs = vec![Tensor::random(&mut rng, [1, 1, 33]), Tensor::random(&mut rng, [1, 1, 33])];
            let mut mantissa = || rng.i32(1 << 30..=i32::MAX);
            let sum = Kind::Add([(mantissa(), shift), (mantissa(), other), (mantissa(), -19)]);
            let spec = random::operator(&mut rng, sum, inputs, [1, 1, 33]);
            compare(&mut rng, spec);
        }
    }
}
