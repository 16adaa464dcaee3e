//! The recorded strokes of firmware-sim, drawn on the app on this machine.

use crate::commands;
use edge8::Model;
use embedded_graphics::prelude::{DrawTarget, OriginDimensions};
use firmware_sim::canvas::Canvas;
use firmware_sim::reader::{Memory, Reader, Verdict, WORKSPACE_LEN};
use firmware_sim::script::Script;
use firmware_sim::{App, Board, Event, Outcome, Theme};
use std::convert::Infallible;
use std::fs;
use std::time::Instant;

/// Name and text of each script, by name.
pub fn scripts() -> Vec<(String, String)> {
    let folder = fs::read_dir(commands::root().join("firmware-sim/strokes")).expect("the strokes");
    let script = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("readable").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("readable"))
    };
    let mut scripts: Vec<_> = folder.map(script).collect();
    scripts.sort();
    scripts
}

/// What a script leaves.
#[derive(Debug)]
pub struct Replayed {
    /// What it was read as.
    pub verdict: Verdict,
    /// See [`Outcome::layers`].
    pub layers: u32,
    /// The outcome as the app writes it.
    pub line: String,
    /// Microseconds of the reading after each event.
    pub times: Vec<u64>,
}

/// Draws a script on an empty sheet, with a step of the app for each event.
pub fn replay<D>(image: &[u8], script: &str, display: &mut D) -> Replayed
where
    D: DrawTarget<Color: Theme, Error = Infallible> + OriginDimensions,
{
    let model = Model::parse(image).expect("an image");
    let mut arena = vec![0; model.arena_len().max(WORKSPACE_LEN)];
    let mut input = vec![0; model.input().shape.len()];
    let mut output = vec![0; model.output_len()];
    let memory = Memory { arena: &mut arena, input: &mut input, output: &mut output };
    let reader = Reader::new(model, memory).expect("a model that reads digits");
    let mut canvas = Canvas::new();
    let mut app = App::new(reader, &mut canvas, display.size()).expect("large enough");
    let mut hand = Hand { event: None, begin: Instant::now() };
    let mut step = |app: &mut App<'_>, event| {
        hand.event = event;
        let Ok(_) = app.step(&mut hand, display);
        u64::from(app.micros())
    };
    step(&mut app, None);
    let times = Script::new(script).map(|event| step(&mut app, Some(event))).collect();
    let outcome = Outcome::of(&mut app);
    let mut line = String::new();
    outcome.write(|part| line += part);
    Replayed { verdict: outcome.verdict, layers: outcome.layers, line, times }
}

/// A hand that does one thing after the other, and this machine's clock.
struct Hand {
    event: Option<Event>,
    begin: Instant,
}

impl Board for Hand {
    fn next_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    fn micros(&mut self) -> u32 {
        self.begin.elapsed().as_micros() as u32
    }
}
