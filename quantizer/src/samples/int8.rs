//! Samples as the inputs of an int8 network.

use super::Sample;
use crate::quantize::Quantisation;
use edge8::Model;

/// How a sample becomes int8: bytes through the recipe where the image has one, everything else by scale and zero point.
pub(crate) struct Int8Input<'a> {
    /// A recipe's tables from bytes to int8 values, one for each channel.
    tables: Option<&'a [[i8; 256]]>,
    quantisation: Quantisation,
}

impl<'a> Int8Input<'a> {
    pub(crate) fn of(model: &Model<'a>) -> Self {
        let tables = model.recipe().ok().map(|recipe| recipe.tables());
        let input = model.input();
        let quantisation = Quantisation { scale: input.scale, zero_point: input.zero_point };
        Self { tables, quantisation }
    }

    pub(crate) fn quantise(&self, sample: &Sample, reals: &[f32]) -> Vec<i8> {
        match (self.tables, sample) {
            (Some(tables), Sample::Bytes(bytes)) => bytes
                .iter()
                .zip(tables.iter().cycle())
                .map(|(&byte, table)| table[usize::from(byte)])
                .collect(),
            _ => reals.iter().map(|&real| self.quantisation.quantise(real)).collect(),
        }
    }
}
