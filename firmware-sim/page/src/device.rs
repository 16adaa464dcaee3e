//! The device that the page stands for: the app, its memory, its display, a person's hand and a clock.

use crate::screen::{MOST_BYTES, Screen};
use edge8::internal::Facts;
use edge8::{Aligned, Model};
use edge8_preprocess::{Picture, digit, workspace_len};
use embedded_graphics::prelude::Size;
use firmware_sim::canvas::Canvas;
use firmware_sim::reader::{Memory as Reading, Reader};
use firmware_sim::script::Script;
use firmware_sim::{App, Board, Event};
use heapless::Deque;
use spin::Mutex;

/// The page's model image. Its sizes are in the program, it itself is not: the page fetches it, one file for both builds.
const IMAGE: &[u8] = include_bytes!(env!("EDGE8_MODEL"));

/// What it states of itself.
#[allow(long_running_const_eval, reason = "its checksum takes its time")]
const FACTS: Facts = Facts::of(IMAGE);

/// Bytes of the model image.
pub const IMAGE_LEN: usize = IMAGE.len();

/// Bytes of the arena: the network and pre-processing of the largest picture work in it in turn. Finding a digit takes the most.
const ARENA_LEN: usize = {
    let (network, picture) = (FACTS.arena_len, digit::workspace_len(PICTURE_SIDE, PICTURE_SIDE));
    if network > picture { network } else { picture }
};

/// Values of its input.
pub const INPUT_LEN: usize = FACTS.input_len;

/// Values of its output.
const OUTPUT_LEN: usize = FACTS.output_len;

/// Rows and columns of the largest picture.
const PICTURE_SIDE: usize = 512;

/// Bytes of the largest picture, in colour, and of the longest script.
pub const TEXT_OR_PIXELS: usize = PICTURE_SIDE * PICTURE_SIDE * 3;

/// Events between two steps: a frame of a fast pen has about twenty.
const EVENTS: usize = 64;

/// All memory of the device but the app.
pub static MEMORY: Mutex<Memory> = Mutex::new(Memory {
    image: Aligned::<[u8; IMAGE_LEN]>::new(),
    canvas: Canvas::new(),
    arena: Aligned::<[u8; ARENA_LEN]>::new(),
    input: [0; INPUT_LEN],
    output: [0; OUTPUT_LEN],
    seen: [0; INPUT_LEN],
    pixels: [0; MOST_BYTES],
    buffer: [0; TEXT_OR_PIXELS],
});

/// See [`MEMORY`].
pub struct Memory {
    /// What the page writes before the start, see `image`.
    pub image: Aligned<[u8; IMAGE_LEN]>,
    canvas: Canvas,
    arena: Aligned<[u8; ARENA_LEN]>,
    input: [i8; INPUT_LEN],
    output: [i8; OUTPUT_LEN],
    seen: [u8; INPUT_LEN],
    pixels: [u8; MOST_BYTES],
    buffer: [u8; TEXT_OR_PIXELS],
}

/// What became of a start.
#[repr(u32)]
pub enum Status {
    /// The device runs.
    Ready,
    /// It was started before.
    Started,
    /// The display is smaller than the app needs or larger than the memory for it.
    Display,
    /// The image is not the one that the page was built for, or damaged.
    Model,
    /// It has no recipe, or does not end in the probabilities of its classes.
    Refused,
}

/// A running device.
pub struct Device {
    pub app: App<'static>,
    pub screen: Screen,
    /// What the page writes, see `buffer`.
    pub buffer: &'static mut [u8],
    seen: &'static mut [u8],
    hand: Hand,
}

impl Device {
    pub fn new(memory: &'static mut Memory, width: u32, height: u32) -> Result<Self, Status> {
        let Memory { image, canvas, arena, input, output, seen, pixels, buffer } = memory;
        let size = Size::new(width, height);
        let screen = Screen::new(size, pixels).ok_or(Status::Display)?;
        let model = Model::parse_as::<{ FACTS.kinds }>(image.bytes()).map_err(|_| Status::Model)?;
        let reading = Reading { arena: arena.bytes(), input, output };
        let reader = Reader::new(model, reading).map_err(|_| Status::Refused)?;
        let app = App::new(reader, canvas, size).ok_or(Status::Display)?;
        Ok(Self { app, screen, buffer, seen, hand: Hand(Deque::new()) })
    }

    /// Keeps an event for the next step; if there is no room, that is now.
    pub fn push(&mut self, event: Event) {
        if let Err(event) = self.hand.0.push_back(event) {
            self.step();
            // There is room: a step takes all.
            let _ = self.hand.0.push_back(event);
        }
    }

    /// See [`App::step`].
    pub fn step(&mut self) -> bool {
        let Ok(changed) = self.app.step(&mut self.hand, &mut self.screen);
        changed
    }

    /// See `replay`.
    pub fn replay(&mut self, len: usize, index: usize) -> bool {
        let text = self.buffer.get(..len).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or("");
        let event = Script::new(text).nth(index);
        if let Some(event) = event {
            self.push(event);
        }
        event.is_some()
    }

    /// See `read`.
    pub fn read(&mut self, width: usize, height: usize) -> bool {
        let channels = usize::from(self.app.reader().shape().channels);
        let len = width.checked_mul(height).and_then(|len| len.checked_mul(channels));
        let pixels = len.and_then(|len| self.buffer.get(..len)).unwrap_or(&[]);
        let picture = match channels {
            1 => Picture::new(width, height, pixels),
            _ => Picture::rgb(width, height, pixels),
        };
        if let Ok(picture) = &picture {
            self.app.read(picture, &mut self.hand);
        }
        picture.is_ok()
    }

    /// See `name`.
    pub fn name(&mut self, class: usize) -> usize {
        let name = self.app.reader().name(class);
        let name = name.as_str().as_bytes();
        for (place, byte) in self.buffer.iter_mut().zip(name) {
            *place = *byte;
        }
        name.len()
    }

    /// What the network saw.
    pub fn seen(&mut self) -> &[u8] {
        for (place, &value) in self.seen.iter_mut().zip(self.app.reader().input()) {
            *place = value.wrapping_sub(i8::MIN) as u8;
        }
        self.seen
    }

    /// Bytes of the arena that the network and pre-processing of the largest picture take.
    pub fn arena_len(&self) -> usize {
        let model = self.app.reader().model();
        let workspace =
            model.recipe().map(|recipe| workspace_len(&recipe.preparation(), PICTURE_SIDE, PICTURE_SIDE));
        model.arena_len().max(workspace.unwrap_or(0))
    }

    /// Bytes of a section of the image.
    pub fn section_len(&self, kind: u32) -> usize {
        self.app.reader().model().section(kind).map_or(0, <[u8]>::len)
    }
}

#[link(wasm_import_module = "page")]
unsafe extern "C" {
    /// Microseconds since some moment, modulo 2^32.
    safe fn micros() -> u32;
}

/// What a person has done since the last step.
struct Hand(Deque<Event, EVENTS>);

impl Board for Hand {
    fn next_event(&mut self) -> Option<Event> {
        self.0.pop_front()
    }

    fn micros(&mut self) -> u32 {
        micros()
    }
}
