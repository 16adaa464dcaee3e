//! Nodes that no input decides, computed while the file is read: shapes and weights on their way.

use super::constant::{Constant, Values};
use super::node::Node;
use super::sides;
use anyhow::{Context, Result, bail, ensure};
use mobilenet::onnx::schema::tensor_proto::DataType;
use std::path::Path;

/// Most values of a list that is put together: shapes and the like have a few.
const MOST_IN_LIST: usize = 1 << 16;

/// The value of a node; `inputs` are those of its places.
///
/// # Errors
/// If it cannot be computed in advance.
pub(super) fn evaluate(node: &Node<'_>, inputs: &[Option<&Constant>], folder: &Path) -> Result<Constant> {
    let first = || inputs.first().copied().flatten().context("it has no input 0");
    let second = || inputs.get(1).copied().flatten();
    match node.operator() {
        "Constant" => stated(node, folder),
        "Identity" => Ok(first()?.clone()),
        "Cast" => cast(node, first()?),
        "Shape" => shape(node, &first()?.sides),
        "Gather" => gather(node, first()?, second().context("it has no input 1")?),
        "Concat" => concat(node, inputs),
        "Slice" => slice(first()?, inputs),
        "Transpose" => transpose(node, first()?),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
            let sides = changed(node, &first()?.sides, second())?;
            Constant::new(sides, first()?.values.clone())
        }
        "Add" | "Sub" | "Mul" | "Div" => binary(node, first()?, second().context("it has no input 1")?),
        _ => bail!("its value cannot be computed in advance"),
    }
}

/// The sides behind a node that only changes sides; `argument` is its constant input.
pub(super) fn changed(node: &Node<'_>, from: &[usize], argument: Option<&Constant>) -> Result<Vec<usize>> {
    let sides = match node.operator() {
        "Reshape" => {
            let wanted = argument.context("its shape is computed: it must be constant")?;
            sides::reshaped(node, from, wanted.integers()?)?
        }
        "Flatten" => sides::flattened(node, from)?,
        "Squeeze" => {
            let named = argument.map(|axes| axes.axes(from.len())).transpose()?;
            sides::without(from, &sides::squeezed(from, named)?)
        }
        _ => {
            let axes = argument.context("its axes are computed: they must be constant")?;
            sides::unsqueezed(from, &axes.axes(from.len() + axes.len())?)?
        }
    };
    Ok(sides)
}

/// The sides of a tensor as a constant.
pub(super) fn shape(node: &Node<'_>, of: &[usize]) -> Result<Constant> {
    let whole = node.integer("start", 0)? == 0 && node.integer("end", i64::MAX)? == i64::MAX;
    ensure!(whole, "it takes a part of a shape: take all of it");
    Constant::integers_of(vec![of.len()], of.iter().map(|&side| side as i64).collect())
}

fn stated(node: &Node<'_>, folder: &Path) -> Result<Constant> {
    if let Some(tensor) = node.tensor("value")? {
        Constant::read(tensor, folder)
    } else if let Some(values) = node.reals("value_floats")? {
        Constant::new(vec![values.len()], Values::Reals(values.to_vec()))
    } else if let Some(values) = node.integers("value_ints")? {
        Constant::integers_of(vec![values.len()], values.to_vec())
    } else if node.has("value_float") {
        Constant::new(Vec::new(), Values::Reals(vec![node.real("value_float", 0.0)?]))
    } else if node.has("value_int") {
        Constant::integers_of(Vec::new(), vec![node.integer("value_int", 0)?])
    } else {
        bail!("it states no value that is possible: a tensor, floats or integers")
    }
}

fn cast(node: &Node<'_>, input: &Constant) -> Result<Constant> {
    let to = i32::try_from(node.integer("to", 0)?).ok().and_then(|to| DataType::try_from(to).ok());
    let values = match (to, &input.values) {
        (Some(DataType::Float), Values::Integers(values)) => {
            Values::Reals(values.iter().map(|&value| value as f32).collect())
        }
        (Some(DataType::Int64 | DataType::Int32), Values::Reals(values)) => {
            Values::Integers(values.iter().map(|&value| value as i64).collect())
        }
        (Some(DataType::Float), values @ Values::Reals(_))
        | (Some(DataType::Int64 | DataType::Int32), values @ Values::Integers(_)) => values.clone(),
        _ => bail!("it converts to a type that is not possible: float32, int64 and int32 are"),
    };
    Constant::new(input.sides.clone(), values)
}

fn gather(node: &Node<'_>, data: &Constant, indices: &Constant) -> Result<Constant> {
    let axis = sides::axis(node.integer("axis", 0)?, data.sides.len())?;
    let (outer, inner) = (sides::count(&data.sides[..axis]), sides::count(&data.sides[axis + 1..]));
    let side = data.sides[axis];
    let picked = indices.integers()?.iter().map(|&index| sides::axis(index, side));
    let picked = picked.collect::<Result<Vec<_>>>().context("its indices")?;
    let result = sides::checked([&data.sides[..axis], &indices.sides, &data.sides[axis + 1..]].concat())?;
    ensure!(sides::count(&result) <= data.len().max(MOST_IN_LIST), "it picks more values than there are");
    let places = (0..outer).flat_map(|block| {
        picked.iter().flat_map(move |&index| (0..inner).map(move |at| (block * side + index) * inner + at))
    });
    data.picked(result, &places.collect::<Vec<_>>())
}

/// Lists of integers, one after the other.
fn concat(node: &Node<'_>, inputs: &[Option<&Constant>]) -> Result<Constant> {
    let mut values = Vec::new();
    for input in inputs.iter().flatten() {
        ensure!(input.sides.len() == 1, "it joins constants of several dimensions: only lists can be joined");
        sides::axis(node.integer("axis", 0)?, 1)?;
        values.extend_from_slice(input.integers()?);
        ensure!(values.len() <= MOST_IN_LIST, "it joins more than {MOST_IN_LIST} values");
    }
    Constant::integers_of(vec![values.len()], values)
}

/// A part of a list.
fn slice(data: &Constant, inputs: &[Option<&Constant>]) -> Result<Constant> {
    let [len] = data.sides[..] else { bail!("it takes a part of a constant of several dimensions") };
    let argument = |place: usize| {
        let found = inputs.get(place).copied().flatten().map(Constant::integers).transpose()?;
        anyhow::Ok(found)
    };
    let single = |place: usize, default: Option<i64>| match argument(place)? {
        Some(&[value]) => Ok(value),
        None => default.with_context(|| format!("it has no input {place}")),
        Some(other) => bail!("input {place} is {other:?}: one number is expected"),
    };
    if let Some(axes) = argument(3)? {
        let first = axes.iter().all(|&index| sides::axis(index, 1).is_ok());
        ensure!(first, "its axes are {axes:?}: a list has one");
    }
    ensure!(single(4, Some(1))? == 1, "it has steps: only neighbours can be taken");
    let bound = |index: i64| {
        let from_start = if index < 0 { index.saturating_add(len as i64) } else { index };
        from_start.clamp(0, len as i64) as usize
    };
    let (begin, end) = (bound(single(1, None)?), bound(single(2, None)?));
    let places: Vec<usize> = (begin..end).collect();
    data.picked(vec![places.len()], &places)
}

fn transpose(node: &Node<'_>, input: &Constant) -> Result<Constant> {
    let order = sides::permutation(node, input.sides.len())?;
    let steps = sides::steps(&input.sides);
    let [to, by] =
        [&input.sides, &steps].map(|list| order.iter().map(|&axis| list[axis]).collect::<Vec<_>>());
    let places = sides::places(&to, &by);
    input.picked(to, &places)
}

fn binary(node: &Node<'_>, a: &Constant, b: &Constant) -> Result<Constant> {
    let result = sides::broadcast(&a.sides, &b.sides)?;
    ensure!(sides::count(&result) <= a.len().max(b.len()), "it repeats both of its constants");
    let places = [a, b].map(|input| {
        let wide = sides::widened(&input.sides, result.len());
        let steps = sides::steps(&wide);
        let steps: Vec<usize> =
            wide.iter().zip(steps).map(|(&side, step)| if side == 1 { 0 } else { step }).collect();
        sides::places(&result, &steps)
    });
    let pairs = places[0].iter().zip(&places[1]);
    let values = match (&a.values, &b.values) {
        (Values::Reals(x), Values::Reals(y)) => {
            Values::Reals(pairs.map(|(&i, &j)| reals(node.operator(), x[i], y[j])).collect())
        }
        (Values::Integers(x), Values::Integers(y)) => {
            let values = pairs.map(|(&i, &j)| integers(node.operator(), x[i], y[j]));
            Values::Integers(
                values.collect::<Option<_>>().context("its integers overflow, or are divided by 0")?,
            )
        }
        _ => bail!("it combines reals and integers"),
    };
    Constant::new(result, values)
}

fn reals(operator: &str, x: f32, y: f32) -> f32 {
    match operator {
        "Add" => x + y,
        "Sub" => x - y,
        "Mul" => x * y,
        _ => x / y,
    }
}

fn integers(operator: &str, x: i64, y: i64) -> Option<i64> {
    match operator {
        "Add" => x.checked_add(y),
        "Sub" => x.checked_sub(y),
        "Mul" => x.checked_mul(y),
        _ => x.checked_div(y),
    }
}
