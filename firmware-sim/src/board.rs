//! What the app needs of the device beside its display: a person's hand and a clock.

use crate::canvas::Spot;
use embedded_graphics::prelude::Point;

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The pen, finger or pointer touches the display at this pixel: the first time, or after a move.
    Touch(Point),
    /// The same at a place of the sheet, whatever the display: a recorded stroke.
    Pen(Spot),
    /// It is lifted.
    Lift,
    /// A button of the device for what the display's own button does: an empty sheet.
    Clear,
    /// The same for the next page.
    Page,
}

/// A device, or what stands for one.
pub trait Board {
    /// The oldest event that the app has not seen; [`None`] if there is none now.
    fn next_event(&mut self) -> Option<Event>;

    /// Microseconds since some moment. It may wrap around.
    fn micros(&mut self) -> u32;
}
