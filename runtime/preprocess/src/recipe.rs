//! A recipe, carried out.

use crate::digit;
use crate::picture::{Picture, PictureError};
use edge8::Recipe;

/// Turns a picture into the input tensor, [`Recipe::input_shape`] values, channels last.
///
/// `workspace` is what [`digit::workspace_len`] says; what it holds before and after means nothing.
///
/// # Errors
/// As [`digit::frame`]; [`PictureError::Recipe`] for a kind of recipe that this library does not know.
pub fn apply(
    recipe: &Recipe<'_>,
    picture: &Picture<'_>,
    workspace: &mut [u8],
    input: &mut [i8],
) -> Result<(), PictureError> {
    let Recipe::Digit(recipe) = recipe else { return Err(PictureError::Recipe) };
    let framed = edge8::bytes_of_mut(input);
    digit::frame(picture, recipe.framing(), workspace, framed)?;
    for grey in framed {
        *grey = recipe.table()[usize::from(*grey)] as u8;
    }
    Ok(())
}
