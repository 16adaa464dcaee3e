//! Scripts drawn on a simulated display.

use crate::frames::Frames;
use crate::screen::Screen;
use anyhow::{Result, anyhow};
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565, Rgb888};
use embedded_graphics_simulator::{OutputSettings, SimulatorDisplay};
use firmware_sim::canvas::Canvas;
use firmware_sim::reader::{Memory, Reader};
use firmware_sim::script::Script;
use firmware_sim::{App, Board, Event, Outcome, Theme};
use runtime::Model;
use runtime::preprocess::Workspace;
use std::path::Path;
use std::time::Instant;

/// Draws each script on an empty sheet and tells what it is read as. With a folder, writes what the display showed: of several
/// scripts into a folder each.
pub fn all(image: &[u8], scripts: &[(String, String)], screen: Screen, out: Option<&Path>) -> Result<()> {
    for (name, script) in scripts {
        let folder = out.map(|out| if scripts.len() == 1 { out.to_owned() } else { out.join(name) });
        let mut frames = folder.as_deref().map(Frames::new).transpose()?;
        let read = match screen {
            Screen::Oled128x64 => replay::<BinaryColor>(image, script, screen, &mut frames)?,
            _ => replay::<Rgb565>(image, script, screen, &mut frames)?,
        };
        println!("{name}: {read}");
        if let (Some(frames), Some(folder)) = (frames, folder) {
            println!("{} frames and animation.gif in {}", frames.finish()?, folder.display());
        }
    }
    Ok(())
}

/// Draws a script; what it is read as, in words.
fn replay<C>(image: &[u8], script: &str, screen: Screen, frames: &mut Option<Frames>) -> Result<String>
where
    C: Theme + Into<Rgb888> + From<BinaryColor>,
{
    let model = Model::parse(image).map_err(|error| anyhow!("the model image: {error}"))?;
    let mut arena = vec![0; model.arena_len()];
    let mut input = vec![0; model.input().shape.len()];
    let mut workspace = Workspace::new();
    let mut canvas = Canvas::new();
    let memory = Memory { arena: &mut arena, workspace: &mut workspace, input: &mut input };
    let reader = Reader::new(model, memory).map_err(|refused| anyhow!("the model image: {refused}"))?;
    let mut app =
        App::new(reader, &mut canvas, screen.size()).ok_or_else(|| anyhow!("the display is too small"))?;
    let mut display = SimulatorDisplay::<C>::new(screen.size());
    let mut hand = Hand { event: None, begin: Instant::now() };
    let mut script = Script::new(script);
    loop {
        if app.step(&mut hand, &mut display)?
            && let Some(frames) = frames
        {
            frames.add(picture(&display, &screen.settings()))?;
        }
        hand.event = script.next();
        if hand.event.is_none() {
            break;
        }
    }
    let mut words = String::new();
    Outcome::of(&mut app).write(|part| words.push_str(part));
    Ok(words)
}

fn picture<C: Theme + Into<Rgb888>>(
    display: &SimulatorDisplay<C>,
    settings: &OutputSettings,
) -> image::RgbImage {
    let output = display.to_rgb_output_image(settings);
    let buffer = output.as_image_buffer();
    let (width, height) = buffer.dimensions();
    image::RgbImage::from_raw(width, height, buffer.as_raw().to_vec()).expect("as large as it was")
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
