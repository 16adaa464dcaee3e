//! The network that training begins with.

use anyhow::{Context, Result};
use mobilenet::ModelFile;
use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use crate::network::Network;

/// Another network to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Init {
    /// Its file, as the command names it.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Leading layers that stay as they are: the first block together with the stem is one, each other block, and the last
    /// convolution.
    pub freeze: usize,
    /// Share of its weights in the result, 0 to below 1: what it knew is not forgotten (Wortsman et al., "Robust fine-tuning of
    /// zero-shot models", 2022).
    pub keep: f64,
}

impl Recipe {
    /// The network before the first step; `init` is the file that the recipe names, if it names one.
    pub(super) fn network(&self, init: Option<&ModelFile>) -> Result<Network> {
        let Some(Init { file, freeze, .. }) = &self.init else {
            return Ok(Network::new(self.architecture.clone(), self.seed));
        };
        let other = init.with_context(|| format!("{file} was not given"))?;
        let network = Network::from_other(self.architecture.clone(), &self.preprocessing, self.seed, other);
        let mut network = network.with_context(|| format!("cannot begin with {file}"))?;
        network.freeze(*freeze);
        Ok(network)
    }
}
