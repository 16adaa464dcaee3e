//! Writes the fuzzers' first inputs into `tests/fuzz/corpus`: every operator, as a `.tflite` file, as a model image and in ONNX
//! files; pictures of every type of pixel.

use anyhow::{Context, Result};
use edge8::Model;
use edge8::section::{LABELS, RECIPE, TEST_VECTORS};
use edge8::{Framing, Preparation};
use fastrand::Rng;
use image::{DynamicImage, ImageFormat};
use mobilenet::onnx::{Dimension, GraphBuilder, attribute, tensor};
use quantizer::graph::{Activation, Border, Filter, Graph, Operator, Shape, TensorId, Window};
use quantizer::image::{self as model_image, Extras};
use quantizer::quantize::{self, Range};
use quantizer::samples::Normalisation;
use quantizer::tflite;
use tests::network::Network;
use tests::spec::{Kind, Spec, Tensor};
use tests::{bytes, commands, random};

fn main() -> Result<()> {
    let rng = &mut Rng::with_seed(1);
    let network = int8(&every_operator(rng)?)?;
    let all = model_image::write(&network, &extras())?;
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
    let network = model_image::read(&Model::parse(&constant)?)?;
    let tested = Extras { test_inputs: vec![vec![7; 12]], ..Extras::default() };
    let tested = sections(&model_image::write(&network, &tested)?)?;
    save("tflite", "constant", &tflite::write(&network, &tested)?)?;

    let network = Network::random(rng);
    let inputs = [network.input(rng)];
    save("image", "network", &network.image(&inputs))?;
    for (index, operator) in operators(rng).iter().enumerate() {
        save("image", &format!("operator{index}"), &bytes::single(operator))?;
    }
    save("onnx", "channels_first", &channels_first(rng))?;
    save("onnx", "channels_last", &channels_last(rng))?;
    save("onnx", "reshaped", &reshaped(rng))?;
    pictures()?;
    frames()
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
        recipe: Some((
            Preparation::Digit(Framing { side: 6, digit: 4 }),
            Normalisation::linear(1.0 / 255.0, 0.0),
        )),
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

/// A float network that grows by a node at a time.
struct Onnx<'a> {
    builder: GraphBuilder,
    rng: &'a mut Rng,
    /// The name of what was added last.
    at: String,
}

impl<'a> Onnx<'a> {
    fn new(rng: &'a mut Rng, input: &[usize]) -> Self {
        let mut builder = GraphBuilder::new("seed");
        let shape: Vec<_> = input.iter().map(|&side| Dimension::Fixed(side)).collect();
        let at = builder.input("input", &shape, "");
        Self { builder, rng, at }
    }

    /// Adds a node that reads what was added last and these constants.
    fn add<const N: usize>(&mut self, operator: &str, constants: &[String], settings: [(&str, &[usize]); N]) {
        let inputs: Vec<_> = std::iter::once(&self.at).chain(constants).collect();
        let settings = settings.map(|(name, values)| match (name, values) {
            ("axis" | "group", &[value]) => attribute::int(name, value as i64),
            _ => attribute::ints(name, values),
        });
        self.at = self.builder.node(operator, operator, &inputs, settings);
    }

    /// A constant of random values in `0.1..0.6`.
    fn weights(&mut self, shape: &[usize]) -> String {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| self.rng.f32() * 0.5 + 0.1).collect();
        self.builder.initializer("weights", tensor(shape, &values))
    }

    fn integers(&mut self, values: &[i64]) -> String {
        self.builder.initializer("integers", tensor(&[values.len()], values))
    }

    fn number(&mut self, value: f32) -> String {
        self.builder.initializer("number", tensor(&[], &[value]))
    }

    fn finish(mut self) -> Vec<u8> {
        self.add("Softmax", &[], [("axis", &[1])]);
        self.builder.output(&self.at, &[], "");
        self.builder.finish("", [])
    }
}

/// A residual network as most programs export one.
fn channels_first(rng: &mut Rng) -> Vec<u8> {
    let mut onnx = Onnx::new(rng, &[1, 1, 6, 6]);
    let (weights, bias) = (onnx.weights(&[2, 1, 3, 3]), onnx.weights(&[2]));
    onnx.add("Conv", &[weights, bias], [("pads", &[1; 4]), ("strides", &[2, 2])]);
    let norm = [(); 4].map(|()| onnx.weights(&[2]));
    onnx.add("BatchNormalization", &norm, []);
    let (zero, six) = (onnx.number(0.0), onnx.number(6.0));
    onnx.add("Clip", &[zero, six], []);
    let stem = onnx.at.clone();
    let weights = onnx.weights(&[2, 1, 3, 3]);
    onnx.add("Conv", &[weights], [("pads", &[1; 4]), ("group", &[2])]);
    onnx.add("Add", &[stem], []);
    onnx.add("Relu", &[], []);
    onnx.add("MaxPool", &[], [("kernel_shape", &[2, 2]), ("pads", &[0, 0, 1, 1])]);
    let pads = onnx.integers(&[0, 0, 1, 1, 0, 0, 0, 0]);
    onnx.add("Pad", &[pads], []);
    onnx.add("AveragePool", &[], [("kernel_shape", &[2, 2])]);
    onnx.add("Flatten", &[], [("axis", &[1])]);
    let (weights, bias) = (onnx.weights(&[18, 3]), onnx.weights(&[3]));
    onnx.add("Gemm", &[weights, bias], []);
    onnx.finish()
}

/// A network of transposes, as converters from other programs write one.
fn channels_last(rng: &mut Rng) -> Vec<u8> {
    let mut onnx = Onnx::new(rng, &[1, 4, 4, 2]);
    onnx.add("Transpose", &[], [("perm", &[0, 3, 1, 2])]);
    let weights = onnx.weights(&[3, 2, 1, 1]);
    onnx.add("Conv", &[weights], []);
    let (scale, shift) = (onnx.weights(&[1, 3, 1, 1]), onnx.weights(&[1, 3, 1, 1]));
    onnx.add("Mul", &[scale], []);
    onnx.add("Sub", &[shift], []);
    onnx.add("ReduceMean", &[], [("axes", &[2, 3])]);
    let (axes, weights) = (onnx.integers(&[2, 3]), onnx.weights(&[3, 2]));
    onnx.add("Squeeze", &[axes], []);
    onnx.add("MatMul", &[weights], []);
    onnx.finish()
}

/// A shape that the network computes itself.
fn reshaped(rng: &mut Rng) -> Vec<u8> {
    let mut onnx = Onnx::new(rng, &[1, 2, 3, 3]);
    onnx.add("GlobalAveragePool", &[], []);
    let pooled = onnx.at.clone();
    onnx.add("Shape", &[], []);
    let first = onnx.integers(&[0]);
    onnx.add("Gather", &[first], [("axis", &[0])]);
    let rest = onnx.integers(&[2]);
    onnx.add("Concat", &[rest], [("axis", &[0])]);
    let shape = std::mem::replace(&mut onnx.at, pooled);
    onnx.add("Reshape", &[shape], []);
    let weights = onnx.weights(&[2, 2]);
    onnx.add("MatMul", &[weights], []);
    onnx.finish()
}

/// A stroke on paper as PNG files of every type of pixel, and as JPEG files.
fn pictures() -> Result<()> {
    let stroke = |x: u32, y: u32| if (3..5).contains(&x) && (1..7).contains(&y) { 20 } else { 230 };
    let grey = image::GrayImage::from_fn(8, 8, |x, y| image::Luma([stroke(x, y)]));
    let grey = DynamicImage::ImageLuma8(grey);
    let types: [(&str, DynamicImage); 8] = [
        ("l8", grey.clone()),
        ("la8", grey.to_luma_alpha8().into()),
        ("rgb8", grey.to_rgb8().into()),
        ("rgba8", grey.to_rgba8().into()),
        ("l16", grey.to_luma16().into()),
        ("la16", grey.to_luma_alpha16().into()),
        ("rgb16", grey.to_rgb16().into()),
        ("rgba16", grey.to_rgba16().into()),
    ];
    for (name, picture) in &types {
        save("picture", &format!("{name}.png"), &encoded(picture, ImageFormat::Png)?)?;
    }
    for (name, picture) in [&types[0], &types[2]] {
        save("picture", &format!("{name}.jpg"), &encoded(picture, ImageFormat::Jpeg)?)?;
    }
    Ok(())
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Result<Vec<u8>> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format)?;
    Ok(file.into_inner())
}

/// Pictures of a few widths with a stroke, and the sides of a framing before each.
fn frames() -> Result<()> {
    for (width, height, side, digit) in [(1, 40, 28, 20), (28, 28, 32, 23), (65, 30, 5, 5), (90, 20, 200, 1)]
    {
        let mut file = vec![width as u8, 0, side, digit];
        let stroke = |pixel: usize| pixel % width == width / 2 && (5..height - 5).contains(&(pixel / width));
        file.extend((0..width * height).map(|pixel| if stroke(pixel) { 240 } else { (pixel % 7) as u8 }));
        save("frame", &format!("{width}x{height}"), &file)?;
    }
    Ok(())
}
