//! Constants: tensors whose values no input decides.

use super::sides::{axis, count};
use anyhow::{Context, Result, bail, ensure};
use mobilenet::onnx::schema::TensorProto;
use mobilenet::onnx::schema::tensor_proto::DataType;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

/// The place of values that lie in another file.
const EXTERNAL: i32 = 1;

/// The values of a tensor; truth values are 0 or 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Reals(Vec<f32>),
    Integers(Vec<i64>),
}

/// A tensor in C order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub(super) sides: Vec<usize>,
    pub(super) values: Values,
}

impl Constant {
    /// A tensor of the file; `folder` may hold its values.
    ///
    /// # Errors
    /// If its sides and its values contradict each other, or its values are of another type.
    pub(super) fn read(tensor: &TensorProto, folder: &Path) -> Result<Self> {
        Self::decoded(tensor, folder).with_context(|| format!("constant \"{}\"", tensor.name))
    }

    fn decoded(tensor: &TensorProto, folder: &Path) -> Result<Self> {
        let sides = tensor.dims.iter().map(|&side| usize::try_from(side).context("a side is below 0"));
        let sides = sides.collect::<Result<Vec<_>>>()?;
        let elsewhere = if tensor.data_location == EXTERNAL { external(tensor, folder)? } else { Vec::new() };
        let raw = if tensor.data_location == EXTERNAL { &elsewhere } else { &tensor.raw_data };
        let values = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) if raw.is_empty() => Values::Reals(tensor.float_data.clone()),
            Ok(DataType::Float) => Values::Reals(words(raw)?.into_iter().map(f32::from_le_bytes).collect()),
            Ok(DataType::Int64) if raw.is_empty() => Values::Integers(tensor.int64_data.clone()),
            Ok(DataType::Int64) => {
                Values::Integers(words(raw)?.into_iter().map(i64::from_le_bytes).collect())
            }
            Ok(DataType::Int32 | DataType::Bool) if raw.is_empty() => {
                Values::Integers(tensor.int32_data.iter().map(|&value| value.into()).collect())
            }
            Ok(DataType::Int32) => Values::Integers(
                words(raw)?.into_iter().map(|word| i32::from_le_bytes(word).into()).collect(),
            ),
            Ok(DataType::Bool) => Values::Integers(raw.iter().map(|&byte| byte.into()).collect()),
            _ => bail!(
                "its values have type {}: float32, int64, int32 and bool are possible",
                tensor.data_type
            ),
        };
        Self::new(sides, values)
    }

    /// A tensor with as many values as its sides say.
    pub(super) fn new(sides: Vec<usize>, values: Values) -> Result<Self> {
        let found = match &values {
            Values::Reals(values) => values.len(),
            Values::Integers(values) => values.len(),
        };
        let expected = sides.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        ensure!(expected == Some(found), "it has {found} values, its sides are {sides:?}");
        // A list may be empty. What has two sides has values: each side is at most their number.
        ensure!(found > 0 || sides.len() < 2, "it is empty, its sides are {sides:?}");
        Ok(Self { sides, values })
    }

    pub(super) fn integers_of(sides: Vec<usize>, values: Vec<i64>) -> Result<Self> {
        Self::new(sides, Values::Integers(values))
    }

    /// The values of a tensor of reals.
    pub(super) fn reals(&self) -> Result<&[f32]> {
        match &self.values {
            Values::Reals(values) => Ok(values),
            Values::Integers(_) => bail!("a constant holds integers: float32 is expected"),
        }
    }

    /// The values of a tensor of integers.
    pub(super) fn integers(&self) -> Result<&[i64]> {
        match &self.values {
            Values::Integers(values) => Ok(values),
            Values::Reals(_) => bail!("a constant holds reals: int64 is expected"),
        }
    }

    /// The axes that a list of integers names, of `rank` there are.
    pub(super) fn axes(&self, rank: usize) -> Result<Vec<usize>> {
        self.integers()?.iter().map(|&index| axis(index, rank)).collect()
    }

    /// The same values, picked by their places.
    pub(super) fn picked(&self, sides: Vec<usize>, places: &[usize]) -> Result<Self> {
        let values = match &self.values {
            Values::Reals(values) => Values::Reals(places.iter().map(|&place| values[place]).collect()),
            Values::Integers(values) => Values::Integers(places.iter().map(|&place| values[place]).collect()),
        };
        Self::new(sides, values)
    }

    /// The number of values.
    pub(super) fn len(&self) -> usize {
        count(&self.sides)
    }
}

/// The bytes of values that lie in a file of the folder.
fn external(tensor: &TensorProto, folder: &Path) -> Result<Vec<u8>> {
    let entry = |key: &str| {
        let found = tensor.external_data.iter().find(|entry| entry.key == key);
        found.map(|entry| entry.value.as_str())
    };
    let number = |key: &str| {
        entry(key)
            .map(|value| value.parse::<u64>().with_context(|| format!("its {key} is {value:?}")))
            .transpose()
    };
    let location = entry("location").context("its values lie in a file without a name")?;
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    ensure!(
        Path::new(location).components().all(inside),
        "its values lie in {location:?}: a file in the folder of the ONNX file is expected"
    );
    let (begin, len) = (number("offset")?.unwrap_or(0), number("length")?);
    let path = folder.join(location);
    let mut file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let size = file.metadata()?.len();
    let len = len.unwrap_or(size.saturating_sub(begin));
    ensure!(
        begin.checked_add(len).is_some_and(|end| end <= size),
        "{} has {size} bytes, its values are {len} from {begin} on",
        path.display()
    );
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = vec![0; usize::try_from(len)?];
    file.read_exact(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Bytes in groups of `N`.
fn words<const N: usize>(bytes: &[u8]) -> Result<Vec<[u8; N]>> {
    let (words, rest) = bytes.as_chunks();
    ensure!(rest.is_empty(), "it has {} bytes: no multiple of {N}", bytes.len());
    Ok(words.to_vec())
}
