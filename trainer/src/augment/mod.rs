//! Augmentation: what a picture might also have looked like.
//!
//! A digit, which has been framed, is turned, sheared and shifted a little. A picture is also cut, for it may have been taken
//! from further away or nearer; its light and colours change, and a part of it may be hidden. Nothing is mirrored: letters and
//! much else have a side.

mod affine;
mod erase;
mod light;

use affine::{Affine, Limits, Outside};
use edge8::Preparation;
use rand_chacha::ChaCha8Rng;

const DIGITS: Limits = Limits { rotation: 12.0, zoom: 0.12, shear: 0.15, shift: 1.5 / 28.0 };
const PICTURES: Limits = Limits { rotation: 10.0, zoom: 0.15, shear: 0.1, shift: 0.08 };
/// Where classes follow one another, what moved a little may be the next one.
const ORDERED: Limits = Limits { rotation: 4.0, zoom: 0.06, shear: 0.04, shift: 0.03 };

/// A variant of a picture of this shape (rows, columns, channels), from 0 to 255; `ordered` if classes follow one another.
pub(crate) fn augment(
    preparation: &Preparation,
    ordered: bool,
    shape: [usize; 3],
    rng: &mut ChaCha8Rng,
    source: &[u8],
    target: &mut [f32],
) {
    match preparation {
        Preparation::Digit(_) => {
            Affine::random(rng, DIGITS, shape).apply(shape, Outside::Black, source, target);
        }
        Preparation::Picture(_) => {
            let limits = if ordered { ORDERED } else { PICTURES };
            Affine::random(rng, limits, shape).apply(shape, Outside::Edge, source, target);
            light::change(rng, shape[2], target);
            erase::hide(rng, shape, target);
        }
    }
}
