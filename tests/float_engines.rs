//! The float network of the trainer and that of the quantizer are one: candle's forward pass (separate batch norms) and
//! tract's (folded) give the same logits.

use candle_core::{Device, Tensor};
use edge8::{Framing, Preparation, Sizing};
use mobilenet::{Architecture, ModelFile, Preprocessing};
use quantizer::float::{Engine, logits};
use quantizer::graph::from_safetensors;
use tests::commands::root;
use tract_onnx::prelude::{Framework, InferenceModelExt, IntoRunnable, tvec};
use trainer::network::Network;

/// An untrained network whose batch norms do something, but amplify little.
fn untrained(architecture: Architecture, random: &mut fastrand::Rng) -> ModelFile {
    let [rows, columns, channels] = architecture.input_shape();
    let preparation = match channels {
        1 => Preparation::Digit(Framing::mnist(rows as u16)),
        _ => Preparation::Picture(Sizing::stretch([rows as u16, columns as u16], channels as u8)),
    };
    let preprocessing = Preprocessing::new(preparation);
    let mut file = ModelFile::untrained(architecture, preprocessing, 11);
    for (name, weights) in &mut file.tensors {
        let (low, high) = match name.rsplit('.').next() {
            Some("gamma") => (0.5, 1.0),
            Some("beta") => (-0.2, 0.5),
            Some("mean") => (-0.2, 0.2),
            Some("variance") => (0.7, 1.2),
            _ => continue,
        };
        weights.values.fill_with(|| low + (high - low) * random.f32());
    }
    file
}

#[test]
fn candle_and_tract_agree() {
    let mut random = fastrand::Rng::with_seed(12);
    let architecture = |input, stem_stride| {
        let classes = (0..10).map(|digit| digit.to_string()).collect();
        Architecture::new(0.35, input, stem_stride, classes).expect("in range")
    };
    let colour = architecture([20, 32], 1).with_channels(3).and_then(|colour| colour.with_hidden(None));
    let architectures = [
        architecture([32, 32], 1),
        architecture([33, 33], 2),
        architecture([16, 16], 2).with_hidden(Some(20)).expect("in range"),
        colour.expect("in range"),
    ];
    for architecture in architectures {
        let Architecture { input: [rows, columns], channels, .. } = architecture;
        let length = rows * columns * channels;
        let file = untrained(architecture, &mut random);
        let graph = from_safetensors(&file).expect("a whole network");
        let engine = Engine::new(&graph, &[logits(&graph)]).expect("tract runs it");
        let network = Network::from_file(&file).expect("candle runs it");
        let images: Vec<f32> = (0..3 * length).map(|_| random.f32()).collect();
        let tensor =
            Tensor::from_slice(&images, (3, rows, columns, channels), &Device::Cpu).expect("a tensor");
        let candle = network.logits(&tensor).and_then(|logits| Ok(logits.to_vec2::<f32>()?)).expect("logits");
        let largest = candle.iter().flatten().fold(0f32, |largest, logit| largest.max(logit.abs()));
        assert!(largest > 0.1, "logits near zero prove nothing: {candle:?}");
        for (image, expected) in images.chunks_exact(length).zip(&candle) {
            let mut found = Vec::new();
            engine.run(image, |_, logits| found.extend_from_slice(logits)).expect("tract runs it");
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "tract {found:?}, candle {expected:?}");
            }
        }
    }
}

/// The ONNX file of the shipped network, run by tract as it stands, beside candle on the test images.
#[test]
fn the_trainers_onnx_file_gives_candles_probabilities() {
    let file = ModelFile::load(&root().join("trainer/models/mnist.safetensors")).expect("shipped");
    let network = Network::from_file(&file).expect("candle runs it");
    let onnx = mobilenet::onnx::export(&file).expect("a whole network");
    let model = tract_onnx::onnx().model_for_read(&mut &*onnx).expect("tract reads it");
    let tract = model.into_optimized().and_then(|model| model.into_runnable()).expect("tract runs it");
    let images = files::load_test(&root().join("trainer/data/mnist"), file.preprocessing.preparation)
        .expect("shipped");
    let mut largest = 0f64;
    for image in images.images.chunks(32 * 32).take(200) {
        let values: Vec<f32> = image.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let input = tract_onnx::prelude::Tensor::from_shape(&[1, 1, 32, 32], &values).expect("a tensor");
        let outputs = tract.run(tvec![input.into()]).expect("it runs");
        let found = outputs[0].view().as_slice::<f32>().expect("reals").to_vec();
        let pictures = Tensor::from_vec(values, (1, 32, 32, 1), &Device::Cpu).expect("a tensor");
        let logits =
            network.logits(&pictures).and_then(|logits| Ok(logits.flatten_all()?.to_vec1::<f32>()?));
        let logits = logits.expect("logits");
        let sum: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        assert_eq!(found.len(), logits.len());
        for (&found, &logit) in found.iter().zip(&logits) {
            largest = largest.max((f64::from(found) - f64::from(logit).exp() / sum).abs());
        }
    }
    println!("largest difference of a probability: {largest:.1e}");
    assert!(largest < 1e-5, "{largest}");
}
