//! What an operator record says, checked.
//!
//! `Operator::decode` reads one record and borrows its weights; `Operator::check` proves, once, that the kernels
//! can run it on an arena of a given size without a panic, an overflow or an access out of bounds.

mod add;
mod constant;
mod constants;
mod convolution;
mod fields;
mod fully_connected;
mod kinds;
mod matrix;
mod mean;
mod pad;
mod pool;
mod rescale;
mod softmax;
pub(crate) mod usual;
mod window;

pub use add::{Add, Addend};
pub use constant::Constant;
pub use convolution::Convolution;
pub use fully_connected::FullyConnected;
pub use kinds::{ALL_KINDS, Kinds, USUAL_KINDS};
pub(crate) use kinds::{UNUSUAL, has, name};
pub use matrix::Matrix;
pub use mean::Mean;
pub use pad::Pad;
pub use pool::Pool;
pub use rescale::{Channel, PerChannel, Word};
pub use softmax::Softmax;
pub use window::Window;

use crate::bytes;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::image::{Header, layout};
use crate::tensor::Tensor;
use layout::{operator as kind, record};

/// The bytes of an operator record. Fields at constant offsets need no check at run time.
pub(crate) type Record = [u8; layout::RECORD_LEN];

/// One step of a network.
#[derive(Clone, Copy, Debug)]
pub enum Operator<'a> {
    /// 2-D convolution over all input channels.
    Convolution(Convolution<'a>),
    /// 2-D convolution of each input channel by itself.
    Depthwise(Convolution<'a>),
    /// Every output from every input.
    FullyConnected(FullyConnected<'a>),
    /// Elementwise sum.
    Add(Add),
    /// Mean over height and width.
    Mean(Mean),
    /// Softmax over the channels.
    Softmax(Softmax),
    /// Mean over a window.
    AveragePool(Pool),
    /// Largest value of a window.
    MaxPool(Pool),
    /// A border of zero points.
    Pad(Pad),
    /// Values from the image.
    Constant(Constant<'a>),
}

impl<'a> Operator<'a> {
    /// Reads a record of one of the `KINDS`. `weights` is the image's weights section.
    ///
    /// # Errors
    /// A [`Problem`] if the kind is unknown or another, the record too short, or something it refers to does not exist.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn decode<const KINDS: Kinds>(record: &Record, weights: &'a [u8]) -> Result<Self, Problem> {
        let kind = bytes::u16(record, record::KIND).ok_or(Problem::RecordLength)?;
        if bytes::u16(record, record::RESERVED.start) != Some(0) {
            return Err(Problem::Reserved);
        }
        match kind {
            kind::CONVOLUTION | kind::DEPTHWISE if has(KINDS, kind) => {
                Self::decode_convolution(record, weights, kind == kind::DEPTHWISE)
            }
            kind::FULLY_CONNECTED if has(KINDS, kind) => {
                FullyConnected::decode(record, weights).map(Self::FullyConnected)
            }
            kind::ADD if has(KINDS, kind) => Add::decode(record).map(Self::Add),
            kind::MEAN if has(KINDS, kind) => Mean::decode(record).map(Self::Mean),
            kind::SOFTMAX if has(KINDS, kind) => Softmax::decode(record).map(Self::Softmax),
            kind::AVERAGE_POOL if has(KINDS, kind) => Pool::decode(record).map(Self::AveragePool),
            kind::MAX_POOL if has(KINDS, kind) => Pool::decode(record).map(Self::MaxPool),
            kind::PAD if has(KINDS, kind) => Pad::decode(record).map(Self::Pad),
            kind::CONSTANT if has(KINDS, kind) => Constant::decode(record, weights).map(Self::Constant),
            1.. if has(ALL_KINDS, kind) => Err(Problem::NotBuilt(kind)),
            _ => Err(Problem::Kind(kind)),
        }
    }

    /// The two kinds that most steps are of, on AArch64 by a call: inlined there, all fields of all kinds go through one set of
    /// registers and the stack.
    #[cfg_attr(target_arch = "aarch64", inline(never))]
    #[cfg_attr(target_os = "none", inline(always))]
    fn decode_convolution(record: &Record, weights: &'a [u8], depthwise: bool) -> Result<Self, Problem> {
        let op = Convolution::decode(record, weights, depthwise)?;
        Ok(if depthwise { Self::Depthwise(op) } else { Self::Convolution(op) })
    }

    /// Proves that the operator can run on the arena that the header describes.
    ///
    /// # Errors
    /// The first [`Problem`] found.
    pub(crate) fn check<const KINDS: Kinds>(&self, header: &Header) -> Result<(), Problem> {
        let valid = |tensor: &Option<&Tensor>| tensor.is_none_or(Tensor::is_valid);
        if !self.output().is_valid() || !self.operands().iter().all(valid) {
            return Err(Problem::Tensor);
        }
        self.check_places(header)?;
        if !has(KINDS, UNUSUAL) && !self.is_usual() {
            return Err(Problem::NotBuilt(UNUSUAL));
        }
        let range = self.activation();
        if range.min > range.max {
            return Err(Problem::Activation);
        }
        match self {
            Self::Convolution(op) if has(KINDS, kind::CONVOLUTION) => op.check(false),
            Self::Depthwise(op) if has(KINDS, kind::DEPTHWISE) => op.check(true),
            Self::FullyConnected(op) if has(KINDS, kind::FULLY_CONNECTED) => op.check(),
            Self::Add(op) if has(KINDS, kind::ADD) => op.check(),
            Self::Mean(op) if has(KINDS, kind::MEAN) => op.check(),
            Self::Softmax(op) if has(KINDS, kind::SOFTMAX) => op.check(),
            Self::AveragePool(op) if has(KINDS, kind::AVERAGE_POOL) => {
                op.check().and_then(|()| op.check_sum())
            }
            Self::MaxPool(op) if has(KINDS, kind::MAX_POOL) => op.check(),
            Self::Pad(op) if has(KINDS, kind::PAD) => op.check(),
            // A constant, or none of these kinds, which has not been decoded.
            _ => Ok(()),
        }
    }

    /// Tensors inside the arena behind the scratch bytes, the output clear of the inputs or exactly in place of the first;
    /// all rows kept where they are needed at once.
    fn check_places(&self, header: &Header) -> Result<(), Problem> {
        let output = self.output();
        let [first, second] = self.operands();
        let [mut outside, mut few_rows, mut overlap] =
            [!header.has_room_for(output), !(self.works_by_rows() || output.is_whole()), false];
        let mut add = |input: &Tensor, in_place: bool| {
            outside |= !header.has_room_for(input);
            few_rows |= usize::from(input.rows) < self.rows_at_once(input);
            overlap |= !in_place && input.overlaps(output);
        };
        if let Some(first) = first {
            let place = |tensor: &Tensor| (tensor.range(), tensor.rows);
            add(first, self.works_in_place() && place(first) == place(output));
        }
        if let Some(second) = second {
            add(second, false);
        }
        if outside {
            Err(Problem::OutsideArena)
        } else if self.scratch_len() > header.scratch_len as usize {
            Err(Problem::Scratch)
        } else if few_rows {
            Err(Problem::Rows)
        } else if overlap {
            Err(Problem::Overlap)
        } else {
            Ok(())
        }
    }

    /// Whether a row of the output depends on some rows of the inputs only, so that it can be computed before the others.
    pub const fn works_by_rows(&self) -> bool {
        match self {
            Self::Convolution(_)
            | Self::Depthwise(_)
            | Self::AveragePool(_)
            | Self::MaxPool(_)
            | Self::Add(_) => true,
            Self::FullyConnected(_) | Self::Mean(_) | Self::Softmax(_) | Self::Pad(_) | Self::Constant(_) => {
                false
            }
        }
    }

    /// Rows of an input that must be there to compute one row of the output, or the output.
    #[cfg_attr(target_os = "none", inline(never))]
    fn rows_at_once(&self, input: &Tensor) -> usize {
        let height = input.shape.height;
        match self {
            Self::Convolution(op) | Self::Depthwise(op) => op.window.kernel[0].min(height),
            Self::AveragePool(op) | Self::MaxPool(op) => op.window.kernel[0].min(height),
            Self::Add(_) => 1,
            _ => height,
        }
        .into()
    }

    /// Bytes in which a kernel may work.
    pub const fn scratch_len(&self) -> usize {
        match self {
            Self::Convolution(op) => op.scratch_len(false),
            Self::Depthwise(op) => op.scratch_len(true),
            Self::FullyConnected(op) => op.scratch_len(),
            _ => 0,
        }
    }

    /// Whether the output may be written over the first input.
    const fn works_in_place(&self) -> bool {
        matches!(self, Self::Add(_) | Self::Softmax(_))
    }

    /// The operator's name as in TensorFlow Lite.
    pub const fn name(&self) -> &'static str {
        name(match self {
            Self::Convolution(_) => kind::CONVOLUTION,
            Self::Depthwise(_) => kind::DEPTHWISE,
            Self::FullyConnected(_) => kind::FULLY_CONNECTED,
            Self::Add(_) => kind::ADD,
            Self::Mean(_) => kind::MEAN,
            Self::Softmax(_) => kind::SOFTMAX,
            Self::AveragePool(_) => kind::AVERAGE_POOL,
            Self::MaxPool(_) => kind::MAX_POOL,
            Self::Pad(_) => kind::PAD,
            Self::Constant(_) => kind::CONSTANT,
        })
    }

    /// The tensors that the operator reads: one, or two of a sum, or none of a constant.
    pub fn inputs(&self) -> impl Iterator<Item = &Tensor> {
        self.operands().into_iter().flatten()
    }

    /// See [`inputs`](Self::inputs).
    const fn operands(&self) -> [Option<&Tensor>; 2] {
        let (first, second) = match self {
            Self::Convolution(op) | Self::Depthwise(op) => (Some(&op.input), None),
            Self::FullyConnected(op) => (Some(&op.input), None),
            Self::Add(op) => (Some(&op.first.tensor), Some(&op.second.tensor)),
            Self::Mean(op) => (Some(&op.input), None),
            Self::Softmax(op) => (Some(&op.input), None),
            Self::AveragePool(op) | Self::MaxPool(op) => (Some(&op.input), None),
            Self::Pad(op) => (Some(&op.input), None),
            Self::Constant(_) => (None, None),
        };
        [first, second]
    }

    /// The tensor that the operator writes.
    pub const fn output(&self) -> &Tensor {
        match self {
            Self::Convolution(op) | Self::Depthwise(op) => &op.output,
            Self::FullyConnected(op) => &op.output,
            Self::Add(op) => &op.output,
            Self::Mean(op) => &op.output,
            Self::Softmax(op) => &op.output,
            Self::AveragePool(op) | Self::MaxPool(op) => &op.output,
            Self::Pad(op) => &op.output,
            Self::Constant(op) => &op.output,
        }
    }

    /// The range that the fused activation leaves.
    pub const fn activation(&self) -> Activation {
        match self {
            Self::Convolution(op) | Self::Depthwise(op) => op.activation,
            Self::FullyConnected(op) => op.activation,
            Self::Add(op) => op.activation,
            Self::Mean(op) => op.activation,
            Self::AveragePool(op) | Self::MaxPool(op) => op.activation,
            Self::Softmax(_) | Self::Pad(_) | Self::Constant(_) => Activation::NONE,
        }
    }

    /// The weights and the per-channel constants, of operators that have them.
    pub const fn parameters(&self) -> Option<(&'a [i8], PerChannel<'a>)> {
        match self {
            Self::Convolution(op) | Self::Depthwise(op) => Some((op.weights, op.channels)),
            Self::FullyConnected(op) => Some((op.weights, op.channels)),
            _ => None,
        }
    }

    /// Bytes of weights and per-channel constants, or of a constant's values, in the image.
    pub const fn parameter_len(&self) -> usize {
        match (self, self.parameters()) {
            (Self::Constant(op), _) => op.values.len(),
            (_, Some((weights, channels))) => weights.len().wrapping_add(channels.byte_len()),
            (_, None) => 0,
        }
    }

    /// Multiply-accumulates of one inference, taps in the padding included.
    pub const fn macs(&self) -> u64 {
        match self {
            Self::Convolution(op) => (op.output.shape.len() as u64).wrapping_mul(op.patch_len() as u64),
            Self::Depthwise(op) => (op.output.shape.len() as u64).wrapping_mul(op.window.taps() as u64),
            Self::FullyConnected(op) => {
                (op.output.shape.len() as u64).wrapping_mul(op.input.shape.len() as u64)
            }
            _ => 0,
        }
    }
}
