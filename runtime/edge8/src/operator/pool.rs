//! Average and maximum pool: one record, two meanings.
//!
//! | offset | type | field |
//! | --- | --- | --- |
//! | 24 | tensor | output, with the input's channels, scale and zero point |
//! | 40 | `[u16; 6]` | kernel height and width, stride down and across, padding above and to the left |

use super::fields::{self, Common, Record};
use super::kind::Kind;
use super::reads::Reads;
use super::window::Window;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::tensor::Tensor;

const WINDOW: usize = 40;

/// A pool: each output is made from the values of its channel in one window, padding left out.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// Input map.
    pub input: Tensor,
    /// Output map, with the input's channels, zero point and scale.
    pub output: Tensor,
    /// Kernel, stride, padding.
    pub window: Window,
    /// Clamp of the output.
    pub activation: Activation,
}

/// A mean over a window.
#[derive(Clone, Copy, Debug)]
pub struct AveragePool(
    /// Its tensors and its window.
    pub Pool,
);

/// The largest value of a window.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool(
    /// Its tensors and its window.
    pub Pool,
);

impl Pool {
    #[inline]
    fn decode(record: &Record) -> Result<Self, Problem> {
        let common = Common::decode(record, MaxPool::OUTPUT)?;
        Ok(Self {
            input: common.input,
            output: common.output,
            window: Window::decode(record, WINDOW)?,
            activation: common.activation,
        })
    }

    fn encode(&self, record: &mut Record) {
        fields::put_common(record, &self.input, (MaxPool::OUTPUT, &self.output), self.activation);
        self.window.encode(record, WINDOW);
    }

    fn check(&self) -> Result<(), Problem> {
        if self.input.shape.channels != self.output.shape.channels {
            return Err(Problem::Shapes);
        }
        if !self.input.shares_quantisation(&self.output) {
            return Err(Problem::Quantisation);
        }
        if self.window.joins(self.input.shape, self.output.shape) { Ok(()) } else { Err(Problem::Window) }
    }

    /// Proves that the sum over a window, and what rounding adds, stays in 32 bits.
    fn check_sum(&self) -> Result<(), Problem> {
        // 128 a tap, and half the number of taps.
        let most = (self.window.taps() as u64).saturating_mul(129);
        if most > i32::MAX as u64 { Err(Problem::Accumulator) } else { Ok(()) }
    }
}

/// What both pools have in common.
macro_rules! pool {
    ($pool:ident, $name:literal, $check:expr) => {
        impl $pool {
            pub(crate) const fn is_usual(_: &Record) -> bool {
                true
            }
        }

        impl<'a> Kind<'a> for $pool {
            const NAME: &'static str = $name;
            const OUTPUT: usize = 24;
            const BY_ROWS: bool = true;

            #[inline]
            fn decode(record: &Record, _: &'a [u8]) -> Result<Self, Problem> {
                Pool::decode(record).map(Self)
            }

            fn encode(&self, record: &mut Record, _: [u32; 2]) {
                self.0.encode(record);
            }

            fn check(&self) -> Result<(), Problem> {
                $check(&self.0)
            }

            #[inline]
            fn input(&self, index: usize) -> Option<&Tensor> {
                (index == 0).then_some(&self.0.input)
            }

            #[inline]
            fn side_by_side(&self, _: usize, rows: usize) -> usize {
                rows
            }

            #[inline]
            fn output(&self) -> &Tensor {
                &self.0.output
            }

            #[inline]
            fn reads(&self) -> Reads {
                Reads::Window(self.0.window)
            }

            fn activation(&self) -> Activation {
                self.0.activation
            }
        }
    };
}

pool!(AveragePool, "AVERAGE_POOL_2D", |pool: &Pool| pool.check().and_then(|()| pool.check_sum()));
pool!(MaxPool, "MAX_POOL_2D", Pool::check);
