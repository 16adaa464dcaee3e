//! The arrays of an `.npz` file as samples and their classes.

use super::content::{Content, Layout};
use crate::graph::Shape;
use anyhow::{Context, Result, bail, ensure};
use files::npz::{Array, Npz, Values};
use std::path::Path;

/// The samples and, from `y`, their classes.
pub(super) fn read(path: &Path, shape: Shape, layout: Layout) -> Result<(Content, Option<Vec<u32>>)> {
    let mut file = Npz::open(path)?;
    let mut names = file.names()?;
    let labelled = names.iter().any(|name| name == "y");
    names.retain(|name| name != "y");
    if names.iter().any(|name| name == "x") {
        names = vec!["x".into()];
    }
    let [name] = &names[..] else {
        bail!("it holds the arrays {names:?}: call the samples \"x\", their classes \"y\"")
    };
    let content = content(file.array(name)?, shape, layout).with_context(|| format!("array \"{name}\""))?;
    let labels = labelled.then(|| classes(file.array("y")?).context("array \"y\"")).transpose()?;
    Ok((content, labels))
}

fn content(array: Array, shape: Shape, layout: Layout) -> Result<Content> {
    let sides = match layout {
        Layout::Nchw => [shape.channels, shape.height, shape.width],
        Layout::Nhwc => [shape.height, shape.width, shape.channels],
    };
    let wide = |sides: &[usize]| sides.iter().copied().filter(|&side| side != 1).collect::<Vec<_>>();
    let found = array.shape.get(1..).context("it is a single value")?;
    ensure!(
        wide(found) == wide(&sides),
        "its samples are {found:?}, the network reads {sides:?}: resize them, or pass --layout"
    );
    match array.values {
        Values::U8(bytes) => Ok(Content::Bytes(bytes, layout)),
        Values::F32(reals) => {
            ensure!(reals.iter().all(|real| real.is_finite()), "a value is not finite");
            Ok(Content::Reals(reals, layout))
        }
        _ => bail!("its values are {}: uint8 or float32 is expected", array.kind),
    }
}

fn classes(array: Array) -> Result<Vec<u32>> {
    let values: Vec<i64> = match array.values {
        Values::U8(labels) => labels.into_iter().map(i64::from).collect(),
        Values::I32(labels) => labels.into_iter().map(i64::from).collect(),
        Values::I64(labels) => labels,
        _ => bail!("its values are {}: int64, int32 or uint8 is expected", array.kind),
    };
    values.into_iter().map(|label| u32::try_from(label).context("a class is below 0 or too large")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::npz::file_name_from_array_name;
    use npyz::{AutoSerialize, WriterBuilder};
    use std::fs::File;
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
