//! The weights section: what operator records point to.

use super::fields::size;
use super::operator::normalised;
use crate::quantize::{Int8Filter, Layer, Network, Stored};
use anyhow::{Context, Result};
use edge8::{format, packing};

/// The weights section: weights and per-channel constants in the order of execution.
#[derive(Default)]
pub(crate) struct Parameters {
    bytes: Vec<u8>,
}

impl Parameters {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends what a layer has; where its weights and its constants, or its values, begin.
    ///
    /// # Errors
    /// If a size exceeds the format, or a bias 32 bits.
    pub(crate) fn add(&mut self, network: &Network, layer: &Layer) -> Result<[u32; 2]> {
        let zero_point =
            layer.inputs.first().map_or(0, |&input| network.tensor(input).quantisation.zero_point);
        match layer.operator.stored() {
            Stored::Matrix(filter) => self.add_filter(packed_matrix(filter)?, filter, zero_point),
            Stored::Depthwise(filter, kernel) => {
                self.add_filter(packed_depthwise(filter, kernel)?, filter, zero_point)
            }
            Stored::Values(values) => Ok([self.add_values(values.iter().copied())?, 0]),
            Stored::Nothing => Ok([0; 2]),
        }
    }

    /// The bytes so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends values; returns their offset.
    fn add_values(&mut self, values: impl Iterator<Item = i8>) -> Result<u32> {
        self.align(format::CACHE_LINE);
        let at = size(self.bytes.len())?;
        self.bytes.extend(values.map(|value| value as u8));
        Ok(at)
    }

    /// Appends a filter; returns the offsets of its packed weights and of its constants.
    fn add_filter(&mut self, packed: Vec<i8>, filter: &Int8Filter, zero_point: i8) -> Result<[u32; 2]> {
        let weights_at = self.add_values(packed.into_iter())?;
        self.align(align_of::<i32>());
        let constants_at = size(self.bytes.len())?;
        let rows = filter.weights.chunks_exact(filter.row_len());
        let sums: Vec<i32> = rows.map(|row| row.iter().map(|&weight| i32::from(weight)).sum()).collect();
        for (&bias, sum) in filter.bias.iter().zip(&sums) {
            let folded = i64::from(bias) - i64::from(zero_point) * i64::from(*sum);
            let folded = i32::try_from(folded).context("a bias is too large for 32-bit sums")?;
            self.bytes.extend(folded.to_le_bytes());
        }
        self.bytes.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
        let multipliers = filter.multipliers.iter().map(normalised);
        self.bytes.extend(multipliers.clone().flat_map(|multiplier| multiplier.mantissa.to_le_bytes()));
        self.bytes.extend(multipliers.map(|multiplier| multiplier.shift as u8));
        Ok([weights_at, constants_at])
    }

    fn align(&mut self, alignment: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
    }
}

/// A filter's rows as a packed matrix.
fn packed_matrix(filter: &Int8Filter) -> Result<Vec<i8>> {
    let (outputs, patch) = (filter.bias.len(), filter.row_len());
    let mut packed = vec![0; packing::matrix_len(outputs, patch).context("too many weights")?];
    for (output, row) in filter.weights.chunks_exact(patch).enumerate() {
        for (value, &weight) in row.iter().enumerate() {
            packed[packing::matrix_index(outputs, patch, output, value)] = weight;
        }
    }
    Ok(packed)
}

/// A depthwise filter's rows, packed.
fn packed_depthwise(filter: &Int8Filter, kernel: [usize; 2]) -> Result<Vec<i8>> {
    let channels = filter.bias.len();
    let mut packed = vec![0; packing::depthwise_len(kernel, channels).context("too many weights")?];
    for (channel, row) in filter.weights.chunks_exact(filter.row_len()).enumerate() {
        for (tap, &weight) in row.iter().enumerate() {
            let position = [tap / kernel[1], tap % kernel[1]];
            packed[packing::depthwise_index(kernel, channels, position, channel)] = weight;
        }
    }
    Ok(packed)
}
