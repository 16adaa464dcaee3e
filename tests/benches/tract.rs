//! `cargo bench -p tests --bench tract`: the shipped network in edge8, with every kernel set that this processor runs, and in
//! tract in float, what a user of Rust would take otherwise. One thread, one image at a time.

use criterion::{Criterion, criterion_group, criterion_main};
use edge8::KernelSet;
use edge8::Model;
use mobilenet::ModelFile;
use quantizer::float::{Engine, logits};
use quantizer::graph::from_safetensors;
use std::hint::black_box;
use tests::commands;

fn networks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("the shipped network");
    let image = std::fs::read(commands::shipped()).expect("it is shipped");
    let model = Model::parse(&image).expect("a valid image");
    let (input, mut arena) = (vec![1; model.input().shape.len()], vec![0; model.arena_len()]);
    let mut output = vec![0; model.output().shape.len()];
    for kernels in KernelSet::available() {
        let model = model.with_kernels(kernels);
        group.bench_function(format!("edge8, {}", kernels.name()), |bencher| {
            bencher.iter(|| model.run(black_box(&input), &mut arena, black_box(&mut output)));
        });
    }
    let file = ModelFile::load(&commands::root().join("trainer/models/mnist.safetensors"));
    let graph = from_safetensors(&file.expect("it is shipped")).expect("our own network");
    let engine = Engine::new(&graph, &[logits(&graph)]).expect("tract takes it");
    let picture = vec![0.5; model.input().shape.len()];
    group.bench_function("tract, float", |bencher| {
        bencher.iter(|| engine.run(black_box(&picture), |_, logits| assert!(!logits.is_empty())));
    });
}

criterion_group!(tract, networks);
criterion_main!(tract);
