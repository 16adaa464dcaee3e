//! A diagram of two axes.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::Alignment;

use crate::axis::Axis;
use crate::canvas::{Canvas, GRID, INK, Size};

/// How points are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Joined by lines.
    Curve,
    /// Each for itself, with a name beside it.
    Points,
}

/// Points that belong together.
#[derive(Clone, Debug)]
pub struct Series {
    /// Of all together; each point by itself is called so, too.
    pub name: String,
    /// Of all.
    pub colour: Rgb888,
    /// Values on both axes.
    pub points: Vec<[f64; 2]>,
    /// How they are shown.
    pub mark: Mark,
}

/// A diagram.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// Across and up.
    pub axes: [Axis; 2],
    /// What it shows.
    pub series: &'a [Series],
}

/// Where a diagram lies on a canvas, in pixels: the frame, outside of which its numbers stand.
#[derive(Clone, Copy, Debug)]
struct Frame {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
}

impl Chart<'_> {
    /// Draws it with its frame at these pixels; numbers and names take 70 to the left, 30 above and 50 below.
    pub fn draw(&self, canvas: &mut Canvas, [left, top]: [i32; 2], [width, height]: [i32; 2]) {
        let frame = Frame { left, top, width, height };
        self.draw_axes(canvas, frame);
        self.series.iter().for_each(|series| self.draw_series(canvas, frame, series));
    }

    fn draw_axes(&self, canvas: &mut Canvas, frame: Frame) {
        let Frame { left, top, width, height } = frame;
        let [right, bottom] = [left + width, top + height];
        let [across, up] = &self.axes;
        canvas.text(self.title, left + width / 2, top - 20, Size::Title, Alignment::Center, INK);
        for &value in up.ticks() {
            let y = frame.y(up, value);
            canvas.line((left, y), (right, y), 1, GRID);
            canvas.text(&number(value), left - 8, y, Size::Normal, Alignment::Right, INK);
        }
        for &value in across.ticks() {
            let x = frame.x(across, value);
            canvas.line((x, bottom), (x, bottom + 4), 1, INK);
            canvas.text(&number(value), x, bottom + 14, Size::Normal, Alignment::Center, INK);
        }
        for value in up.between() {
            let y = frame.y(up, value);
            canvas.line((left, y), (left + 5, y), 1, INK);
        }
        for value in across.between() {
            let x = frame.x(across, value);
            canvas.line((x, bottom), (x, bottom - 5), 1, INK);
        }
        canvas.line((left, top), (left, bottom), 1, INK);
        canvas.line((left, bottom), (right, bottom), 1, INK);
        canvas.text(&across.name, right, bottom + 32, Size::Normal, Alignment::Right, INK);
        canvas.text(&up.name, left - 60, top - 20, Size::Normal, Alignment::Left, INK);
    }

    fn draw_series(&self, canvas: &mut Canvas, frame: Frame, series: &Series) {
        let [across, up] = &self.axes;
        let points = series.points.iter().map(|&[x, y]| (frame.x(across, x), frame.y(up, y)));
        let points: Vec<(i32, i32)> = points.collect();
        let side = if series.mark == Mark::Curve { 5 } else { 9 };
        for &(x, y) in &points {
            canvas.fill(x - side / 2, y - side / 2, side as u32, side as u32, series.colour);
        }
        match series.mark {
            Mark::Curve => {
                for pair in points.windows(2) {
                    canvas.line(pair[0], pair[1], 2, series.colour);
                }
            }
            Mark::Points => {
                for (x, y) in points {
                    // Beside the point, on the side where there is room.
                    let (x, alignment) = if x > frame.left + frame.width / 2 {
                        (x - 10, Alignment::Right)
                    } else {
                        (x + 10, Alignment::Left)
                    };
                    canvas.text(&series.name, x, y - 10, Size::Small, alignment, series.colour);
                }
            }
        }
    }
}

impl Frame {
    fn x(&self, axis: &Axis, value: f64) -> i32 {
        self.left + (axis.place(value) * f64::from(self.width)).round() as i32
    }

    fn y(&self, axis: &Axis, value: f64) -> i32 {
        self.top + self.height - (axis.place(value) * f64::from(self.height)).round() as i32
    }
}

/// A number as it is read best.
fn number(value: f64) -> String {
    let (value, unit) = match value {
        1e6.. => (value / 1e6, "M"),
        1e4.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = format!("{value:.6}");
    format!("{}{unit}", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Scale;

    #[test]
    fn numbers_are_short() {
        let numbers = [0.001, 99.350_000_000_000_01, 20.0, 0.0, 9000.0, 25_000.0, 1.5e6].map(number);
        assert_eq!(numbers, ["0.001", "99.35", "20", "0", "9000", "25k", "1.5M"]);
    }

    #[test]
    fn points_lie_where_their_values_are() {
        let axis = || Axis::new("", Scale::Linear, [0.0, 10.0].into_iter());
        let colour = Rgb888::new(1, 2, 3);
        let series = [Series { name: String::new(), colour, points: vec![[5.0, 10.0]], mark: Mark::Curve }];
        let mut canvas = Canvas::new(200, 200);
        Chart { title: "", axes: [axis(), axis()], series: &series }.draw(&mut canvas, [70, 40], [100, 100]);
        let picture = image::load_from_memory(&canvas.png().expect("a PNG")).expect("a PNG").into_rgb8();
        let coloured = picture.enumerate_pixels().filter(|(.., pixel)| pixel.0 == [1, 2, 3]);
        let places: Vec<(u32, u32)> = coloured.map(|(x, y, _)| (x, y)).collect();
        assert_eq!((places[0], places[places.len() - 1]), ((118, 38), (122, 42)));
    }
}
