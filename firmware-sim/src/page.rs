//! What the display shows.

mod bars;
mod seen;

use crate::canvas::{Area, Canvas};
use crate::layout::Layout;
use crate::reader::{Reader, Verdict};
use crate::text::{self, Line};
use crate::theme::Theme;
use core::iter::repeat_n;
use edge8::Shape;
use embedded_graphics::prelude::{DrawTarget, Drawable, Point, Primitive, Size};
use embedded_graphics::primitives::{Line as Stroke, PrimitiveStyle, Rectangle};

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The sheet, and what it is read as.
    Draw,
    /// What the network saw, and what that cost.
    Seen,
}

impl Page {
    pub const fn next(self) -> Self {
        match self {
            Self::Draw => Self::Seen,
            Self::Seen => Self::Draw,
        }
    }
}

/// What there is to show. The page and the verdict, of a byte or two, stand beside it: in it they would take a word.
#[derive(Debug)]
pub struct Shown<'a> {
    pub reader: Reader<'a>,
    pub layout: Layout,
    pub canvas: &'a mut Canvas,
    /// Microseconds of the latest reading, pre-processing included.
    pub micros: u32,
}

/// Draws all; `LEN` is the app's memory in bytes.
pub fn whole<D, const LEN: usize>(
    shown: &Shown<'_>,
    page: Page,
    answer: Verdict,
    display: &mut D,
) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    let layout = &shown.layout;
    display.fill_solid(&layout.screen, D::Color::GROUND)?;
    frame(around(layout.sheet), display)?;
    button("CLR", layout.clear, display)?;
    button(if page == Page::Draw { "NET" } else { "INK" }, layout.page, display)?;
    ink(shown, page, Area::ALL, display)?;
    reading::<D, LEN>(shown, page, answer, display)
}

/// Draws a part of the sheet; on the other page nothing, for what the network saw comes with the reading.
pub fn ink<D>(shown: &Shown<'_>, page: Page, area: Area, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    if page != Page::Draw {
        return Ok(());
    }
    let (scale, corner) = (shown.layout.scale as usize, shown.layout.sheet.top_left);
    let [columns, rows] = [area.columns, area.rows].map(|(first, end)| first..end);
    let at = Point::new((columns.start * scale) as i32, (rows.start * scale) as i32);
    let size = Size::new((columns.len() * scale) as u32, (rows.len() * scale) as u32);
    let colors = rows.flat_map(|y| repeat_n(y, scale)).flat_map(|y| {
        let row = shown.canvas.row(y).get(columns.clone()).unwrap_or(&[]);
        row.iter().flat_map(|&level| repeat_n(D::Color::ink(level), scale))
    });
    display.fill_contiguous(&Rectangle::new(corner + at, size), colors)
}

/// Draws what the sheet is read as; `LEN` is the app's memory in bytes.
pub fn reading<D, const LEN: usize>(
    shown: &Shown<'_>,
    page: Page,
    answer: Verdict,
    display: &mut D,
) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    verdict(&shown.reader, answer, shown.layout.digit, display)?;
    match page {
        Page::Draw => bars::draw(&shown.reader, answer, shown.layout.bars, display),
        Page::Seen => {
            seen::draw(&shown.reader, shown.layout.sheet, display)?;
            costs::<D, LEN>(shown, display)
        }
    }
}

/// The class, or a cross where there is none, or what to do.
fn verdict<D>(
    reader: &Reader<'_>,
    verdict: Verdict,
    place: Rectangle,
    display: &mut D,
) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    display.fill_solid(&place, D::Color::GROUND)?;
    match verdict {
        Verdict::Blank => text::centred("draw", place, D::Color::TEXT, display),
        Verdict::Class(class) => {
            text::name(reader.name(class.into()).as_str(), place, D::Color::CHOSEN, display)
        }
        Verdict::Reject => cross(place, display),
    }
}

fn cross<D>(place: Rectangle, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    let side = place.size.width.min(place.size.height) * 2 / 3;
    let square = Rectangle::with_center(place.center(), Size::new_equal(side));
    let style = PrimitiveStyle::with_stroke(D::Color::REJECT, (side / 8).max(2));
    let far = side as i32 - 1;
    for (from, to) in [((0, 0), (far, far)), ((far, 0), (0, far))] {
        let at = |(x, y): (i32, i32)| square.top_left + Point::new(x, y);
        Stroke::new(at(from), at(to)).into_styled(style).draw(display)?;
    }
    Ok(())
}

/// What the latest reading took.
fn costs<D, const LEN: usize>(shown: &Shown<'_>, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    let place = shown.layout.bars;
    display.fill_solid(&place, D::Color::GROUND)?;
    let Shape { height, width, channels } = shown.reader.shape();
    let mut input = Line::new().number(height.into()).text("x").number(width.into());
    if channels > 1 {
        input = input.text("x").number(channels.into());
    }
    let micros = shown.micros as usize;
    let lines = [
        ("input", input),
        ("time", Line::new().number(micros / 1000).text(".").number(micros % 1000 / 100).text(" ms")),
        ("arena", Line::new().number(shown.reader.model().arena_len()).text(" B")),
        ("app", Line::new().number(LEN).text(" B")),
    ];
    let height = place.size.height / (2 * lines.len() as u32);
    let wide = place.size.width >= 6 * 9;
    let font = text::font(if wide { height } else { 6 });
    for (index, (name, value)) in lines.iter().enumerate() {
        let top = place.top_left + Point::new(0, (2 * index as u32 * height) as i32);
        text::write(name, top, font, D::Color::TEXT, display)?;
        let below = Point::new(0, height as i32);
        text::write(value.as_str(), top + below, font, D::Color::CHOSEN, display)?;
    }
    Ok(())
}

fn button<D>(name: &str, place: Rectangle, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    frame(place, display)?;
    text::centred(name, place, D::Color::TEXT, display)
}

fn frame<D>(place: Rectangle, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    place.into_styled(PrimitiveStyle::with_stroke(D::Color::QUIET, 1)).draw(display)
}

/// The rectangle one pixel outside.
fn around(place: Rectangle) -> Rectangle {
    Rectangle::new(place.top_left - Point::new(1, 1), place.size + Size::new(2, 2))
}
