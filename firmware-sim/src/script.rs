//! Strokes as a text: what a person did, to be done again.
//!
//! A line has one stroke, `x,y x,y ...` in hundredths of the sheet's side from its top left corner; or `clear`, or `page`. What
//! follows a `#` is a remark.

use crate::board::Event;
use crate::canvas::{SIDE, Spot};

/// What texts are split at, each a set of one character: the search for a mere character has a panic that the compiler does not
/// see is never reached.
const LINE: [char; 1] = ['\n'];
const REMARK: [char; 1] = ['#'];
const COMMA: [char; 1] = [','];

/// Hundredths of the sheet that the pen moves between two events.
const STEP: i32 = 4;

/// The events of a script.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    lines: core::str::Split<'a, [char; 1]>,
    points: core::str::SplitAsciiWhitespace<'a>,
    /// Where the pen is, and where it goes.
    pen: Option<[Point; 2]>,
}

/// Hundredths to the right and down.
type Point = (i32, i32);

impl<'a> Script<'a> {
    /// A script that [`check`] has found right: what is wrong in another is left out.
    pub fn new(text: &'a str) -> Self {
        Self { lines: text.split(LINE), points: "".split_ascii_whitespace(), pen: None }
    }

    /// The pen's next event; [`None`] at the end of the stroke.
    fn go_on(&mut self) -> Option<Event> {
        let [from, mut to] = self.pen?;
        if from == to {
            to = self.points.find_map(point)?;
        }
        let next = toward(from, to);
        self.pen = Some([next, to]);
        Some(Event::Pen(spot(next)))
    }
}

impl Iterator for Script<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.pen.is_some() {
            let event = self.go_on();
            if event.is_none() {
                self.pen = None;
            }
            return event.or(Some(Event::Lift));
        }
        loop {
            match self.lines.next()?.split(REMARK).next()?.trim() {
                "clear" => return Some(Event::Clear),
                "page" => return Some(Event::Page),
                stroke => self.points = stroke.split_ascii_whitespace(),
            }
            if let Some(first) = self.points.find_map(point) {
                self.pen = Some([first, first]);
                return Some(Event::Pen(spot(first)));
            }
        }
    }
}

/// The place on the sheet.
fn spot((x, y): Point) -> Spot {
    let side = SIDE as i32 * Spot::UNIT;
    Spot { x: x * side / 100, y: y * side / 100 }
}

/// A step from one point to another.
fn toward(from: Point, to: Point) -> Point {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let far = x.abs().max(y.abs());
    if far <= STEP {
        return to;
    }
    let part = |way: i32| (way * STEP).checked_div(far).unwrap_or(0);
    (from.0 + part(x), from.1 + part(y))
}

fn point(text: &str) -> Option<Point> {
    let (x, y) = text.split_once(COMMA)?;
    let on_sheet = |text: &str| text.parse().ok().filter(|part| (0..=100).contains(part));
    Some((on_sheet(x)?, on_sheet(y)?))
}

/// The number of the first line that is not as the format says, from 1 on; [`None`] if all are.
pub fn check(text: &str) -> Option<usize> {
    let right = |line: &str| {
        let line = line.split(REMARK).next().unwrap_or("").trim();
        matches!(line, "clear" | "page") || line.split_ascii_whitespace().all(|text| point(text).is_some())
    };
    text.lines().position(|line| !right(line)).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_moves_in_small_steps_and_ends() {
        let at = |x, y| Event::Pen(spot((x, y)));
        let expected =
            [at(10, 20), at(14, 20), at(18, 20), at(19, 20), Event::Lift, Event::Clear, Event::Page];
        let events: Vec<Event> = Script::new("# a dash\n10,20 19,20 # so\n\nclear\npage\n").collect();
        assert_eq!(events, expected);
        assert_eq!(Script::new("50,50").collect::<Vec<_>>(), [at(50, 50), Event::Lift]);
        assert_eq!(spot((100, 50)), Spot { x: 896, y: 448 });
    }

    #[test]
    fn what_is_wrong_is_told_and_left_out() {
        assert_eq!(check("10,20 30,40\nclear # all\n# no\n"), None);
        for wrong in ["10,20 30", "101,5", "-1,5", "clean", "1,2,3"] {
            assert_eq!(check(&format!("clear\n{wrong}")), Some(2), "{wrong}");
        }
        assert_eq!(Script::new("clean\n5").next(), None);
    }
}
