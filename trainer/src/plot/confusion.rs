//! The confusion matrix.

use anyhow::Result;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::Alignment;

use super::canvas::{Canvas, INK, Size};

/// Longest class name that is drawn whole.
const NAME: usize = 14;

/// The confusion matrix as a PNG file: a row for each class, a column for each answer, the number of pictures in each
/// cell. Right answers are green; wrong ones are the redder, the larger their share of the row.
///
/// # Errors
/// Only if the PNG cannot be encoded.
pub fn confusion_png(confusion: &[Vec<usize>], classes: &[String]) -> Result<Vec<u8>> {
    // Numbers fit into the cells of up to 40 classes; beyond that only the colours are shown.
    let cell: u32 = if classes.len() <= 40 { 54 } else { (2000 / classes.len() as u32).max(2) };
    let names: Vec<String> = classes.iter().map(|name| name.chars().take(NAME).collect()).collect();
    let margin = 60 + 9 * names.iter().map(|name| name.chars().count()).max().unwrap_or(1) as u32;
    let side = cell * classes.len() as u32;
    let mut canvas = Canvas::new(margin + side + 20, 80 + side + 20);
    let (left, top) = (margin as i32, 80);
    canvas.text("answer", left + side as i32 / 2, 20, Size::Title, Alignment::Center, INK);
    canvas.text("class", 8, top - 14, Size::Title, Alignment::Left, INK);
    for (row, counts) in confusion.iter().enumerate() {
        let total = counts.iter().sum::<usize>().max(1);
        let y = top + (row as u32 * cell) as i32;
        for (column, &count) in counts.iter().enumerate() {
            let x = left + (column as u32 * cell) as i32;
            let colour = shade(row == column, count as f64 / total as f64);
            canvas.fill(x, y, cell.saturating_sub(2).max(1), cell.saturating_sub(2).max(1), colour);
            if cell == 54 && count > 0 {
                let centre = (x + 26, y + 26);
                canvas.text(&count.to_string(), centre.0, centre.1, Size::Normal, Alignment::Center, INK);
            }
        }
        if cell == 54 {
            canvas.text(&names[row], left - 10, y + 26, Size::Normal, Alignment::Right, INK);
            // Every second name one line higher: long names do not run into each other.
            let x = left + (row as u32 * cell) as i32 + 26;
            let size = if names.iter().all(|name| name.len() <= 5) { Size::Normal } else { Size::Small };
            let lift = if matches!(size, Size::Small) { 14 * (row as i32 % 2) } else { 0 };
            canvas.text(&names[row], x, top - 14 - lift, size, Alignment::Center, INK);
        }
    }
    canvas.png()
}

/// White for none; a share of 2 % of wrong answers is already fully red.
fn shade(right: bool, share: f64) -> Rgb888 {
    let fade = |full: u8, part: f64| (255.0 - (255.0 - f64::from(full)) * part.clamp(0.0, 1.0)) as u8;
    if right {
        Rgb888::new(fade(120, share), fade(200, share), fade(130, share))
    } else {
        let part = if share > 0.0 { 0.15 + share / 0.02 } else { 0.0 };
        Rgb888::new(fade(235, part), fade(110, part), fade(90, part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_a_cell_for_each_pair() {
        let classes = ["a", "b"].map(String::from);
        let png = confusion_png(&[vec![9, 1], vec![0, 10]], &classes).unwrap();
        let picture = image::load_from_memory(&png).unwrap().into_rgb8();
        let corner = |row: u32, column: u32| picture.get_pixel(69 + column * 54 + 2, 80 + row * 54 + 2).0;
        assert_eq!(corner(1, 0), [255; 3], "no mistake is white");
        assert!(corner(0, 1)[0] > corner(0, 1)[1], "a mistake is red");
        assert!(corner(0, 0)[1] > corner(0, 0)[0] && corner(1, 1)[1] > corner(1, 1)[0], "right is green");
    }
}
