//! The network as a whole.

use candle_core::{Device, Var};

use super::*;
use crate::ops::chain::Layer;
use crate::ops::features::Features;
use crate::ops::reference;
use mobilenet::{DEFAULT_HIDDEN, ModelFile};

fn architecture(input: [usize; 2], stride: usize) -> Architecture {
    Architecture::new(0.35, input, stride, ["a", "b", "c"].map(String::from).to_vec()).unwrap()
}

/// Colour, wider than high, no hidden layer.
fn other() -> Architecture {
    architecture([20, 32], 1).with_channels(3).unwrap().with_hidden(None).unwrap()
}

/// Noise.
pub(crate) fn pictures(images: usize, architecture: &Architecture) -> Tensor {
    let Architecture { input: [rows, columns], channels, .. } = *architecture;
    let byte = |index: usize| (index.wrapping_mul(0x9E37_79B9) >> 13) as u8;
    let values = (0..images * rows * columns * channels).map(|index| f32::from(byte(index)) / 255.0);
    Tensor::from_vec(values.collect::<Vec<f32>>(), (images, rows, columns, channels), &Device::Cpu).unwrap()
}

/// Logits and gradient in training, where nothing is dropped.
fn learn(
    network: &Network,
    pictures: &Tensor,
    loss: impl Fn(&Tensor) -> Result<Tensor>,
) -> (Learnt, Vec<f32>) {
    let keep = vec![1.0; pictures.dim(0).unwrap() * network.architecture.dropout_width()];
    learn_dropping(network, pictures, &keep, loss)
}

fn learn_dropping(
    network: &Network,
    pictures: &Tensor,
    dropout: &[f32],
    loss: impl Fn(&Tensor) -> Result<Tensor>,
) -> (Learnt, Vec<f32>) {
    let mut gradient = vec![f32::NAN; network.parameter_count()];
    (network.learn(pictures, dropout, loss, &mut gradient).unwrap(), gradient)
}

fn squares(logits: &Tensor) -> Result<Tensor> {
    Ok(logits.sqr()?.sum_all()?)
}

#[test]
fn a_network_survives_its_file() {
    for (architecture, stem) in [(architecture([29, 29], 2), [3, 3, 1, 16]), (other(), [3, 3, 3, 16])] {
        let mut network = Network::new(architecture.clone(), 3);
        network.recalibrate([Ok(pictures(8, &architecture))].into_iter()).unwrap();
        let tensors = network.tensors();
        assert_eq!(tensors["stem.weight"].shape, stem);
        assert_eq!(tensors["blocks.16.project.variance"].shape, [112]);
        assert!(!tensors.contains_key("blocks.0.expand.weight"));
        let file = ModelFile {
            architecture: architecture.clone(),
            preprocessing: mobilenet::Preprocessing::new(edge8::Preparation::Digit(edge8::Framing::mnist(
                29,
            ))),
            provenance: serde_json::Value::Null,
            confidence: None,
            tensors,
        };
        let again = Network::from_file(&file).unwrap();
        let pictures = pictures(3, &architecture);
        let logits = |network: &Network| network.logits(&pictures).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(logits(&again), logits(&network));
    }
}

#[test]
fn tensors_are_those_that_the_architecture_says() {
    let small = architecture([8, 16], 2);
    for architecture in [architecture([32, 32], 1), other(), small.with_hidden(Some(20)).unwrap()] {
        let network = Network::new(architecture.clone(), 1);
        let found: Vec<(String, Vec<usize>)> =
            network.tensors().into_iter().map(|(name, weights)| (name, weights.shape)).collect();
        let mut expected = architecture.tensors();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn the_smallest_pictures_train() {
    for stride in [1, 2] {
        let architecture = architecture([8, 8], stride);
        let network = Network::new(architecture.clone(), 6);
        let (_, gradient) = learn(&network, &pictures(4, &architecture), squares);
        assert!(gradient.iter().all(|value| value.is_finite()), "{stride}");
    }
}

#[test]
fn pictures_of_another_shape_are_refused() {
    let network = Network::new(other(), 1);
    let error = network.logits(&pictures(1, &architecture([32, 32], 1))).unwrap_err().to_string();
    assert_eq!(error, "the pictures are 32x32x1, expected 20x32x3");
}

#[test]
fn dropout_works_on_what_the_classes_are_made_of() {
    for (architecture, width) in [(architecture([32, 32], 1), DEFAULT_HIDDEN), (other(), 1280)] {
        let network = Network::new(architecture.clone(), 7);
        let pictures = pictures(2, &architecture);
        let sum = |logits: &Tensor| Ok(logits.sum_all()?);
        let (learnt, gradient) = learn_dropping(&network, &pictures, &vec![0.0; 2 * width], sum);
        let logits = learnt.logits.to_vec2::<f32>().unwrap();
        assert_eq!(logits, [[0.0; 3]; 2], "only the biases are left, which begin with zeros");
        let (others, biases) = gradient.split_at(gradient.len() - 3);
        assert_eq!(biases, [2.0; 3], "one for each picture");
        assert!(others.iter().all(|&value| value == 0.0), "nothing is learnt through what is dropped");
    }
}

#[test]
fn recalibration_makes_evaluation_see_what_training_saw() {
    let architecture = architecture([32, 32], 1);
    let mut network = Network::new(architecture.clone(), 4);
    let batch = pictures(16, &architecture);
    let training = learn(&network, &batch, squares).0.logits.to_vec2::<f32>().unwrap();
    network.recalibrate([Ok(batch.clone())].into_iter()).unwrap();
    let evaluation = network.logits(&batch).unwrap().to_vec2::<f32>().unwrap();
    for (training, evaluation) in training.iter().flatten().zip(evaluation.iter().flatten()) {
        assert!((training - evaluation).abs() < 1e-3, "{training} against {evaluation}");
    }
}

/// The training forward pass and every gradient against a network of candle's own operators. Before training, a network
/// this deep is chaotic: noise of 1e-6 in the input changes the gradients by several percent. So the values before
/// ReLU6 are kept between its kinks here; the operators' own tests cover those.
#[test]
fn the_network_agrees_with_candles_operators() {
    let images = 32;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/calibration");
    let data = files::load_train(&folder, edge8::Preparation::Digit(edge8::Framing::mnist(32))).unwrap();
    let digits = crate::evaluate::pictures(&data, &(0..images).collect::<Vec<_>>()).unwrap();
    let labels: Vec<u32> = data.labels[..images].iter().map(|label| label % 3).collect();
    let labels = Tensor::from_vec(labels, images, &Device::Cpu).unwrap();
    assert_agrees(architecture([32, 32], 1), &digits, &labels);
    // Fewer, for candle's own operators are slow.
    let [digits, labels] = [digits, labels].map(|tensor| tensor.narrow(0, 0, 12).unwrap());
    assert_agrees(other(), &coloured(&digits), &labels);
}

/// The middle 20 rows, each channel another brightness.
fn coloured(pictures: &Tensor) -> Tensor {
    let rows = pictures.narrow(1, 6, 20).unwrap();
    let channels = [1.0, 0.7, 0.2].map(|brightness| (&rows * brightness).unwrap());
    Tensor::cat(&channels, 3).unwrap()
}

fn assert_agrees(architecture: Architecture, batch: &Tensor, labels: &Tensor) {
    let mut network = Network::new(architecture, 5);
    smooth(&mut network);
    let loss = |logits: &Tensor| Ok(candle_nn::loss::cross_entropy(logits, labels)?);
    let dropout: Vec<f32> = (0..batch.dim(0).unwrap() * network.architecture.dropout_width())
        .map(|index| [0.0, 1.5, 1.5][index % 3])
        .collect();
    let (learnt, gradient) = learn_dropping(&network, batch, &dropout, loss);
    let variables = variables(&network);
    let expected = loss(&reference_logits(&network, &variables, batch, &dropout)).unwrap();
    let gradients = expected.backward().unwrap();
    assert!((learnt.loss - expected.to_scalar::<f32>().unwrap()).abs() < 1e-5);
    let expected = variables.iter().flat_map(|variable| values(gradients.get(variable).unwrap()));
    let expected: Vec<f32> = expected.collect();
    let mut start = 0;
    for part in &network.parts {
        let (found, expected) = (&gradient[start..][..part.len()], &expected[start..][..part.len()]);
        start += part.len();
        let norm =
            |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
        let difference = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b)).sqrt();
        let size = norm(&mut expected.iter().copied()).sqrt();
        assert!(difference <= 2e-3 * size + 1e-6, "{}: {difference} of {size}", part.name);
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The layers' packed values as one, then each dense layer's tensors.
fn variables(network: &Network) -> Vec<Var> {
    let dense: Vec<Var> = network.dense().collect::<Result<_>>().unwrap();
    let packed = network.values.len() - dense.iter().map(|dense| dense.elem_count()).sum::<usize>();
    let packed = Var::from_slice(&network.values[..packed], packed, &Device::Cpu).unwrap();
    [packed].into_iter().chain(dense).collect()
}

fn reference_logits(network: &Network, variables: &[Var], batch: &Tensor, dropout: &[f32]) -> Tensor {
    let patches = network.patches(batch).unwrap();
    let (height, width) = (network.stem.out_height, network.stem.out_width);
    let mut x = Tensor::from_vec(patches, (batch.dim(0).unwrap(), height, width, ()), &Device::Cpu).unwrap();
    let mut start = 0;
    for layer in layers::layers(network.architecture(), &network.stem) {
        let packed = variables[0].narrow(0, start, layer.parameters()).unwrap();
        start += layer.parameters();
        x = match layer {
            Layer::Block(shape) => reference::block(&shape, &x, &packed).unwrap(),
            Layer::Features(Features { k, n, .. }) => reference::features(k, n, &x, &packed).unwrap(),
        };
    }
    let dense: Vec<Tensor> = variables[1..].iter().map(|variable| variable.as_tensor().clone()).collect();
    let dropout = Tensor::from_slice(dropout, (batch.dim(0).unwrap(), ()), &Device::Cpu).unwrap();
    match network.architecture.hidden {
        Some(_) => network.head(&x, &dense, Some(&dropout)).unwrap(),
        None => network.head(&(x * dropout).unwrap(), &dense, None).unwrap(),
    }
}

/// Gives every batch normalisation before ReLU6 a spread of 0.6 around 3.
pub(crate) fn smooth(network: &mut Network) {
    for (part, values) in network.named_mut() {
        if !part.name.contains("project") && part.name.ends_with("gamma") {
            values.fill(0.6);
        }
        if !part.name.contains("project") && part.name.ends_with("beta") {
            values.fill(3.0);
        }
    }
}

/// Grey from 0 to 1 in, colour at another scale out: the same picture, and the same answers for the classes of the same names.
#[test]
fn another_input_and_other_classes_begin_with_the_same_answers() {
    let shape = |channels: usize, classes: [&str; 3]| {
        let classes = classes.map(String::from).to_vec();
        Architecture::new(0.35, [20, 32], 1, classes).unwrap().with_channels(channels).unwrap()
    };
    let (grey, colour) = (shape(1, ["a", "b", "c"]), shape(3, ["c", "new", "a"]));
    let mut old = Network::new(grey.clone(), 3);
    let picture = pictures(4, &grey);
    old.recalibrate([Ok(picture.clone())].into_iter()).unwrap();
    let sizing = edge8::Sizing::stretch([20, 32], 1);
    let preprocessing = mobilenet::Preprocessing::new(edge8::Preparation::Picture(sizing));
    let tensors = old.tensors();
    let file = ModelFile {
        architecture: grey,
        preprocessing: mobilenet::Preprocessing { scale: 1.0 / 255.0, shift: 0.0, ..preprocessing },
        provenance: serde_json::Value::Null,
        confidence: None,
        tensors,
    };
    let other = mobilenet::Preprocessing { scale: 4.0 / 255.0, shift: 0.0, ..preprocessing };
    let new = Network::from_other(colour, &other, 5, &file).unwrap();
    let repeated = (picture.clone() * 4.0).unwrap().repeat((1, 1, 1, 3)).unwrap();
    let logits =
        |network: &Network, pictures: &Tensor| network.logits(pictures).unwrap().to_vec2::<f32>().unwrap();
    for (old, new) in logits(&old, &picture).iter().zip(logits(&new, &repeated)) {
        assert!((old[0] - new[2]).abs() < 1e-3 && (old[2] - new[0]).abs() < 1e-3, "{old:?} {new:?}");
        assert!((old[1] - new[1]).abs() > 1e-3, "the new class is another one");
    }
}

/// From black at 0 to black at -1, the first convolution's statistics move with the input.
#[test]
fn a_moved_input_moves_the_statistics() {
    let architecture = architecture([20, 32], 1).with_hidden(None).unwrap();
    let network = Network::new(architecture.clone(), 3);
    let preprocessing =
        mobilenet::Preprocessing::new(edge8::Preparation::Picture(edge8::Sizing::stretch([20, 32], 1)));
    let file = ModelFile {
        architecture: architecture.clone(),
        preprocessing: mobilenet::Preprocessing { scale: 1.0 / 255.0, shift: 0.0, ..preprocessing },
        provenance: serde_json::Value::Null,
        confidence: None,
        tensors: network.tensors(),
    };
    let moved = Network::from_other(architecture, &preprocessing, 3, &file).unwrap().tensors();
    // Inside an even picture of the byte 200.
    let response =
        |tensors: &std::collections::BTreeMap<String, mobilenet::Weights>, value: f64, unit: usize| {
            let weights = tensors["stem.weight"].values.iter().skip(unit).step_by(16);
            weights.map(|weight| f64::from(*weight)).sum::<f64>() * value
                - f64::from(tensors["stem.mean"].values[unit])
        };
    for unit in 0..16 {
        let [old, new] =
            [response(&file.tensors, 200.0 / 255.0, unit), response(&moved, 200.0 / 127.5 - 1.0, unit)];
        assert!((old - new).abs() < 1e-5, "{old} {new}");
    }
}
