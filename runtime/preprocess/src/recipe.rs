//! A recipe, carried out.

use crate::picture::{Picture, PictureError};
use crate::{digit, scale};
use edge8::{Preparation, Recipe};

/// Turns a picture into the input tensor, [`Recipe::input_shape`] values, channels last.
///
/// `workspace` is what [`workspace_len`] says; what it holds before and after means nothing.
///
/// # Errors
/// As [`prepare`]; [`PictureError::Recipe`] for a kind of recipe that this library does not know.
pub fn apply(
    recipe: &Recipe<'_>,
    picture: &Picture<'_>,
    workspace: &mut [u8],
    input: &mut [i8],
) -> Result<(), PictureError> {
    let bytes = edge8::bytes_of_mut(input);
    match recipe {
        Recipe::Digit(recipe) => digit::apply(recipe, picture, workspace, bytes),
        Recipe::Picture(recipe) => {
            scale::picture(recipe.sizing(), Some(recipe.tables()), picture, workspace, bytes)
        }
        _ => Err(PictureError::Recipe),
    }
}

/// The bytes that a recipe's tables turn into the input: what a network is trained on.
///
/// # Errors
/// As [`digit::frame`] and [`scale::Rows`].
pub fn prepare(
    preparation: &Preparation,
    picture: &Picture<'_>,
    workspace: &mut [u8],
    bytes: &mut [u8],
) -> Result<(), PictureError> {
    match preparation {
        Preparation::Digit(framing) => digit::frame(picture, *framing, workspace, bytes),
        Preparation::Picture(sizing) => scale::picture(*sizing, None, picture, workspace, bytes),
    }
}

/// Bytes that [`apply`] and [`prepare`] work in for pictures up to that size.
pub const fn workspace_len(preparation: &Preparation, width: usize, height: usize) -> usize {
    match preparation {
        Preparation::Digit(_) => digit::workspace_len(width, height),
        Preparation::Picture(sizing) => scale::workspace_len(sizing),
    }
}
