//! Every kernel set beside the scalar one: all small sizes, where blocks of outputs and vectors end.

use fastrand::Rng;
use runtime::Model;
use runtime::kernels::KernelSet;
use tests::spec::Spec;
use tests::{bytes, edges};

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
fn compare(rng: &mut Rng, spec: Spec) {
    let input: Vec<i8> = spec.inputs.iter().flat_map(|tensor| tensor.values(rng)).collect();
    let image = bytes::single(&spec);
    let expected = run(&image, &input, KernelSet::Scalar);
    for &kernels in KernelSet::ALL.iter().filter(|set| set.is_available()) {
        assert_eq!(run(&image, &input, kernels), expected, "{}: {spec:?}", kernels.name());
    }
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
