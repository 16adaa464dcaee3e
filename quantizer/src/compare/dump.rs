//! The tensors of another engine, from an `.npz` file.

use anyhow::{Context, Result, ensure};
use npyz::npz::array_name_from_file_name;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Most values of one array: a small file must not claim all memory.
const MOST_VALUES: u64 = 1 << 28;

/// What an engine computed: an `.npz` file of int8 arrays.
///
/// | array | holds |
/// | --- | --- |
/// | `input` | the inputs, `[N, ...]` |
/// | `output` | the network's outputs, `[N, ...]` |
/// | `layer_NNN_NAME` | what the NNN-th operator made of the first input; NAME is the operator or the tensor |
/// | any other name | the tensor of that name, for the first input |
///
/// Every array but `input` may be missing; batch dimensions of 1 may be there or not. Arrays of other types are
/// skipped.
#[derive(Clone, Debug, Default)]
pub struct Dump {
    /// All inputs, one after the other.
    pub input: Vec<i8>,
    /// All outputs, one after the other; [`None`] if the file has none.
    pub output: Option<Vec<i8>>,
    /// NAME and values of the numbered layers, in the order of their numbers.
    pub layers: Vec<(String, Vec<i8>)>,
    /// The arrays of other names.
    pub tensors: BTreeMap<String, Vec<i8>>,
}

impl Dump {
    /// Reads an `.npz` file. The bytes may be anything.
    ///
    /// # Errors
    /// If it is no zip file, or an array that must be int8 is not, or it has no `input`.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).context("not an .npz file")?;
        let (mut input, mut dump) = (None, Self::default());
        let mut layers = BTreeMap::new();
        for index in 0..archive.len() {
            let file = archive.by_index(index)?;
            let path = file.name()?.into_owned();
            let Some(name) = array_name_from_file_name(&path) else { continue };
            let array = NpyFile::new(file).with_context(|| format!("array \"{name}\""))?;
            let number = numbered(name);
            let int8 = is_int8(&array.dtype());
            let needed = number.is_some() || name == "input" || name == "output";
            ensure!(int8 || !needed, "array \"{name}\" is {}: int8 is expected", array.dtype().descr());
            if !int8 {
                continue;
            }
            let values = values(array).with_context(|| format!("array \"{name}\""))?;
            match (number, name) {
                (Some((number, layer)), _) => {
                    let twice = layers.insert(number, (layer.to_owned(), values)).is_some();
                    ensure!(!twice, "two arrays are layer {number}");
                }
                (None, "input") => input = Some(values),
                (None, "output") => dump.output = Some(values),
                (None, _) => drop(dump.tensors.insert(name.to_owned(), values)),
            }
        }
        dump.input = input.context("there is no array \"input\": the inputs must be known")?;
        dump.layers = layers.into_values().collect();
        Ok(dump)
    }
}

/// Number and NAME of `layer_NNN_NAME`.
fn numbered(name: &str) -> Option<(usize, &str)> {
    let (number, name) = name.strip_prefix("layer_")?.split_once('_')?;
    Some((number.parse().ok()?, name))
}

fn is_int8(kind: &DType) -> bool {
    matches!(kind, DType::Plain(kind) if kind.type_char() == TypeChar::Int && kind.size_field() == 1)
}

/// The values in C order.
fn values(array: NpyFile<impl Read>) -> Result<Vec<i8>> {
    let (order, shape, strides) = (array.order(), array.shape().to_vec(), array.strides().to_vec());
    let len = shape.iter().try_fold(1u64, |len, &side| len.checked_mul(side));
    ensure!(
        len.is_some_and(|len| len <= MOST_VALUES),
        "it is {shape:?}: at most {MOST_VALUES} values are read"
    );
    let stored: Vec<i8> = array.into_vec()?;
    if order == Order::C {
        return Ok(stored);
    }
    let place = |mut index: u64| {
        let mut place = 0;
        for (side, stride) in shape.iter().zip(&strides).rev() {
            place += index % side * stride;
            index /= side;
        }
        stored[place as usize]
    };
    Ok((0..stored.len() as u64).map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::WriterBuilder;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    /// An `.npz` file of arrays with this name, shape and order.
    fn npz<T: npyz::AutoSerialize + Copy>(arrays: &[(&str, &[u64], Order, &[T])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, shape, order, values) in arrays {
            archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
            let mut bytes = Vec::new();
            let options = npyz::WriteOptions::new().default_dtype().shape(shape).order(*order);
            let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
            writer.extend(values.iter().copied()).unwrap();
            writer.finish().unwrap();
            archive.write_all(&bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn arrays_are_told_by_their_names() {
        let bytes = npz::<i8>(&[
            ("layer_010_ADD", &[2], Order::C, &[9, 8]),
            ("layer_9_a_name", &[1], Order::C, &[7]),
            ("layer_scale", &[1], Order::C, &[6]),
            ("input", &[2, 3], Order::Fortran, &[1, 4, 2, 5, 3, 6]),
        ]);
        let dump = Dump::read(&bytes).unwrap();
        assert_eq!(dump.input, [1, 2, 3, 4, 5, 6]);
        assert_eq!(dump.layers, [("a_name".into(), vec![7]), ("ADD".into(), vec![9, 8])]);
        assert_eq!(dump.tensors, BTreeMap::from([("layer_scale".into(), vec![6])]));
        assert_eq!(dump.output, None);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let message = |bytes: &[u8]| format!("{:#}", Dump::read(bytes).unwrap_err());
        let array = |name| npz::<f32>(&[(name, &[1], Order::C, &[0.5])]);
        assert!(message(&array("layer_000_ADD")).contains("\"layer_000_ADD\" is '<f4': int8 is expected"));
        assert!(message(&array("other")).contains("no array \"input\""), "other types are skipped");
        let twice = npz::<i8>(&[("layer_1_a", &[1], Order::C, &[1]), ("layer_01_b", &[1], Order::C, &[1])]);
        assert!(message(&twice).contains("two arrays are layer 1"));
        let whole = npz::<i8>(&[("input", &[2], Order::C, &[1, 2])]);
        assert!(message(&whole[..whole.len() / 2]).contains("not an .npz file"));
    }
}
