//! A folder with one subfolder of PNG or JPEG pictures for each class.

use std::path::{Path, PathBuf};

use crate::picture::GreyPicture;
use anyhow::{Context, Result, bail, ensure};
use edge8::Framing;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::dataset::{Dataset, frame_all, hex};

/// The folder that was asked for, or the repository's own if the command runs in a checkout.
///
/// # Errors
/// If there is neither.
pub fn data_folder(asked: Option<&Path>, shipped: &str) -> Result<PathBuf> {
    let folder = asked.unwrap_or(Path::new(shipped));
    if folder.is_dir() {
        return Ok(folder.to_path_buf());
    }
    match asked {
        Some(folder) => {
            bail!("{} is no folder: pass one with MNIST's files or one folder per class", folder.display())
        }
        None => bail!("{shipped} is not here: pass --data, or run the command in edge8's checkout"),
    }
}

/// The subfolders of a folder and the pictures in them.
pub(crate) struct Classes {
    names: Vec<String>,
    pictures: Vec<(PathBuf, u32)>,
}

/// The classes under `folder`, sorted by name; `None` if no subfolder holds a picture.
pub(crate) fn find(folder: &Path) -> Result<Option<Classes>> {
    let mut classes = Classes { names: Vec::new(), pictures: Vec::new() };
    for class in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        let pictures: Vec<PathBuf> = sorted(&class)?.into_iter().filter(|path| is_picture(path)).collect();
        let Some(name) = class.file_name().filter(|_| !pictures.is_empty()) else { continue };
        let label = u32::try_from(classes.names.len())?;
        classes.pictures.extend(pictures.into_iter().map(|path| (path, label)));
        classes.names.push(name.to_string_lossy().into_owned());
    }
    Ok((!classes.names.is_empty()).then_some(classes))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    matches!(extension.as_str(), "png" | "jpg" | "jpeg")
}

impl Classes {
    /// Decodes and frames all pictures.
    pub(crate) fn load(self, framing: Framing) -> Result<Dataset> {
        ensure!(self.names.len() >= 2, "there is only the class {:?}, expected at least two", self.names[0]);
        let images = frame_all(self.pictures.len(), framing, |index| {
            let path = &self.pictures[index].0;
            let read = || GreyPicture::decode(&std::fs::read(path)?);
            let grey = read().with_context(|| path.display().to_string())?.into_image();
            let (width, height) = (grey.width() as usize, grey.height() as usize);
            Ok((width, height, grey.into_raw().into(), path.display().to_string()))
        })?;
        let hashes: Vec<_> = (self.pictures.par_iter())
            .map(|(path, _)| Ok(Sha256::digest(std::fs::read(path)?)))
            .collect::<Result<_>>()?;
        let sha256 = hashes.iter().fold(Sha256::new(), |sum, hash| sum.chain_update(hash)).finalize();
        Ok(Dataset {
            side: framing.side.into(),
            images,
            labels: self.pictures.iter().map(|(_, label)| *label).collect(),
            classes: self.names,
            sha256: hex(&sha256),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subfolder_for_each_class() {
        let folder = tempfile::tempdir().unwrap();
        for (class, width) in [("bar", 4), ("block", 20)] {
            std::fs::create_dir(folder.path().join(class)).unwrap();
            for number in 0..3 {
                let picture = image::GrayImage::from_fn(60, 40, |x, y| {
                    let ink = x.abs_diff(30) < width && y.abs_diff(20) < 12 + number;
                    image::Luma([if ink { 20 } else { 230 }])
                });
                picture.save(folder.path().join(class).join(format!("{number}.png"))).unwrap();
            }
        }
        std::fs::write(folder.path().join("bar/notes.txt"), "no picture").unwrap();
        let data = crate::load_train(folder.path(), Framing::mnist(32)).unwrap();
        assert_eq!(data.classes, ["bar", "block"]);
        assert_eq!(data.labels, [0, 0, 0, 1, 1, 1]);
        std::fs::write(folder.path().join("bar/3.png"), "broken").unwrap();
        let error = format!("{:#}", crate::load_train(folder.path(), Framing::mnist(32)).unwrap_err());
        assert!(error.contains("3.png"), "{error}");
    }
}
