//! What a kernel set reaches where nothing holds it up: the measure for layers.

use super::arithmetic::Kernels;
use super::set::{KernelSet, Which, of_set};
use crate::cast;
use crate::fixed_point::Activation;
use crate::operator::{ALL_KINDS, Kinds, Matrix, PerChannel};

/// Values of a patch. All sizes are large, and yet a processor's first cache holds everything.
const DEPTH: usize = 128;
const OUTPUTS: usize = 64;
const PATCHES: usize = 16;

/// See [`Kernels::product`].
type Product = fn(KernelSet, &Matrix<'_>, &[i8], &mut [i8], &mut [i8]);

/// A matrix times patches, as a 1x1 convolution is computed.
#[derive(Debug)]
pub struct Probe {
    kernels: KernelSet,
    product: Product,
    input: [u8; PATCHES * DEPTH],
    output: [u8; PATCHES * OUTPUTS],
    scratch: [u8; 4 * DEPTH],
}

impl Probe {
    /// Multiply-accumulates of a run.
    pub const MACS: u64 = (DEPTH * OUTPUTS * PATCHES) as u64;

    /// A probe of a kernel set.
    pub fn new(kernels: KernelSet) -> Self {
        let product: Product = of_set!(kernels, product, ALL_KINDS);
        Self {
            kernels,
            product,
            input: [1; PATCHES * DEPTH],
            output: [0; PATCHES * OUTPUTS],
            scratch: [0; 4 * DEPTH],
        }
    }

    /// Computes the product once.
    pub fn run(&mut self) {
        static WEIGHTS: [i8; DEPTH * OUTPUTS] = [1; DEPTH * OUTPUTS];
        static ZEROS: [[u8; 4]; OUTPUTS] = [[0; 4]; OUTPUTS];
        static HALVES: [[u8; 4]; OUTPUTS] = [[0, 0, 0, 64]; OUTPUTS];
        static SHIFTS: [i8; OUTPUTS] = [PerChannel::SMALL_SHIFT; OUTPUTS];
        let channels =
            PerChannel { bias: &ZEROS, sum: &ZEROS, mantissa: &HALVES, shift: &SHIFTS, small: true };
        let op =
            Matrix { weights: &WEIGHTS, depth: DEPTH, channels, zero_point: 0, activation: Activation::NONE };
        let [output, scratch] = [&mut self.output[..], &mut self.scratch].map(cast::as_i8_mut);
        (self.product)(self.kernels, &op, cast::as_i8(&self.input), output, scratch);
    }
}

/// The product of a kernel set, whatever operators the program has code for.
fn product<W: Which, const KINDS: Kinds>(
    kernels: KernelSet,
    op: &Matrix<'_>,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i8],
) {
    if let Some(kernels) = W::token(kernels) {
        kernels.product(op, input, output, scratch);
    }
}
