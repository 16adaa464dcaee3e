//! What was written, run by tract in float, against the runtime.

mod shipped;

use super::write;
use crate::calibrate::{Method, calibrate};
use crate::graph::{Activation, Border, Filter, Graph, Operator, Shape, TensorId, Window};
use crate::image::{self, Extras};
use crate::quantize::{self, Int8Operator, Network, Range, quantise};
use crate::testing::Random;
use edge8::Model;
use tract_onnx::prelude::*;

/// An ONNX file made ready by tract.
struct Tract(Arc<TypedRunnableModel>);

impl Tract {
    fn new(onnx: &[u8]) -> Self {
        let model = tract_onnx::onnx().model_for_read(&mut &*onnx).unwrap();
        Self(model.into_optimized().unwrap().into_runnable().unwrap())
    }

    fn run(&self, shape: &[usize], values: &[f32]) -> Vec<f32> {
        let input = Tensor::from_shape(shape, values).unwrap();
        let outputs = self.0.run(tvec![input.into()]).unwrap();
        outputs[0].view().as_slice::<f32>().unwrap().to_vec()
    }
}

/// int8 inputs through the runtime and through tract; the largest difference of the outputs in steps.
fn largest_difference(network: &Network) -> i32 {
    let image = image::write(network, &Extras::default()).unwrap();
    let model = Model::parse(&image).unwrap();
    let tract = Tract::new(&write(network).unwrap());
    let [input, output] = [TensorId(0), network.output].map(|id| network.tensor(id));
    let mut random = Random::new(31);
    let mut arena = vec![0; model.arena_len()];
    let mut largest = 0;
    for _ in 0..8 {
        let values: Vec<i8> = (0..input.shape.volume()).map(|_| random.below(256) as u8 as i8).collect();
        let mut expected = vec![0; output.shape.volume()];
        model.run(&values, &mut arena, &mut expected).unwrap();
        let reals: Vec<f32> = values.iter().map(|&q| input.quantisation.real(q)).collect();
        let Shape { height, width, channels } = input.shape;
        let reals = super::form::channels_first(&reals, input.shape);
        let found = tract.run(&[1, channels, height, width], &reals);
        let expected = super::form::channels_first(&expected, output.shape);
        assert_eq!(found.len(), expected.len());
        for (&real, &expected) in found.iter().zip(&expected) {
            let found = output.quantisation.quantise(real);
            largest = largest.max((i32::from(found) - i32::from(expected)).abs());
        }
    }
    largest
}

/// A graph in int8, with the ranges of random inputs.
fn int8(graph: &Graph) -> Network {
    let mut random = Random::new(5);
    let volume = graph.tensor(graph.input()).shape.volume();
    let mut input = || (0..volume).map(|_| random.uniform(-1.0, 1.0)).collect();
    let inputs: Vec<Vec<f32>> = (0..16).map(|_| input()).collect();
    let calibration = calibrate(graph, &inputs, Range { min: -1.0, max: 1.0 }, Method::Minmax).unwrap();
    quantise(graph, &calibration.ranges()).unwrap()
}

fn filter(rows: usize, row: usize) -> Filter {
    let mut random = Random::new(rows as u64);
    let mut values = |count: usize| (0..count).map(|_| random.uniform(-1.0, 1.0)).collect();
    Filter::new(values(rows * row), values(rows)).unwrap()
}

const INPUT: Shape = Shape::new(6, 5, 4);

fn chain(operators: &[Operator], activation: Activation) -> Network {
    let mut graph = Graph::new(INPUT);
    let mut at = graph.input();
    for operator in operators {
        at = graph.add(format!("layer{}", at.index()), operator.clone(), activation, &[at]).unwrap();
    }
    int8(&graph)
}

#[test]
fn every_operator_is_within_a_step() {
    let lopsided = Window { before: [1, 0], after: [0, 2], ..Window::valid([3, 4], [2, 1]) };
    let padded = Window { before: [1, 1], after: [1, 0], ..Window::valid([2, 3], [1, 2]) };
    let dense = Operator::FullyConnected(filter(9, 120));
    let cases = [
        (vec![Operator::Conv2d(lopsided, filter(7, 48))], Activation::Relu6),
        (vec![Operator::DepthwiseConv2d(lopsided, filter(8, 12))], Activation::Relu),
        (vec![dense.clone()], Activation::None),
        (vec![Operator::Mean], Activation::None),
        (vec![Operator::AveragePool2d(padded)], Activation::Relu),
        (vec![Operator::MaxPool2d(padded)], Activation::None),
        (vec![Operator::Pad(Border { before: [1, 0, 2], after: [0, 3, 1] })], Activation::None),
        (vec![Operator::Softmax], Activation::None),
        // Between images, from an image to a vector, from a vector to an image.
        (vec![Operator::Reshape(Shape::new(3, 8, 5)), Operator::Mean], Activation::None),
        (vec![Operator::Reshape(Shape::new(1, 1, 120)), dense.clone()], Activation::None),
        (vec![Operator::Reshape(Shape::new(120, 1, 1)), Operator::Mean], Activation::None),
        (vec![dense.clone(), Operator::Reshape(Shape::new(3, 1, 3)), Operator::Softmax], Activation::None),
        (vec![dense, Operator::Conv2d(Window::POINT, filter(2, 9))], Activation::None),
    ];
    for (operators, activation) in cases {
        let names: Vec<&str> = operators.iter().map(Operator::name).collect();
        let largest = largest_difference(&chain(&operators, activation));
        assert!(largest <= 1, "{names:?}: {largest} steps");
    }
}

#[test]
fn sums_of_images_and_vectors() {
    let mut graph = Graph::new(INPUT);
    let mut add = |name: &str, operator, activation, inputs: &[TensorId]| {
        graph.add(name, operator, activation, inputs).unwrap()
    };
    let input = TensorId(0);
    let mean = add("mean", Operator::Mean, Activation::None, &[input]);
    let dense = add("dense", Operator::FullyConnected(filter(4, 120)), Activation::None, &[input]);
    let vectors = add("vectors", Operator::Add, Activation::None, &[dense, mean]);
    let image = add("image", Operator::Add, Activation::Relu, &[input, vectors]);
    add("repeated", Operator::Add, Activation::Relu6, &[image, mean]);
    assert!(largest_difference(&int8(&graph)) <= 2, "one for the result and one for what comes before");
}

#[test]
fn values_that_the_file_holds() {
    for whole in [Operator::Mean, Operator::MaxPool2d(Window::POINT)] {
        let mut graph = Graph::new(INPUT);
        let input = graph.input();
        let stored = graph.add("stored", whole, Activation::None, &[input]).unwrap();
        graph.add("sum", Operator::Add, Activation::None, &[input, stored]).unwrap();
        let mut network = int8(&graph);
        let values = (0..graph.tensor(stored).shape.volume()).map(|index| (index * 37) as u8 as i8).collect();
        network.layers[0].operator = Int8Operator::Constant(values);
        network.layers[0].inputs.clear();
        assert!(largest_difference(&network) <= 1);
    }
}

#[test]
fn a_clamp_to_less_than_int8() {
    for (min, max) in [(-60, 70), (-60, 127), (-128, 70)] {
        let mut network = chain(&[Operator::Conv2d(Window::POINT, filter(3, 4))], Activation::None);
        network.layers[0].activation = edge8::fixed_point::Activation { min, max };
        assert!(largest_difference(&network) <= 1, "{min} to {max}");
    }
}

#[test]
fn a_softmax_of_twice_its_input() {
    let mut network = chain(&[Operator::Softmax], Activation::None);
    let once = write(&network).unwrap();
    let (multiplier, diff_min) = quantize::softmax(network.tensors[0].quantisation, 2.0);
    network.layers[0].operator = Int8Operator::Softmax(multiplier, diff_min);
    assert_ne!(write(&network).unwrap(), once);
    assert!(largest_difference(&network) <= 1);
}

#[test]
fn a_channel_without_weights_has_a_scale() {
    let dead = Filter::new([filter(1, 4).weights(), &[0.0; 4]].concat(), vec![0.1, 0.0]).unwrap();
    let network = chain(&[Operator::Conv2d(Window::POINT, dead)], Activation::None);
    let model = tract_onnx::onnx().proto_model_for_read(&mut &*write(&network).unwrap()).unwrap();
    let scales = model.graph.unwrap().initializer.into_iter().filter(|tensor| tensor.name.ends_with("scale"));
    let mut seen = 0;
    for scale in scales.flat_map(|tensor| tensor.raw_data.as_chunks::<4>().0.to_vec()) {
        let scale = f32::from_le_bytes(scale);
        assert!(scale.is_normal() && scale > 0.0, "{scale}");
        seen += 1;
    }
    assert_eq!(seen, 6, "input, output, two channels of weights and biases");
    assert!(largest_difference(&network) <= 1);
}

#[test]
fn a_tensor_that_nothing_writes_is_named() {
    let mut network = chain(&[Operator::Mean, Operator::Mean], Activation::None);
    network.layers.remove(0);
    let error = format!("{:#}", write(&network).unwrap_err());
    assert!(error.contains("layer \"layer1\"") && error.contains("\"layer0\" is read before"), "{error}");
}
