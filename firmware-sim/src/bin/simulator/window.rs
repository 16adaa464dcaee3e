//! A window to draw in: the mouse is the finger on the display.
//!
//! `c` takes all ink away, `p` turns the page, the arrow keys step through the layers of the network, Escape ends.

use crate::layers::Layers;
use crate::pc::{self, Hand, Memory};
use crate::screen::Screen;
use anyhow::{Result, anyhow};
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565, Rgb888};
use embedded_graphics_simulator::sdl2::Keycode;
use embedded_graphics_simulator::{SimulatorDisplay, SimulatorEvent, Window};
use firmware_sim::{App, Event, Theme};
use std::panic;

/// Opens the window, until a person closes it.
pub fn open(image: &[u8], screen: Screen) -> Result<()> {
    match screen {
        Screen::Oled128x64 => run::<BinaryColor>(image, screen),
        _ => run::<Rgb565>(image, screen),
    }
}

fn run<C>(image: &[u8], screen: Screen) -> Result<()>
where
    C: Theme + Into<Rgb888> + From<Rgb888> + From<BinaryColor>,
{
    let model = pc::model(image)?;
    let mut memory = Memory::new(&model);
    let mut app = memory.app(model, screen.size())?;
    let mut display = SimulatorDisplay::<C>::new(screen.size());
    let mut window = Window::new("edge8", &screen.settings());
    first(&mut window, &display)?;
    let (mut hand, mut mouse) = (Hand::new(), Mouse::default());
    let mut viewer = Viewer::default();
    loop {
        for event in window.events() {
            match event {
                SimulatorEvent::Quit => return Ok(()),
                SimulatorEvent::KeyDown { keycode: Keycode::Right, .. } => viewer.step(&app, 1)?,
                SimulatorEvent::KeyDown { keycode: Keycode::Left, .. } => viewer.step(&app, -1)?,
                event => hand.events.extend(mouse.event(event)),
            }
        }
        if app.step(&mut hand, &mut display)? {
            viewer = Viewer::default();
        }
        match &viewer.layers {
            None => window.update(&display),
            Some(layers) => {
                let mut shown = SimulatorDisplay::<C>::new(screen.size());
                layers.draw(viewer.index, &mut shown)?;
                window.update(&shown);
            }
        }
    }
}

/// Opens the window. The library panics where it cannot, so that this is the place to catch it.
fn first<C>(window: &mut Window, display: &SimulatorDisplay<C>) -> Result<()>
where
    C: Theme + Into<Rgb888> + From<Rgb888>,
{
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let opened = panic::catch_unwind(panic::AssertUnwindSafe(|| window.update(display)));
    panic::set_hook(usual);
    opened.map_err(|reason| {
        let reason = reason.downcast_ref::<String>().map_or("no reason is known", String::as_str);
        anyhow!("cannot open a window ({reason}); expected a graphical session: without one, use --script FILE --out DIR")
    })
}

/// Whether a button is down.
#[derive(Default)]
struct Mouse {
    down: bool,
}

impl Mouse {
    /// What a person does with an event of the window.
    fn event(&mut self, event: SimulatorEvent) -> Option<Event> {
        match event {
            SimulatorEvent::MouseButtonDown { point, .. } => {
                self.down = true;
                Some(Event::Touch(point))
            }
            SimulatorEvent::MouseMove { point } => self.down.then_some(Event::Touch(point)),
            SimulatorEvent::MouseButtonUp { .. } => {
                self.down = false;
                Some(Event::Lift)
            }
            SimulatorEvent::KeyDown { keycode: Keycode::C, .. } => Some(Event::Clear),
            SimulatorEvent::KeyDown { keycode: Keycode::P, .. } => Some(Event::Page),
            _ => None,
        }
    }
}

/// The layers of the latest reading, while they are looked at.
#[derive(Default)]
struct Viewer {
    layers: Option<Layers>,
    index: usize,
}

impl Viewer {
    /// Goes to the next layer or the one before; from the app to the first or the last one.
    fn step(&mut self, app: &App<'_>, way: isize) -> Result<()> {
        match &self.layers {
            None => {
                let layers = Layers::new(app.reader())?;
                self.index = if way < 0 { layers.count() - 1 } else { 0 };
                self.layers = Some(layers);
            }
            Some(layers) => {
                match self.index.checked_add_signed(way).filter(|&index| index < layers.count()) {
                    Some(index) => self.index = index,
                    None => *self = Self::default(),
                }
            }
        }
        Ok(())
    }
}
