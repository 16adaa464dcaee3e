//! Arrays of `.npz` files.

use crate::unpack;
use anyhow::{Context, Result, ensure};
use npyz::npz::{array_name_from_file_name, file_name_from_array_name};
use npyz::{Deserialize, NpyFile, NpyHeader, Order};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;
use zip::ZipArchive;

/// Longest header of an array: 128 bytes are usual, and its text is parsed by recursion.
const MOST_HEADER: usize = 4096;

/// A file of arrays.
#[derive(Debug)]
pub struct Npz<R> {
    archive: ZipArchive<R>,
    len: u64,
}

/// One array.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// The type of the values as numpy writes it, `'<f4'`.
    pub kind: String,
    /// The values in C order.
    pub values: Values,
}

/// Values of the types that are read.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// uint8.
    U8(Vec<u8>),
    /// int8.
    I8(Vec<i8>),
    /// int32.
    I32(Vec<i32>),
    /// int64.
    I64(Vec<i64>),
    /// float32.
    F32(Vec<f32>),
    /// Another type, which is not read.
    Other,
}

impl Npz<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be opened or is no zip archive.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { archive: ZipArchive::new(BufReader::new(file)).context("not an .npz file")?, len })
    }
}

impl<'a> Npz<Cursor<&'a [u8]>> {
    /// A file's bytes.
    ///
    /// # Errors
    /// If they are no zip archive.
    pub fn of(bytes: &'a [u8]) -> Result<Self> {
        let archive = ZipArchive::new(Cursor::new(bytes)).context("not an .npz file")?;
        Ok(Self { archive, len: bytes.len() as u64 })
    }
}

impl<R: Read + Seek> Npz<R> {
    /// The names of the arrays, in the order of the file.
    ///
    /// # Errors
    /// If a name cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let files = self.archive.file_names().collect::<Result<Vec<_>, _>>()?;
        Ok(files.iter().filter_map(|file| array_name_from_file_name(file)).map(str::to_owned).collect())
    }

    /// An array.
    ///
    /// # Errors
    /// If there is none of this name, or it is damaged, or has more values than such a file can hold.
    pub fn array(&mut self, name: &str) -> Result<Array> {
        self.read(name).with_context(|| format!("array \"{name}\""))
    }

    fn read(&mut self, name: &str) -> Result<Array> {
        let mut file = self.archive.by_name(&file_name_from_array_name(name))?;
        // What the archive says of itself may be forged, but its length may not.
        let packed = file.compressed_size().min(self.len);
        let header = header(&mut file)?;
        let kind = header.dtype();
        let bytes = kind.num_bytes().context("its values have no fixed size")? as u64;
        let len = header.shape().iter().try_fold(bytes, |len, &side| len.checked_mul(side));
        let limit = unpack::limit(packed);
        ensure!(
            len.is_some_and(|len| len <= limit),
            "it is {:?} values of {bytes} bytes: its {packed} bytes in the file may unpack to at most {limit}",
            header.shape()
        );
        let shape = header.shape().iter().map(|&side| usize::try_from(side)).collect::<Result<_, _>>()?;
        Ok(Array { shape, kind: kind.descr(), values: values(header, &mut file)? })
    }
}

/// The header of an array, with which its file begins.
fn header(file: &mut impl Read) -> Result<NpyHeader> {
    let mut start = [0; 12];
    file.read_exact(&mut start).context("it is too short")?;
    // Of version 1 two bytes are the length of the header, of the others four.
    let len = match start[6] {
        1 => u16::from_le_bytes([start[8], start[9]]).into(),
        _ => u32::from_le_bytes([start[8], start[9], start[10], start[11]]) as usize,
    };
    ensure!(len <= MOST_HEADER, "its header has {len} bytes: at most {MOST_HEADER} are read");
    Ok(NpyHeader::from_reader(start.chain(file))?)
}

/// The values that follow the header.
fn values(header: NpyHeader, file: &mut impl Read) -> Result<Values> {
    let header = match collect(header, file)? {
        Ok(values) => return Ok(Values::U8(values)),
        Err(header) => header,
    };
    let header = match collect(header, file)? {
        Ok(values) => return Ok(Values::I8(values)),
        Err(header) => header,
    };
    let header = match collect(header, file)? {
        Ok(values) => return Ok(Values::F32(values)),
        Err(header) => header,
    };
    let header = match collect(header, file)? {
        Ok(values) => return Ok(Values::I32(values)),
        Err(header) => header,
    };
    Ok(collect(header, file)?.map_or(Values::Other, Values::I64))
}

/// The values in C order, or the header itself if they are of another type.
fn collect<T: Deserialize + Copy>(
    header: NpyHeader,
    file: &mut impl Read,
) -> Result<Result<Vec<T>, NpyHeader>> {
    let (len, order) = (usize::try_from(header.len())?, header.order());
    let (shape, strides) = (header.shape().to_vec(), header.strides().to_vec());
    let stored = match NpyFile::with_header(header, file).try_data::<T>() {
        Ok(stored) => stored,
        Err(array) => return Ok(Err(array.header().clone())),
    };
    let mut values = Vec::new();
    values.try_reserve_exact(len).with_context(|| format!("no memory for its {len} values"))?;
    for value in stored {
        values.push(value.context("it is cut short or damaged")?);
    }
    if order == Order::C {
        return Ok(Ok(values));
    }
    let place = |mut index: u64| {
        let mut place = 0;
        for (side, stride) in shape.iter().zip(&strides).rev() {
            place += index % side * stride;
            index /= side;
        }
        values[place as usize]
    };
    Ok(Ok((0..values.len() as u64).map(place).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::{AutoSerialize, WriterBuilder};
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    /// A file with one entry of these bytes.
    fn zip(name: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        parts.iter().for_each(|part| archive.write_all(part).unwrap());
        archive.finish().unwrap().into_inner()
    }

    fn npy<T: AutoSerialize>(shape: &[u64], order: Order, values: &[T]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape).order(order);
        let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values).unwrap();
        writer.finish().unwrap();
        bytes
    }

    /// The bytes of an array of version 1 whose header says this.
    fn claimed(shape: &str) -> Vec<u8> {
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
        [&b"\x93NUMPY\x01\0"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Array> {
        Npz::of(bytes)?.array("x")
    }

    #[test]
    fn arrays_come_back_in_c_order() {
        let bytes = zip("x.npy", &[&npy(&[2, 3], Order::Fortran, &[1i8, 4, 2, 5, 3, 6])]);
        assert_eq!(Npz::of(&bytes).unwrap().names().unwrap(), ["x"]);
        let expected =
            Array { shape: vec![2, 3], kind: "'|i1'".into(), values: Values::I8(vec![1, 2, 3, 4, 5, 6]) };
        assert_eq!(read(&bytes).unwrap(), expected);
        let values = |bytes: Vec<u8>| read(&zip("x.npy", &[&bytes])).unwrap().values;
        assert_eq!(values(npy(&[2], Order::C, &[0.5f32, -1.0])), Values::F32(vec![0.5, -1.0]));
        assert_eq!(values(npy(&[1], Order::C, &[7i32])), Values::I32(vec![7]));
        assert_eq!(values(npy(&[1], Order::C, &[-7i64])), Values::I64(vec![-7]));
        assert_eq!(values(npy(&[1], Order::C, &[7u8])), Values::U8(vec![7]));
        assert_eq!(values(npy(&[1], Order::C, &[0.5f64])), Values::Other);
    }

    /// Files of a few bytes that ask for 16 GiB, or whose content is zeros without end.
    #[test]
    fn what_a_small_file_cannot_hold_is_refused() {
        let message = |parts: &[&[u8]]| format!("{:#}", read(&zip("x.npy", parts)).unwrap_err());
        let error = message(&[&claimed("(4294967296,)")]);
        assert!(error.contains("array \"x\"") && error.contains("at most 67108864"), "{error}");
        assert!(message(&[&claimed("(4294967296, 4294967296, 4294967296)")]).contains("at most"));
        assert!(message(&[&claimed("(16,)"), &[0; 63]]).contains("cut short"));
        // 100 MB of zeros pack to 100 KB: refused before they are unpacked.
        let zeros = vec![0; 100 << 20];
        let bomb = zip("x.npy", &[&claimed("(26214400,)"), &zeros]);
        let begin = std::time::Instant::now();
        let error = format!("{:#}", read(&bomb).unwrap_err());
        assert!(bomb.len() < 200_000 && error.contains("at most 67108864"), "{error}");
        assert!(begin.elapsed() < std::time::Duration::from_millis(500));
        let long = [&b"\x93NUMPY\x02\0"[..], &u32::MAX.to_le_bytes(), b"{'descr'"].concat();
        assert!(message(&[&long]).contains("its header has 4294967295 bytes"));
        assert!(read(&zip("y.npy", &[b""])).is_err());
    }
}
