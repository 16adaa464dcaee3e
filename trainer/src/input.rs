//! From the bytes of a prepared picture to what the network reads.

use edge8::Preparation;

/// What the network reads of a byte, or of a value between bytes: as [`mobilenet::Preprocessing::new`] says.
pub(crate) fn real(preparation: &Preparation, byte: f32) -> f32 {
    match preparation {
        Preparation::Digit(_) => byte / 255.0,
        Preparation::Picture(_) => byte / 127.5 - 1.0,
    }
}
