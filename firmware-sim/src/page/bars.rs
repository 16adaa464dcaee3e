//! The probabilities: a name and a bar for each class, of many classes for the likeliest ones.

use crate::name::LABELS;
use crate::reader::{Reader, Verdict};
use crate::text;
use crate::theme::Theme;
use embedded_graphics::mono_font::MonoFont;
use embedded_graphics::prelude::{DrawTarget, Point, Size};
use embedded_graphics::primitives::Rectangle;

/// So many classes have a row each; of more, at most so many rows are the likeliest ones.
const MOST: usize = 10;

/// The lowest row of a name, and of one of the likeliest ones.
const LOWEST: u32 = 6;
const LOWEST_OF_MANY: u32 = 7;

/// From this height on a row has room for a bar below the name.
const TWO_LINES: u32 = 14;

/// Draws the rows.
pub fn draw<D>(
    reader: &Reader<'_>,
    answer: Verdict,
    place: Rectangle,
    display: &mut D,
) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    let (classes, longest) = (reader.classes(), reader.longest_name());
    // Rows of single characters may touch each other.
    let rows = if longest > 1 { MOST.min((place.size.height / LOWEST) as usize) } else { MOST };
    let each = classes <= rows;
    let count = if each { classes } else { MOST.min((place.size.height / LOWEST_OF_MANY) as usize) };
    let row = Row::new(place.size, count as u32, longest as u32);
    let mut top = place.top_left;
    let mut draw = |(class, probability): (usize, u8)| {
        if !each {
            // Another class's name stood here.
            display.fill_solid(&Rectangle::new(top, row.name), D::Color::GROUND)?;
        }
        let chosen = answer == Verdict::Class(class as u16);
        row.draw(reader.name(class).as_str(), probability, chosen, top, display)?;
        top.y += row.height as i32;
        Ok(())
    };
    if each {
        reader.probabilities().enumerate().try_for_each(&mut draw)
    } else {
        reader.likeliest().take(count).try_for_each(&mut draw)
    }
}

/// Where the parts of each row are, from its top left corner.
struct Row {
    height: u32,
    font: &'static MonoFont<'static>,
    /// What the name may take, and how far down in it that begins.
    name: Size,
    lower: u32,
    /// The bar of a probability of 1.
    bar: Rectangle,
}

impl Row {
    /// Rows of a place; the bars stand beside the names if the `longest`, in characters, leaves them room, else below, or beside
    /// what fits of the names.
    fn new(place: Size, count: u32, longest: u32) -> Self {
        let height = place.height.checked_div(count).unwrap_or(0);
        let room = place.width * 3 / 5;
        let takes = |font: &MonoFont<'_>| longest.saturating_mul(font.character_size.width);
        let font_for = |height: u32, width: u32| {
            let font = text::font(height);
            if takes(font) <= width { font } else { text::font(0) }
        };
        if LABELS && takes(text::font(height)) > room && height >= TWO_LINES {
            return Self::below(Size::new(place.width, height), font_for(height / 2, place.width));
        }
        let font = font_for(height, room);
        let label = font.character_size;
        let whole = room.checked_div(label.width).unwrap_or(0) * label.width;
        let name = Size::new(takes(font).min(whole), height);
        let left = name.width + 2;
        let thick = height.saturating_sub(2).min(2 * label.height);
        let corner = Point::new(left as i32, ((height - thick) / 2) as i32);
        let bar = Rectangle::new(corner, Size::new(place.width.saturating_sub(left), thick));
        Self { height, font, name, lower: height.saturating_sub(label.height) / 2, bar }
    }

    /// The bar below the name.
    fn below(row: Size, font: &'static MonoFont<'static>) -> Self {
        let name = Size::new(row.width, font.character_size.height + 1);
        let thick = row.height.saturating_sub(name.height + 2).min(2 * name.height);
        let bar = Rectangle::new(Point::new(0, name.height as i32), Size::new(row.width, thick));
        Self { height: row.height, font, name, lower: 0, bar }
    }

    fn draw<D>(
        &self,
        name: &str,
        probability: u8,
        chosen: bool,
        top: Point,
        display: &mut D,
    ) -> Result<(), D::Error>
    where
        D: DrawTarget<Color: Theme>,
    {
        let most = self.name.width.checked_div(self.font.character_size.width).unwrap_or(0);
        let color = if chosen { D::Color::CHOSEN } else { D::Color::TEXT };
        let at = top + Point::new(0, self.lower as i32);
        text::write(text::cut(name, most), at, self.font, color, display)?;
        let Rectangle { top_left, size } = self.bar;
        let long = (u32::from(probability) * size.width).div_ceil(256);
        let part = |from: u32, len: u32| {
            Rectangle::new(top + top_left + Point::new(from as i32, 0), Size::new(len, size.height))
        };
        let color = if chosen { D::Color::CHOSEN } else { D::Color::QUIET };
        display.fill_solid(&part(0, long), color)?;
        display.fill_solid(&part(long, size.width - long), D::Color::GROUND)
    }
}
