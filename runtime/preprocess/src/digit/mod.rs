//! From a grey picture to the input tensor, in integers. Training, calibration and the device share this code.
//!
//! Nothing here allocates, uses a float or can panic. The cost is a few passes over the pixels, whatever the size.
//!
//! 1. A thumbnail of at most 64x64 cells, each a box average (`thumbnail`).
//! 2. The background: uneven light is a quadratic surface (`trend`), its level the most frequent one, and ink lies on
//!    the side which differs more, dark on light or light on dark (`background`). Where the border of the picture tells
//!    that the most frequent level is that of bold ink, ink and paper are exchanged.
//! 3. Connected pieces of ink. The heaviest one and its neighbours are the digit; specks, frames and shadows at the
//!    border are not (`pieces`).
//! 4. If the digit is small in the thumbnail, the same again for the part of the picture around it; if it is a sheet
//!    of paper, for the part within.
//! 5. The digit's pixels are averaged (or interpolated) from the full picture, so that its longer side takes
//!    [`Framing::digit`] pixels, and its centre of mass is moved to the centre (`resample`, `draw`).
//! 6. The contrast is stretched to 0..=255.

mod background;
mod bounds;
mod cells;
mod draw;
mod histogram;
mod pieces;
mod region;
mod resample;
mod table;
mod thumbnail;
mod trend;

#[cfg(test)]
mod tests;

use crate::picture::{Picture, PictureError};
use background::Background;
use cells::{Cells, SIDE};
use draw::Found;
use edge8::{Aligned, Framing};
use histogram::Histogram;
use pieces::Digit;
use region::Region;

/// At most this often is the digit looked for more closely; each time it grows by a factor of up to 64.
const PASSES: usize = 4;

/// A digit of fewer pixels cannot be read.
const MIN_DIGIT: usize = 5;

/// Of the pixels with at least half of the strongest ink, this part (in percent) is not brighter than white.
const WHITE_PERCENTILE: u32 = 90;

/// Memory that [`frame`] works in for a picture of any size, about 10 KB: [`Workspace::bytes`].
pub type Workspace = Aligned<[u8; workspace_len(SIDE, SIDE)]>;

/// Bytes that [`frame`] works in for pictures up to that size; what they hold before and after means nothing, so that they
/// may be those of an arena.
pub const fn workspace_len(width: usize, height: usize) -> usize {
    2 * most_cells(width, height) + COUNTS
}

/// Cells of the largest thumbnail of a picture, and of any part of it.
const fn most_cells(width: usize, height: usize) -> usize {
    let width = if width < SIDE { width } else { SIDE };
    let height = if height < SIDE { height } else { SIDE };
    width * height
}

/// Bytes of a histogram or of a table of pieces.
const COUNTS: usize = if histogram::BYTES > table::BYTES { histogram::BYTES } else { table::BYTES };

/// The parts of a workspace.
struct Memory<'a> {
    /// A histogram or a table of pieces: nothing is counted while pieces are known.
    counts: &'a mut [u8],
    thumbnail: &'a mut [u8],
    labels: &'a mut [u8],
}

impl<'a> Memory<'a> {
    /// # Errors
    /// [`PictureError::WorkspaceLength`] if the picture needs more.
    fn new(workspace: &'a mut [u8], picture: &Picture<'_>) -> Result<Self, PictureError> {
        let expected = workspace_len(picture.width(), picture.height());
        let too_short = PictureError::WorkspaceLength { expected, found: workspace.len() };
        let (counts, rest) = workspace.split_at_mut_checked(COUNTS).ok_or(too_short)?;
        let cells = most_cells(picture.width(), picture.height());
        let (thumbnail, rest) = rest.split_at_mut_checked(cells).ok_or(too_short)?;
        let (labels, _) = rest.split_at_mut_checked(cells).ok_or(too_short)?;
        Ok(Self { counts, thumbnail, labels })
    }
}

/// Finds the digit in `picture` and lays it, light on dark, into `framed` (`side * side` bytes, row-major).
///
/// # Errors
/// [`PictureError::Blank`] without ink, [`PictureError::OutputLength`] for a wrong buffer,
/// [`PictureError::WorkspaceLength`] for a workspace with less than the picture's [`workspace_len`], [`PictureError::Coloured`] if
/// the picture is not grey.
pub fn frame(
    picture: &Picture<'_>,
    framing: Framing,
    workspace: &mut [u8],
    framed: &mut [u8],
) -> Result<(), PictureError> {
    let expected = usize::from(framing.side) * usize::from(framing.side);
    if framed.len() != expected {
        return Err(PictureError::OutputLength { expected, found: framed.len() });
    }
    if picture.channels() != 1 {
        return Err(PictureError::Coloured);
    }
    let mut memory = Memory::new(workspace, picture)?;
    let found = find(picture, &mut memory);
    let found = found.as_ref().map_err(|error| *error)?;
    framed.fill(0);
    found.draw(framing, memory.labels, framed);
    stretch(framed, found.background.floor(), &mut Histogram::new(memory.counts))
}

/// As [`frame`], into the values of the input, as bytes.
///
/// # Errors
/// As [`frame`].
pub fn apply(
    recipe: &edge8::Digit<'_>,
    picture: &Picture<'_>,
    workspace: &mut [u8],
    bytes: &mut [u8],
) -> Result<(), PictureError> {
    frame(picture, recipe.framing(), workspace, bytes)?;
    for grey in bytes {
        *grey = recipe.table()[usize::from(*grey)] as u8;
    }
    Ok(())
}

/// Finds the digit; on a sheet of paper in front of something else it is what is written there, if anything is.
fn find<'a>(picture: &'a Picture<'a>, memory: &mut Memory<'_>) -> Result<Found<'a>, PictureError> {
    let whole = Region::whole(picture);
    let mut found = approach(picture, whole, memory);
    if let Some(within) = found.as_ref().ok().and_then(Found::within_sheet) {
        found = approach(picture, within, memory);
        if found.is_err() {
            found = approach(picture, whole, memory);
        }
    }
    found
}

/// Looks for the digit closer and closer, until its thumbnail is as fine as an input needs it.
fn approach<'a>(
    picture: &'a Picture<'a>,
    region: Region,
    memory: &mut Memory<'_>,
) -> Result<Found<'a>, PictureError> {
    let mut region = region;
    let mut passes = PASSES;
    loop {
        let found = look(picture, region, memory)?;
        passes -= 1;
        if passes == 0 || region.longer() <= SIDE || found.digit.bounds.longer() >= SIDE / 2 {
            return Ok(found);
        }
        // Two cells more, since ink at the edge of a coarse cell may have been too faint to count.
        let margin = found.bounds().longer() / 4 + 2 * (region.longer() / SIDE + 1);
        region = found.bounds().grown(margin, picture);
    }
}

/// Looks for the digit in a region.
fn look<'a>(
    picture: &'a Picture<'a>,
    region: Region,
    memory: &mut Memory<'_>,
) -> Result<Found<'a>, PictureError> {
    let thumbnail = thumbnail::fill(memory.thumbnail, picture, region);
    let cells = (thumbnail.width(), thumbnail.height());
    let mut histogram = Histogram::new(memory.counts);
    let mut background = Background::estimate(&thumbnail, &mut histogram);
    let other_level = background.other_level(&thumbnail, &mut histogram);
    let mut digit = digit_on(&background, cells, memory);
    if let Some(level) = other_level
        && !digit.is_some_and(|digit| digit.is_written(cells))
    {
        let thumbnail = thumbnail::fill(memory.thumbnail, picture, region);
        background = background.exchanged(level, &thumbnail, &mut Histogram::new(memory.counts));
        digit = digit_on(&background, cells, memory);
    }
    let found = Found { picture, region, background, digit: digit.ok_or(PictureError::Blank)?, cells };
    if found.bounds().longer() < MIN_DIGIT { Err(PictureError::Blank) } else { Ok(found) }
}

/// Looks for the digit in the thumbnail, of which ink is left afterwards. Not inlined: a device's flash has room for one copy.
#[inline(never)]
fn digit_on(
    background: &Background,
    (width, height): (usize, usize),
    memory: &mut Memory<'_>,
) -> Option<Digit> {
    if !background.has_ink() {
        return None;
    }
    let mut thumbnail = Cells::new(memory.thumbnail, width, height);
    background.keep_ink(&mut thumbnail);
    pieces::find_digit(&thumbnail, background.threshold(), memory.labels, memory.counts)
}

/// Makes `floor` black and the ink of the strokes white.
fn stretch(framed: &mut [u8], floor: i32, histogram: &mut Histogram<'_>) -> Result<(), PictureError> {
    let strongest = i32::from(framed.iter().copied().max().unwrap_or(0));
    let values = framed.iter().map(|byte| i32::from(*byte));
    // A large input has more pixels than a histogram counts: every so many are enough.
    let stride = framed.len() / usize::from(u16::MAX) + 1;
    let white =
        histogram.collect(values.step_by(stride)).quantile(strongest / 2, strongest, WHITE_PERCENTILE, 100);
    let range = white - floor;
    if range <= 0 {
        return Err(PictureError::Blank);
    }
    for byte in framed {
        let ink = (i32::from(*byte) - floor).max(0);
        let level = (ink * 255 + range / 2).checked_div(range).unwrap_or(0);
        *byte = level.min(255) as u8;
    }
    Ok(())
}
