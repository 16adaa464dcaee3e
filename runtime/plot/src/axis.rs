//! From values to pixels.

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// By their differences.
    Linear,
    /// By their ratios; a value of 0 or less lies at the lower end.
    Logarithmic,
}

/// One side of a diagram: what it shows, and from where to where.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What stands beside it.
    pub name: String,
    scale: Scale,
    /// Lower and upper end: values, or their logarithms to base 10.
    ends: [f64; 2],
    /// Where its lines and numbers are.
    ticks: Vec<f64>,
}

/// About so many numbers on a linear axis.
const TICKS: f64 = 8.0;

impl Axis {
    /// An axis that all values fit on: of a logarithmic one the ends are powers of ten, of a linear one round numbers.
    pub fn new(name: &str, scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let shown = values.filter(|value| value.is_finite() && (*value > 0.0 || scale == Scale::Linear));
        let range = shown
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)]);
        let [low, high] = if range[0] > range[1] { [0.1, 1.0] } else { range };
        let (ends, ticks) = match scale {
            Scale::Linear => linear(low, high),
            Scale::Logarithmic => logarithmic(low, high),
        };
        Self { name: name.to_owned(), scale, ends, ticks }
    }

    /// Where a value lies between the ends, 0 to 1.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let at = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        };
        ((at - self.ends[0]) / (self.ends[1] - self.ends[0])).clamp(0.0, 1.0)
    }

    /// The values that have a line and a number.
    pub(crate) fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// The values between them that have a short line.
    pub(crate) fn between(&self) -> Vec<f64> {
        let decades = self.ticks.windows(2).filter(|_| self.scale == Scale::Logarithmic);
        decades.flat_map(|decade| (2..10).map(|step| f64::from(step) * decade[0])).collect()
    }
}

fn linear(low: f64, high: f64) -> ([f64; 2], Vec<f64>) {
    let step = round_step((high - low).max(high.abs() * 1e-9).max(f64::MIN_POSITIVE) / TICKS);
    let [first, last] = [(low / step).floor(), (high / step).ceil()];
    let last = last.max(first + 1.0);
    let ticks = (0..=(last - first) as usize).map(|index| (first + index as f64) * step);
    ([first * step, last * step], ticks.collect())
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&step| step >= least)
        .unwrap_or(10.0 * power)
}

fn logarithmic(low: f64, high: f64) -> ([f64; 2], Vec<f64>) {
    let first = low.log10().floor() as i32;
    let last = (high.log10().ceil() as i32).max(first + 1);
    ([first.into(), last.into()], (first..=last).map(|power| 10f64.powi(power)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_axes_end_at_round_numbers() {
        let axis = Axis::new("", Scale::Linear, [99.31, 99.74].into_iter());
        assert!((axis.ticks()[0] - 99.3).abs() < 1e-9 && (axis.ticks().last().unwrap() - 99.8).abs() < 1e-9);
        assert_eq!(axis.place(99.3), 0.0);
        assert!((axis.place(99.55) - 0.5).abs() < 1e-9);
        assert!(axis.between().is_empty());
        // One value, or none.
        assert!((0.0..=1.0).contains(&Axis::new("", Scale::Linear, [5.0].into_iter()).place(5.0)));
        assert!(!Axis::new("", Scale::Linear, std::iter::empty()).ticks().is_empty());
    }

    #[test]
    fn logarithmic_axes_end_at_powers_of_ten() {
        let axis = Axis::new("", Scale::Logarithmic, [0.02, 3.0, 0.0].into_iter());
        let powers = [-2, -1, 0, 1].map(|power| 10f64.powi(power));
        assert_eq!(axis.ticks(), powers);
        assert!((axis.place(0.1) - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!((axis.place(0.0), axis.between().len()), (0.0, 24));
    }
}
