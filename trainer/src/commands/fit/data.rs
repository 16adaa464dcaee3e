//! The training pictures.

use std::path::PathBuf;

use anyhow::{Context, Result};
use edge8::Preparation;
use files::{Dataset, Pictures, Set, Survey};
use trainer::download;

use super::super::prepare::Prepare;

/// The training pictures of all folders, MNIST without any, and what to call them; `init` is how the network to begin with reads
/// pictures.
pub(super) fn load(
    folders: &[PathBuf],
    prepare: &Prepare,
    init: Option<Preparation>,
    strict: bool,
) -> Result<(Dataset, String)> {
    let mut folders = folders.to_vec();
    if folders.is_empty() {
        let folder = download::cache_folder()?;
        download::download_mnist(&folder)?;
        folders.push(folder);
    }
    let mut all: Option<Dataset> = None;
    for folder in &folders {
        let pictures = match &all {
            None => Pictures::open(folder, Set::Training)?,
            Some(first) => Pictures::open_for(folder, Set::Training, &first.classes)?,
        };
        let survey = Survey::of(&pictures)?;
        eprintln!("{survey}");
        let preparation = match &all {
            None => prepare.preparation(&pictures, &survey, init)?,
            Some(first) => first.preparation,
        };
        let (data, left_out) = Dataset::prepare(&pictures, preparation)?;
        left_out.check(strict)?;
        left_out.report();
        match &mut all {
            None => all = Some(data),
            Some(first) => first.append(data)?,
        }
    }
    let names = folders.iter().map(|folder| folder.file_name().unwrap_or_default().to_string_lossy());
    Ok((all.context("there is no data")?, names.collect::<Vec<_>>().join(" + ")))
}
