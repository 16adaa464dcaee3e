//! What training on a GPU takes of a network.

use super::{Network, layers};
use crate::ops::batch_norm::Statistics;
use crate::ops::chain::Layer;
use crate::ops::geometry::Geometry;

impl Network {
    /// The layers' sizes; the first takes the pictures' patches.
    pub(crate) fn layers(&self) -> Vec<Layer> {
        layers::layers(&self.architecture, &self.stem)
    }

    /// The sizes of the first convolution.
    pub(crate) fn stem(&self) -> &Geometry {
        &self.stem
    }

    /// All values, those of the leading layers first.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The statistics of the leading layers that are not trained.
    pub(crate) fn frozen(&self) -> &[Vec<Statistics>] {
        &self.frozen
    }
}
