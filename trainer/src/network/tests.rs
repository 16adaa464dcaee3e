//! The network as a whole.

use super::*;
use crate::ops::chain::Layer;
use crate::ops::features::Features;
use crate::ops::reference;
use mobilenet::HIDDEN;
use mobilenet::ModelFile;

fn architecture(size: usize, stride: usize) -> Architecture {
    Architecture::new(0.35, size, stride, ["a", "b", "c"].map(String::from).to_vec()).unwrap()
}

fn pictures(images: usize, side: usize) -> Tensor {
    let values: Vec<f32> = (0..images * side * side).map(|i| (i * 7919 % 256) as f32 / 255.0).collect();
    Tensor::from_vec(values, (images, side, side, 1), &Device::Cpu).unwrap()
}

#[test]
fn a_network_survives_its_file() {
    let mut network = Network::new(architecture(29, 2), 3).unwrap();
    network.recalibrate([Ok(pictures(8, 29))].into_iter()).unwrap();
    let tensors = network.tensors().unwrap();
    assert_eq!(tensors["stem.weight"].shape, [3, 3, 1, 16]);
    assert_eq!(tensors["blocks.16.project.variance"].shape, [112]);
    assert!(!tensors.contains_key("blocks.0.expand.weight"));
    let file = ModelFile {
        architecture: network.architecture().clone(),
        preprocessing: mobilenet::Preprocessing { side: 29, digit: 21, scale: 1.0 / 255.0 },
        provenance: serde_json::Value::Null,
        tensors,
    };
    let again = Network::from_file(&file).unwrap();
    let logits = |network: &Network| network.logits(&pictures(3, 29)).unwrap().to_vec2::<f32>().unwrap();
    assert_eq!(logits(&again), logits(&network));
}

#[test]
fn recalibration_makes_evaluation_see_what_training_saw() {
    let mut network = Network::new(architecture(32, 1), 4).unwrap();
    let batch = pictures(16, 32);
    let keep = Tensor::ones((16, HIDDEN), candle_core::DType::F32, &Device::Cpu).unwrap();
    let training = network.training_logits(&batch, &keep).unwrap().to_vec2::<f32>().unwrap();
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
    let mut network = Network::new(architecture(32, 1), 5).unwrap();
    smooth(&mut network);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/calibration");
    let data = files::load_train(&folder, edge8::Framing::mnist(32)).unwrap();
    let batch = crate::evaluate::pictures(&data, &(0..images).collect::<Vec<_>>()).unwrap();
    let keep = Tensor::ones((images, HIDDEN), candle_core::DType::F32, &Device::Cpu).unwrap();
    let labels = Tensor::from_vec(
        data.labels[..images].iter().map(|label| label % 3).collect::<Vec<u32>>(),
        images,
        &Device::Cpu,
    )
    .unwrap();
    let loss = |logits: &Tensor| candle_nn::loss::cross_entropy(logits, &labels).unwrap();
    let found = loss(&network.training_logits(&batch, &keep).unwrap());
    let found_gradients = found.backward().unwrap();
    let expected = loss(&reference_logits(&network, &batch));
    let expected_gradients = expected.backward().unwrap();
    let scalar = |tensor: &Tensor| tensor.to_scalar::<f32>().unwrap();
    assert!((scalar(&found) - scalar(&expected)).abs() < 1e-5);
    for parameter in network.parameters() {
        let gradient = |store: &candle_core::backprop::GradStore| {
            store.get(parameter.tensor()).unwrap().flatten_all().unwrap()
        };
        let (found, expected) = (gradient(&found_gradients), gradient(&expected_gradients));
        let mut start = 0;
        for part in &parameter.parts {
            let cut = |tensor: &Tensor| tensor.narrow(0, start, part.len()).unwrap();
            let (found, expected) = (cut(&found), cut(&expected));
            start += part.len();
            let norm = |tensor: &Tensor| f64::from(scalar(&tensor.sqr().unwrap().sum_all().unwrap())).sqrt();
            let difference = norm(&(&found - &expected).unwrap());
            assert!(
                difference <= 2e-3 * norm(&expected) + 1e-6,
                "{}: {difference} of {}",
                part.name,
                norm(&expected)
            );
        }
    }
}

fn reference_logits(network: &Network, batch: &Tensor) -> Tensor {
    let values = batch.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let shape = (batch.dim(0).unwrap(), network.stem.out_height, network.stem.out_width, PATCH);
    let mut x = Tensor::from_vec(patches(&network.stem, &values), shape, &Device::Cpu).unwrap();
    let packed = network.parameters[0].tensor();
    let mut start = 0;
    for layer in layers::layers(network.architecture(), &network.stem) {
        let packed = packed.narrow(0, start, layer.parameters()).unwrap();
        start += layer.parameters();
        x = match layer {
            Layer::Block(shape) => reference::block(&shape, &x, &packed).unwrap(),
            Layer::Features(Features { k, n, .. }) => reference::features(k, n, &x, &packed).unwrap(),
        };
    }
    network.head(&x, None).unwrap()
}

/// Gives every batch normalisation before ReLU6 a spread of 0.6 around 3.
fn smooth(network: &mut Network) {
    let mut values = network.values().unwrap();
    let mut start = 0;
    for part in network.parameters().iter().flat_map(|parameter| &parameter.parts) {
        let value = &mut values[start..start + part.len()];
        start += part.len();
        if !part.name.contains("project") && part.name.ends_with("gamma") {
            value.fill(0.6);
        }
        if !part.name.contains("project") && part.name.ends_with("beta") {
            value.fill(3.0);
        }
    }
    network.set_values(&values).unwrap();
}
