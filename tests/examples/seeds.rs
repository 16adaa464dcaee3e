//! Writes the fuzzers' first inputs into `tests/fuzz/corpus`: every operator, as a `.tflite` file and as a model image.

use anyhow::{Context, Result};
use edge8::Framing;
use edge8::Model;
use edge8::section::{LABELS, RECIPE, TEST_VECTORS};
use fastrand::Rng;
use quantizer::graph::{Activation, Border, Filter, Graph, Operator, Shape, TensorId, Window};
use quantizer::image::{self, Extras};
use quantizer::quantize::{self, Range};
use quantizer::tflite;
use tests::network::Network;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, commands, random};

fn main() -> Result<()> {
    let rng = &mut Rng::with_seed(1);
    let network = int8(&every_operator(rng)?)?;
    let all = image::write(&network, &extras())?;
    save("image", "graph", &all)?;
    save("tflite", "graph", &tflite::write(&network, &sections(&all)?)?)?;

    for operator in single_operators(rng)? {
        let mut graph = Graph::new(Shape::new(3, 3, 2));
        let input = graph.input();
        let name = operator.name();
        graph.add("x", operator, Activation::None, &[input])?;
        save("tflite", name, &tflite::write(&int8(&graph)?, &[])?)?;
    }

    let constant = added_constant();
    save("image", "constant", &constant)?;
    let network = image::read(&Model::parse(&constant)?)?;
    let tested = Extras { test_inputs: vec![vec![7; 12]], ..Extras::default() };
    let tested = sections(&image::write(&network, &tested)?)?;
    save("tflite", "constant", &tflite::write(&network, &tested)?)?;

    let network = Network::random(rng);
    let inputs = [network.input(rng)];
    save("image", "network", &network.image(&inputs))?;
    for (index, operator) in operators(rng).iter().enumerate() {
        save("image", &format!("operator{index}"), &bytes::single(operator))?;
    }
    Ok(())
}

fn save(target: &str, name: &str, content: &[u8]) -> Result<()> {
    let folder = commands::root().join("tests/fuzz/corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    std::fs::write(&path, content).with_context(|| path.display().to_string())
}

fn int8(graph: &Graph) -> Result<quantize::Network> {
    quantize::quantise(graph, &vec![Range { min: -1.0, max: 1.0 }; graph.tensors().len()])
}

fn filter(rng: &mut Rng, rows: usize, row: usize) -> Result<Filter> {
    let mut values = |count: usize| (0..count).map(|_| rng.f32() - 0.5).collect();
    Filter::new(values(rows * row), values(rows))
}

/// The operators that read a single tensor, for an input of 3x3x2.
fn single_operators(rng: &mut Rng) -> Result<Vec<Operator>> {
    let window = Window::same([2, 2], [1, 1], [3, 3]);
    Ok(vec![
        Operator::Conv2d(window, filter(rng, 2, 8)?),
        Operator::DepthwiseConv2d(window, filter(rng, 4, 4)?),
        Operator::FullyConnected(filter(rng, 2, 18)?),
        Operator::Mean,
        Operator::AveragePool2d(window),
        Operator::MaxPool2d(window),
        Operator::Pad(Border { before: [1, 0, 0], after: [0, 1, 1] }),
        Operator::Softmax,
    ])
}

/// A graph of all operators that `.tflite` files and graphs share.
fn every_operator(rng: &mut Rng) -> Result<Graph> {
    let mut graph = Graph::new(Shape::new(6, 6, 1));
    let input = graph.input();
    let mut add = |name: &str, operator: Operator, inputs: &[TensorId]| {
        let activation = match operator {
            Operator::Conv2d(..) => Activation::Relu6,
            Operator::Add => Activation::Relu,
            _ => Activation::None,
        };
        graph.add(name, operator, activation, inputs)
    };
    let border = Border { before: [1, 1, 0], after: [1, 1, 0] };
    let padded = add("pad", Operator::Pad(border), &[input])?;
    let stem = Operator::Conv2d(Window::valid([3, 3], [2, 2]), filter(rng, 2, 9)?);
    let stem = add("stem", stem, &[padded])?;
    let window = Window::same([3, 3], [1, 1], [3, 3]);
    let filtered = add("depthwise", Operator::DepthwiseConv2d(window, filter(rng, 2, 9)?), &[stem])?;
    let sum = add("sum", Operator::Add, &[stem, filtered])?;
    let largest = add("largest", Operator::MaxPool2d(window), &[sum])?;
    let average = add("average", Operator::AveragePool2d(Window::valid([2, 2], [1, 1])), &[largest])?;
    let mean = add("mean", Operator::Mean, &[average])?;
    let again = add("again", Operator::Add, &[average, mean])?;
    let flat = add("flat", Operator::Reshape(Shape::new(1, 1, 8)), &[again])?;
    let dense = add("dense", Operator::FullyConnected(filter(rng, 3, 8)?), &[flat])?;
    add("softmax", Operator::Softmax, &[dense])?;
    Ok(graph)
}

/// Everything that an image may say beside its network.
fn extras() -> Extras {
    Extras {
        labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
        recipe: Some((Framing { side: 6, digit: 4 }, 1.0 / 255.0)),
        test_inputs: vec![vec![5; 36]],
        ..Extras::default()
    }
}

/// The optional sections of an image.
fn sections(image: &[u8]) -> Result<Vec<(u32, Vec<u8>)>> {
    let model = Model::parse(image)?;
    let section = |kind: &u32| Some((*kind, model.section(*kind).ok()?.to_vec()));
    Ok([LABELS, RECIPE, TEST_VECTORS].iter().filter_map(section).collect())
}

/// The image of `input + constant`, the constant repeated; both scales and the output's are equal.
fn added_constant() -> Vec<u8> {
    let tensor = |shape| Tensor { shape, zero_point: 0, scale: 0.5 };
    let (whole, repeated) = (tensor([2, 2, 3]), tensor([1, 1, 3]));
    let half = quantize::multiplier(0.5);
    let sum = quantize::multiplier(1.0 / f64::from(1 << 19));
    let spec = |kind, inputs: &[Tensor], output| Spec {
        kind,
        inputs: inputs.to_vec(),
        output,
        in_place: false,
        activation: (-128, 127),
        constants: Vec::new(),
    };
    let constant = spec(Kind::Constant(vec![1, -2, 3]), &[], repeated);
    let add = Kind::Add([half, half, sum].map(|by| (by.mantissa, by.shift)));
    let add = spec(add, &[whole, repeated], whole);
    let mut weights = Vec::new();
    let records =
        [bytes::record(&constant, &[], 12, &mut weights), bytes::record(&add, &[0, 12], 16, &mut weights)];
    let sections = [(2, weights), (3, bytes::schedule(&[constant, add]))];
    bytes::image(&records, 28, bytes::tensor(&whole, 0), bytes::tensor(&whole, 16), &sections)
}

/// One operator of each kind, with random tensors and constants.
fn operators(rng: &mut Rng) -> Vec<Spec> {
    vec![
        random::convolution(rng, false, 4),
        random::convolution(rng, true, 4),
        random::fully_connected(rng),
        random::add(rng),
        random::mean(rng),
        random::softmax(rng),
        random::pool(rng, Kind::AveragePool),
        random::pool(rng, Kind::MaxPool),
        random::pad(rng),
        random::constant(rng),
    ]
}
