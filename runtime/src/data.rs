//! Labelled pictures: MNIST's idx files, or a folder with one subfolder per class.

use anyhow::{Context, Result, bail};
use edge8_preprocess::Picture;
use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where a repository has its test images.
const DEFAULT: &str = "trainer/data/mnist";

/// How the names of the idx files begin: test images before training images.
const PREFIXES: [&str; 2] = ["t10k", "train"];

pub enum Data {
    /// Images of `rows * columns` bytes one after the other, and a label for each.
    Idx { rows: usize, columns: usize, pixels: Vec<u8>, labels: Vec<u8> },
    /// Picture files, each with its class.
    Files(Vec<(PathBuf, usize)>),
}

impl Data {
    /// Opens `folder`, or the repository's test images; `label` gives the names of `classes` classes.
    pub fn open(folder: Option<&Path>, classes: usize, label: impl Fn(usize) -> String) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder,
            None if Path::new(DEFAULT).is_dir() => Path::new(DEFAULT),
            None => bail!("no {DEFAULT} here: give the folder of the test images with --data DIR"),
        };
        if !folder.is_dir() {
            bail!("{} is no folder: give one with idx files or one subfolder per class", folder.display());
        }
        let data = match PREFIXES.iter().find_map(|prefix| idx_files(folder, prefix)) {
            Some((images, labels)) => Self::read_idx(&images, &labels, classes)?,
            None => Self::list(folder, classes, label)?,
        };
        if data.len() == 0 {
            bail!(
                "{} has no images: it needs idx files or one subfolder of PNG or JPEG files per class",
                folder.display()
            );
        }
        Ok(data)
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Idx { labels, .. } => labels.len(),
            Self::Files(files) => files.len(),
        }
    }

    /// The class of image `index`.
    pub fn class(&self, index: usize) -> usize {
        match self {
            Self::Idx { labels, .. } => labels[index].into(),
            Self::Files(files) => files[index].1,
        }
    }

    /// Calls `use_it` with image `index`.
    pub fn with<T>(&self, index: usize, use_it: impl FnOnce(&Picture<'_>) -> Result<T>) -> Result<T> {
        match self {
            Self::Idx { rows, columns, pixels, .. } => {
                let area = rows * columns;
                let picture = Picture::new(*columns, *rows, &pixels[index * area..][..area])?;
                use_it(&picture).with_context(|| format!("image {index}"))
            }
            Self::Files(files) => {
                let path = &files[index].0;
                let file = files::read_picture(path)?;
                use_it(&file.picture()?).with_context(|| path.display().to_string())
            }
        }
    }

    fn read_idx(images: &Path, labels: &Path, classes: usize) -> Result<Self> {
        let (pixels, sizes) = read_idx::<3>(images)?;
        let (labels, counts) = read_idx::<1>(labels)?;
        let [count, rows, columns] = sizes;
        if counts != [count] {
            bail!("{} has {count} images, its label file {} labels", images.display(), counts[0]);
        }
        if let Some(label) = labels.iter().find(|label| usize::from(**label) >= classes) {
            bail!("label {label} in {}, the model has {classes} classes", images.display());
        }
        Ok(Self::Idx { rows, columns, pixels, labels })
    }

    fn list(folder: &Path, classes: usize, label: impl Fn(usize) -> String) -> Result<Self> {
        let labels: Vec<String> = (0..classes).map(&label).collect();
        refuse_unknown(folder, &labels)?;
        let mut files = Vec::new();
        for class in 0..classes {
            let folder = folder.join(label(class));
            if !folder.is_dir() {
                continue;
            }
            let entries =
                fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                if is_picture(&path) {
                    files.push((path, class));
                }
            }
        }
        files.sort();
        Ok(Self::Files(files))
    }
}

/// A subfolder that names no class would be left out in silence.
fn refuse_unknown(folder: &Path, labels: &[String]) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !labels.iter().any(|label| *label == name) {
            bail!("{} names no class: the model's are {}", path.display(), labels.join(", "));
        }
    }
    Ok(())
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    path.is_file()
        && extension.is_some_and(|extension| ["png", "jpg", "jpeg"].iter().any(|known| extension == *known))
}

/// Images and labels, if the folder has both.
fn idx_files(folder: &Path, prefix: &str) -> Option<(PathBuf, PathBuf)> {
    let find = |name: String| {
        let plain = folder.join(&name);
        let compressed = folder.join(name + ".gz");
        [plain, compressed].into_iter().find(|path| path.is_file())
    };
    Some((find(format!("{prefix}-images-idx3-ubyte"))?, find(format!("{prefix}-labels-idx1-ubyte"))?))
}

/// Reads a file of unsigned bytes with `N` dimensions, compressed or not: its bytes and its sizes.
fn read_idx<const N: usize>(path: &Path) -> Result<(Vec<u8>, [usize; N])> {
    let name = path.display();
    let mut bytes = files::read(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut content = Vec::new();
        GzDecoder::new(bytes.as_slice())
            .take(files::MAX_LENGTH)
            .read_to_end(&mut content)
            .with_context(|| format!("{name} is broken"))?;
        bytes = content;
    }
    let header = 4 + 4 * N;
    if bytes.len() < header || bytes[..4] != [0, 0, 8, N as u8] {
        bail!("{name} is no idx file of bytes with {N} dimensions");
    }
    let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let sizes: [usize; N] = std::array::from_fn(|index| word(4 + 4 * index) as usize);
    let expected = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    if expected != Some(bytes.len() - header) {
        bail!("{name} was cut or padded: sizes {sizes:?} do not give its {} bytes", bytes.len() - header);
    }
    bytes.drain(..header);
    Ok((bytes, sizes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("edge8-data-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn idx_files_are_checked() {
        let folder = folder("idx");
        let images = folder.join("t10k-images-idx3-ubyte");
        let labels = folder.join("t10k-labels-idx1-ubyte");
        let head = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        fs::write(&images, [&head[..], &[1, 2, 3, 4]].concat()).unwrap();
        fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 2, 7, 9]).unwrap();
        let open = |classes| Data::open(Some(&folder), classes, |class| class.to_string());
        let data = open(10).unwrap();
        assert_eq!((data.len(), data.class(0), data.class(1)), (2, 7, 9));
        assert_eq!(data.with(1, |picture| Ok(picture.row(0).to_vec())).unwrap(), [3, 4]);
        assert!(open(9).err().unwrap().to_string().contains("label 9"));
        fs::write(&images, [&head[..], &[1, 2, 3]].concat()).unwrap();
        assert!(open(10).err().unwrap().to_string().contains("cut or padded"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn folders_name_the_classes() {
        let folder = folder("files");
        let open = || Data::open(Some(&folder), 2, |class| ["no", "yes"][class].to_string());
        assert!(open().err().unwrap().to_string().contains("has no images"));
        fs::create_dir_all(folder.join("yes")).unwrap();
        fs::write(folder.join("yes/readme.txt"), "text").unwrap();
        image::GrayImage::from_pixel(3, 1, image::Luma([5])).save(folder.join("yes/a.png")).unwrap();
        let data = open().unwrap();
        assert_eq!((data.len(), data.class(0)), (1, 1));
        assert_eq!(data.with(0, |picture| Ok(picture.row(0).to_vec())).unwrap(), [5; 3]);
        fs::remove_dir_all(&folder).unwrap();
        assert!(open().is_err());
    }
}
