//! The app, and the strokes that it is given.

use crate::memory::{Frame, Memory, network};
use crate::scripts;
use embedded_graphics::prelude::OriginDimensions;
use firmware_sim::reader::{self, Reader};
use firmware_sim::script::Script;
use firmware_sim::{App, Board, Event, Outcome};

/// Events between two steps of the app: about as many as a touch panel has while a Cortex-M reads the sheet.
const EVENTS: usize = 8;

/// What the program needs of the machine that it runs on.
pub trait Machine {
    /// Writes a text.
    fn write(&mut self, text: &str);

    /// Microseconds since some moment.
    fn micros(&mut self) -> u32;

    /// From here on instructions are counted.
    fn begin(&mut self);

    /// Up to here.
    fn end(&mut self);
}

/// Draws all scripts on one app, clears the sheet before each, as a person would, and writes a line for each. Whether the app took
/// the model.
///
/// Counted are one inference, and of each step of the app the strokes, the reading and what is drawn on the display; the first
/// step draws all of it.
pub fn run(memory: &mut Memory, frame: &mut Frame, machine: &mut impl Machine) -> bool {
    let mut app = start(memory, frame, machine);
    // It stays where it is: a move would be a second app on the stack.
    let Some(app) = &mut app else { return false };
    let mut hand = Hand { machine, script: Script::new(""), room: 0, read: false };
    hand.step(app, frame);
    for (name, script) in scripts::ALL {
        for text in ["clear", script] {
            hand.script = Script::new(text);
            while hand.step(app, frame) {}
        }
        tell(name, app, hand.machine);
    }
    true
}

/// Writes what a script was read as.
///
/// Not inlined: what it takes of the stack is free while the app runs.
#[inline(never)]
fn tell(name: &str, app: &mut App<'_>, machine: &mut impl Machine) {
    machine.write(name);
    machine.write(": ");
    Outcome::of(app).write(|part| machine.write(part));
    machine.write("\n");
}

/// Runs the network once, which is counted, and starts the app.
///
/// Not inlined: what it takes of the stack is free again while the app runs.
#[inline(never)]
fn start<'a>(memory: &'a mut Memory, frame: &Frame, machine: &mut impl Machine) -> Option<App<'a>> {
    let Memory { canvas, arena, input, output } = memory;
    let model = network::model().ok()?;
    machine.begin();
    let ran = model.run(input, arena.bytes(), output);
    machine.end();
    ran.ok()?;
    let memory = reader::Memory { arena: arena.bytes(), input, output };
    App::new(Reader::new(model, memory).ok()?, canvas, frame.size())
}

/// A script in the place of a person.
struct Hand<'a, 's, M> {
    machine: &'a mut M,
    script: Script<'s>,
    /// Events that the present step may still take.
    room: usize,
    /// Whether it has read the sheet.
    read: bool,
}

impl<M: Machine> Hand<'_, '_, M> {
    /// A step of the app; whether there was an event.
    fn step(&mut self, app: &mut App<'_>, frame: &mut Frame) -> bool {
        (self.room, self.read) = (EVENTS, false);
        self.machine.begin();
        let Ok(_) = app.step(self, frame);
        if !self.read {
            // There are three counts of each step.
            self.micros();
            self.micros();
        }
        self.machine.end();
        self.room < EVENTS
    }
}

impl<M: Machine> Board for Hand<'_, '_, M> {
    fn next_event(&mut self) -> Option<Event> {
        self.room = self.room.checked_sub(1)?;
        let event = self.script.next();
        if event.is_none() {
            self.room += 1;
        }
        event
    }

    /// The app asks before and after it reads the sheet: what was counted until then is one thing, what follows another.
    fn micros(&mut self) -> u32 {
        self.read = true;
        self.machine.end();
        let micros = self.machine.micros();
        self.machine.begin();
        micros
    }
}
