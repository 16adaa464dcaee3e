//! The whole way: from a trained float network to a model image, with a report.

use crate::calibrate::{Calibration, Method, calibrate};
use crate::float_network::FloatNetwork;
use crate::image::{self, Extras};
use crate::noise::signal_to_noise;
use crate::plan::NetworkPlan;
use crate::quantize::{Network, Range, quantise};
use anyhow::Result;
use serde_json::json;

/// Calibration images that become test vectors of the image.
const TEST_VECTORS: usize = 2;

/// Calibration images on which the layers' noise is measured.
const NOISE_IMAGES: usize = 128;

/// A float network in int8, and how it came about.
#[derive(Debug)]
pub struct Conversion {
    /// The ranges and how they were found.
    pub calibration: Calibration,
    /// The int8 network.
    pub network: Network,
    /// Its plan in the model image.
    pub plan: NetworkPlan,
    /// Signal-to-noise ratio of each layer in decibels.
    pub noise: Vec<f64>,
    /// The model image.
    pub image: Vec<u8>,
}

/// Calibrates on `images`, quantises and writes the model image. `input` is the range of the network's input.
///
/// # Errors
/// If an image has the wrong length, the network's values are not finite, or a size exceeds the format.
pub fn convert(
    float: &FloatNetwork,
    images: &[Vec<f32>],
    input: Range,
    method: Method,
) -> Result<Conversion> {
    let graph = &float.graph;
    let calibration = calibrate(graph, images, input, method)?;
    let network = quantise(graph, &calibration.ranges())?;
    let quantisation = network.tensors[graph.input().index()].quantisation;
    let test_inputs = images.iter().take(TEST_VECTORS);
    let test_inputs =
        test_inputs.map(|image| image.iter().map(|&real| quantisation.quantise(real)).collect());
    let extras = Extras {
        labels: float.labels.clone(),
        recipe: float.recipe.clone(),
        provenance: Some(float.provenance.clone()),
        calibration: Some(summary(&calibration, &network)),
        test_inputs: test_inputs.collect(),
    };
    let plan = image::memory_plan(&network);
    let image = image::write_with(&network, &plan, &extras)?;
    let noise = signal_to_noise(graph, &network, &image, &images[..images.len().min(NOISE_IMAGES)])?;
    Ok(Conversion { calibration, network, plan, noise, image })
}

/// The calibration as the model image stores it.
fn summary(calibration: &Calibration, network: &Network) -> serde_json::Value {
    let tensors = network.tensors.iter().zip(&calibration.tensors).map(|(tensor, found)| {
        json!({ "name": tensor.name, "min": found.range.min, "max": found.range.max, "clipped": found.clipped })
    });
    json!({
        "method": calibration.method.to_string(),
        "samples": calibration.samples,
        "stable_after": calibration.stable_after(),
        "tensors": tensors.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;
    use crate::testing::{Random, mobilenet};
    use edge8::Model;
    use mobilenet::ModelFile;

    const UNIT: Range = Range { min: 0.0, max: 1.0 };

    fn images(side: usize, count: usize) -> Vec<Vec<f32>> {
        let mut random = Random::new(21);
        let mut image = || (0..side * side).map(|_| random.below(256) as f32 / 255.0).collect();
        (0..count).map(|_| image()).collect()
    }

    #[test]
    fn an_image_is_complete_small_and_close_to_float() {
        // The trained network on real images: what the methods are made for.
        let trainer = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../trainer");
        let file = ModelFile::load(&trainer.join("models/mnist.safetensors")).unwrap();
        let float = FloatNetwork::from_safetensors(&file).unwrap();
        let (preparation, normalisation) = float.recipe.clone().unwrap();
        let data = files::load_train(&trainer.join("data/calibration"), preparation).unwrap();
        let samples = Samples::of_dataset(data, normalisation);
        let spread = samples.spread(64).unwrap().into_iter();
        let images: Vec<Vec<f32>> = spread.map(|index| samples.reals(&samples.get(index).unwrap())).collect();
        for method in Method::ALL {
            let conversion = convert(&float, &images, samples.range(), method).unwrap();
            for (node, noise) in float.graph.nodes().iter().zip(&conversion.noise) {
                assert!(*noise > 20.0, "{method}, {}: {noise} dB", node.name);
            }
            let model = Model::parse(&conversion.image).unwrap();
            assert_eq!(model.labels().unwrap().collect::<Vec<_>>(), file.architecture.classes);
            assert_eq!(model.recipe().unwrap().preparation(), preparation);
            let floats: usize = file.tensors.values().map(|tensor| 4 * tensor.values.len()).sum();
            assert!(conversion.image.len() * 100 < 30 * floats);
        }
    }

    #[test]
    fn test_vectors_hold_and_images_are_reproducible() {
        let float = FloatNetwork::from_safetensors(&mobilenet(32, 2, 4)).unwrap();
        let images = images(32, 17);
        let image = convert(&float, &images, UNIT, Method::Mse).unwrap().image;
        assert_eq!(image, convert(&float, &images, UNIT, Method::Mse).unwrap().image);
        let model = Model::parse(&image).unwrap();
        let mut arena = vec![0x5a; model.arena_len()];
        let mut output = vec![0; model.output().shape.len()];
        let vectors = model.test_vectors().unwrap();
        let mut count = 0;
        for vector in vectors {
            assert_eq!(model.first_difference(&vector, &mut arena, &mut output), Ok(None));
            count += 1;
        }
        assert_eq!(count, TEST_VECTORS);
    }

    #[test]
    fn the_plan_of_mobilenet_meets_its_lower_bound() {
        for (side, stem_stride) in [(28, 1), (32, 1), (96, 2)] {
            let float = FloatNetwork::from_safetensors(&mobilenet(side, stem_stride, 5)).unwrap();
            let conversion = convert(&float, &images(side, 1), UNIT, Method::Minmax).unwrap();
            let NetworkPlan { arena, lower_bound, .. } = conversion.plan;
            assert_eq!(arena, lower_bound, "side {side}");
        }
    }
}
