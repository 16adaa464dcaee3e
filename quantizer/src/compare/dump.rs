//! The tensors of another engine, from an `.npz` file.

use anyhow::{Context, Result, ensure};
use files::npz::{Npz, Values};
use std::collections::BTreeMap;

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
        let mut file = Npz::of(bytes)?;
        let (mut input, mut dump) = (None, Self::default());
        let mut layers = BTreeMap::new();
        for name in file.names()? {
            let array = file.array(&name)?;
            let number = numbered(&name);
            let Values::I8(values) = array.values else {
                let needed = number.is_some() || name == "input" || name == "output";
                ensure!(!needed, "array \"{name}\" is {}: int8 is expected", array.kind);
                continue;
            };
            match (number, name.as_str()) {
                (Some((number, layer)), _) => {
                    let twice = layers.insert(number, (layer.to_owned(), values)).is_some();
                    ensure!(!twice, "two arrays are layer {number}");
                }
                (None, "input") => input = Some(values),
                (None, "output") => dump.output = Some(values),
                (None, _) => drop(dump.tensors.insert(name, values)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::{Order, WriterBuilder};
    use std::io::{Cursor, Write};
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
