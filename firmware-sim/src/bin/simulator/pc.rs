//! The app on a PC: its memory, what a person does, the clock.

use anyhow::{Result, anyhow};
use edge8::Model;
use embedded_graphics::prelude::Size;
use firmware_sim::canvas::Canvas;
use firmware_sim::reader::{self, Reader, WORKSPACE_LEN};
use firmware_sim::{App, Board, Event};
use std::collections::VecDeque;
use std::time::Instant;

/// Checks a model image.
pub fn model(image: &[u8]) -> Result<Model<'_>> {
    Model::parse(image).map_err(|error| anyhow!("{error}"))
}

/// All memory of the app.
pub struct Memory {
    canvas: Canvas,
    arena: Vec<u8>,
    input: Vec<i8>,
}

impl Memory {
    /// As much as a model needs.
    pub fn new(model: &Model<'_>) -> Self {
        Self {
            canvas: Canvas::new(),
            arena: vec![0; model.arena_len().max(WORKSPACE_LEN)],
            input: vec![0; model.input().shape.len()],
        }
    }

    /// The app that reads with the model, on a display of some size.
    pub fn app<'a>(&'a mut self, model: Model<'a>, display: Size) -> Result<App<'a>> {
        let memory = reader::Memory { arena: &mut self.arena, input: &mut self.input };
        let reader = Reader::new(model, memory).map_err(|refused| anyhow!("{refused}"))?;
        App::new(reader, &mut self.canvas, display).ok_or_else(|| anyhow!("the display is too small"))
    }
}

/// What a person has done, and the machine's clock.
pub struct Hand {
    pub events: VecDeque<Event>,
    begin: Instant,
}

impl Hand {
    /// A hand that rests.
    pub fn new() -> Self {
        Self { events: VecDeque::new(), begin: Instant::now() }
    }
}

impl Board for Hand {
    fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn micros(&mut self) -> u32 {
        self.begin.elapsed().as_micros() as u32
    }
}
