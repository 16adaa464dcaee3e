//! What is known of each piece, in bytes: first how much ink it has, then where it is.

use super::bounds::Bounds;
use super::cells::Cells;

/// Labels are bytes; 0 is no ink.
const LABELS: usize = 256;

/// Bytes of what is known of one piece.
const RECORD: usize = 8;

/// Bytes of a table.
pub(super) const BYTES: usize = LABELS * (1 + RECORD);

/// How much ink a piece has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    pub mass: u32,
    pub area: u16,
    /// Cells in the outermost rows and columns, of which there are at most 252.
    pub on_border: u8,
    pub in_corner: bool,
}

impl Amount {
    /// Ink, less for a piece at the border of `ink`, none for one as long as a side: a frame, a table, a shadow. They have a
    /// corner of the picture; a round digit that has been cut out tightly has none.
    pub fn weight(&self, ink: &Cells<'_>) -> u32 {
        if self.on_border == 0 {
            return self.mass;
        }
        if self.in_corner && usize::from(self.on_border) >= ink.width().min(ink.height()) {
            return 0;
        }
        let inside = u32::from(self.area.saturating_sub(4 * u16::from(self.on_border)));
        (self.mass / 2 * inside).checked_div(self.area.into()).unwrap_or(0)
    }
}

/// Where a piece is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub bounds: Bounds,
    /// Too little ink for a part of the digit.
    pub speck: bool,
    pub kept: bool,
}

/// A parent and a record for each label. Amounts and places are the same bytes: once a piece's place is set, its amount is
/// lost.
#[derive(Debug)]
pub(super) struct Table<'a> {
    parents: &'a mut [u8],
    records: &'a mut [[u8; RECORD]],
}

impl<'a> Table<'a> {
    /// A table in `memory`, [`BYTES`] or more.
    pub fn new(memory: &'a mut [u8]) -> Self {
        let (parents, records) = memory.split_at_mut_checked(LABELS).unwrap_or_default();
        Self { parents, records: records.as_chunks_mut().0 }
    }

    /// No parents, no ink.
    pub fn clear(&mut self) {
        self.parents.fill(0);
        self.records.fill([0; RECORD]);
    }

    /// A smaller label of the same piece, or the own one.
    pub fn parent(&self, label: u8) -> u8 {
        self.parents.get(usize::from(label)).copied().unwrap_or(0)
    }

    pub fn set_parent(&mut self, label: u8, parent: u8) {
        if let Some(place) = self.parents.get_mut(usize::from(label)) {
            *place = parent;
        }
    }

    pub fn amount(&self, label: u8) -> Amount {
        let [a, b, c, d, e, f, g, h] = self.record(label);
        Amount {
            mass: u32::from_le_bytes([a, b, c, d]),
            area: u16::from_le_bytes([e, f]),
            on_border: g,
            in_corner: h != 0,
        }
    }

    pub fn set_amount(&mut self, label: u8, amount: Amount) {
        let [a, b, c, d] = amount.mass.to_le_bytes();
        let [e, f] = amount.area.to_le_bytes();
        self.set_record(label, [a, b, c, d, e, f, amount.on_border, amount.in_corner.into()]);
    }

    pub fn place(&self, label: u8) -> Place {
        let [x0, y0, x1, y1, speck, kept, ..] = self.record(label);
        Place { bounds: Bounds { x0, y0, x1, y1 }, speck: speck != 0, kept: kept != 0 }
    }

    pub fn set_place(&mut self, label: u8, place: Place) {
        let Place { bounds: Bounds { x0, y0, x1, y1 }, speck, kept } = place;
        self.set_record(label, [x0, y0, x1, y1, speck.into(), kept.into(), 0, 0]);
    }

    fn record(&self, label: u8) -> [u8; RECORD] {
        self.records.get(usize::from(label)).copied().unwrap_or_default()
    }

    fn set_record(&mut self, label: u8, record: [u8; RECORD]) {
        if let Some(place) = self.records.get_mut(usize::from(label)) {
            *place = record;
        }
    }
}
