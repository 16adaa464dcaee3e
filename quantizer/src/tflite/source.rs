//! What an untrusted file says, checked piece by piece: every index, every length, every number of values.

use super::format::IDENTIFIER;
use super::schema::tflite::{
    BuiltinOptionsRef, ModelRef, OperatorRef, QuantizationParametersRef, SubGraphRef, TensorRef,
};
use crate::graph::Shape;
use crate::quantize::Quantisation;
use anyhow::{Context, Result, bail, ensure};
use planus::ReadAsRoot;

/// The version of the format that there has been since 2017.
const VERSION: u32 = 3;

/// More operators than any network of the supported kinds has.
const MOST_OPERATORS: usize = 4096;

/// More values than any tensor of a device has along a side; the model image's limit.
const LONGEST_SIDE: usize = u16::MAX as usize;

/// Longest name in bytes: TensorFlow joins the names of all operators that it has fused. All tensors may share one, and
/// each time it is read its encoding is checked.
const LONGEST_NAME: usize = 1 << 16;

/// Bytes of a tensor's name that are kept.
const KEPT_NAME: usize = 256;

/// More metadata entries than any converter writes.
const MOST_METADATA: usize = 1024;

/// The type of a tensor's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Float32,
    Int32,
    Uint8,
    Int8,
    Other(i8),
}

impl Type {
    fn of(code: i8) -> Self {
        match code {
            0 => Self::Float32,
            2 => Self::Int32,
            3 => Self::Uint8,
            9 => Self::Int8,
            other => Self::Other(other),
        }
    }

    /// The name that messages use.
    pub fn name(self) -> String {
        match self {
            Self::Float32 => "float32".into(),
            Self::Int32 => "int32".into(),
            Self::Uint8 => "uint8".into(),
            Self::Int8 => "int8".into(),
            Self::Other(code) => format!("of type {code}"),
        }
    }
}

/// A tensor as the file states it.
#[derive(Debug)]
pub(super) struct RawTensor<'a> {
    pub name: String,
    /// As in the file, with its batch.
    pub dims: Vec<usize>,
    pub kind: Type,
    /// The values of a constant.
    pub data: Option<&'a [u8]>,
    quantisation: Option<QuantizationParametersRef<'a>>,
}

/// An operator as the file states it.
#[derive(Debug)]
pub(super) struct RawOperator<'a> {
    pub code: i32,
    /// [`None`] for an input that is left out.
    pub inputs: Vec<Option<usize>>,
    pub outputs: Vec<usize>,
    table: OperatorRef<'a>,
}

/// A file with one network, its input and its output.
pub(super) struct Source<'a> {
    model: ModelRef<'a>,
    graph: SubGraphRef<'a>,
    pub operators: Vec<RawOperator<'a>>,
    pub input: usize,
    pub output: usize,
    tensors: usize,
    /// Bytes of constants that operators may still claim: a small file must not become a large network.
    unclaimed: std::cell::Cell<usize>,
}

impl<'a> Source<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        ensure!(
            bytes.get(4..8) == Some(&IDENTIFIER[..]),
            "not a .tflite file: bytes 4 to 8 should be \"TFL3\""
        );
        let model = ModelRef::read_as_root(bytes).map_err(damaged)?;
        let version = model.version().map_err(damaged)?;
        ensure!(version == VERSION, "format version {version}: version {VERSION} is expected");
        let graphs = model.subgraphs().map_err(damaged)?.context("the file holds no network")?;
        ensure!(graphs.len() == 1, "{} subgraphs: a network without control flow has one", graphs.len());
        let graph = graphs.get(0).context("the file holds no network")?.map_err(damaged)?;
        let tensors = graph.tensors().map_err(damaged)?.map_or(0, |tensors| tensors.len());
        let ends = [graph.inputs(), graph.outputs()].map(|ends| ends.map_err(damaged));
        let [input, output] = ends.map(|ends| single(ends?, tensors));
        let (input, output) = (input.context("inputs")?, output.context("outputs")?);
        let operators = operators(&model, &graph, tensors)?;
        let unclaimed = std::cell::Cell::new(2 * bytes.len());
        Ok(Self { model, graph, operators, input, output, tensors, unclaimed })
    }

    /// A tensor of the network.
    pub fn tensor(&self, index: usize) -> Result<RawTensor<'a>> {
        self.read_tensor(index).with_context(|| format!("tensor {index}"))
    }

    fn read_tensor(&self, index: usize) -> Result<RawTensor<'a>> {
        let tensors = self.graph.tensors().map_err(damaged)?.context("the network has no tensors")?;
        let tensor: TensorRef<'a> =
            tensors.get(index).with_context(|| format!("there are {}", tensors.len()))?.map_err(damaged)?;
        let mut dims = Vec::new();
        for side in tensor.shape().map_err(damaged)?.into_iter().flatten() {
            let side = usize::try_from(side).context("a side below 0")?;
            ensure!(side > 0, "a side of 0");
            dims.push(side);
            ensure!(dims.len() <= 8, "more than 8 dimensions");
        }
        let name = bounded(tensor.name().ok().flatten())?;
        Ok(RawTensor {
            name: name[..name.floor_char_boundary(KEPT_NAME)].into(),
            dims,
            kind: Type::of(tensor.type_().map_err(damaged)?),
            data: self.data(tensor.buffer().map_err(damaged)?)?,
            quantisation: tensor.quantization().map_err(damaged)?,
        })
    }

    /// The bytes of a buffer; [`None`] if it is empty.
    fn data(&self, index: u32) -> Result<Option<&'a [u8]>> {
        let buffers = self.model.buffers().map_err(damaged)?.context("the file has no buffers")?;
        let buffer = buffers.get(index as usize).with_context(|| format!("buffer {index} does not exist"))?;
        let data = buffer.map_err(damaged)?.data().map_err(damaged)?;
        Ok(data.filter(|data| !data.is_empty()))
    }

    /// Counts the bytes of a constant that becomes a part of the network.
    ///
    /// # Errors
    /// If operators together use more than twice the bytes of the file.
    pub fn claim(&self, data: &'a [u8]) -> Result<&'a [u8]> {
        let left = self.unclaimed.get().checked_sub(data.len());
        self.unclaimed
            .set(left.context("operators share constants so often that the network outgrows the file")?);
        Ok(data)
    }

    /// The options of an operator; [`None`] if they are left out.
    pub fn options(&self, operator: &RawOperator<'a>) -> Result<Option<BuiltinOptionsRef<'a>>> {
        operator.table.builtin_options().map_err(damaged)
    }

    /// The content of the file's metadata entries whose names begin with `prefix`, with the rest of their names.
    pub fn metadata(&self, prefix: &str) -> Result<Vec<(&'a str, &'a [u8])>> {
        let entries = self.model.metadata().map_err(damaged)?;
        let count = entries.map_or(0, |entries| entries.len());
        ensure!(count <= MOST_METADATA, "{count} metadata entries: at most {MOST_METADATA} are supported");
        let mut found = Vec::new();
        for entry in entries.into_iter().flatten() {
            let entry = entry.map_err(damaged)?;
            if let Some(name) = bounded(entry.name().map_err(damaged)?)?.strip_prefix(prefix) {
                let data = self.data(entry.buffer().map_err(damaged)?)?.unwrap_or_default();
                found.push((name, self.claim(data)?));
            }
        }
        Ok(found)
    }

    /// Number of tensors.
    pub fn tensors(&self) -> usize {
        self.tensors
    }
}

impl RawTensor<'_> {
    /// The tensor as rows, columns and channels: a batch of 1 is left out, a vector has one pixel, a matrix one row.
    pub fn shape(&self) -> Result<Shape> {
        let [batch, height, width, channels] = match self.dims[..] {
            [] => [1, 1, 1, 1],
            [c] => [1, 1, 1, c],
            [w, c] => [1, 1, w, c],
            [h, w, c] => [1, h, w, c],
            [n, h, w, c] => [n, h, w, c],
            _ => bail!("\"{}\" has {} dimensions: at most 4 are supported", self.name, self.dims.len()),
        };
        ensure!(batch == 1, "\"{}\" has a batch of {batch}: convert the model with a batch of 1", self.name);
        let longest = height.max(width).max(channels);
        ensure!(
            longest <= LONGEST_SIDE,
            "\"{}\" has a side of {longest}: at most {LONGEST_SIDE} is supported",
            self.name
        );
        let shape = Shape::new(height, width, channels);
        ensure!(shape.volume() <= i32::MAX as usize, "\"{}\" has more than 2^31 values", self.name);
        Ok(shape)
    }

    /// Scale and zero point of an int8 activation.
    pub fn quantisation(&self) -> Result<Quantisation> {
        ensure!(
            self.kind == Type::Int8,
            "\"{}\" is {}: full-integer int8 is expected, convert the model with int8 inputs and outputs",
            self.name,
            self.kind.name()
        );
        self.any_quantisation()
    }

    /// Scale and zero point of an activation of any type; the zero point as if its values were int8.
    pub fn any_quantisation(&self) -> Result<Quantisation> {
        let (scales, zero_points) = self.scales_and_zero_points()?;
        let ([scale], [zero_point]) = (&scales[..], &zero_points[..]) else {
            bail!("activation \"{}\" has {} scales: one is expected", self.name, scales.len());
        };
        let shift = if self.kind == Type::Uint8 { 128 } else { 0 };
        let zero_point = zero_point.checked_sub(shift).and_then(|zero_point| i8::try_from(zero_point).ok());
        let zero_point =
            zero_point.with_context(|| format!("the zero point of \"{}\" is no int8", self.name))?;
        Ok(Quantisation { scale: *scale, zero_point })
    }

    /// The scales of weights for `channels` output channels, which lie along dimension `axis`; one, or one per channel.
    pub fn weight_scales(&self, channels: usize, axis: i32) -> Result<Vec<f32>> {
        let (scales, zero_points) = self.scales_and_zero_points()?;
        ensure!(
            scales.len() == 1 || scales.len() == channels,
            "weights \"{}\" have {} scales for {channels} output channels",
            self.name,
            scales.len()
        );
        ensure!(
            zero_points.iter().all(|&z| z == 0),
            "weights \"{}\" have a zero point: 0 is expected",
            self.name
        );
        let found = self.quantisation.map_or(Ok(0), |q| q.quantized_dimension()).map_err(damaged)?;
        ensure!(
            scales.len() == 1 || found == axis,
            "weights \"{}\" have a scale per index of dimension {found}: dimension {axis} is expected",
            self.name
        );
        Ok(scales)
    }

    fn scales_and_zero_points(&self) -> Result<(Vec<f32>, Vec<i64>)> {
        let found = self.quantisation.with_context(|| format!("\"{}\" has no scale", self.name))?;
        let scales =
            found.scale().map_err(damaged)?.with_context(|| format!("\"{}\" has no scale", self.name))?;
        let zero_points = found.zero_point().map_err(damaged)?;
        ensure!(
            scales.len() <= LONGEST_SIDE && zero_points.is_none_or(|z| z.len() <= LONGEST_SIDE),
            "\"{}\" has more than {LONGEST_SIDE} scales",
            self.name
        );
        let scales: Vec<f32> = scales.iter().collect();
        ensure!(
            scales.iter().all(|scale| scale.is_normal() && *scale > 0.0),
            "\"{}\" has a scale that is not a positive number",
            self.name
        );
        Ok((scales, zero_points.map_or_else(|| vec![0], |zero_points| zero_points.iter().collect())))
    }
}

/// The only one of a network's inputs or outputs.
fn single(ends: Option<planus::Vector<'_, i32>>, tensors: usize) -> Result<usize> {
    let count = ends.map_or(0, |ends| ends.len());
    let end = ends.filter(|ends| ends.len() == 1).and_then(|ends| ends.get(0));
    let end =
        end.with_context(|| format!("found {count}: a network with one input and one output is expected"))?;
    tensor_index(end, tensors)
}

fn tensor_index(index: i32, tensors: usize) -> Result<usize> {
    let found = usize::try_from(index).ok().filter(|&index| index < tensors);
    found.with_context(|| format!("tensor {index} of {tensors} does not exist: the file is damaged"))
}

fn operators<'a>(
    model: &ModelRef<'a>,
    graph: &SubGraphRef<'a>,
    tensors: usize,
) -> Result<Vec<RawOperator<'a>>> {
    let tables = graph.operators().map_err(damaged)?.context("the network has no operators")?;
    ensure!(
        tables.len() <= MOST_OPERATORS,
        "{} operators: at most {MOST_OPERATORS} are supported",
        tables.len()
    );
    let codes = model.operator_codes().map_err(damaged)?.context("the file has no operator codes")?;
    let mut operators = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let operator = || -> Result<RawOperator<'a>> {
            let table: OperatorRef<'a> = table.map_err(damaged)?;
            let opcode = table.opcode_index().map_err(damaged)? as usize;
            let code = codes.get(opcode).context("its operator code does not exist")?.map_err(damaged)?;
            let old = code.deprecated_builtin_code().map_err(damaged)?;
            let code = code.builtin_code().map_err(damaged)?.max(old.into());
            let inputs = arguments(table.inputs().map_err(damaged)?, tensors)?;
            let outputs = arguments(table.outputs().map_err(damaged)?, tensors)?;
            let outputs = outputs.into_iter().collect::<Option<_>>().context("an output is left out")?;
            Ok(RawOperator { code, inputs, outputs, table })
        };
        operators.push(operator().with_context(|| format!("operator {index}"))?);
    }
    Ok(operators)
}

/// A name; none is empty.
fn bounded(name: Option<&str>) -> Result<&str> {
    let name = name.unwrap_or_default();
    ensure!(name.len() <= LONGEST_NAME, "a name of {} bytes: at most {LONGEST_NAME} are read", name.len());
    Ok(name)
}

/// The tensors that an operator names; -1 stands for one that is left out.
fn arguments(list: Option<planus::Vector<'_, i32>>, tensors: usize) -> Result<Vec<Option<usize>>> {
    let count = list.map_or(0, |list| list.len());
    ensure!(count <= 16, "{count} tensors: no supported operator has more than 3");
    let argument = |index: i32| if index == -1 { Ok(None) } else { tensor_index(index, tensors).map(Some) };
    list.into_iter().flatten().map(argument).collect()
}

/// An error of the flatbuffer itself.
pub(super) fn damaged(error: planus::Error) -> anyhow::Error {
    anyhow::anyhow!("the flatbuffer is damaged: {error}")
}
