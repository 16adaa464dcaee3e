//! The app: what a person does becomes ink, ink becomes a class, and what has changed is drawn.

use crate::board::{Board, Event};
use crate::canvas::{Area, Canvas, Spot};
use crate::layout::Layout;
use crate::page::{self, Page, Shown};
use crate::reader::{Reader, Verdict};
use crate::theme::Theme;
use edge8_preprocess::Picture;
use embedded_graphics::prelude::{DrawTarget, Point, Size};
use embedded_graphics::primitives::Rectangle;

/// All of the app but its memory for reading and the sheet.
#[derive(Debug)]
pub struct App<'a> {
    shown: Shown<'a>,
    page: Page,
    verdict: Verdict,
    /// Where the pen is, while it touches the sheet.
    pen: Option<Spot>,
    /// Whether something is touched that is not the sheet, which then is no stroke.
    beside: bool,
    changed: Changed,
}

const LEN: usize = size_of::<App<'static>>() + size_of::<Canvas>();

/// What the display does not show yet.
#[derive(Clone, Copy, Debug)]
struct Changed {
    page: bool,
    ink: Option<Area>,
    reading: bool,
}

impl<'a> App<'a> {
    /// Bytes of the app and its sheet: all but the memory for reading.
    pub const LEN: usize = LEN;

    /// A sheet on a display; [`None`] if that is [too small](crate::layout::SMALLEST). The sheet is made empty.
    pub fn new(reader: Reader<'a>, canvas: &'a mut Canvas, display: Size) -> Option<Self> {
        let layout = Layout::new(display)?;
        canvas.clear();
        Some(Self {
            shown: Shown { reader, layout, canvas, micros: 0 },
            page: Page::Draw,
            verdict: Verdict::Blank,
            pen: None,
            beside: false,
            changed: Changed { page: true, ink: None, reading: false },
        })
    }

    /// Takes in all events that there are, reads the sheet if it has changed, and draws what has changed. Whether anything
    /// has.
    ///
    /// # Errors
    /// Those of the display.
    pub fn step<D>(&mut self, board: &mut impl Board, display: &mut D) -> Result<bool, D::Error>
    where
        D: DrawTarget<Color: Theme>,
    {
        while let Some(event) = board.next_event() {
            self.handle(event);
        }
        if self.changed.ink.is_some() {
            let begin = board.micros();
            self.verdict = self.shown.reader.read(self.shown.canvas);
            self.shown.micros = board.micros().wrapping_sub(begin);
            self.changed.reading = true;
        }
        self.draw(display)
    }

    /// Reads a picture in the place of the sheet, which becomes empty; the next step shows what the network saw of it.
    pub fn read(&mut self, picture: &Picture<'_>, board: &mut impl Board) {
        self.shown.canvas.clear();
        let begin = board.micros();
        self.verdict = self.shown.reader.read_picture(picture);
        self.shown.micros = board.micros().wrapping_sub(begin);
        (self.pen, self.page) = (None, Page::Seen);
        self.changed = Changed { page: true, ink: None, reading: true };
    }

    /// What the sheet shows.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Microseconds of the latest reading, pre-processing included.
    pub const fn micros(&self) -> u32 {
        self.shown.micros
    }

    /// What reads the sheet.
    pub const fn reader(&self) -> &Reader<'a> {
        &self.shown.reader
    }

    /// See [`Reader::hash_of_layers`].
    pub fn hash_of_layers(&mut self) -> u32 {
        self.shown.reader.hash_of_layers()
    }

    /// Where things are on the display.
    pub const fn layout(&self) -> &Layout {
        &self.shown.layout
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Touch(pixel) => self.touch(pixel),
            Event::Pen(spot) => self.ink(spot),
            Event::Lift => (self.pen, self.beside) = (None, false),
            Event::Clear => self.clear(),
            Event::Page => self.turn(),
        }
    }

    fn touch(&mut self, pixel: Point) {
        let layout = self.shown.layout;
        if self.beside {
            return;
        }
        if self.pen.is_none() {
            let on = |place: Rectangle| place.contains(pixel);
            self.beside = !on(layout.sheet);
            if on(layout.clear) {
                self.clear();
            } else if on(layout.page) || !self.beside && self.page == Page::Seen {
                self.turn();
            }
            if self.beside {
                return;
            }
        }
        self.ink(layout.spot(pixel));
    }

    fn ink(&mut self, spot: Spot) {
        let area = self.shown.canvas.stroke(self.pen.unwrap_or(spot), spot);
        self.pen = Some(spot);
        self.changed.ink = Some(self.changed.ink.map_or(area, |ink| ink.and(area)));
    }

    fn clear(&mut self) {
        if self.page == Page::Seen {
            self.turn();
        }
        self.shown.canvas.clear();
        self.pen = None;
        self.changed.ink = Some(Area::ALL);
    }

    fn turn(&mut self) {
        self.page = self.page.next();
        self.pen = None;
        self.changed.page = true;
        if self.page == Page::Draw && self.shown.canvas.is_empty() {
            // What was read may have been a picture: beside an empty sheet it has no place.
            self.changed.ink = Some(Area::ALL);
        }
    }

    fn draw<D>(&mut self, display: &mut D) -> Result<bool, D::Error>
    where
        D: DrawTarget<Color: Theme>,
    {
        let Changed { page, ink, reading } = self.changed;
        if page {
            page::whole::<_, LEN>(&self.shown, self.page, self.verdict, display)?;
        } else {
            if let Some(area) = ink {
                page::ink(&self.shown, self.page, area, display)?;
            }
            if reading {
                page::reading::<_, LEN>(&self.shown, self.page, self.verdict, display)?;
            }
        }
        self.changed = Changed { page: false, ink: None, reading: false };
        Ok(page || ink.is_some() || reading)
    }
}
