//! What `trainer export --onnx` writes, read by `quantizer`: the network that the safetensors hold.

mod common;

use mobilenet::ModelFile;
use quantizer::float::{Engine, logits};
use quantizer::graph::{Graph, from_safetensors};
use quantizer::onnx;

/// Test images on which both are run.
const IMAGES: usize = 1000;

/// The logits of an image.
fn answer(graph: &Graph, engine: &Engine, image: &[f32]) -> Vec<f32> {
    let mut answer = vec![0.0; graph.tensor(logits(graph)).shape.volume()];
    engine.run(image, |_, values| answer.copy_from_slice(values)).expect("an image of the network's size");
    answer
}

#[test]
fn the_trained_network_survives_its_onnx_file() {
    let file = ModelFile::load(&common::root().join("trainer/models/mnist.safetensors")).expect("shipped");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mnist.onnx");
    std::fs::write(&path, mobilenet::onnx::export(&file).expect("a whole network")).expect("written");
    let [direct, read] = [from_safetensors(&file), onnx::read(&path).map(|import| import.graph)]
        .map(|graph| graph.expect("a network"));
    let names = |graph: &Graph| graph.nodes().iter().map(|node| node.operator.name()).collect::<Vec<_>>();
    assert_eq!(names(&read), names(&direct));
    let [engine, other] =
        [&direct, &read].map(|graph| Engine::new(graph, &[logits(graph)]).expect("tract takes it"));
    let data = files::load_test(&common::root().join("trainer/data/mnist"), file.preprocessing.preparation)
        .expect("part of the repository");
    let mut largest = 0f32;
    for index in 0..IMAGES {
        let image: Vec<f32> = data.image(index).iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let (a, b) = (answer(&direct, &engine, &image), answer(&read, &other, &image));
        largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(largest, f32::max);
    }
    println!("largest difference of a logit: {largest:.1e}");
    assert!(largest < 1e-3, "{largest}");
}
