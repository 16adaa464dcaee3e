//! Scripts and pictures shown to the app, on a simulated display.

use crate::frames::Frames;
use crate::layers::Layers;
use crate::pc::{self, Hand, Memory};
use crate::screen::Screen;
use anyhow::Result;
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565, Rgb888};
use embedded_graphics_simulator::SimulatorDisplay;
use files::OwnedPicture;
use firmware_sim::script::Script;
use firmware_sim::{App, Outcome, Theme};
use std::path::Path;

/// How they are shown.
pub struct Replay<'a> {
    pub image: &'a [u8],
    pub screen: Screen,
    /// Whether the layers of the network are shown at the end.
    pub layers: bool,
}

/// What the app is given to read.
pub enum Source {
    /// Strokes on the sheet.
    Script(String),
    /// A picture in the place of the sheet, with as many channels as the recipe's.
    Picture(OwnedPicture),
}

impl Replay<'_> {
    /// Shows each to an app with an empty sheet and tells what it is read as. With a folder, writes what the display showed: of
    /// several into a folder each.
    pub fn all(&self, sources: &[(String, Source)], out: Option<&Path>) -> Result<()> {
        for (name, source) in sources {
            let folder = out.map(|out| if sources.len() == 1 { out.to_owned() } else { out.join(name) });
            let mut frames = folder.as_deref().map(Frames::new).transpose()?;
            let read = match self.screen {
                Screen::Oled128x64 => self.one::<BinaryColor>(source, &mut frames)?,
                _ => self.one::<Rgb565>(source, &mut frames)?,
            };
            println!("{name}: {read}");
            if let (Some(frames), Some(folder)) = (frames, folder) {
                println!("{} frames and animation.gif in {}", frames.finish()?, folder.display());
            }
        }
        Ok(())
    }

    /// Draws a script or reads a picture; what it is read as, in words.
    fn one<C>(&self, source: &Source, frames: &mut Option<Frames>) -> Result<String>
    where
        C: Theme + Into<Rgb888> + From<BinaryColor>,
    {
        let model = pc::model(self.image)?;
        let mut memory = match source {
            Source::Script(_) => Memory::new(&model),
            Source::Picture(picture) => {
                let [height, width, _] = picture.shape();
                Memory::for_picture(&model, [height, width])
            }
        };
        let mut app = memory.app(model, self.screen.size())?;
        let mut display = SimulatorDisplay::<C>::new(self.screen.size());
        let mut hand = Hand::new();
        let mut step = |app: &mut App<'_>, hand: &mut Hand| {
            if app.step(hand, &mut display)?
                && let Some(frames) = frames.as_mut()
            {
                frames.add(self.screen.picture(&display))?;
            }
            anyhow::Ok(())
        };
        step(&mut app, &mut hand)?;
        match source {
            Source::Script(script) => {
                for event in Script::new(script) {
                    hand.events.push_back(event);
                    step(&mut app, &mut hand)?;
                }
            }
            Source::Picture(picture) => {
                app.read(&picture.picture()?, &mut hand);
                step(&mut app, &mut hand)?;
            }
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
