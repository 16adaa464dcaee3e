//! A layer as the engine's operator.

use crate::graph::{TensorId, Window};
use crate::quantize::{Int8Filter, Int8Operator, Int8Tensor, Layer, Network};
use edge8::fixed_point::Multiplier;
use edge8::operator::{
    Add, Addend, AveragePool, Constant, Convolution, Depthwise, FullyConnected, MaxPool, Mean, Operator, Pad,
    PerChannel, Pool, Softmax, Table,
};
use edge8::{Shape, Tensor};

/// A tensor at the begin of the arena, kept as a whole. A side beyond what the format holds is cut: who writes it has refused it.
pub(crate) fn tensor(tensor: &Int8Tensor) -> Tensor {
    let side = |extent: usize| u16::try_from(extent).unwrap_or(u16::MAX);
    let [height, width, channels] =
        [tensor.shape.height, tensor.shape.width, tensor.shape.channels].map(side);
    Tensor {
        offset: 0,
        shape: Shape { height, width, channels },
        rows: height,
        zero_point: tensor.quantisation.zero_point,
        scale: tensor.quantisation.scale,
    }
}

/// The operator that computes a layer, its tensors where `place` says, its weights and constants left out; [`None`] of a
/// reshape, which takes no computing.
pub(crate) fn operator<'a>(
    network: &Network,
    layer: &'a Layer,
    place: impl Fn(TensorId) -> Tensor,
) -> Option<Operator<'a>> {
    let input = |index: usize| place(layer.inputs[index]);
    let (output, activation) = (place(layer.output), layer.activation);
    let convolution = |window: &Window, filter: &Int8Filter| Convolution {
        input: input(0),
        output,
        window: self::window(window),
        weights: &[],
        channels: channels(filter),
        activation,
    };
    let pool = |window: &Window| Pool { input: input(0), output, window: self::window(window), activation };
    Some(match &layer.operator {
        Int8Operator::Conv2d(window, filter) => Operator::Convolution(convolution(window, filter)),
        Int8Operator::DepthwiseConv2d(window, filter) => {
            Operator::Depthwise(Depthwise(convolution(window, filter)))
        }
        Int8Operator::FullyConnected(filter) => Operator::FullyConnected(FullyConnected {
            input: input(0),
            output,
            weights: &[],
            channels: channels(filter),
            activation,
        }),
        Int8Operator::Add([first, second, sum]) => {
            let mut addends = [
                Addend { tensor: input(0), multiplier: *first },
                Addend { tensor: input(1), multiplier: *second },
            ];
            // It is written over its first input or beside both, so the input that is overwritten must be the first.
            let beside = network.tensor(layer.inputs[1]).shape != network.tensor(layer.output).shape;
            if !beside && addends[1].tensor.offset == output.offset {
                addends.swap(0, 1);
            }
            let [first, second] = addends;
            Operator::Add(Add { first, second, output, multiplier: *sum, activation })
        }
        Int8Operator::Mean(multiplier) => {
            Operator::Mean(Mean { input: input(0), output, multiplier: *multiplier, activation })
        }
        Int8Operator::AveragePool2d(window) => Operator::AveragePool(AveragePool(pool(window))),
        Int8Operator::MaxPool2d(window) => Operator::MaxPool(MaxPool(pool(window))),
        Int8Operator::Pad(border) => {
            let before = border.before.map(cut);
            Operator::Pad(Pad { input: input(0), output, before })
        }
        Int8Operator::Constant(values) => Operator::Constant(Constant { output, values }),
        Int8Operator::Softmax(multiplier, diff_min) => Operator::Softmax(Softmax {
            input: input(0),
            output,
            multiplier: *multiplier,
            diff_min: *diff_min,
        }),
        Int8Operator::Table(_, values) => Operator::Table(Table { input: input(0), output, values }),
        Int8Operator::Reshape => return None,
    })
}

/// A size as the format holds it. A larger one is cut: the reader of the image refuses what does not belong together.
fn cut(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(u16::MAX)
}

fn window(window: &Window) -> edge8::operator::Window {
    let [kernel, stride, padding] = [window.kernel, window.stride, window.before].map(|pair| pair.map(cut));
    edge8::operator::Window { kernel, stride, padding }
}

/// No constants, but whether kernels may take their fast form of the rescale.
fn channels(filter: &Int8Filter) -> PerChannel<'static> {
    let small = filter.multipliers.iter().all(|m| normalised(m).shift <= PerChannel::SMALL_SHIFT);
    PerChannel { bias: &[], sum: &[], mantissa: &[], shift: &[], small }
}

/// A multiplier of 0 is as good with any shift; with the smallest it is one of the small ones.
pub(super) fn normalised(multiplier: &Multiplier) -> Multiplier {
    let shift = if multiplier.mantissa == 0 { Multiplier::MIN_SHIFT } else { multiplier.shift };
    Multiplier { shift, ..*multiplier }
}
