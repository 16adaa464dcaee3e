//! How much of a layer's signal int8 keeps.

use crate::float::Engine;
use crate::graph::Graph;
use crate::image;
use crate::quantize::Network;
use anyhow::{Result, ensure};
use edge8::Model;
use rayon::prelude::*;

/// The signal-to-noise ratio of each of [`image::operators`] in decibels, `10 log10(sum(x^2) / sum((x - q)^2))`: x is the float network's
/// tensor, q the int8 network's as reals, with the errors of all layers before it. Infinite where there is no error.
///
/// `images` are the float network's inputs; `image` is the model image of `network`.
///
/// # Errors
/// If the image is invalid or an input has the wrong length.
pub fn signal_to_noise(
    graph: &Graph,
    network: &Network,
    image: &[u8],
    images: &[Vec<f32>],
) -> Result<Vec<f64>> {
    let model = Model::parse(image)?;
    let outputs: Vec<_> = image::operators(network).map(|layer| layer.output).collect();
    ensure!(model.operators().count() == outputs.len(), "the model image is that of another network");
    let engine = Engine::new(graph, &outputs)?;
    let sums = images.par_iter().map(|image| {
        let input = network.tensors[graph.input().index()].quantisation;
        let input: Vec<i8> = image.iter().map(|&real| input.quantise(real)).collect();
        let layers = image::run_layers(&model, &input)?;
        let real = |(values, &id): (&Vec<i8>, _)| {
            let quantisation = network.tensor(id).quantisation;
            values.iter().map(|&q| quantisation.real(q)).collect::<Vec<f32>>()
        };
        let reals: Vec<_> = layers.iter().zip(&outputs).map(real).collect();
        let mut sums = vec![(0.0, 0.0); outputs.len()];
        engine.run(image, |layer, values| sums[layer] = powers(values, &reals[layer]))?;
        Ok(sums)
    });
    let sums = sums.collect::<Result<Vec<_>>>()?;
    let ratio = |layer: usize| {
        let signal: f64 = sums.iter().map(|sums| sums[layer].0).sum();
        let noise: f64 = sums.iter().map(|sums| sums[layer].1).sum();
        10.0 * (signal / noise).log10()
    };
    Ok((0..outputs.len()).map(ratio).collect())
}

/// The power of the signal and of the error.
fn powers(float: &[f32], int8: &[f32]) -> (f64, f64) {
    float.iter().zip(int8).fold((0.0, 0.0), |(signal, noise), (&x, &q)| {
        let (x, error) = (f64::from(x), f64::from(x - q));
        (signal + x * x, noise + error * error)
    })
}
