//! Displays as there are, and how they look.

use clap::ValueEnum;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{PixelColor, Size};
use embedded_graphics_simulator::{
    BinaryColorTheme, OutputSettings, OutputSettingsBuilder, SimulatorDisplay,
};
use image::RgbImage;

/// A display to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Screen {
    /// Monochrome OLED, as with an SSD1306
    #[value(name = "oled-128x64")]
    Oled128x64,
    /// Colour, as with an ST7735
    #[value(name = "160x128")]
    Colour160x128,
    /// Colour, as with an ST7789
    #[value(name = "240x240")]
    Colour240x240,
    /// Colour, as with an ILI9341
    #[value(name = "320x240")]
    Colour320x240,
}

impl Screen {
    pub const fn size(self) -> Size {
        match self {
            Self::Oled128x64 => Size::new(128, 64),
            Self::Colour160x128 => Size::new(160, 128),
            Self::Colour240x240 => Size::new(240, 240),
            Self::Colour320x240 => Size::new(320, 240),
        }
    }

    /// What it shows.
    pub fn picture<C: PixelColor + Into<Rgb888>>(self, display: &SimulatorDisplay<C>) -> RgbImage {
        let output = display.to_rgb_output_image(&self.settings());
        let buffer = output.as_image_buffer();
        let (width, height) = buffer.dimensions();
        RgbImage::from_raw(width, height, buffer.as_raw().to_vec()).expect("as large as it was")
    }

    /// How a picture of it is made: an OLED's pixels have gaps.
    pub fn settings(self) -> OutputSettings {
        let settings = OutputSettingsBuilder::new();
        match self {
            Self::Oled128x64 => settings.scale(3).pixel_spacing(1).theme(BinaryColorTheme::OledBlue).build(),
            Self::Colour160x128 => settings.scale(3).build(),
            Self::Colour240x240 | Self::Colour320x240 => settings.scale(2).build(),
        }
    }
}
