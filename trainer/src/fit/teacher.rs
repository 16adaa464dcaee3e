//! Distillation: what a better network says of the same pictures is learnt besides their classes (Hinton, Vinyals and Dean,
//! "Distilling the knowledge in a neural network", 2015).

use anyhow::{Context, Result, ensure};
use mobilenet::ModelFile;
use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use crate::network::Network;

/// The network that teaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Teacher {
    /// Its file, as the command names it.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What logits are divided by before both networks' probabilities are compared: above 1 the unlikely classes count, too.
    pub temperature: f64,
    /// What its answers count, the classes themselves the rest, 0 to 1.
    pub weight: f64,
}

impl Recipe {
    /// The teacher; `file` is what the recipe names, if it names one.
    pub(super) fn teacher(&self, file: Option<&ModelFile>) -> Result<Option<Network>> {
        let Some(Teacher { file: name, .. }) = &self.teacher else { return Ok(None) };
        let file = file.with_context(|| format!("{name} was not given"))?;
        let [theirs, ours] = [&file.preprocessing, &self.preprocessing];
        ensure!(
            theirs == ours,
            "{name} reads {theirs}, {:?}; the network that is trained {ours}, {:?}: train a teacher with the same --recipe, \
             --input-size, --colours and --fit",
            theirs.preparation,
            ours.preparation
        );
        let [theirs, ours] = [&file.architecture.classes, &self.architecture.classes];
        ensure!(theirs == ours, "{name} knows the classes {theirs:?}, the pictures have {ours:?}");
        Network::from_file(file).map(Some)
    }
}
