//! Model images that name the class whose colour is the nearest to a picture's mean: any classes, and answers that are known.

use edge8::{Preparation, Sizing};
use quantizer::graph::{Activation, Filter, Graph, Operator, Shape};
use quantizer::image::{self, Extras};
use quantizer::quantize::{Range, quantise};
use quantizer::samples::Normalisation;

/// How sure it is.
const STEEPNESS: f32 = 8.0;

/// An image with a recipe for pictures of some rows and columns; each class has a name, or none has, and a byte for each
/// channel, of which there are 1 or 3.
///
/// # Panics
/// If there is no class.
pub fn image(classes: &[(String, Vec<u8>)], [height, width]: [u16; 2]) -> Vec<u8> {
    let channels = classes[0].1.len();
    let mut graph = Graph::new(Shape::new(height.into(), width.into(), channels));
    let input = graph.input();
    let mut add = |name, operator, at| graph.add(name, operator, Activation::None, &[at]).expect("it fits");
    let mean = add("mean", Operator::Mean, input);
    let (filter, logits) = distances(classes);
    let nearness = add("nearness", Operator::FullyConnected(filter), mean);
    add("probabilities", Operator::Softmax, nearness);
    let ranges = [[-1.0, 1.0], [-1.0, 1.0], logits, [0.0, 1.0]].map(|[min, max]| Range { min, max });
    let preparation = Preparation::Picture(Sizing::stretch([height, width], channels as u8));
    let extras = Extras {
        labels: classes.iter().map(|(name, _)| name.clone()).filter(|name| !name.is_empty()).collect(),
        recipe: Some((preparation, Normalisation::linear(1.0 / 127.5, -1.0))),
        ..Extras::default()
    };
    image::write(&quantise(&graph, &ranges).expect("finite"), &extras).expect("an image")
}

/// What makes minus the square of the distance to each class, but for what all have in common; and its range.
fn distances(classes: &[(String, Vec<u8>)]) -> (Filter, [f32; 2]) {
    let (mut weights, mut bias, mut most) = (Vec::new(), Vec::new(), 0f32);
    for (_, colour) in classes {
        let colour: Vec<f32> = colour.iter().map(|&byte| f32::from(byte) / 127.5 - 1.0).collect();
        let square: f32 = colour.iter().map(|value| value * value).sum();
        weights.extend(colour.iter().map(|value| 2.0 * STEEPNESS * value));
        bias.push(-STEEPNESS * square);
        most = most.max(STEEPNESS * (square + 2.0 * colour.iter().map(|value| value.abs()).sum::<f32>()));
    }
    (Filter::new(weights, bias).expect("rows"), [-most, most])
}
