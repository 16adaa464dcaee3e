//! The app on a PC: its memory, what a person does, the clock.

use anyhow::{Result, anyhow};
use edge8::{Model, Recipe};
use edge8_preprocess::workspace_len;
use embedded_graphics::prelude::Size;
use firmware_sim::canvas::{Canvas, SIDE};
use firmware_sim::reader::{self, Reader};
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
    output: Vec<i8>,
}

impl Memory {
    /// As much as a model needs for the sheet.
    pub fn new(model: &Model<'_>) -> Self {
        Self::for_picture(model, [SIDE; 2])
    }

    /// As much as a model needs for a picture with so many rows and columns, and for the sheet.
    pub fn for_picture(model: &Model<'_>, [height, width]: [usize; 2]) -> Self {
        let workspace =
            |recipe: Recipe<'_>| workspace_len(&recipe.preparation(), width.max(SIDE), height.max(SIDE));
        // The reader refuses a model without a recipe.
        let workspace = model.recipe().map_or(0, workspace);
        Self {
            canvas: Canvas::new(),
            arena: vec![0; model.arena_len().max(workspace)],
            input: vec![0; model.input_len()],
            output: vec![0; model.output_len()],
        }
    }

    /// The app that reads with the model, on a display of some size.
    pub fn app<'a>(&'a mut self, model: Model<'a>, display: Size) -> Result<App<'a>> {
        let (arena, input, output) = (&mut self.arena, &mut self.input, &mut self.output);
        let memory = reader::Memory { arena, input, output };
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
