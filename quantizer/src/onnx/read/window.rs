//! Convolutions, pools, means and pads.

use super::axes::{Axes, Axis};
use super::walk::{Value, Walk, floats, sides};
use crate::graph::{Border, Filter, Operator, Shape, Window};
use anyhow::{Context, Result, bail, ensure};
use tract_core::internal::*;
use tract_core::ops::array::{Pad, PadMode};
use tract_core::ops::binary::TypedBinOp;
use tract_core::ops::cnn::{Conv, KernelFormat, MaxPool, PaddingSpec, PoolSpec, SumPool};
use tract_core::ops::nn::{Reduce, Reducer};

/// How ONNX lays out an image.
const CHANNELS_FIRST: [Option<Axis>; 4] = [None, Some(Axis::Channel), Some(Axis::Row), Some(Axis::Column)];

/// Most rows, columns or channels that a pad can add on a side.
const MOST_PADDING: usize = 1 << 12;

impl Walk<'_> {
    pub(super) fn convolution(&mut self, node: &TypedNode, convolution: &Conv) -> Result<()> {
        let pool = &convolution.pool_spec;
        let (group, inputs) = (convolution.group, pool.input_channels);
        ensure!(convolution.q_params.is_none(), "it is quantised: export the float network");
        ensure!(
            group == 1 || group == inputs,
            "it has {group} groups for {inputs} input channels: 1, or one for each channel is possible"
        );
        ensure!(convolution.kernel_fmt == KernelFormat::OIHW, "its weights lie in an unexpected order");
        let [weights, bias] =
            [1, 2].map(|index| node.inputs.get(index).and_then(|&input| self.constant(input)));
        let weights = floats(weights.context("its weights are computed: they must be constant")?)?;
        let bias = floats(bias.context("its bias is computed: it must be constant")?)?;
        let channels = pool.output_channels;
        let bias = if bias.len() == 1 { vec![bias[0]; channels] } else { bias };
        let depth = if group == 1 { inputs } else { 1 };
        let filter = Filter::new(channels_last(&weights, depth, pool.kernel_shape.iter().product()), bias)?;

        let (window, value) = self.window(node, pool, true)?;
        let operator = match group {
            1 => Operator::Conv2d(window, filter),
            _ => Operator::DepthwiseConv2d(window, filter),
        };
        self.add_window(node, operator, &value)
    }

    pub(super) fn average_pool(&mut self, node: &TypedNode, pool: &SumPool) -> Result<()> {
        ensure!(pool.normalize, "a sum without division is not possible: use an average");
        let (mut window, mut value) = self.window(node, &pool.pool_spec, false)?;
        if pool.count_include_pad && (window.before, window.after) != ([0; 2], [0; 2]) {
            let ceiling = matches!(pool.pool_spec.padding, PaddingSpec::ExplicitOnnxPool(_, _, true));
            ensure!(!ceiling, "it counts its padding and has ceil_mode: export without one of them");
            value = self.surrounded(node, &value, &mut window)?;
        }
        let shape = self.shape(&value);
        let whole = Window::valid([shape.height, shape.width], window.stride);
        let operator = if window == whole { Operator::Mean } else { Operator::AveragePool2d(window) };
        self.add_window(node, operator, &value)
    }

    pub(super) fn max_pool(&mut self, node: &TypedNode, pool: &MaxPool) -> Result<()> {
        let (window, value) = self.window(node, &pool.pool_spec, false)?;
        self.add_window(node, Operator::MaxPool2d(window), &value)
    }

    /// A mean over rows and columns: tract's sum and the quotient or product behind it.
    pub(super) fn mean(&mut self, node: &TypedNode, reduce: &Reduce) -> Result<()> {
        let value = self.settled(node.inputs[0])?;
        let shape = self.shape(&value);
        let mut over: Vec<Axis> =
            reduce.axes.iter().flat_map(|&axis| value.axes.list(axis)).copied().collect();
        over.sort_unstable();
        let spatial = [Axis::Row, Axis::Column].into_iter().filter(|axis| axis.side(shape) > 1);
        ensure!(
            reduce.reducer == Reducer::Sum && over.into_iter().eq(spatial),
            "only a mean over all rows and columns is possible"
        );
        let count = (shape.height * shape.width) as f32;
        let last = self.only_reader(node).filter(|next| self.divides_by(next, count));
        let last = last.context("a sum is not possible: use a mean")?.id;
        if count == 1.0 {
            self.pass(last.into(), value);
            return Ok(());
        }
        let kept =
            |axis| if reduce.axes.contains(&axis) { Vec::new() } else { value.axes.list(axis).to_vec() };
        let axes = Axes::of_lists((0..value.axes.rank()).map(kept).collect());
        self.add(last.into(), Operator::Mean, &[value.tensor], axes)
    }

    fn divides_by(&self, node: &TypedNode, count: f32) -> bool {
        let divides = node.op_as::<TypedBinOp>().is_some_and(|operator| operator.0.name() == "Div");
        let divisor = node.inputs.get(1).and_then(|&input| self.constant(input));
        divides && divisor.and_then(|divisor| floats(divisor).ok()).is_some_and(|divisor| divisor == [count])
    }

    /// Zeros around an image: kept until it shows whether a window can take them as its padding.
    pub(super) fn pad(&mut self, node: &TypedNode, pad: &Pad) -> Result<()> {
        let zero = match &pad.mode {
            PadMode::Constant(value) => value.cast_to_scalar::<f32>().is_ok_and(|value| value == 0.0),
            _ => false,
        };
        ensure!(zero, "only a pad with zeros is possible");
        let mut value = self.settled(node.inputs[0])?;
        let mut border = Border { before: [0; 3], after: [0; 3] };
        for (axis, &(before, after)) in pad.pads.iter().enumerate().filter(|(_, pads)| **pads != (0, 0)) {
            ensure!(
                before <= MOST_PADDING && after <= MOST_PADDING,
                "pads must be from 0 to {MOST_PADDING} on each side"
            );
            let [axis] = value.axes.list(axis) else { bail!("it pads an axis that is not one of an image") };
            border.before[*axis as usize] = before;
            border.after[*axis as usize] = after;
        }
        value.border = Some(border);
        self.pass(node.id.into(), value);
        Ok(())
    }

    /// A node's window and what it slides over. `zeros`: zeros around the image do the same as no image there.
    fn window(&mut self, node: &TypedNode, pool: &PoolSpec, zeros: bool) -> Result<(Window, Value)> {
        let [kernel, stride] = [&pool.kernel_shape[..], &pool.strides()[..]].map(<[usize; 2]>::try_from);
        let (Ok(kernel), Ok(stride)) = (kernel, stride) else {
            bail!("its window has {} dimensions: two are possible", pool.rank())
        };
        ensure!(
            pool.dilations().iter().all(|&step| step == 1),
            "it is dilated: only dense windows are possible"
        );
        let value = self.value(node.inputs[0])?.clone();
        ensure!(value.axes.is(&CHANNELS_FIRST), "its input is no image of batch, channels, rows, columns");
        let [input, output] =
            [node.inputs[0], node.id.into()].map(|outlet| sides(self.model.outlet_fact(outlet)?));
        let (input, output) = (input?, output?);
        let own = pool.computed_padding(&input[2..]);
        // Padding that no window reaches does not count; rounding up the output's size adds some.
        let around = |before: [usize; 2], size: [usize; 2]| {
            let after = |axis: usize| {
                ((output[2 + axis] - 1) * stride[axis] + kernel[axis])
                    .saturating_sub(before[axis] + size[axis])
            };
            Window { kernel, stride, before, after: [after(0), after(1)] }
        };
        let before = [own[0].pad_before, own[1].pad_before];
        if let Some(border) = value.border.filter(|border| zeros && border.before[2] + border.after[2] == 0) {
            let shape = self.shape(&value);
            let before = [before[0] + border.before[0], before[1] + border.before[1]];
            let merged = around(before, [shape.height, shape.width]);
            if is_narrow(&merged) {
                return Ok((merged, value));
            }
        }
        let value = self.settled(node.inputs[0])?;
        let mut window = around(before, [input[2], input[3]]);
        if zeros && !is_narrow(&window) {
            let value = self.surrounded(node, &value, &mut window)?;
            return Ok((window, value));
        }
        Ok((window, value))
    }

    /// A value with the window's padding as zeros of its own.
    fn surrounded(&mut self, node: &TypedNode, value: &Value, window: &mut Window) -> Result<Value> {
        let side = |[rows, columns]: [usize; 2]| [rows, columns, 0];
        let border = Border { before: side(window.before), after: side(window.after) };
        (window.before, window.after) = ([0; 2], [0; 2]);
        self.padded(node.id.into(), value, border)
    }

    fn add_window(&mut self, node: &TypedNode, operator: Operator, value: &Value) -> Result<()> {
        let channels = operator.filter().map_or(self.shape(value).channels, Filter::channels);
        let output = sides(self.model.outlet_fact(node.id.into())?)?;
        let shape = Shape::new(output[2], output[3], channels);
        self.add(node.id.into(), operator, &[value.tensor], Axes::new(&CHANNELS_FIRST, shape))
    }
}

/// Whether a window's padding is smaller than the window, as the graph demands.
fn is_narrow(window: &Window) -> bool {
    let narrow = |axis: usize| window.before[axis].max(window.after[axis]) < window.kernel[axis];
    narrow(0) && narrow(1)
}

/// Rows of `depth` planes of `taps` values as rows of `taps` groups of `depth` values.
fn channels_last(weights: &[f32], depth: usize, taps: usize) -> Vec<f32> {
    let rows = weights.chunks_exact((depth * taps).max(1));
    rows.flat_map(|row| (0..taps).flat_map(move |tap| row.iter().skip(tap).step_by(taps))).copied().collect()
}
