//! Augmentation: what a picture might also have looked like.
//!
//! A digit, which has been framed, is turned, sheared and shifted a little. A picture is also cut, for it may have been taken
//! from further away or nearer; its light and colours change, and a part of it may be hidden. Nothing is mirrored: letters and
//! much else have a side.

mod affine;
mod erase;
mod focus;
mod light;
mod outliers;

use affine::{Affine, Limits, Outside};
use edge8::Preparation;
use rand_chacha::ChaCha8Rng;

const DIGITS: Limits = Limits { rotation: 12.0, zoom: [0.12; 2], shear: 0.15, shift: [1.5 / 28.0; 2] };
const PICTURES: Limits = Limits { rotation: 10.0, zoom: [0.15; 2], shear: 0.1, shift: [0.08; 2] };
/// Where classes follow one another, what moved down a little may be the next one: the wheels of a counter turn so.
const ORDERED: Limits = Limits { rotation: 6.0, zoom: [0.2, 0.12], shear: 0.08, shift: [0.12, 0.04] };

/// What may change besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Whether the classes follow one another.
    pub(crate) ordered: bool,
    /// Whether only the shape tells the class: pictures get any colours.
    pub(crate) recolour: bool,
}

/// A variant of a picture of this shape (rows, columns, channels), from 0 to 255.
pub(crate) fn augment(
    preparation: Preparation,
    kind: Kind,
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
            let limits = if kind.ordered { ORDERED } else { PICTURES };
            Affine::random(rng, limits, shape).apply(shape, Outside::Edge, source, target);
            focus::change(rng, shape, target);
            let limits = if kind.recolour { light::RECOLOURED } else { light::LIGHT };
            light::change(rng, limits, shape[2], target);
            erase::hide(rng, shape, target);
        }
    }
}

/// An outlier, made of two pictures: what might be taken for one and is of no class.
pub(crate) fn outlier(preparation: Preparation, rng: &mut ChaCha8Rng, two: [&[u8]; 2]) -> Vec<u8> {
    match preparation {
        Preparation::Digit(framing) => outliers::digit(rng, framing, two),
        Preparation::Picture(_) => {
            let shape = preparation.shape();
            outliers::quarters(rng, [shape.height, shape.width, shape.channels].map(usize::from), two[0])
        }
    }
}
