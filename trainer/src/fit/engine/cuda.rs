//! Steps on a GPU.

use anyhow::{Context, Result, bail};
use candle_core::Storage;

use super::super::batch::Batch;
use super::super::loss::Targets;
use crate::cuda::{Learner, Step};
use crate::optimizer::Rates;

/// One step: loss and answers.
pub(super) fn step(
    learner: &mut Learner,
    targets: &Targets,
    batch: &Batch,
    rates: Rates,
) -> Result<(f64, Vec<u32>)> {
    let [hard, soft] = targets.weighted(&batch.classes, batch.taught.as_ref())?;
    let (storage, layout) = batch.pictures.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else { bail!("the pictures are not in the CPU's memory") };
    let (start, end) = layout.contiguous_offsets().context("the pictures are not in one piece")?;
    let pictures = &storage.as_slice::<f32>()?[start..end];
    let step = Step { pictures, dropout: &batch.dropout, targets: &hard, soft: &soft, rates };
    let answers = learner.step(&step)?;
    Ok((answers.losses.iter().map(|&loss| f64::from(loss)).sum(), answers.classes))
}
