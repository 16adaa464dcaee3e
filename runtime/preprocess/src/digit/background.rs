//! What is paper and what is ink.

use super::bounds::Bounds;
use super::cells::Cells;
use super::histogram::{Histogram, OFFSET};
use super::trend::Trend;

/// Ink must stand out by this many grey levels.
const MIN_CONTRAST: i32 = 8;

/// And by this many times the spread of the background.
const MIN_SIGNAL_TO_NOISE: i32 = 5;

/// Noise alone does not reach this contrast.
const STRONG_CONTRAST: i32 = 96;

/// Background pixels lie this close to the most frequent level.
const LEVEL_WINDOW: i32 = 24;

/// Ink of this part of the peak is the edge of a stroke.
const FAINT_INK: i32 = 16;

/// The grey level of the background everywhere, and the side on which ink lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Background {
    trend: Trend,
    level: i32,
    dark_ink: bool,
    /// Spread of the background: five sixths of it lie within this distance of the level.
    noise: i32,
    /// Contrast of the strongest ink.
    peak: i32,
}

impl Background {
    /// Looks at a thumbnail: the most frequent grey level is that of the paper.
    pub fn estimate(thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Self {
        Self::over(flattest(thumbnail, histogram), thumbnail, histogram)
    }

    /// Looks at a thumbnail whose light is known.
    ///
    /// Not inlined, nor is [`flattest`]: a device's small stack has room for one of them at a time.
    #[inline(never)]
    fn over(trend: Trend, thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Self {
        let (mode, _) = histogram.collect(levels(thumbnail, trend)).mode(-OFFSET);
        let level = histogram.quantile(mode - LEVEL_WINDOW, mode + LEVEL_WINDOW, 1, 2);
        let mut found = Self { trend, level, dark_ink: false, noise: 0, peak: 0 };
        found.dark_ink = found.dark_outweighs_light(thumbnail);
        found.measure(thumbnail, histogram);
        found
    }

    /// The level of the paper after all, if the border of the picture tells that what is most frequent is ink: bold strokes that
    /// fill their picture. `histogram` is as [`Self::estimate`] left it.
    ///
    /// `None` if half of the border is paper, if less of it would be, or if the ink would be a sheet of paper: then it is one,
    /// and a frame or a table around it.
    pub fn other_level(&self, thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Option<i32> {
        let papered = self.papered_border(thumbnail);
        if 2 * papered >= thumbnail.border() {
            return None;
        }
        let (distance, _) = histogram.mode((self.peak + 1) / 2);
        let level = self.level + if self.dark_ink { -distance } else { distance };
        let other = self.exchanged(level, thumbnail, histogram);
        let better = other.has_ink() && other.papered_border(thumbnail) > papered;
        (better && !other.inks_a_sheet(thumbnail)).then_some(level)
    }

    /// Ink and paper exchanged: the paper has this `level`, the ink is on the other side.
    pub fn exchanged(&self, level: i32, thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Self {
        let mut other = Self { level, dark_ink: !self.dark_ink, ..*self };
        other.measure(thumbnail, histogram);
        other
    }

    /// True if there is ink: something stands out from the paper and its noise.
    pub fn has_ink(&self) -> bool {
        self.peak >= MIN_CONTRAST && self.peak > MIN_SIGNAL_TO_NOISE * self.noise
    }

    /// How much of an ink of grey `value` in cell `(x, y)` there is: 0 is background.
    pub fn ink(&self, value: u8, x: usize, y: usize) -> u8 {
        self.contrast(value, x, y).clamp(0, 255) as u8
    }

    /// Replaces the grey values of `thumbnail` by their ink.
    pub fn keep_ink(&self, thumbnail: &mut Cells<'_>) {
        for (y, row) in thumbnail.rows_mut().enumerate() {
            for (x, cell) in row.iter_mut().enumerate() {
                *cell = self.ink(*cell, x, y);
            }
        }
    }

    /// Ink from here on is part of a piece.
    pub fn threshold(&self) -> u8 {
        (self.peak / FAINT_INK + 3 * self.noise).clamp(1, 255) as u8
    }

    /// Ink up to here is noise.
    pub fn floor(&self) -> i32 {
        2 * self.noise
    }

    /// Sets what depends on the level and the side of the ink. Not inlined, as there is little flash.
    #[inline(never)]
    fn measure(&mut self, thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) {
        histogram.clear();
        self.for_each(thumbnail, &mut |_, _, contrast| histogram.add(contrast));
        self.peak = histogram.largest();
        self.noise = histogram.spread(self.peak / 2);
        if self.peak >= STRONG_CONTRAST && !self.has_ink() {
            // Of a digit that has been cut out tightly the strokes' edges are more than the paper: without the ink's side.
            self.noise = -histogram.quantile(1 - self.peak / 2, 0, 1, 6);
        }
    }

    /// How many cells of the border are paper.
    fn papered_border(&self, thumbnail: &Cells<'_>) -> usize {
        let mut papered = 0;
        self.for_each(thumbnail, &mut |x, y, contrast| {
            papered += usize::from(thumbnail.on_border(x, y) && 4 * contrast.abs() <= self.peak);
        });
        papered
    }

    /// True if what counts as ink is a sheet of paper with all its corners.
    fn inks_a_sheet(&self, thumbnail: &Cells<'_>) -> bool {
        let (mut bounds, mut inked) = (Bounds::NONE, 0);
        self.for_each(thumbnail, &mut |x, y, contrast| {
            if 2 * contrast >= self.peak {
                let cell = Bounds::cell(x, y);
                bounds = if inked == 0 { cell } else { bounds.union(cell) };
                inked += 1;
            }
        });
        let mut corners = 0;
        self.for_each(thumbnail, &mut |x, y, contrast| {
            corners += u8::from(4 * contrast >= self.peak && bounds.has_corner(x, y));
        });
        bounds.is_sheet(inked) && corners == 4
    }

    /// Calls `each` with every cell and its contrast. A call for each cell: several copies of the loop would not fit into a
    /// device's flash.
    #[inline(never)]
    fn for_each(&self, thumbnail: &Cells<'_>, each: &mut dyn FnMut(usize, usize, i32)) {
        for (x, y, value) in thumbnail.iter() {
            each(x, y, self.contrast(value, x, y));
        }
    }

    fn contrast(&self, value: u8, x: usize, y: usize) -> i32 {
        let difference = i32::from(value) - self.trend.at(x, y) - self.level;
        if self.dark_ink { -difference } else { difference }
    }

    /// Squares, because ink differs much from the background and noise little.
    fn dark_outweighs_light(&self, thumbnail: &Cells<'_>) -> bool {
        let (mut dark, mut light) = (0u32, 0u32);
        self.for_each(thumbnail, &mut |_, _, contrast| {
            let side = if contrast < 0 { &mut dark } else { &mut light };
            *side += contrast.clamp(-255, 255).unsigned_abs().pow(2);
        });
        dark > light
    }
}

/// The estimated trend, or none if without it the background is as even.
#[inline(never)]
fn flattest(thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Trend {
    let bent = Trend::estimate(thumbnail, histogram);
    let (_, even) = histogram.collect(levels(thumbnail, Trend::default())).mode(-OFFSET);
    let (_, evened) = histogram.collect(levels(thumbnail, bent)).mode(-OFFSET);
    if evened > even + even / 4 { bent } else { Trend::default() }
}

/// The levels of all cells less the trend. The border counts twice: it is background more often than the middle.
fn levels(thumbnail: &Cells<'_>, trend: Trend) -> impl Iterator<Item = i32> {
    thumbnail.iter().flat_map(move |(x, y, value)| {
        let times = if thumbnail.on_border(x, y) { 2 } else { 1 };
        core::iter::repeat_n(i32::from(value) - trend.at(x, y), times)
    })
}

#[cfg(test)]
mod tests {
    use super::super::histogram;
    use super::*;

    const WIDTH: i32 = 24;
    const HEIGHT: i32 = 30;

    /// Whether ink is light in a picture that is white in some places, counted from its middle, and else black; and whether
    /// ink and paper had to be exchanged.
    fn light_ink(is_white: impl Fn(i32, i32) -> bool) -> (bool, bool) {
        let mut pixels = [40; (WIDTH * HEIGHT) as usize];
        for (at, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = (at as i32 % WIDTH - WIDTH / 2, at as i32 / WIDTH - HEIGHT / 2);
            if is_white(x, y) {
                *pixel = 220;
            }
        }
        let thumbnail = Cells::new(&mut pixels, WIDTH as usize, HEIGHT as usize);
        let mut memory = [0; histogram::BYTES];
        let mut histogram = Histogram::new(&mut memory);
        let background = Background::estimate(&thumbnail, &mut histogram);
        let level = background.other_level(&thumbnail, &mut histogram);
        let found = level.map_or(background, |level| background.exchanged(level, &thumbnail, &mut histogram));
        assert!(found.has_ink() && found.level == if found.dark_ink { 220 } else { 40 });
        (!found.dark_ink, level.is_some())
    }

    /// A bold 0 whose hole is 4 x 8, `width` x `height`.
    fn zero(x: i32, y: i32, width: i32, height: i32) -> bool {
        let (dx, dy) = (2 * x * height, 2 * y * width);
        dx * dx + dy * dy < (width * height).pow(2) && (x.abs() > 2 || y.abs() > 4)
    }

    #[test]
    fn bold_ink_is_no_paper() {
        for (width, height) in [(WIDTH, HEIGHT), (WIDTH - 2, HEIGHT - 2)] {
            assert_eq!(light_ink(|x, y| zero(x, y, width, height)), (true, true));
            assert_eq!(light_ink(|x, y| !zero(x, y, width, height)), (false, true));
        }
    }

    #[test]
    fn framed_paper_is_no_ink() {
        let digit = |x: i32, y: i32| x.abs() < 2 && y.abs() < 8;
        assert_eq!(light_ink(|x, y| x.abs() < 10 && y.abs() < 13 && !digit(x, y)), (false, false));
        assert_eq!(light_ink(|x, y| x < 9 && y < 12 && !digit(x, y)), (false, false));
        assert_eq!(light_ink(|x, y| x.abs() < 9 && !digit(x, y)), (false, false));
    }
}
