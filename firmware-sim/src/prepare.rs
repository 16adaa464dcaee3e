//! From the sheet or a picture to the network's input, as the model's recipe says.

use crate::canvas::Canvas;
use crate::reader::Refused;
use edge8::{Model, Recipe};
use edge8_preprocess::{Picture, PictureError, digit};

/// The model's recipe.
///
/// # Errors
/// If there is none, or one that does not fit the model or that the program has no code for.
#[cfg(feature = "pictures")]
pub fn recipe<'a>(model: &Model<'a>) -> Result<Recipe<'a>, Refused> {
    model.recipe().map_err(Refused::Model)
}

/// The same, without code for any other recipe than that for digits.
#[cfg(not(feature = "pictures"))]
pub fn recipe<'a>(model: &Model<'a>) -> Result<Recipe<'a>, Refused> {
    let section = model.section(edge8::section::RECIPE).map_err(Refused::Model)?;
    edge8::Digit::parse(section).map(Recipe::Digit).ok_or(Refused::NoDigits)
}

/// Turns the sheet into the network's input. A recipe for digits finds ink of either kind; for any other the sheet is dark ink on
/// white paper, as people's pictures are.
///
/// # Errors
/// Those of pre-processing; [`PictureError::Blank`] for a sheet without ink.
pub fn sheet(
    recipe: &Recipe<'_>,
    sheet: &Canvas,
    workspace: &mut [u8],
    input: &mut [i8],
) -> Result<(), PictureError> {
    match recipe {
        #[cfg(feature = "pictures")]
        Recipe::Picture(recipe) => inverted(recipe, sheet, workspace, input),
        _ => picture(recipe, &sheet.picture()?, workspace, input),
    }
}

/// Turns a picture into the network's input.
///
/// # Errors
/// Those of pre-processing.
pub fn picture(
    recipe: &Recipe<'_>,
    picture: &Picture<'_>,
    workspace: &mut [u8],
    input: &mut [i8],
) -> Result<(), PictureError> {
    match recipe {
        Recipe::Digit(recipe) => digit::apply(recipe, picture, workspace, edge8::bytes_of_mut(input)),
        #[cfg(feature = "pictures")]
        Recipe::Picture(_) => edge8_preprocess::apply(recipe, picture, workspace, input),
        _ => Err(PictureError::Recipe),
    }
}

/// Scales the sheet, white where it has no ink. No more than a row of it is held twice.
#[cfg(feature = "pictures")]
fn inverted(
    recipe: &edge8::Scaled<'_>,
    sheet: &Canvas,
    workspace: &mut [u8],
    input: &mut [i8],
) -> Result<(), PictureError> {
    use crate::canvas::SIDE;
    use edge8_preprocess::scale::{PixelFormat, Rows, Source};

    if sheet.is_empty() {
        return Err(PictureError::Blank);
    }
    let source = Source { width: SIDE, height: SIDE, format: PixelFormat::Grey };
    let bytes = edge8::bytes_of_mut(input);
    let mut rows = Rows::new(recipe.sizing(), Some(recipe.tables()), source, workspace, bytes)?;
    let mut row = [0; SIDE];
    for y in 0..SIDE {
        for (place, ink) in row.iter_mut().zip(sheet.row(y)) {
            *place = !ink;
        }
        rows.push(&row)?;
    }
    Ok(())
}
