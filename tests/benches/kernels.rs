//! `cargo bench -p tests`: the layers that networks spend their time in, each by itself, with every kernel set that this
//! processor runs. Copying the input and the output is part of it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use edge8::KernelSet;
use edge8::Model;
use fastrand::Rng;
use std::hint::black_box;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, random};

/// Name, whether depthwise, side of the input, its channels, outputs, side of the kernel, stride.
type Layer = (&'static str, bool, usize, usize, usize, usize, usize);

const LAYERS: [Layer; 12] = [
    ("first, 32x32x1 to 16", false, 32, 1, 16, 3, 1),
    ("depthwise 32x32x16", true, 32, 16, 16, 3, 1),
    ("project 32x32x16 to 8", false, 32, 16, 8, 1, 1),
    ("expand 32x32x8 to 48", false, 32, 8, 48, 1, 1),
    ("depthwise 32x32x48, stride 2", true, 32, 48, 48, 3, 2),
    ("project 16x16x48 to 8", false, 16, 48, 8, 1, 1),
    ("depthwise 8x8x96", true, 8, 96, 96, 3, 1),
    ("project 8x8x96 to 16", false, 8, 96, 16, 1, 1),
    ("expand 4x4x24 to 144", false, 4, 24, 144, 1, 1),
    ("depthwise 2x2x336", true, 2, 336, 336, 3, 1),
    ("last 2x2x112 to 1280", false, 2, 112, 1280, 1, 1),
    ("3x3, 16x16x32 to 32", false, 16, 32, 32, 3, 1),
];

/// The layer with random weights and multipliers as networks have them.
fn image((_, depthwise, side, channels, outputs, kernel, stride): Layer) -> Vec<u8> {
    let mut rng = Rng::with_seed(1);
    let padding = kernel / 2;
    let window = [kernel, kernel, stride, stride, padding, padding];
    let inputs_each = if depthwise { 1 } else { channels };
    let weights = random::weights(&mut rng, kernel * kernel * inputs_each * outputs);
    let shape = [side.div_ceil(stride), side.div_ceil(stride), outputs];
    let input = Tensor::random(&mut rng, [side, side, channels]);
    let kind = Kind::Convolution { depthwise, window, weights };
    let mut spec: Spec = random::operator(&mut rng, kind, vec![input], shape);
    for (_, (_, shift)) in &mut spec.constants {
        *shift = (*shift).min(-2);
    }
    bytes::single(&spec)
}

fn layers(criterion: &mut Criterion) {
    for layer in LAYERS {
        let image = image(layer);
        let model = Model::parse(&image).expect("a valid image");
        let input = vec![1; model.input().shape.len()];
        let (mut arena, mut output) = (vec![0; model.arena_len()], vec![0; model.output().shape.len()]);
        let mut group = criterion.benchmark_group(layer.0);
        group.throughput(Throughput::Elements(model.operators().map(|operator| operator.macs()).sum()));
        for kernels in KernelSet::available() {
            let model = model.with_kernels(kernels);
            group.bench_function(kernels.name(), |bencher| {
                bencher.iter(|| model.run(black_box(&input), &mut arena, black_box(&mut output)));
            });
        }
    }
}

criterion_group!(kernels, layers);
criterion_main!(kernels);
