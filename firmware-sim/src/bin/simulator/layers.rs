//! The layer viewer: what each layer of the network made of the sheet, and how the arena is used meanwhile.

use crate::occupancy::{Occupancy, Span};
use anyhow::Result;
use edge8::Operator;
use edge8::Shape;
use embedded_graphics::mono_font::ascii::{FONT_4X6, FONT_6X10};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};
use firmware_sim::Theme;
use firmware_sim::reader::Reader;

/// The output of one layer.
struct Layer {
    title: String,
    shape: Shape,
    values: Vec<i8>,
}

/// All layers of one inference.
pub struct Layers {
    layers: Vec<Layer>,
    occupancy: Occupancy,
}

impl Layers {
    /// What the network made of the latest input of a reader.
    pub fn new(reader: &Reader<'_>) -> Result<Self> {
        let model = reader.model();
        let title = |(index, operator): (usize, Operator<'_>)| {
            let shape = operator.output().shape;
            let Shape { height, width, channels } = shape;
            let title = format!("{index} {} {height}x{width}x{channels}", operator.name());
            Layer { title, shape, values: Vec::new() }
        };
        let mut layers: Vec<Layer> = model.operators().enumerate().map(title).collect();
        let mut arena = vec![0; model.arena_len()];
        let mut output = vec![0; model.output().shape.len()];
        // Rows of a layer come in order.
        model.run_layers(reader.input(), &mut arena, &mut output, |computed| {
            layers[computed.index].values.extend(computed.values);
        })?;
        Ok(Self { layers, occupancy: Occupancy::new(model) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.layers.len()
    }

    /// Shows one of them on all of a display.
    pub fn draw<D>(&self, index: usize, display: &mut D) -> Result<(), D::Error>
    where
        D: DrawTarget<Color: Theme>,
    {
        draw(&self.layers[index], index, &self.occupancy, display)
    }
}

fn draw<D>(layer: &Layer, index: usize, occupancy: &Occupancy, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    let screen = display.bounding_box();
    let Size { width, height } = screen.size;
    let font: &MonoFont<'_> = if width < 240 { &FONT_4X6 } else { &FONT_6X10 };
    let (line, map) = (font.character_size.height + 1, height / 4);
    display.fill_solid(&screen, D::Color::GROUND)?;
    let style = MonoTextStyle::new(font, D::Color::TEXT);
    Text::with_baseline(&layer.title, Point::new(1, 0), style, Baseline::Top).draw(display)?;
    let at = |top: u32, height: u32| Rectangle::new(Point::new(1, top as i32), Size::new(width - 2, height));
    let shown = maps(layer, at(line, height - 2 * line - map - 2), display)?;
    let mut text = format!("arena {} B", occupancy.arena);
    let channels = u32::from(layer.shape.channels);
    if shown < channels {
        text += &format!(", {shown} of {channels} maps");
    }
    let top = (height - map - line) as i32;
    Text::with_baseline(&text, Point::new(1, top), style, Baseline::Top).draw(display)?;
    arena(index, occupancy, at(height - map, map), display)
}

/// The channels side by side, as large as they fit; those that do not fit at all are left out. Saturated values stand out. How
/// many are shown.
fn maps<D>(layer: &Layer, place: Rectangle, display: &mut D) -> Result<u32, D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    let [height, width, channels] =
        [layer.shape.height, layer.shape.width, layer.shape.channels].map(u32::from);
    let across = |scale: u32| (place.size.width / (width * scale + 1)).max(1);
    let down = |scale: u32| place.size.height / (height * scale + 1);
    let scale = (1..=16).rev().find(|&scale| across(scale) * down(scale) >= channels).unwrap_or(1);
    let shown = channels.min(across(scale) * down(scale).max(1));
    for channel in 0..shown {
        let (column, row) = (channel % across(scale), channel / across(scale));
        let corner = Point::new((column * (width * scale + 1)) as i32, (row * (height * scale + 1)) as i32);
        for pixel in 0..width * height {
            let value = layer.values[(pixel * channels + channel) as usize];
            let saturated = value == i8::MAX;
            let level = value.wrapping_sub(i8::MIN) as u8;
            let color = if saturated { D::Color::REJECT } else { D::Color::ink(level) };
            let at = Point::new((pixel % width * scale) as i32, (pixel / width * scale) as i32);
            let square = Rectangle::new(place.top_left + corner + at, Size::new_equal(scale));
            display.fill_solid(&square.intersection(&place), color)?;
        }
    }
    Ok(shown)
}

/// The arena's bytes from top to bottom, time from left to right: each tensor from its first row to its last use.
fn arena<D>(index: usize, occupancy: &Occupancy, place: Rectangle, display: &mut D) -> Result<(), D::Error>
where
    D: DrawTarget<Color: Theme>,
{
    let Size { width, height } = place.size;
    let part = |value: usize, whole: usize, pixels: u32| (value * pixels as usize / whole.max(1)) as i32;
    display.fill_solid(&place, D::Color::ink(0))?;
    for (operator, Span { steps, bytes }) in &occupancy.spans {
        let [left, right] = [steps.start, steps.end].map(|step| part(step, occupancy.steps, width));
        let [top, bottom] = [bytes.start, bytes.end].map(|byte| part(byte, occupancy.arena, height));
        let corner = place.top_left + Point::new(left, top);
        let size = Size::new((right - left).max(1) as u32, (bottom - top).max(1) as u32);
        let color = if *operator == Some(index) { D::Color::CHOSEN } else { D::Color::QUIET };
        display.fill_solid(&Rectangle::new(corner, size).intersection(&place), color)?;
    }
    Ok(())
}
