//! What follows an operator, folded into it.

use super::network::{Graph, Node, TensorId};
use super::operator::{Activation, Filter, Operator};
use anyhow::{Result, ensure};

/// The inference-time constants of a batch norm, one value per channel.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'a> {
    /// Scale.
    pub gamma: &'a [f32],
    /// Shift.
    pub beta: &'a [f32],
    /// Running mean.
    pub mean: &'a [f32],
    /// Running variance.
    pub variance: &'a [f32],
    /// Added to the variance.
    pub epsilon: f64,
}

/// A convolution without bias, and the batch norm behind it, as one filter.
///
/// `w' = w * gamma / sqrt(variance + epsilon)`, `b' = beta - mean * gamma / sqrt(variance + epsilon)`, computed in f64
/// (Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
/// 2018, section 3.2). `weights` holds one row per output channel.
///
/// # Errors
/// If the lengths do not match or a result is not finite.
pub fn fold(weights: &[f32], norm: &BatchNorm<'_>) -> Result<Filter> {
    let channels = norm.gamma.len();
    let equal = [norm.beta, norm.mean, norm.variance].iter().all(|values| values.len() == channels);
    ensure!(channels > 0 && equal, "the four vectors of a batch norm must have one length");
    ensure!(weights.len().is_multiple_of(channels), "{} weights for {channels} channels", weights.len());
    let factors: Vec<f64> = norm
        .gamma
        .iter()
        .zip(norm.variance)
        .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + norm.epsilon).sqrt())
        .collect();
    let rows = weights.chunks_exact((weights.len() / channels).max(1));
    let folded = rows
        .zip(&factors)
        .flat_map(|(row, factor)| row.iter().map(move |&w| (f64::from(w) * factor) as f32))
        .collect();
    let bias = norm
        .beta
        .iter()
        .zip(norm.mean)
        .zip(&factors)
        .map(|((&beta, &mean), factor)| (f64::from(beta) - f64::from(mean) * factor) as f32)
        .collect();
    Filter::new(folded, bias)
}

impl Graph {
    /// Makes `scale * x + shift`, one value each per channel, part of the filter that writes `tensor`. False if what
    /// writes it has none, or an activation behind it.
    ///
    /// # Errors
    /// If a result is not finite.
    pub(crate) fn fold_affine(&mut self, tensor: TensorId, scale: &[f32], shift: &[f32]) -> Result<bool> {
        let node = self.writer(tensor).filter(|node| node.activation == Activation::None);
        let Some(filter) = node.and_then(|node| node.operator.filter_mut()) else { return Ok(false) };
        let product = |a: f32, b: f32| f64::from(a) * f64::from(b);
        let rows = filter.weights().chunks_exact(filter.row_len());
        let weights =
            rows.zip(scale).flat_map(|(row, &scale)| row.iter().map(move |&w| product(w, scale) as f32));
        let bias = filter.bias().iter().zip(scale.iter().zip(shift));
        let bias = bias.map(|(&b, (&scale, &shift))| (product(b, scale) + f64::from(shift)) as f32);
        *filter = Filter::new(weights.collect(), bias.collect())?;
        Ok(true)
    }

    /// Makes a clamp to [low, high] part of the activation that writes `tensor`. False if the operator takes none, or no
    /// activation has the resulting bounds.
    pub(crate) fn fuse_clamp(&mut self, tensor: TensorId, low: f32, high: f32) -> bool {
        let moves = |node: &Node| {
            matches!(node.operator, Operator::Pad(_) | Operator::Reshape(_) | Operator::Softmax)
        };
        let Some(node) = self.writer(tensor).filter(|node| !moves(node)) else { return false };
        let bounds = node.activation.bounds();
        let [low, high] = [bounds.0, bounds.1].map(|bound| bound.max(low).min(high));
        let Some(activation) = Activation::of_bounds(low, high) else { return false };
        node.activation = activation;
        true
    }

    fn writer(&mut self, tensor: TensorId) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|node| node.output == tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn folded_filter_equals_convolution_then_norm() {
        let norm = BatchNorm {
            gamma: &[2.0, -1.0],
            beta: &[0.5, 0.25],
            mean: &[1.0, -3.0],
            variance: &[3.999, 0.249],
            epsilon: 1e-3,
        };
        let filter = fold(&[1.0, 2.0, 3.0, 4.0], &norm).unwrap();
        let expected = [(1.0, 2.0, -0.5), (-6.0, -8.0, -5.75)];
        for (channel, (a, b, bias)) in expected.into_iter().enumerate() {
            assert!((filter.weights()[2 * channel] - a).abs() < 1e-6);
            assert!((filter.weights()[2 * channel + 1] - b).abs() < 1e-6);
            assert!((filter.bias()[channel] - bias).abs() < 1e-6);
        }
    }

    #[test]
    fn what_follows_is_folded_until_an_activation_closes_the_node() {
        let mut graph = Graph::new(Shape::new(1, 1, 2));
        let input = graph.input();
        let filter = Filter::new(vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0]).unwrap();
        let dense = graph.add("a", Operator::FullyConnected(filter), Activation::None, &[input]).unwrap();
        assert!(graph.fold_affine(dense, &[2.0, -1.0], &[0.5, 0.25]).unwrap());
        let filter = graph.nodes()[0].operator.filter().unwrap();
        assert_eq!((filter.weights(), filter.bias()), (&[2.0, 4.0, -3.0, -4.0][..], &[20.5, -19.75][..]));
        assert!(!graph.fuse_clamp(dense, -1.0, 1.0), "no such activation");
        assert!(graph.fuse_clamp(dense, 0.0, f32::INFINITY));
        assert!(graph.fuse_clamp(dense, f32::NEG_INFINITY, 6.0));
        assert_eq!(graph.nodes()[0].activation, Activation::Relu6);
        assert!(!graph.fold_affine(dense, &[1.0, 1.0], &[0.0, 0.0]).unwrap());
        let softmax = graph.add("b", Operator::Softmax, Activation::None, &[dense]).unwrap();
        assert!(
            !graph.fuse_clamp(softmax, 0.0, 6.0)
                && !graph.fold_affine(softmax, &[1.0; 2], &[1.0; 2]).unwrap()
        );
    }

    #[test]
    fn a_broken_norm_is_refused() {
        let norm = BatchNorm { gamma: &[1.0], beta: &[0.0], mean: &[0.0], variance: &[-1.0], epsilon: 1e-3 };
        assert!(fold(&[1.0], &norm).is_err());
    }
}
