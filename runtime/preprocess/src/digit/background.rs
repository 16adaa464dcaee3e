//! What is paper and what is ink.

use super::bounds::Bounds;
use super::cells::Cells;
use super::histogram::Histogram;
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
        let trend = flattest(thumbnail, histogram);
        let (mode, _) = histogram.collect(levels(thumbnail, trend)).mode();
        let level = histogram.quantile(mode - LEVEL_WINDOW, mode + LEVEL_WINDOW, 1, 2);
        let mut found = Self { trend, level, dark_ink: false, noise: 0, peak: 0 };
        found.dark_ink = found.dark_outweighs_light(thumbnail);
        found.measure(thumbnail, histogram);
        found
    }

    /// Ink and paper exchanged, if the border of the picture tells that what is most frequent is ink: bold strokes that fill
    /// their picture.
    ///
    /// `None` if half of the border is paper, if less of it would be, or if the ink would be a sheet of paper: then it is one,
    /// and a frame or a table around it.
    pub fn exchanged(&self, thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Option<Self> {
        let (papered, all) = self.papered_border(thumbnail);
        if 2 * papered >= all {
            return None;
        }
        let contrasts = thumbnail.iter().map(|(x, y, value)| self.contrast(value, x, y));
        let (distance, _) = histogram.collect(contrasts.filter(|contrast| 2 * contrast >= self.peak)).mode();
        let level = self.level + if self.dark_ink { -distance } else { distance };
        let mut other = Self { level, dark_ink: !self.dark_ink, ..*self };
        other.measure(thumbnail, histogram);
        let better = other.has_ink() && other.papered_border(thumbnail).0 > papered;
        (better && !other.inks_a_sheet(thumbnail)).then_some(other)
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

    /// Sets what depends on the level and the side of the ink.
    fn measure(&mut self, thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) {
        histogram.collect(thumbnail.iter().map(|(x, y, value)| self.contrast(value, x, y)));
        self.peak = histogram.largest();
        self.noise = histogram.spread(self.peak / 2);
        if self.peak >= STRONG_CONTRAST && !self.has_ink() {
            // Of a digit that has been cut out tightly the strokes' edges are more than the paper: without the ink's side.
            self.noise = -histogram.quantile(1 - self.peak / 2, 0, 1, 6);
        }
    }

    /// How many cells of the border are paper, and how many there are.
    fn papered_border(&self, thumbnail: &Cells<'_>) -> (usize, usize) {
        let (mut papered, mut all) = (0, 0);
        for (x, y, value) in thumbnail.iter().filter(|(x, y, _)| thumbnail.on_border(*x, *y)) {
            papered += usize::from(4 * self.contrast(value, x, y).abs() <= self.peak);
            all += 1;
        }
        (papered, all)
    }

    /// True if what counts as ink is a sheet of paper with all its corners.
    fn inks_a_sheet(&self, thumbnail: &Cells<'_>) -> bool {
        let (mut bounds, mut inked) = (Bounds::NONE, 0);
        for (x, y, value) in thumbnail.iter() {
            if 2 * self.contrast(value, x, y) >= self.peak {
                let cell = Bounds::cell(x, y);
                bounds = if inked == 0 { cell } else { bounds.union(cell) };
                inked += 1;
            }
        }
        let has_corner = |(x, y): (usize, usize)| 4 * self.contrast(thumbnail.at(x, y), x, y) >= self.peak;
        bounds.is_sheet(inked) && bounds.corners().into_iter().all(has_corner)
    }

    fn contrast(&self, value: u8, x: usize, y: usize) -> i32 {
        let difference = i32::from(value) - self.trend.at(x, y) - self.level;
        if self.dark_ink { -difference } else { difference }
    }

    /// Squares, because ink differs much from the background and noise little.
    fn dark_outweighs_light(&self, thumbnail: &Cells<'_>) -> bool {
        let (mut dark, mut light) = (0u32, 0u32);
        for (x, y, value) in thumbnail.iter() {
            let contrast = self.contrast(value, x, y).clamp(-255, 255);
            let side = if contrast < 0 { &mut dark } else { &mut light };
            *side += contrast.unsigned_abs().pow(2);
        }
        dark > light
    }
}

/// The estimated trend, or none if without it the background is as even.
fn flattest(thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Trend {
    let bent = Trend::estimate(thumbnail, histogram);
    let (_, even) = histogram.collect(levels(thumbnail, Trend::default())).mode();
    let (_, evened) = histogram.collect(levels(thumbnail, bent)).mode();
    if evened > even + even / 4 { bent } else { Trend::default() }
}

/// The levels of all cells less the trend. The border counts twice: it is background more often than the middle.
fn levels(thumbnail: &Cells<'_>, trend: Trend) -> impl Iterator<Item = i32> {
    thumbnail.iter().flat_map(move |(x, y, value)| {
        let times = if thumbnail.on_border(x, y) { 2 } else { 1 };
        core::iter::repeat_n(i32::from(value) - trend.at(x, y), times)
    })
}
