//! The worst mistakes, as the network saw them.

use anyhow::Result;

use crate::evaluate::{Evaluation, Mistake};
use files::Dataset;
use plot::{Alignment, Canvas, INK, Size};

/// Pictures beside each other.
const COLUMNS: usize = 10;
/// Pictures below each other, at most.
const ROWS: usize = 6;
/// Width of a picture with its margin, in pixels.
const TILE: u32 = 132;
/// Pixels that a picture takes, at most, in each direction.
const PICTURE: usize = 112;
/// Characters of a name that fit below a picture.
const NAME: usize = 20;

/// The mistakes of which the network was surest, as a PNG file: each picture as the network saw it, below it the right class,
/// the answer, and how probable the network held it. An even sheet if there are none.
///
/// # Errors
/// Only if the PNG cannot be encoded.
pub fn mistakes_png(evaluation: &Evaluation, data: &Dataset) -> Result<Vec<u8>> {
    let worst = evaluation.worst(ROWS * COLUMNS);
    let rows = worst.len().div_ceil(COLUMNS).max(1) as u32;
    let wrong = evaluation.images - evaluation.correct;
    let height = PICTURE as u32 + 60;
    let mut canvas = Canvas::new(TILE * COLUMNS as u32, 40 + rows * height);
    let title = format!("{wrong} mistakes of {}; the surest come first", evaluation.images);
    canvas.text(&title, 10, 20, Size::Title, Alignment::Left, INK);
    for (place, &&Mistake { index, label, answer, probability }) in worst.iter().enumerate() {
        let left = (TILE * (place % COLUMNS) as u32) as i32;
        let top = (40 + height * (place / COLUMNS) as u32) as i32;
        canvas.picture(left + 10, top, PICTURE, data.shape(), data.image(index));
        let name = |class: usize| data.classes[class].chars().take(NAME).collect::<String>();
        let lines = [name(label), format!("as {}", name(answer)), format!("{:.0} %", 100.0 * probability)];
        for (line, text) in lines.iter().enumerate() {
            let y = top + PICTURE as i32 + 8 + 14 * line as i32;
            canvas.text(text, left + 10, y, Size::Small, Alignment::Left, INK);
        }
    }
    canvas.png()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge8::{Preparation, Sizing};

    #[test]
    fn the_surest_mistake_is_the_first_picture() {
        let [red, blue] = [[200, 10, 10], [10, 10, 200]];
        let data = Dataset {
            preparation: Preparation::Picture(Sizing::stretch([8, 16], 3)),
            images: [red, blue].iter().flat_map(|pixel| pixel.repeat(8 * 16)).collect(),
            labels: vec![0, 1],
            groups: vec![0, 1],
            classes: vec!["a".into(), "b".into()],
            sha256: String::new(),
        };
        let mistake =
            |index: usize, probability| Mistake { index, label: index, answer: 1 - index, probability };
        let evaluation = Evaluation {
            images: 2,
            correct: 0,
            loss: 3.0,
            confusion: vec![vec![0, 1], vec![1, 0]],
            mistakes: vec![mistake(0, 0.6), mistake(1, 0.9)],
            confidence: vec![0.2, 0.8],
        };
        let png = mistakes_png(&evaluation, &data).unwrap();
        let sheet = image::load_from_memory(&png).unwrap().into_rgb8();
        assert_eq!((sheet.width(), sheet.height()), (TILE * COLUMNS as u32, 40 + PICTURE as u32 + 60));
        assert_eq!(sheet.get_pixel(12, 42).0, blue);
        assert_eq!(sheet.get_pixel(TILE + 12, 42).0, red);
    }
}
