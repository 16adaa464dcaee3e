//! Scripts drawn on a simulated display.

use crate::frames::Frames;
use crate::layers;
use crate::screen::Screen;
use anyhow::{Result, anyhow};
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565, Rgb888};
use embedded_graphics_simulator::SimulatorDisplay;
use firmware_sim::canvas::Canvas;
use firmware_sim::reader::{Memory, Reader, WORKSPACE_LEN};
use firmware_sim::script::Script;
use firmware_sim::{App, Board, Event, Outcome, Theme};
use runtime::Model;
use std::path::Path;
use std::time::Instant;

/// How scripts are drawn.
pub struct Replay<'a> {
    pub image: &'a [u8],
    pub screen: Screen,
    /// Whether the layers of the network are shown at the end.
    pub layers: bool,
}

impl Replay<'_> {
    /// Draws each script on an empty sheet and tells what it is read as. With a folder, writes what the display showed: of
    /// several scripts into a folder each.
    pub fn all(&self, scripts: &[(String, String)], out: Option<&Path>) -> Result<()> {
        for (name, script) in scripts {
            let folder = out.map(|out| if scripts.len() == 1 { out.to_owned() } else { out.join(name) });
            let mut frames = folder.as_deref().map(Frames::new).transpose()?;
            let read = match self.screen {
                Screen::Oled128x64 => self.one::<BinaryColor>(script, &mut frames)?,
                _ => self.one::<Rgb565>(script, &mut frames)?,
            };
            println!("{name}: {read}");
            if let (Some(frames), Some(folder)) = (frames, folder) {
                println!("{} frames and animation.gif in {}", frames.finish()?, folder.display());
            }
        }
        Ok(())
    }

    /// Draws a script; what it is read as, in words.
    fn one<C>(&self, script: &str, frames: &mut Option<Frames>) -> Result<String>
    where
        C: Theme + Into<Rgb888> + From<BinaryColor>,
    {
        let model = Model::parse(self.image).map_err(|error| anyhow!("the model image: {error}"))?;
        let mut arena = vec![0; model.arena_len().max(WORKSPACE_LEN)];
        let mut input = vec![0; model.input().shape.len()];
        let mut canvas = Canvas::new();
        let memory = Memory { arena: &mut arena, input: &mut input };
        let reader = Reader::new(model, memory).map_err(|refused| anyhow!("the model image: {refused}"))?;
        let size = self.screen.size();
        let mut app =
            App::new(reader, &mut canvas, size).ok_or_else(|| anyhow!("the display is too small"))?;
        let mut display = SimulatorDisplay::<C>::new(size);
        let mut hand = Hand { event: None, begin: Instant::now() };
        let mut script = Script::new(script);
        loop {
            if app.step(&mut hand, &mut display)?
                && let Some(frames) = frames
            {
                frames.add(self.screen.picture(&display))?;
            }
            hand.event = script.next();
            if hand.event.is_none() {
                break;
            }
        }
        let mut words = String::new();
        Outcome::of(&mut app).write(|part| words.push_str(part));
        if let (true, Some(frames)) = (self.layers, frames) {
            layers::view::<C>(&model, &input, self.screen, frames)?;
        }
        Ok(words)
    }
}

/// One event at a time, and the machine's clock.
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
