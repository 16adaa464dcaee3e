//! What is wrong with a record, in words: beside the operators, whose names are in it.

use super::Operator;
use crate::error::Problem;
use core::fmt;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Kind(kind) => write!(f, "kind {kind} is unknown: the image needs a newer library"),
            Self::NotBuilt(kind) => {
                let name = Operator::name_of(kind).unwrap_or("operators in unusual forms");
                write!(f, "the program is built for a model without {name}: embed the new one")
            }
            Self::WeightLayout(layout) => write!(f, "weight layout {layout} is unknown to this library"),
            Self::Reserved => f.write_str("a reserved byte is not zero: the image needs a newer library"),
            Self::RecordLength => f.write_str("the record's length does not fit its kind"),
            Self::Tensor => f.write_str("a tensor's shape, zero point or scale is invalid"),
            Self::OutsideArena => f.write_str("a tensor lies outside the arena's part for tensors"),
            Self::Scratch => f.write_str("the arena has too few bytes for its kernel to work in"),
            Self::Rows => f.write_str("the arena keeps fewer rows of a tensor than are needed at once"),
            Self::Overlap => f.write_str(
                "the output overlaps an input in the arena; only operators of a value by itself may write over their \
                 first input, at the same offset",
            ),
            Self::Shapes => f.write_str("the shapes of inputs and output do not belong together"),
            Self::Window => f.write_str("kernel, stride and padding do not fit the shapes"),
            Self::Quantisation => {
                f.write_str("input and output differ in zero point or scale, this operator needs them equal")
            }
            Self::Weights => {
                f.write_str("weights or multipliers lie outside their section or overlap others")
            }
            Self::Sum => f.write_str("a stated sum is not that of the channel's weights"),
            Self::WeightRange => f.write_str("a weight is -128: weights are in [-127, 127]"),
            Self::Filling => f.write_str("what fills the weights up is not zero"),
            Self::Accumulator => f.write_str("a sum could exceed 32 bits"),
            Self::Multiplier => f.write_str("a multiplier is out of range"),
            Self::Activation => f.write_str("the activation's range is empty, or the operator takes none"),
        }
    }
}
