//! Arrays of an `.npz` file.

use super::{Content, Layout};
use crate::graph::Shape;
use anyhow::{Context, Result, bail, ensure};
use npyz::npz::{array_name_from_file_name, file_name_from_array_name};
use npyz::{Deserialize, NpyFile, Order};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::ZipArchive;

/// Most values of one array: a small file must not claim all memory.
const MOST_VALUES: u64 = 1 << 32;

/// The samples and, from `y`, their classes.
pub(super) fn read(path: &Path, shape: Shape, layout: Layout) -> Result<(Content, Option<Vec<u32>>)> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
    let files = archive.file_names().collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<String> =
        files.iter().filter_map(|file| array_name_from_file_name(file)).map(str::to_owned).collect();
    let labelled = names.iter().any(|name| name == "y");
    names.retain(|name| name != "y");
    if names.iter().any(|name| name == "x") {
        names = vec!["x".into()];
    }
    let [name] = &names[..] else {
        bail!("it holds the arrays {names:?}: call the samples \"x\", their classes \"y\"")
    };
    let array = NpyFile::new(archive.by_name(&file_name_from_array_name(name))?);
    let content = array.map_err(Into::into).and_then(|array| content(array, shape, layout));
    let content = content.with_context(|| format!("array \"{name}\""))?;
    let mut labels = None;
    if labelled {
        let array = NpyFile::new(archive.by_name(&file_name_from_array_name("y"))?);
        labels = Some(array.map_err(Into::into).and_then(classes).context("array \"y\"")?);
    }
    Ok((content, labels))
}

fn content(array: NpyFile<impl Read>, shape: Shape, layout: Layout) -> Result<Content> {
    let sides = match layout {
        Layout::Nchw => [shape.channels, shape.height, shape.width],
        Layout::Nhwc => [shape.height, shape.width, shape.channels],
    };
    let wide = |sides: &[u64]| sides.iter().copied().filter(|&side| side != 1).collect::<Vec<_>>();
    let found = array.shape().get(1..).context("it is a single value")?;
    ensure!(
        wide(found) == wide(&sides.map(|side| side as u64)),
        "its samples are {found:?}, the network reads {sides:?}: resize them, or pass --layout"
    );
    let kind = array.dtype().descr();
    match values::<u8, _>(array)? {
        Ok(bytes) => Ok(Content::Bytes(bytes, layout)),
        Err(array) => {
            let Ok(reals) = values::<f32, _>(array)? else {
                bail!("its values are {kind}: uint8 or float32 is expected")
            };
            ensure!(reals.iter().all(|real| real.is_finite()), "a value is not finite");
            Ok(Content::Reals(reals, layout))
        }
    }
}

fn classes(array: NpyFile<impl Read>) -> Result<Vec<u32>> {
    let kind = array.dtype().descr();
    let values: Vec<i64> = match values::<u8, _>(array)? {
        Ok(labels) => labels.into_iter().map(i64::from).collect(),
        Err(array) => match values::<i32, _>(array)? {
            Ok(labels) => labels.into_iter().map(i64::from).collect(),
            Err(array) => match values::<i64, _>(array)? {
                Ok(labels) => labels,
                Err(_) => bail!("its values are {kind}: int64, int32 or uint8 is expected"),
            },
        },
    };
    values.into_iter().map(|label| u32::try_from(label).context("a class is below 0 or too large")).collect()
}

/// The values, or the array itself if it has another type.
fn values<T: Deserialize, R: Read>(array: NpyFile<R>) -> Result<Result<Vec<T>, NpyFile<R>>> {
    let long = array.shape().iter().filter(|&&side| side > 1).count();
    ensure!(
        array.order() == Order::C || long < 2,
        "it is in Fortran order: save it in C order, with numpy.ascontiguousarray"
    );
    ensure!(array.len() <= MOST_VALUES, "{} values: at most {MOST_VALUES} are read", array.len());
    match array.try_data::<T>() {
        Ok(values) => Ok(Ok(values.collect::<std::io::Result<_>>()?)),
        Err(array) => Ok(Err(array)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::{AutoSerialize, WriterBuilder};
    use tempfile::TempDir;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    const SHAPE: Shape = Shape::new(1, 2, 3);

    /// A file of arrays.
    struct Arrays {
        folder: TempDir,
        zip: ZipWriter<File>,
    }

    impl Arrays {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let zip = ZipWriter::new(File::create(folder.path().join("samples.npz")).unwrap());
            Self { folder, zip }
        }

        fn with<T: AutoSerialize>(mut self, name: &str, shape: &[u64], values: &[T]) -> Self {
            let name = file_name_from_array_name(name);
            self.zip.start_file(name, SimpleFileOptions::default()).unwrap();
            let options = npyz::WriteOptions::new().default_dtype().shape(shape);
            let mut array = options.writer(&mut self.zip).begin_nd().unwrap();
            array.extend(values).unwrap();
            array.finish().unwrap();
            self
        }

        fn read(self, layout: Layout) -> Result<(Content, Option<Vec<u32>>)> {
            self.zip.finish().unwrap();
            read(&self.folder.path().join("samples.npz"), SHAPE, layout)
        }
    }

    #[test]
    fn bytes_with_classes() {
        let bytes: Vec<u8> = (0..12).collect();
        let arrays = Arrays::new().with("pictures", &[2, 1, 2, 3], &bytes).with("y", &[2], &[4i64, 9]);
        let (content, labels) = arrays.read(Layout::Nhwc).unwrap();
        assert_eq!(labels, Some(vec![4, 9]));
        assert!(matches!(content, Content::Bytes(found, _) if found == bytes));
    }

    #[test]
    fn reals_without_classes() {
        let arrays = Arrays::new().with("other", &[1], &[0u8]).with("x", &[1, 3, 2], &[0.5f32; 6]);
        let (content, labels) = arrays.read(Layout::Nchw).unwrap();
        assert!(labels.is_none() && matches!(content, Content::Reals(reals, _) if reals == [0.5; 6]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let sides = &[1, 2, 3];
        let cases = [
            (Arrays::new().with("x", &[1, 3, 2], &[0.5f32; 6]), "--layout"),
            (Arrays::new().with("x", sides, &[0.5f64; 6]), "float32"),
            (Arrays::new().with("x", sides, &[f32::NAN; 6]), "finite"),
            (Arrays::new().with("a", &[1], &[0u8]).with("b", &[1], &[0u8]), "\"x\""),
            (Arrays::new().with("x", sides, &[0u8; 6]).with("y", &[1], &[-1i64]), "below 0"),
            (Arrays::new().with("x", sides, &[0u8; 6]).with("y", &[1], &[0.5f32]), "int64"),
        ];
        for (arrays, expected) in cases {
            let error = format!("{:#}", arrays.read(Layout::Nhwc).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
