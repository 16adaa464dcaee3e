//! Convolutions, pools, means and pads.

use super::axes::{Axes, Axis};
use super::constant::Constant;
use super::node::Node;
use super::sides::{axis, checked, without};
use super::walk::{Value, Walk};
use crate::graph::{Border, Filter, Operator, Shape, Window};
use anyhow::{Context, Result, bail, ensure};

/// How ONNX lays out an image.
const CHANNELS_FIRST: [Option<Axis>; 4] = [None, Some(Axis::Channel), Some(Axis::Row), Some(Axis::Column)];

/// Most rows, columns or channels that a pad can add on a side.
const MOST_PADDING: usize = 1 << 12;

/// A window as the file states it.
struct Stated {
    kernel: [usize; 2],
    stride: [usize; 2],
    /// Above and to the left.
    before: [usize; 2],
    /// Rows and columns of the output.
    output: [usize; 2],
}

impl<'a> Walk<'a> {
    pub(super) fn convolution(&mut self, node: &Node<'a>) -> Result<()> {
        let input = self.image(node)?.sides[1];
        let weights = self.argument(node, 1)?.context("it has no weights")?;
        let [channels, depth, rows, columns] = weights.sides[..] else {
            bail!("its window has {} dimensions: two are possible", weights.sides.len().saturating_sub(2))
        };
        let group = node.integer("group", 1)?;
        ensure!(
            group == 1 || group == input as i64,
            "it has {group} groups for {input} input channels: 1, or one for each channel is possible"
        );
        let group = group as usize;
        ensure!(
            depth * group == input && channels.is_multiple_of(group) && rows * columns > 0,
            "its weights have shape {:?} for {input} input channels",
            weights.sides
        );
        let bias = match self.argument(node, 2)? {
            Some(bias) => bias.reals()?.to_vec(),
            None => vec![0.0; channels],
        };
        ensure!(bias.len() == channels, "its bias has {} values for {channels} channels", bias.len());
        let filter = Filter::new(channels_last(weights.reals()?, depth, rows * columns), bias)?;
        let (window, value, output) = self.window(node, [rows, columns], true)?;
        let operator = match group {
            1 => Operator::Conv2d(window, filter),
            _ => Operator::DepthwiseConv2d(window, filter),
        };
        self.add_window(node, operator, &value, output)
    }

    pub(super) fn average_pool(&mut self, node: &Node<'a>) -> Result<()> {
        let (mut window, mut value, output) = self.window(node, kernel(node)?, false)?;
        if node.flag("count_include_pad", false)? && (window.before, window.after) != ([0; 2], [0; 2]) {
            let ceiling = node.flag("ceil_mode", false)?;
            ensure!(!ceiling, "it counts its padding and has ceil_mode: export without one of them");
            value = self.surrounded(node, &value, &mut window)?;
        }
        let shape = self.shape(&value);
        let whole = Window::valid([shape.height, shape.width], window.stride);
        let operator = if window == whole { Operator::Mean } else { Operator::AveragePool2d(window) };
        self.add_window(node, operator, &value, output)
    }

    pub(super) fn max_pool(&mut self, node: &Node<'a>) -> Result<()> {
        let (window, value, output) = self.window(node, kernel(node)?, false)?;
        self.add_window(node, Operator::MaxPool2d(window), &value, output)
    }

    /// A mean over rows and columns.
    pub(super) fn mean(&mut self, node: &Node<'a>) -> Result<()> {
        let value = self.settled(node, node.input(0)?)?;
        let (shape, rank) = (self.shape(&value), value.sides.len());
        let (reduced, keeps) = match node.operator() {
            "GlobalAveragePool" => ((2..rank).collect(), true),
            _ => (self.reduced(node, rank)?, node.flag("keepdims", true)?),
        };
        let mut over: Vec<Axis> = reduced.iter().flat_map(|&axis| value.axes.list(axis)).copied().collect();
        over.sort_unstable();
        let spatial = [Axis::Row, Axis::Column].into_iter().filter(|axis| axis.side(shape) > 1);
        ensure!(over.into_iter().eq(spatial), "only a mean over all rows and columns is possible");
        let list = |axis| if reduced.contains(&axis) { Vec::new() } else { value.axes.list(axis).to_vec() };
        let left: Vec<usize> = (0..rank).filter(|axis| keeps || !reduced.contains(axis)).collect();
        let axes = Axes::of_lists(left.into_iter().map(list).collect());
        let side = |axis: usize| if reduced.contains(&axis) { 1 } else { value.sides[axis] };
        let sides: Vec<usize> = (0..rank).map(side).collect();
        let sides = if keeps { sides } else { without(&sides, &reduced) };
        if shape.height * shape.width == 1 {
            self.pass(node, Value { axes, sides, ..value });
            return Ok(());
        }
        self.add(node, Operator::Mean, &[value.tensor], sides, axes)
    }

    /// The axes that a mean is taken over.
    fn reduced(&self, node: &Node<'a>, rank: usize) -> Result<Vec<usize>> {
        let stated = match self.argument(node, 1)? {
            Some(axes) => axes.axes(rank)?,
            None => {
                let axes = node.integers("axes")?.unwrap_or_default();
                axes.iter().map(|&index| axis(index, rank)).collect::<Result<_>>()?
            }
        };
        let nothing = node.flag("noop_with_empty_axes", false)?;
        Ok(if stated.is_empty() && !nothing { (0..rank).collect() } else { stated })
    }

    /// Zeros around an image: kept until it shows whether a window can take them as its padding.
    pub(super) fn pad(&mut self, node: &Node<'a>) -> Result<()> {
        let mut value = self.settled(node, node.input(0)?)?;
        let fill = self.argument(node, 2)?.map(Constant::reals).transpose()?;
        let zero = fill.is_none_or(|fill| fill.iter().all(|&fill| fill == 0.0));
        ensure!(zero && node.text("mode", "constant")? == "constant", "only a pad with zeros is possible");
        let rank = value.sides.len();
        let pads = self.argument(node, 1)?.context("it has no pads")?.integers()?;
        let axes = self.argument(node, 3)?.map_or(Ok((0..rank).collect()), |axes| axes.axes(rank))?;
        ensure!(pads.len() == 2 * axes.len(), "it has {} pads for {} axes", pads.len(), axes.len());
        let size = |pad: i64| usize::try_from(pad).ok().filter(|&pad| pad <= MOST_PADDING);
        let mut border = Border { before: [0; 3], after: [0; 3] };
        for (place, &axis) in axes.iter().enumerate() {
            let sizes = [pads[place], pads[axes.len() + place]].map(size);
            let [Some(before), Some(after)] = sizes else {
                bail!("pads must be from 0 to {MOST_PADDING} on each side")
            };
            if (before, after) == (0, 0) {
                continue;
            }
            let [along] = value.axes.list(axis) else { bail!("it pads an axis that is not one of an image") };
            border.before[*along as usize] = before;
            border.after[*along as usize] = after;
            value.sides[axis] += before + after;
        }
        value.sides = checked(value.sides)?;
        value.border = Some(border);
        self.pass(node, value);
        Ok(())
    }

    /// What a node with a window slides it over.
    fn image(&self, node: &Node<'a>) -> Result<&Value> {
        let value = self.value(node.input(0)?)?;
        ensure!(value.axes.is(&CHANNELS_FIRST), "its input is no image of batch, channels, rows, columns");
        Ok(value)
    }

    /// A node's window, what it slides over and the output's rows and columns. `zeros`: zeros around the image do the same
    /// as no image there.
    fn window(
        &mut self,
        node: &Node<'a>,
        kernel: [usize; 2],
        zeros: bool,
    ) -> Result<(Window, Value, [usize; 2])> {
        let value = self.image(node)?.clone();
        let input = [value.sides[2], value.sides[3]];
        let Stated { kernel, stride, before, output } = stated(node, kernel, input)?;
        // Padding that no window reaches does not count; rounding up the output's size adds some.
        let around = |before: [usize; 2], size: [usize; 2]| {
            let after = |axis: usize| {
                ((output[axis] - 1) * stride[axis] + kernel[axis]).saturating_sub(before[axis] + size[axis])
            };
            Window { kernel, stride, before, after: [after(0), after(1)] }
        };
        if let Some(border) = value.border.filter(|border| zeros && border.before[2] + border.after[2] == 0) {
            let shape = self.shape(&value);
            let before = [before[0] + border.before[0], before[1] + border.before[1]];
            let merged = around(before, [shape.height, shape.width]);
            if is_narrow(&merged) {
                return Ok((merged, value, output));
            }
        }
        let value = self.settled(node, node.input(0)?)?;
        let mut window = around(before, input);
        if zeros && !is_narrow(&window) {
            let value = self.surrounded(node, &value, &mut window)?;
            return Ok((window, value, output));
        }
        Ok((window, value, output))
    }

    /// A value with the window's padding as zeros of its own.
    fn surrounded(&mut self, node: &Node<'a>, value: &Value, window: &mut Window) -> Result<Value> {
        let side = |[rows, columns]: [usize; 2]| [rows, columns, 0];
        let border = Border { before: side(window.before), after: side(window.after) };
        (window.before, window.after) = ([0; 2], [0; 2]);
        self.padded(node, value, border)
    }

    fn add_window(
        &mut self,
        node: &Node<'a>,
        operator: Operator,
        value: &Value,
        output: [usize; 2],
    ) -> Result<()> {
        let channels = operator.filter().map_or(self.shape(value).channels, Filter::channels);
        let shape = Shape::new(output[0], output[1], channels);
        let sides = vec![value.sides[0], channels, output[0], output[1]];
        self.add(node, operator, &[value.tensor], sides, Axes::new(&CHANNELS_FIRST, shape))
    }
}

/// The extent of a pool's window.
fn kernel(node: &Node<'_>) -> Result<[usize; 2]> {
    node.sizes("kernel_shape", 1)?.context("it has no kernel_shape")
}

/// The window that a node states on an image of `input` rows and columns.
fn stated(node: &Node<'_>, kernel: [usize; 2], input: [usize; 2]) -> Result<Stated> {
    let named = node.sizes("kernel_shape", 1)?.unwrap_or(kernel);
    ensure!(named == kernel, "its kernel_shape is {named:?}, its weights have {kernel:?}");
    let dilation = node.sizes("dilations", 1)?.unwrap_or([1; 2]);
    ensure!(dilation == [1; 2], "it is dilated: only dense windows are possible");
    let stride: [usize; 2] = node.sizes("strides", 1)?.unwrap_or([1; 2]);
    let (mut before, mut output) = ([0; 2], [0; 2]);
    let auto = node.text("auto_pad", "NOTSET")?;
    let pads: [usize; 4] = match auto {
        "NOTSET" => node.sizes("pads", 0)?.unwrap_or([0; 4]),
        _ => [0; 4],
    };
    let ceiling = node.flag("ceil_mode", false)?;
    for axis in [0, 1] {
        let (size, kernel, stride) = (input[axis], kernel[axis], stride[axis]);
        match auto {
            "NOTSET" | "VALID" => {
                let free = (size + pads[axis] + pads[2 + axis]).checked_sub(kernel);
                let free = free.with_context(|| {
                    format!("its window of {kernel} does not fit into {size} and its pads {pads:?}")
                })?;
                let rounded = if ceiling { free.div_ceil(stride) } else { free / stride };
                // A window that begins behind the image counts for nothing.
                let beyond = ceiling && rounded * stride >= size + pads[axis];
                (before[axis], output[axis]) = (pads[axis], rounded + 1 - usize::from(beyond));
            }
            "SAME_UPPER" | "SAME_LOWER" => {
                output[axis] = size.div_ceil(stride);
                let all = ((output[axis] - 1) * stride + kernel).saturating_sub(size);
                before[axis] = if auto == "SAME_UPPER" { all / 2 } else { all.div_ceil(2) };
            }
            _ => bail!("its auto_pad is {auto}: NOTSET, VALID, SAME_UPPER and SAME_LOWER are possible"),
        }
        ensure!(output[axis] > 0, "its output is empty");
    }
    Ok(Stated { kernel, stride, before, output })
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
