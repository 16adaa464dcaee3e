//! How a real board runs the app: a display with an ST7789 on SPI, a touch panel, two buttons, a timer.
//!
//! All is generic over `embedded-hal`; a board's own program makes the pins and the bus and calls [`run`].

use core::convert::Infallible;
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::{DrawTarget, Point};
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, InputPin, OutputPin};
use embedded_hal::spi::{self, SpiDevice};
use firmware_sim::{App, Board, Event};
use mipidsi::interface::{SpiError, SpiInterface};
use mipidsi::models::ST7789;
use mipidsi::{Builder, Display, InitError};

/// The display, of 240x240 pixels. Another one is another model here.
pub type Screen<'a, SPI, DC, RST> = Display<SpiInterface<'a, SPI, DC>, ST7789, RST>;

/// Why it did not start: the errors of the bus and of the two pins.
pub type NoScreen<SPI, DC, RST> = InitError<
    SpiError<<SPI as spi::ErrorType>::Error, <DC as digital::ErrorType>::Error>,
    <RST as digital::ErrorType>::Error,
>;

/// Starts the display.
///
/// `buffer` holds pixels on their way to the bus: some hundred bytes are enough.
///
/// # Errors
/// Those of the bus and the pins.
pub fn screen<'a, SPI: SpiDevice, DC: OutputPin, RST: OutputPin>(
    spi: SPI,
    data_or_command: DC,
    reset: RST,
    delay: &mut impl DelayNs,
    buffer: &'a mut [u8],
) -> Result<Screen<'a, SPI, DC, RST>, NoScreen<SPI, DC, RST>> {
    Builder::new(ST7789, SpiInterface::new(spi, data_or_command, buffer))
        .reset_pin(reset)
        .display_size(240, 240)
        .init(delay)
}

/// Runs the app for ever.
///
/// # Errors
/// Those of the display.
pub fn run<D: DrawTarget<Color = Rgb565>>(
    app: &mut App<'_>,
    board: &mut impl Board,
    display: &mut D,
) -> Result<Infallible, D::Error> {
    loop {
        app.step(board, display)?;
    }
}

/// A touch panel. Its driver's interrupt keeps samples until they are asked for: the pen goes on while the network runs.
pub trait TouchPanel {
    /// The oldest sample: the pixel that is touched, or [`None`] in it once nothing is. [`None`] if there is no sample now.
    fn next_sample(&mut self) -> Option<Option<Point>>;
}

/// A panel, buttons that pull their pins low, and a timer.
#[derive(Debug)]
pub struct Hand<Panel, Clear, Page, Clock> {
    panel: Panel,
    clear: Button<Clear>,
    page: Button<Page>,
    micros: Clock,
}

impl<Panel, Clear, Page, Clock> Hand<Panel, Clear, Page, Clock> {
    /// `micros` reads a timer that counts microseconds.
    pub const fn new(panel: Panel, clear: Clear, page: Page, micros: Clock) -> Self {
        Self { panel, clear: Button::new(clear), page: Button::new(page), micros }
    }
}

impl<Panel, Clear, Page, Clock> Board for Hand<Panel, Clear, Page, Clock>
where
    Panel: TouchPanel,
    Clear: InputPin,
    Page: InputPin,
    Clock: FnMut() -> u32,
{
    fn next_event(&mut self) -> Option<Event> {
        if let Some(sample) = self.panel.next_sample() {
            return Some(sample.map_or(Event::Lift, Event::Touch));
        }
        let now = (self.micros)();
        if self.clear.pressed(now) {
            return Some(Event::Clear);
        }
        self.page.pressed(now).then_some(Event::Page)
    }

    fn micros(&mut self) -> u32 {
        (self.micros)()
    }
}

/// For so many microseconds after a change a contact bounces.
const BOUNCE: u32 = 20_000;

#[derive(Debug)]
struct Button<Pin> {
    pin: Pin,
    down: bool,
    /// When that last changed.
    since: u32,
}

impl<Pin> Button<Pin> {
    const fn new(pin: Pin) -> Self {
        Self { pin, down: false, since: 0 }
    }
}

impl<Pin: InputPin> Button<Pin> {
    /// Whether it has gone down since it was last asked. A pin that cannot be read, or that bounces, is as it was.
    fn pressed(&mut self, now: u32) -> bool {
        let down = self.pin.is_low().unwrap_or(self.down);
        if down == self.down || now.wrapping_sub(self.since) < BOUNCE {
            return false;
        }
        (self.down, self.since) = (down, now);
        down
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal::digital::ErrorType;
    use std::collections::VecDeque;

    struct Pin(VecDeque<bool>);

    impl ErrorType for Pin {
        type Error = Infallible;
    }

    impl InputPin for Pin {
        fn is_high(&mut self) -> Result<bool, Infallible> {
            self.is_low().map(|low| !low)
        }

        fn is_low(&mut self) -> Result<bool, Infallible> {
            Ok(self.0.pop_front().unwrap_or(false))
        }
    }

    struct Panel(VecDeque<Option<Point>>);

    impl TouchPanel for Panel {
        fn next_sample(&mut self) -> Option<Option<Point>> {
            self.0.pop_front()
        }
    }

    #[test]
    fn samples_come_first_and_a_button_counts_once() {
        let panel = Panel([Some(Point::new(3, 4)), None].into());
        let (clear, page) = (Pin([true, true, false, true].into()), Pin([false, true, true, true].into()));
        let mut micros = 0;
        let mut hand = Hand::new(panel, clear, page, || {
            micros += BOUNCE;
            micros
        });
        let events: Vec<Option<Event>> = (0..6).map(|_| hand.next_event()).collect();
        let touch = Event::Touch(Point::new(3, 4));
        let expected =
            [Some(touch), Some(Event::Lift), Some(Event::Clear), None, Some(Event::Page), Some(Event::Clear)];
        assert_eq!(events, expected);
        assert_eq!(hand.micros(), 5 * BOUNCE);
    }

    #[test]
    fn a_contact_that_bounces_counts_once() {
        let mut button = Button::new(Pin([true, false, true, true, false, true, false].into()));
        let mut pressed = |millis: u32| button.pressed(millis * 1000);
        assert!(pressed(100));
        assert!(!pressed(101) && !pressed(102) && !pressed(130));
        // It is let go, and bounces.
        assert!(!pressed(200) && !pressed(201) && !pressed(230));
    }
}
