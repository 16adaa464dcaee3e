//! What an operator record says, checked.
//!
//! All that is known of a kind of operator stands in the file of the kind, as its [`Kind`]: name, record, shape rule, bounds, the
//! rows and the scratch bytes that it needs. `Operator::decode` reads one record and borrows its weights;
//! `Operator::check` proves, once, that the kernels can run it on an arena of a given size without a panic, an overflow or
//! an access out of bounds.

mod add;
mod constant;
mod constants;
mod convolution;
mod depthwise;
mod fields;
mod fully_connected;
mod kind;
mod kinds;
mod matrix;
mod mean;
mod pad;
mod pool;
mod problem;
mod reads;
mod rescale;
mod room;
mod softmax;
mod table;
mod window;

pub use add::{Add, Addend};
pub use constant::Constant;
pub use convolution::Convolution;
pub use depthwise::Depthwise;
pub use fields::Record;
pub use fully_connected::FullyConnected;
pub use kind::Kind;
pub use kinds::Kinds;
pub(crate) use kinds::{UNUSUAL, has};
pub use matrix::Matrix;
pub use mean::Mean;
pub use pad::Pad;
pub use pool::{AveragePool, MaxPool, Pool};
pub use reads::Reads;
pub use rescale::{Channel, PerChannel, Word};
pub(crate) use room::Room;
pub use softmax::Softmax;
pub use table::Table;
pub use window::Window;

use crate::bytes;
use crate::error::Problem;
use crate::fixed_point::Activation;
use crate::format;
use crate::tensor::Tensor;

/// Makes [`Operator`] and what depends on the kind alone of a list of kinds: their numbers in the format, their names and types.
macro_rules! operators {
    ($($(#[$doc:meta])* $code:literal $name:ident($operator:ty),)+) => {
        /// One step of a network.
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum Operator<'a> {
            $($(#[$doc])* $name($operator),)+
        }

        /// All kinds that this library knows, in all forms.
        pub const ALL_KINDS: Kinds = 1 << UNUSUAL $(| 1 << $code)+;

        /// The number of a kind in the format.
        pub(crate) trait Code {
            const CODE: u16;
        }

        $(impl<'a> Code for $operator {
            const CODE: u16 = $code;
        })+

        impl<'a> Operator<'a> {
            /// Reads a record of one of the `KINDS`. `section` is the image's weights section.
            ///
            /// # Errors
            /// A [`Problem`] if the kind is unknown or another, or something it refers to does not exist.
            #[cfg_attr(target_pointer_width = "64", inline(always))]
            pub(crate) fn decode<const KINDS: Kinds>(record: &Record, section: &'a [u8]) -> Result<Self, Problem> {
                let kind = bytes::u16(record, fields::KIND).ok_or(Problem::RecordLength)?;
                if bytes::u16(record, fields::RESERVED) != Some(0) {
                    return Err(Problem::Reserved);
                }
                match kind {
                    $($code if has(KINDS, $code) => Self::decode_kind(record, section, Self::$name),)+
                    $($code => Err(Problem::NotBuilt($code)),)+
                    _ => Err(Problem::Kind(kind)),
                }
            }

            /// The record; `at` is where its weights and its constants, or its values, begin in the weights section.
            pub fn encode(&self, at: [u32; 2]) -> Record {
                let mut record = [0; format::RECORD_LEN];
                match self {
                    $(Self::$name(op) => {
                        fields::put::<2>(&mut record, fields::KIND, ($code as u16).to_le_bytes());
                        op.encode(&mut record, at);
                    })+
                }
                record
            }

            /// What each kind proves of its own; nothing of a kind that is none of the `KINDS`, which has not been decoded.
            fn check_kind<const KINDS: Kinds>(&self) -> Result<(), Problem> {
                match self {
                    $(Self::$name(op) => if has(KINDS, $code) { op.check() } else { Ok(()) },)+
                }
            }

            /// Whether a record says what kernels with special instructions are for. A program for a device that runs no other
            /// operators needs no other kernels: [`embed_model!`](crate::embed_model) looks for them at compile time, the reader
            /// when it parses.
            ///
            /// What is usual, the `fits` of each kernel in `kernels/dsp` must take: such a program has nothing to fall back to. The
            /// test `device_operators` runs every operator that is usual without the others.
            pub(crate) const fn is_usual(record: &Record) -> bool {
                match fields::kind(record) {
                    $($code => <$operator>::is_usual(record),)+
                    _ => true,
                }
            }

            /// Where a record has the tensor record of its output.
            pub(crate) const fn output_of(record: &Record) -> usize {
                match fields::kind(record) {
                    $($code => <$operator as Kind>::OUTPUT,)+
                    _ => 0,
                }
            }

            /// As [`works_by_rows`](Self::works_by_rows), of a record.
            pub(crate) const fn record_works_by_rows(record: &Record) -> bool {
                match fields::kind(record) {
                    $($code => <$operator as Kind>::BY_ROWS,)+
                    _ => false,
                }
            }

            /// Whether a row of the output depends on some rows of the inputs only, so that it can be computed before the others.
            pub const fn works_by_rows(&self) -> bool {
                match self {
                    $(Self::$name(_) => <$operator as Kind>::BY_ROWS,)+
                }
            }

            /// Whether the output may be written over the first input.
            pub const fn works_in_place(&self) -> bool {
                match self {
                    $(Self::$name(_) => <$operator as Kind>::IN_PLACE,)+
                }
            }

            /// The operator's name as in TensorFlow Lite.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => <$operator as Kind>::NAME,)+
                }
            }

            /// The name of a kind as in TensorFlow Lite.
            const fn name_of(kind: u16) -> Option<&'static str> {
                match kind {
                    $($code => Some(<$operator as Kind>::NAME),)+
                    _ => None,
                }
            }

            /// See [`inputs`](Self::inputs).
            pub(crate) fn input(&self, index: usize) -> Option<&Tensor> {
                match self {
                    $(Self::$name(op) => op.input(index),)+
                }
            }

            /// The tensor that the operator writes.
            #[inline]
            pub fn output(&self) -> &Tensor {
                match self {
                    $(Self::$name(op) => op.output(),)+
                }
            }

            /// Rows of an input of this height that must be there to compute one row of the output, or the output.
            fn rows_at_once(&self, height: u16) -> u16 {
                match self {
                    $(Self::$name(op) => op.reads().at_once(height),)+
                }
            }

            /// Which rows of the inputs a row of the output is made from.
            pub fn reads(&self) -> Reads {
                match self {
                    $(Self::$name(op) => op.reads(),)+
                }
            }

            /// How many of some rows can be computed at once: they lie side by side in the output, and in the inputs where those
            /// are read as they lie.
            #[inline]
            pub(crate) fn contiguous(&self, row: usize, rows: usize) -> usize {
                if rows <= 1 {
                    return 1;
                }
                let rows = self.output().place(row, rows).1;
                match self {
                    $(Self::$name(op) => op.side_by_side(row, rows),)+
                }
                .max(1)
            }

            /// The range that the fused activation leaves.
            pub fn activation(&self) -> Activation {
                match self {
                    $(Self::$name(op) => op.activation(),)+
                }
            }

            /// The weights and the per-channel constants, of operators that have them.
            pub fn filter(&self) -> Option<(&'a [i8], PerChannel<'a>)> {
                match self {
                    $(Self::$name(op) => op.filter(),)+
                }
            }

            /// Bytes of the weights section that are the operator's.
            pub fn parameter_len(&self) -> usize {
                match self {
                    $(Self::$name(op) => op.parameter_len(),)+
                }
            }

            /// Bytes in which a kernel may work, at least.
            pub fn scratch_len(&self) -> usize {
                match self {
                    $(Self::$name(op) => op.scratch_len(),)+
                }
            }

            /// As many of them as the quantizer plans.
            pub fn scratch_at_best(&self) -> usize {
                match self {
                    $(Self::$name(op) => op.scratch_at_best(),)+
                }
            }

            /// Multiply-accumulates of one inference, taps in the padding included.
            pub fn macs(&self) -> u64 {
                match self {
                    $(Self::$name(op) => op.macs(),)+
                }
            }
        }
    };
}

operators! {
    /// 2-D convolution over all input channels.
    1 Convolution(Convolution<'a>),
    /// 2-D convolution of each input channel by itself.
    2 Depthwise(Depthwise<'a>),
    /// Every output from every input.
    3 FullyConnected(FullyConnected<'a>),
    /// Elementwise sum.
    4 Add(Add),
    /// Mean over height and width.
    5 Mean(Mean),
    /// Softmax over the channels.
    6 Softmax(Softmax),
    /// Mean over a window.
    7 AveragePool(AveragePool),
    /// Largest value of a window.
    8 MaxPool(MaxPool),
    /// A border of zero points.
    9 Pad(Pad),
    /// Values from the image.
    10 Constant(Constant<'a>),
    /// Each value by itself through a table.
    11 Table(Table<'a>),
}

/// All kinds, in forms that a Cortex-M with DSP instructions has kernels of its own for: a program for these has no others.
pub const USUAL_KINDS: Kinds = ALL_KINDS - (1 << UNUSUAL);

/// Whether a program for these kinds has code for operators of this type.
#[inline(always)]
pub(crate) const fn has_kind<T: Code>(kinds: Kinds, _: &T) -> bool {
    has(kinds, T::CODE)
}

impl<'a> Operator<'a> {
    /// Reads a record of one kind; on AArch64 by a call: inlined there, all fields of all kinds go through one set of registers and
    /// the stack.
    #[cfg_attr(target_arch = "aarch64", inline(never))]
    #[cfg_attr(not(target_arch = "aarch64"), inline(always))]
    fn decode_kind<T: Kind<'a>>(
        record: &Record,
        section: &'a [u8],
        operator: impl FnOnce(T) -> Self,
    ) -> Result<Self, Problem> {
        T::decode(record, section).map(operator)
    }

    /// The tensors that the operator reads, in its order.
    pub fn inputs(&self) -> impl Iterator<Item = &Tensor> {
        (0..).map_while(|index| self.input(index))
    }

    /// The tensors that the operator writes.
    pub fn outputs(&self) -> impl Iterator<Item = &Tensor> {
        core::iter::once(self.output())
    }

    /// Proves that the operator of a record can run in the room that there is.
    ///
    /// # Errors
    /// The first [`Problem`] found.
    pub(crate) fn check<const KINDS: Kinds>(&self, record: &Record, room: Room) -> Result<(), Problem> {
        self.check_tensors(room)?;
        if !has(KINDS, UNUSUAL) && !Self::is_usual(record) {
            return Err(Problem::NotBuilt(UNUSUAL));
        }
        let range = self.activation();
        if range.min > range.max {
            return Err(Problem::Activation);
        }
        self.check_kind::<KINDS>()
    }

    /// Tensors valid, and inside the arena behind the scratch bytes, the output clear of the inputs or exactly in place of the first;
    /// all rows kept where they are needed at once.
    fn check_tensors(&self, room: Room) -> Result<(), Problem> {
        let output = self.output();
        if !(output.is_whole() || self.works_by_rows()) {
            return Err(Problem::Rows);
        }
        if self.scratch_len() > room.scratch_len as usize {
            return Err(Problem::Scratch);
        }
        room.check(output)?;
        let mut in_place = self.works_in_place();
        for input in self.inputs() {
            room.check(input)?;
            if !input.is_whole() && input.rows < self.rows_at_once(input.shape.height) {
                return Err(Problem::Rows);
            }
            let place = |tensor: &Tensor| (tensor.range(), tensor.rows);
            if input.overlaps(output) && !(in_place && place(input) == place(output)) {
                return Err(Problem::Overlap);
            }
            in_place = false;
        }
        Ok(())
    }
}
