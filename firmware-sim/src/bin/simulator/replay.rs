//! Scripts drawn on a simulated display.

use crate::frames::Frames;
use crate::layers::Layers;
use crate::pc::{self, Hand, Memory};
use crate::screen::Screen;
use anyhow::Result;
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565, Rgb888};
use embedded_graphics_simulator::SimulatorDisplay;
use firmware_sim::script::Script;
use firmware_sim::{Outcome, Theme};
use std::path::Path;

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
        let model = pc::model(self.image)?;
        let mut memory = Memory::new(&model);
        let mut app = memory.app(model, self.screen.size())?;
        let mut display = SimulatorDisplay::<C>::new(self.screen.size());
        let mut hand = Hand::new();
        let mut script = Script::new(script);
        loop {
            if app.step(&mut hand, &mut display)?
                && let Some(frames) = frames
            {
                frames.add(self.screen.picture(&display))?;
            }
            let Some(event) = script.next() else { break };
            hand.events.push_back(event);
        }
        if let (true, Some(frames)) = (self.layers, frames) {
            let layers = Layers::new(app.reader())?;
            for index in 0..layers.count() {
                layers.draw(index, &mut display)?;
                frames.add(self.screen.picture(&display))?;
            }
        }
        let mut words = String::new();
        Outcome::of(&mut app).write(|part| words.push_str(part));
        Ok(words)
    }
}
