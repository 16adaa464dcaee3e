//! Rows in, rows of the input out.

use super::area;
use super::axis::{Axis, divisor_u32};
use super::line::{self, Neighbours, ONE};
use super::pixels::Source;
use crate::picture::PictureError;
use edge8::Sizing;

/// Bytes that [`Rows`] works in: 4 for each value of a row of the input.
pub const fn workspace_len(sizing: &Sizing) -> usize {
    4 * sizing.width as usize * sizing.channels as usize
}

/// A picture on its way into the input, row by row.
#[derive(Debug)]
pub struct Rows<'a> {
    sizing: Sizing,
    tables: Option<&'a [[i8; 256]]>,
    source: Source,
    rows: Axis,
    columns: Axis,
    /// Of every value of a row what is known so far: where rows are averaged their sum, else the last two rows, with 8 bits
    /// behind the point.
    state: &'a mut [[u8; 4]],
    bytes: &'a mut [u8],
    /// The next row of the source.
    next: usize,
    /// The next row to be written, of those that the picture fills.
    row: usize,
}

impl<'a> Rows<'a> {
    /// Before the first row. `bytes` become the input, `[row][column][channel]`; with `tables`, one for each channel, as int8
    /// values (see [`edge8::bytes_of_mut`]).
    ///
    /// # Errors
    /// [`PictureError::Size`] and [`PictureError::Side`] for a source without pixels or with a side above 65,535,
    /// [`PictureError::WorkspaceLength`] for less than [`workspace_len`], [`PictureError::OutputLength`] if `bytes` are not the
    /// input's, [`PictureError::Recipe`] for a sizing that is not valid, or with another number of tables.
    pub fn new(
        sizing: Sizing,
        tables: Option<&'a [[i8; 256]]>,
        source: Source,
        workspace: &'a mut [u8],
        bytes: &'a mut [u8],
    ) -> Result<Self, PictureError> {
        source.check()?;
        let channels = usize::from(sizing.channels);
        if !sizing.is_valid() || tables.is_some_and(|tables| tables.len() != channels) {
            return Err(PictureError::Recipe);
        }
        let row = usize::from(sizing.width) * channels;
        let expected = usize::from(sizing.height) * row;
        if bytes.len() != expected {
            return Err(PictureError::OutputLength { expected, found: bytes.len() });
        }
        let found = workspace.len();
        let state = workspace.as_chunks_mut().0.get_mut(..row);
        let state = state.ok_or(PictureError::WorkspaceLength { expected: workspace_len(&sizing), found })?;
        let [rows, columns] = Axis::both(&sizing, [source.height, source.width]);
        state.fill([0; 4]);
        let mut new = Self { sizing, tables, source, rows, columns, state, bytes, next: 0, row: 0 };
        new.fill_around();
        Ok(new)
    }

    /// Takes the next row; further ones than the source has are left alone.
    ///
    /// # Errors
    /// [`PictureError::RowLength`] for a row of another length than [`Source::row_len`].
    pub fn push(&mut self, row: &[u8]) -> Result<(), PictureError> {
        let (expected, found) = (self.source.row_len(), row.len());
        if found != expected {
            return Err(PictureError::RowLength { expected, found });
        }
        let counts = self.next.checked_sub(self.rows.from).filter(|&row| row < self.rows.source);
        self.next = self.next.saturating_add(1);
        if let Some(index) = counts {
            match self.sizing.channels {
                1 => self.take::<1>(index, row),
                _ => self.take::<3>(index, row),
            }
        }
        Ok(())
    }

    /// Whether the input is whole.
    pub fn is_whole(&self) -> bool {
        self.row == self.rows.target
    }

    fn take<const C: usize>(&mut self, index: usize, row: &[u8]) {
        if self.rows.shrinks() { self.average::<C>(index, row) } else { self.interpolate::<C>(index, row) }
    }

    /// Adds a row to the sums of the place that it lies in, and of the next one if it lies in both.
    fn average<const C: usize>(&mut self, index: usize, row: &[u8]) {
        let weight = area::share(&self.rows, self.row, index);
        let rest = self.rows.target as u32 - weight;
        let ends = area::ends(&self.rows, self.row, index);
        let all = self.rows.source as u32 * ONE;
        let mut out = Out::new(self.sizing, self.tables, &self.rows, &self.columns, self.row, self.bytes);
        let mut states = self.state.as_chunks_mut::<C>().0.iter_mut();
        line::each::<C>(&self.columns, self.source.format, row, |values| {
            let Some(states) = states.next() else { return };
            for (state, value) in states.iter_mut().zip(values) {
                // At most 255 * 256 times the number of rows, 65,535.
                let sum = u32::from_le_bytes(*state) + weight * value;
                let kept = if ends {
                    out.put(((sum + all / 2) / divisor_u32(all)) as u8);
                    rest * value
                } else {
                    sum
                };
                *state = kept.to_le_bytes();
            }
        });
        self.row += usize::from(ends);
    }

    /// Writes the rows that lie between the last row and this one.
    fn interpolate<const C: usize>(&mut self, index: usize, row: &[u8]) {
        let mut states = self.state.as_chunks_mut::<C>().0.iter_mut();
        line::each::<C>(&self.columns, self.source.format, row, |values| {
            let Some(states) = states.next() else { return };
            for (state, value) in states.iter_mut().zip(values) {
                let [_, _, low, high] = *state;
                let [new_low, new_high] = (value as u16).to_le_bytes();
                *state = [low, high, new_low, new_high];
            }
        });
        while self.row < self.rows.target {
            let Neighbours { pixels: [first, second], weights } = Neighbours::of(&self.rows, self.row);
            if second > index {
                return;
            }
            let mut out = Out::new(self.sizing, self.tables, &self.rows, &self.columns, self.row, self.bytes);
            let all = (weights[0] + weights[1]) * ONE;
            for state in self.state.iter().take(self.columns.target * C) {
                let [a, b, c, d] = *state;
                let rows = [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])].map(u32::from);
                let upper = if first == index { rows[1] } else { rows[0] };
                out.put(((upper * weights[0] + rows[1] * weights[1] + all / 2) / divisor_u32(all)) as u8);
            }
            self.row += 1;
        }
    }

    /// What the picture leaves free.
    fn fill_around(&mut self) {
        if self.rows.target < self.sizing.height.into() || self.columns.target < self.sizing.width.into() {
            let fill = self.sizing.fill;
            match self.tables {
                None => self.bytes.fill(fill),
                Some(tables) => {
                    for (byte, table) in self.bytes.iter_mut().zip(tables.iter().cycle()) {
                        *byte = table[usize::from(fill)] as u8;
                    }
                }
            }
        }
    }
}

/// A row of the input, as it is written.
struct Out<'a> {
    bytes: core::slice::IterMut<'a, u8>,
    tables: Option<&'a [[i8; 256]]>,
    channel: usize,
}

impl<'a> Out<'a> {
    fn new(
        sizing: Sizing,
        tables: Option<&'a [[i8; 256]]>,
        rows: &Axis,
        columns: &Axis,
        row: usize,
        bytes: &'a mut [u8],
    ) -> Self {
        let channels = usize::from(sizing.channels);
        let begin = ((rows.to + row) * usize::from(sizing.width) + columns.to) * channels;
        let bytes = bytes.get_mut(begin..begin + columns.target * channels).unwrap_or_default();
        Self { bytes: bytes.iter_mut(), tables, channel: 0 }
    }

    fn put(&mut self, value: u8) {
        let Some(byte) = self.bytes.next() else { return };
        *byte = match self.tables {
            None => value,
            Some(tables) => {
                let table = tables.get(self.channel).or(tables.first());
                self.channel = if self.channel + 1 < tables.len() { self.channel + 1 } else { 0 };
                table.map_or(value, |table| table[usize::from(value)] as u8)
            }
        };
    }
}
