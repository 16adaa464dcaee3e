//! The app: what a person does becomes ink, ink becomes a digit, and what has changed is drawn.

use crate::board::{Board, Event};
use crate::canvas::{Area, Canvas, Spot};
use crate::layout::Layout;
use crate::page::{self, Page};
use crate::reader::{Reader, Verdict};
use crate::theme::Theme;
use edge8_preprocess::Picture;
use embedded_graphics::prelude::{DrawTarget, Point, Size};
use embedded_graphics::primitives::Rectangle;

/// All of the app but its memory for reading and the sheet.
#[derive(Debug)]
pub struct App<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) layout: Layout,
    pub(crate) canvas: &'a mut Canvas,
    pub(crate) page: Page,
    pub(crate) verdict: Verdict,
    /// Microseconds of the latest reading, pre-processing included.
    pub(crate) micros: u32,
    /// Where the pen is, while it touches the sheet.
    pen: Option<Spot>,
    /// Whether something is touched that is not the sheet, which then is no stroke.
    beside: bool,
    changed: Changed,
}

/// What the display does not show yet.
#[derive(Clone, Copy, Debug)]
struct Changed {
    page: bool,
    ink: Option<Area>,
    reading: bool,
}

impl<'a> App<'a> {
    /// Bytes of the app and its sheet: all but the memory for reading.
    pub const LEN: usize = size_of::<Self>() + size_of::<Canvas>();

    /// A sheet on a display; [`None`] if that is [too small](crate::layout::SMALLEST). The sheet is made empty.
    pub fn new(reader: Reader<'a>, canvas: &'a mut Canvas, display: Size) -> Option<Self> {
        let layout = Layout::new(display)?;
        canvas.clear();
        Some(Self {
            reader,
            layout,
            canvas,
            page: Page::Draw,
            verdict: Verdict::Blank,
            micros: 0,
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
            self.verdict = self.reader.read(self.canvas);
            self.micros = board.micros().wrapping_sub(begin);
            self.changed.reading = true;
        }
        self.draw(display)
    }

    /// Reads a picture in the place of the sheet, which becomes empty; the next step shows what the network saw of it.
    pub fn read(&mut self, picture: &Picture<'_>, board: &mut impl Board) {
        self.canvas.clear();
        let begin = board.micros();
        self.verdict = self.reader.read_picture(picture);
        self.micros = board.micros().wrapping_sub(begin);
        (self.pen, self.page) = (None, Page::Seen);
        self.changed = Changed { page: true, ink: None, reading: true };
    }

    /// What the sheet shows.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Microseconds of the latest reading, pre-processing included.
    pub const fn micros(&self) -> u32 {
        self.micros
    }

    /// What reads the sheet.
    pub const fn reader(&self) -> &Reader<'a> {
        &self.reader
    }

    /// See [`Reader::hash_of_layers`].
    pub fn hash_of_layers(&mut self) -> u32 {
        self.reader.hash_of_layers()
    }

    /// Where things are on the display.
    pub const fn layout(&self) -> &Layout {
        &self.layout
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
        let layout = self.layout;
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
        let area = self.canvas.stroke(self.pen.unwrap_or(spot), spot);
        self.pen = Some(spot);
        self.changed.ink = Some(self.changed.ink.map_or(area, |ink| ink.and(area)));
    }

    fn clear(&mut self) {
        if self.page == Page::Seen {
            self.turn();
        }
        self.canvas.clear();
        self.pen = None;
        self.changed.ink = Some(Area::ALL);
    }

    fn turn(&mut self) {
        self.page = self.page.next();
        self.pen = None;
        self.changed.page = true;
        if self.page == Page::Draw && self.canvas.is_empty() {
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
            page::whole(self, display)?;
        } else {
            if let Some(area) = ink {
                page::ink(self, area, display)?;
            }
            if reading {
                page::reading(self, display)?;
            }
        }
        self.changed = Changed { page: false, ink: None, reading: false };
        Ok(page || ink.is_some() || reading)
    }
}
