//! Uneven light: a robust quadratic surface under the thumbnail.

use super::cells::Cells;
use super::histogram::Histogram;

/// Fraction bits of the coefficients.
const BITS: u32 = 16;

/// `slope_x * X + curve_x * X^2 + slope_y * Y + curve_y * Y^2`, with `X` and `Y` counted in cells from the middle.
///
/// A linear gradient has slopes, vignetting has curves. The coefficients are medians of differences over a fixed
/// distance (as Theil and Sen estimate a slope), so that a digit, being the smaller part of the picture, does
/// not bend the surface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trend {
    middle: (i32, i32),
    slope: (i32, i32),
    curve: (i32, i32),
}

impl Trend {
    /// The surface under `thumbnail`; axes with fewer than 8 cells stay flat.
    pub fn estimate(thumbnail: &Cells<'_>, histogram: &mut Histogram<'_>) -> Self {
        let (width, height) = (thumbnail.width(), thumbnail.height());
        let mut trend = Self { middle: (width as i32 / 2, height as i32 / 2), slope: (0, 0), curve: (0, 0) };
        trend.curve = (
            curvature(width / 4, |d| histogram.collect(bends_along_rows(thumbnail, d)).median()),
            curvature(height / 4, |d| histogram.collect(bends_along_columns(thumbnail, d)).median()),
        );
        // The curves are known now: what they explain is taken out of the differences.
        let curved = trend;
        trend.slope = (
            slope(width / 2, |d| histogram.collect(steps_along_rows(thumbnail, curved, d)).median()),
            slope(height / 2, |d| histogram.collect(steps_along_columns(thumbnail, curved, d)).median()),
        );
        trend
    }

    /// Height of the surface in cell `(x, y)`, in grey levels; 0 in the middle.
    pub fn at(&self, x: usize, y: usize) -> i32 {
        let (x, y) = (x as i32 - self.middle.0, y as i32 - self.middle.1);
        let fine = (self.slope.0 + self.curve.0 * x) * x + (self.slope.1 + self.curve.1 * y) * y;
        (fine + (1 << (BITS - 1))) >> BITS
    }
}

/// Coefficient of the square from the median second difference over `distance`, which is `2 * curve * distance^2`.
fn curvature(distance: usize, median: impl FnOnce(usize) -> i32) -> i32 {
    if distance < 2 {
        return 0;
    }
    let square = (distance * distance) as i32;
    (median(distance) << (BITS - 1)).checked_div(square).unwrap_or(0)
}

/// Slope from the median difference over `distance`.
fn slope(distance: usize, median: impl FnOnce(usize) -> i32) -> i32 {
    if distance < 4 {
        return 0;
    }
    (median(distance) << BITS).checked_div(distance as i32).unwrap_or(0)
}

fn bend((left, middle, right): (&u8, &u8, &u8)) -> i32 {
    i32::from(*left) - 2 * i32::from(*middle) + i32::from(*right)
}

fn triples<'a>(
    left: &'a [u8],
    middle: &'a [u8],
    right: &'a [u8],
) -> impl Iterator<Item = (&'a u8, &'a u8, &'a u8)> {
    left.iter().zip(middle).zip(right).map(|((left, middle), right)| (left, middle, right))
}

fn bends_along_rows(thumbnail: &Cells<'_>, distance: usize) -> impl Iterator<Item = i32> {
    thumbnail.rows().flat_map(move |row| {
        let middle = row.get(distance..).unwrap_or(&[]);
        let right = row.get(2 * distance..).unwrap_or(&[]);
        triples(row, middle, right).map(bend)
    })
}

fn bends_along_columns(thumbnail: &Cells<'_>, distance: usize) -> impl Iterator<Item = i32> {
    let middle = thumbnail.rows().skip(distance);
    let lower = thumbnail.rows().skip(2 * distance);
    thumbnail
        .rows()
        .zip(middle)
        .zip(lower)
        .flat_map(|((upper, middle), lower)| triples(upper, middle, lower).map(bend))
}

fn steps_along_rows(thumbnail: &Cells<'_>, trend: Trend, distance: usize) -> impl Iterator<Item = i32> {
    thumbnail.rows().flat_map(move |row| {
        row.iter().zip(row.iter().skip(distance)).enumerate().map(move |(x, (left, right))| {
            let known = trend.at(x + distance, 0) - trend.at(x, 0);
            i32::from(*right) - i32::from(*left) - known
        })
    })
}

fn steps_along_columns(thumbnail: &Cells<'_>, trend: Trend, distance: usize) -> impl Iterator<Item = i32> {
    thumbnail.rows().zip(thumbnail.rows().skip(distance)).enumerate().flat_map(move |(y, (upper, lower))| {
        let known = trend.at(0, y + distance) - trend.at(0, y);
        upper.iter().zip(lower).map(move |(upper, lower)| i32::from(*lower) - i32::from(*upper) - known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digit::histogram;

    const WIDTH: usize = 60;
    const HEIGHT: usize = 40;

    fn surface(value: impl Fn(i32, i32) -> i32) -> [u8; WIDTH * HEIGHT] {
        core::array::from_fn(|at| value((at % WIDTH) as i32, (at / WIDTH) as i32).clamp(0, 255) as u8)
    }

    fn estimate(thumbnail: &Cells<'_>) -> Trend {
        Trend::estimate(thumbnail, &mut Histogram::new(&mut [0; histogram::BYTES]))
    }

    /// Largest difference between the surface and the trend, apart from a constant.
    fn residue(mut surface: [u8; WIDTH * HEIGHT]) -> i32 {
        let thumbnail = Cells::new(&mut surface, WIDTH, HEIGHT);
        let trend = estimate(&thumbnail);
        let rest = || thumbnail.iter().map(|(x, y, v)| i32::from(v) - trend.at(x, y));
        rest().max().unwrap() - rest().min().unwrap()
    }

    #[test]
    fn gradients_and_vignettes_are_followed() {
        assert_eq!(residue(surface(|_, _| 90)), 0);
        assert!(residue(surface(|x, y| 20 + 2 * x + y)) <= 2);
        assert!(residue(surface(|x, y| 200 - ((x - 30).pow(2) + (y - 20).pow(2)) / 12)) <= 6);
        assert!(residue(surface(|x, y| 200 - x - ((x - 20).pow(2) + (y - 25).pow(2)) / 20)) <= 6);
    }

    #[test]
    fn ink_does_not_bend_the_surface() {
        let inked =
            |x: i32, y: i32| (18..42).contains(&x) && (8..32).contains(&y) && (x / 4 + y / 5) % 3 != 0;
        let mut with_ink = surface(|x, y| 200 - x - y - if inked(x, y) { 90 } else { 0 });
        let trend = estimate(&Cells::new(&mut with_ink, WIDTH, HEIGHT));
        let corners = [(0, 0), (59, 0), (0, 39), (59, 39)];
        for (x, y) in corners {
            let expected = 50 - x as i32 - y as i32;
            assert!((trend.at(x, y) - expected).abs() <= 4, "{x},{y}: {} {expected}", trend.at(x, y));
        }
    }
}
