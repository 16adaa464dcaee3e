//! The list of pictures.

use crate::canvas::{Canvas, Colour, Pen, Place};
use crate::digits::strokes;
use image::{DynamicImage, ImageBuffer, Luma, Rgb, Rgba};

/// What the file's pixels are.
#[derive(Clone, Copy)]
enum Pixels {
    Grey8,
    Grey16,
    Rgb8,
    /// Only the ink is opaque.
    Rgba8,
}

type Paper = fn(f32, f32) -> Colour;

/// How a picture is made; the digit is the first character of the name.
pub struct Picture {
    pub name: &'static str,
    hand: usize,
    size: (usize, usize),
    paper: Paper,
    ink: Colour,
    /// Left, top, width, height of the digit in pixels.
    place: (f32, f32, f32, f32),
    /// Turn in degrees, lean as a part of the height.
    slant: (f32, f32),
    pen: f32,
    grain: f32,
    fibres: usize,
    squares: Option<(usize, Colour)>,
    pixels: Pixels,
}

/// A pen on white paper: what the pictures below change.
const PLAIN: Picture = Picture {
    name: "",
    hand: 0,
    size: (200, 200),
    paper: white,
    ink: [0.1, 0.1, 0.12],
    place: (60.0, 40.0, 80.0, 120.0),
    slant: (0.0, 0.0),
    pen: 12.0,
    grain: 0.0,
    fibres: 0,
    squares: None,
    pixels: Pixels::Grey8,
};

const BLUE: Colour = [0.12, 0.16, 0.55];
const CHALK: Colour = [0.92, 0.93, 0.88];

fn white(_: f32, _: f32) -> Colour {
    [0.97, 0.97, 0.96]
}

fn black(_: f32, _: f32) -> Colour {
    [0.04, 0.04, 0.05]
}

fn board(x: f32, y: f32) -> Colour {
    let light = 0.03 * x - 0.04 * y;
    [0.13 + light, 0.26 + light, 0.2 + light]
}

fn beige(x: f32, y: f32) -> Colour {
    let light = 0.05 * (x + y);
    [0.86 + light, 0.8 + light, 0.68 + light]
}

fn gradient(x: f32, y: f32) -> Colour {
    [0.62 + 0.5 * x - 0.2 * y; 3]
}

fn dark_gradient(x: f32, y: f32) -> Colour {
    [0.25 - 0.3 * x + 0.15 * y; 3]
}

fn vignette(x: f32, y: f32) -> Colour {
    [0.85 - 0.7 * (x * x + y * y); 3]
}

fn grey(_: f32, _: f32) -> Colour {
    [0.6; 3]
}

/// Two pictures as a person would take them.
pub fn for_the_readme() -> Vec<Picture> {
    let note = Picture { size: (320, 240), place: (110.0, 50.0, 95.0, 140.0), pixels: Pixels::Rgb8, ..PLAIN };
    vec![
        Picture { name: "5_blue_ink.png", paper: beige, ink: BLUE, pen: 9.0, slant: (4.0, 0.05), ..note },
        Picture {
            name: "8_chalk.png",
            hand: 1,
            paper: board,
            ink: CHALK,
            pen: 11.0,
            slant: (-5.0, 0.0),
            ..note
        },
    ]
}

/// Twenty pictures of paper, boards and screens.
pub fn unlike_mnist() -> Vec<Picture> {
    let plain = || PLAIN;
    vec![
        Picture { name: "0_dark_on_light.png", slant: (4.0, 0.05), ..plain() },
        Picture {
            name: "0_corner.jpg",
            hand: 1,
            size: (800, 600),
            ink: BLUE,
            place: (690.0, 40.0, 56.0, 84.0),
            pen: 6.0,
            grain: 0.02,
            pixels: Pixels::Rgb8,
            ..plain()
        },
        Picture { name: "1_light_on_dark.png", hand: 1, paper: black, ink: CHALK, ..plain() },
        Picture {
            name: "1_gradient.png",
            paper: gradient,
            ink: [0.1; 3],
            pen: 9.0,
            slant: (-6.0, 0.0),
            ..plain()
        },
        Picture {
            name: "2_corner.png",
            size: (800, 600),
            place: (40.0, 430.0, 80.0, 120.0),
            pen: 9.0,
            ..plain()
        },
        Picture { name: "2_thick.png", hand: 1, place: (40.0, 30.0, 120.0, 140.0), pen: 30.0, ..plain() },
        Picture {
            name: "3_thin.png",
            size: (300, 300),
            place: (80.0, 50.0, 140.0, 200.0),
            pen: 3.0,
            ..plain()
        },
        Picture {
            name: "3_noise.jpg",
            hand: 1,
            paper: beige,
            grain: 0.08,
            slant: (5.0, 0.0),
            pixels: Pixels::Rgb8,
            ..plain()
        },
        Picture { name: "4_transparent.png", ink: [0.75, 0.1, 0.1], pixels: Pixels::Rgba8, ..plain() },
        Picture {
            name: "4_vignette.jpg",
            hand: 1,
            size: (240, 240),
            paper: vignette,
            grain: 0.02,
            ..plain()
        },
        Picture { name: "5_detached_bar.png", hand: 1, ink: BLUE, pixels: Pixels::Rgb8, ..plain() },
        Picture {
            name: "5_chalk.jpg",
            size: (320, 240),
            paper: board,
            ink: CHALK,
            place: (110.0, 50.0, 90.0, 140.0),
            grain: 0.05,
            pixels: Pixels::Rgb8,
            ..plain()
        },
        Picture { name: "6_16_bit.png", pen: 10.0, pixels: Pixels::Grey16, ..plain() },
        Picture { name: "6_low_contrast.png", hand: 1, paper: grey, ink: [0.48; 3], ..plain() },
        Picture {
            name: "7_gradient.png",
            size: (220, 160),
            paper: dark_gradient,
            ink: [0.95; 3],
            place: (80.0, 20.0, 70.0, 110.0),
            ..plain()
        },
        Picture {
            name: "7_paper.jpg",
            hand: 1,
            size: (400, 300),
            paper: beige,
            ink: [0.7, 0.12, 0.1],
            place: (60.0, 90.0, 100.0, 150.0),
            slant: (8.0, 0.0),
            fibres: 900,
            grain: 0.02,
            pixels: Pixels::Rgb8,
            ..plain()
        },
        Picture {
            name: "8_thick_light.png",
            paper: black,
            ink: CHALK,
            place: (50.0, 30.0, 100.0, 140.0),
            pen: 22.0,
            ..plain()
        },
        Picture {
            name: "8_small.png",
            hand: 1,
            size: (20, 24),
            place: (5.0, 4.0, 11.0, 16.0),
            pen: 2.0,
            ..plain()
        },
        Picture {
            name: "9_noise.jpg",
            size: (120, 120),
            paper: grey,
            place: (35.0, 20.0, 50.0, 80.0),
            pen: 8.0,
            grain: 0.12,
            ..plain()
        },
        Picture {
            name: "9_squared_paper.png",
            hand: 1,
            size: (240, 240),
            ink: BLUE,
            place: (80.0, 50.0, 90.0, 130.0),
            pen: 7.0,
            slant: (0.0, 0.1),
            squares: Some((24, [0.78, 0.86, 0.94])),
            pixels: Pixels::Rgb8,
            ..plain()
        },
    ]
}

impl Picture {
    fn digit(&self) -> usize {
        usize::from(self.name.as_bytes()[0] - b'0')
    }

    pub fn draw(&self) -> DynamicImage {
        let seed =
            self.name.bytes().fold(7, |seed: u32, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let mut canvas = Canvas::new(self.size.0, self.size.1, seed, self.paper);
        if let Some((size, colour)) = self.squares {
            canvas.squares(size, colour);
        }
        canvas.fibres(self.fibres, 0.05);
        let (left, top, width, height) = self.place;
        let place = Place { left, top, width, height, turn: self.slant.0, lean: self.slant.1 };
        let pen = Pen { ink: self.ink, width: self.pen, pressure: 0.2 };
        canvas.write(strokes(self.digit(), self.hand), &place, &pen);
        canvas.grain(self.grain);
        self.image(&canvas)
    }

    fn image(&self, canvas: &Canvas) -> DynamicImage {
        let (width, height) = (canvas.width as u32, canvas.height as u32);
        let at = |x: u32, y: u32| y as usize * canvas.width + x as usize;
        let byte = |part: f32| (part.clamp(0.0, 1.0) * 255.0).round() as u8;
        let colour = |x, y| canvas.colours[at(x, y)];
        match self.pixels {
            Pixels::Grey8 => ImageBuffer::from_fn(width, height, |x, y| Luma([byte(colour(x, y)[1])])).into(),
            Pixels::Grey16 => {
                let word = |part: f32| (part.clamp(0.0, 1.0) * 65_535.0).round() as u16;
                ImageBuffer::from_fn(width, height, |x, y| Luma([word(colour(x, y)[1])])).into()
            }
            Pixels::Rgb8 => ImageBuffer::from_fn(width, height, |x, y| Rgb(colour(x, y).map(byte))).into(),
            Pixels::Rgba8 => ImageBuffer::from_fn(width, height, |x, y| {
                let [red, green, blue] = self.ink.map(byte);
                Rgba([red, green, blue, byte(canvas.cover[at(x, y)])])
            })
            .into(),
        }
    }
}
