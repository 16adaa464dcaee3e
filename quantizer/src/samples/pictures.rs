//! Folders of picture files.

use crate::graph::Shape;
use anyhow::{Context, Result, bail, ensure};
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader};
use std::path::{Path, PathBuf};

/// The pictures of a folder.
pub(super) struct Found {
    pub(super) files: Vec<PathBuf>,
    /// The class of each file, if there are subfolders.
    pub(super) labels: Option<Vec<u32>>,
    /// The subfolders' names.
    pub(super) classes: Vec<String>,
}

/// The pictures in the subfolders of a folder, one for each class, or those in the folder itself.
pub(super) fn find(folder: &Path) -> Result<Found> {
    let (mut files, mut labels, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for class in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        let pictures = pictures(&class)?;
        let Some(name) = class.file_name().filter(|_| !pictures.is_empty()) else { continue };
        labels.resize(labels.len() + pictures.len(), u32::try_from(classes.len())?);
        files.extend(pictures);
        classes.push(name.to_string_lossy().into_owned());
    }
    if !files.is_empty() {
        return Ok(Found { files, labels: Some(labels), classes });
    }
    let files = pictures(folder)?;
    ensure!(!files.is_empty(), "{} holds no PNG or JPEG pictures", folder.display());
    Ok(Found { files, labels: None, classes })
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        matches!(extension.as_str(), "png" | "jpg" | "jpeg")
    };
    Ok(sorted(folder)?.into_iter().filter(is_picture).collect())
}

/// A picture of this size, channels last: grey for one channel, RGB for three.
pub(super) fn read(file: &Path, shape: Shape) -> Result<Vec<u8>> {
    let decode = || -> Result<DynamicImage> {
        let mut decoder = ImageReader::open(file)?.with_guessed_format()?.into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    let picture = decode().with_context(|| format!("cannot read {}", file.display()))?;
    let (width, height) = (u32::try_from(shape.width)?, u32::try_from(shape.height)?);
    let picture = picture.resize_exact(width, height, FilterType::Triangle);
    match shape.channels {
        1 => Ok(picture.into_luma8().into_raw()),
        3 => Ok(picture.into_rgb8().into_raw()),
        channels => bail!("the network reads {channels} channels, a picture has 1 or 3: pass an .npz file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    #[test]
    fn subfolders_are_classes_and_pictures_get_the_network_s_size() {
        let folder = tempfile::tempdir().unwrap();
        let red = folder.path().join("red");
        let empty = folder.path().join("empty");
        [&red, &empty].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        RgbImage::from_pixel(6, 4, Rgb([200, 100, 0])).save(red.join("b.png")).unwrap();
        std::fs::write(red.join("a.JPG"), "broken").unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!((found.labels, found.classes), (Some(vec![0, 0]), vec!["red".to_owned()]));
        assert_eq!(read(&found.files[1], Shape::new(1, 2, 3)).unwrap(), [200, 100, 0, 200, 100, 0]);
        let grey = read(&found.files[1], Shape::new(3, 1, 1)).unwrap();
        assert!(grey.len() == 3 && grey.iter().all(|&byte| (100..150).contains(&byte)), "{grey:?}");
        assert!(format!("{:#}", read(&found.files[0], Shape::new(1, 1, 1)).unwrap_err()).contains("a.JPG"));
        assert!(read(&found.files[1], Shape::new(1, 1, 2)).is_err());
        assert_eq!(find(&red).unwrap().labels, None, "without subfolders there are no classes");
        assert!(find(&empty).is_err());
    }
}
