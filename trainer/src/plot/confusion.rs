//! The confusion matrix.

use anyhow::Result;

use plot::{Alignment, Canvas, INK, Rgb888, Size};

/// Longest class name that is drawn whole.
const NAME: usize = 14;

/// Pixels that a name takes beside its row, at least.
const LINE: usize = 12;

/// The confusion matrix as a PNG file: a row for each class, a column for each answer, the number of pictures in each
/// cell. Right answers are green; wrong ones are the redder, the larger their share of the row. Of more than 150 classes only
/// some are named, and their cells have no numbers.
///
/// # Errors
/// Only if the PNG cannot be encoded.
pub fn confusion_png(confusion: &[Vec<usize>], classes: &[String]) -> Result<Vec<u8>> {
    let names: Vec<String> = classes.iter().map(|name| name.chars().take(NAME).collect()).collect();
    let grid = Grid::new(&names);
    let side = grid.cell * classes.len() as u32;
    let mut canvas = Canvas::new(grid.margin + side + 20, grid.margin + 30 + side + 20);
    let (left, top) = (grid.margin as i32, grid.margin as i32 + 30);
    canvas.text("answer", left + side as i32 / 2, 16, Size::Title, Alignment::Center, INK);
    canvas.text("class", 8, top - 14, Size::Title, Alignment::Left, INK);
    for (index, name) in names.iter().enumerate().step_by(LINE.div_ceil(grid.cell as usize)) {
        let middle = grid.cell as i32 * index as i32 + grid.inside() as i32 / 2;
        canvas.text(name, left - 8, top + middle, grid.size, Alignment::Right, INK);
        canvas.upright(name, left + middle, top - 8, grid.size, INK);
    }
    for (row, counts) in confusion.iter().enumerate() {
        let total = counts.iter().sum::<usize>().max(1);
        for (column, &count) in counts.iter().enumerate() {
            let (x, y) = (left + grid.cell as i32 * column as i32, top + grid.cell as i32 * row as i32);
            let colour = shade(row == column, count as f64 / total as f64);
            canvas.fill(x, y, grid.inside(), grid.inside(), colour);
            let number = count.to_string();
            if count > 0 && grid.holds(&number) {
                let half = grid.inside() as i32 / 2;
                canvas.text(&number, x + half, y + half, grid.size, Alignment::Center, INK);
            }
        }
    }
    canvas.png()
}

/// How large what is.
#[derive(Clone, Copy, Debug)]
struct Grid {
    /// Pixels from one class to the next.
    cell: u32,
    /// Pixels for the names.
    margin: u32,
    size: Size,
}

impl Grid {
    fn new(names: &[String]) -> Self {
        let (cell, size) = match names.len() {
            0..=40 => (54, Size::Normal),
            41..=150 => (22, Size::Small),
            many => ((3000 / many as u32).max(2), Size::Small),
        };
        let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(1);
        Self { cell, margin: 60.max(20 + size.width() * longest as u32), size }
    }

    /// The cell without the line beside it.
    fn inside(&self) -> u32 {
        self.cell - if self.cell < 8 { 0 } else { 1 + self.cell / 30 }
    }

    fn holds(&self, number: &str) -> bool {
        self.size.width() * number.len() as u32 <= self.inside() && self.inside() >= LINE as u32
    }
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
        let corner = |row: u32, column: u32| picture.get_pixel(60 + column * 54 + 2, 90 + row * 54 + 2).0;
        assert_eq!(corner(1, 0), [255; 3], "no mistake is white");
        assert!(corner(0, 1)[0] > corner(0, 1)[1], "a mistake is red");
        assert!(corner(0, 0)[1] > corner(0, 0)[0] && corner(1, 1)[1] > corner(1, 1)[0], "right is green");
    }

    #[test]
    fn a_hundred_classes_have_names_and_numbers_and_a_thousand_fit() {
        let sides = [100usize, 1000].map(|count| {
            let classes: Vec<String> = (0..count).map(|class| format!("class {class}")).collect();
            let names: Vec<String> = classes.iter().map(|name| name.chars().take(NAME).collect()).collect();
            assert_eq!(Grid::new(&names).holds("321"), count == 100);
            let png = confusion_png(&vec![vec![1; count]; count], &classes).unwrap();
            image::load_from_memory(&png).unwrap().width()
        });
        assert!(sides[0] < 2400 && sides[1] < 3200, "{sides:?}");
    }
}
