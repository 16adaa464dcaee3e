//! Whether a recipe and the data that it is to be trained on fit each other.

use anyhow::{Result, ensure};

use super::recipe::Recipe;
use files::Dataset;

/// Refuses data that does not, of which `train` pictures are to train on.
pub(super) fn check(recipe: &Recipe, data: &Dataset, train: usize) -> Result<()> {
    recipe.check()?;
    let classes = &recipe.architecture.classes;
    ensure!(*classes == data.classes, "the network's classes are {classes:?}, the data's {:?}", data.classes);
    let wanted = recipe.preprocessing.preparation;
    ensure!(
        data.preparation == wanted,
        "the pictures are prepared by {:?}, the recipe says {wanted:?}",
        data.preparation
    );
    let (prepared, taken) = (data.shape(), recipe.architecture.input_shape());
    ensure!(prepared == taken, "the pictures are prepared as {prepared:?}, the network takes {taken:?}");
    ensure!(
        train >= recipe.batch_size,
        "{train} training pictures are not enough for one batch of {}: take a smaller batch, or more pictures",
        recipe.batch_size
    );
    Ok(())
}
