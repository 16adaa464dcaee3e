//! Labelled pictures, prepared for the network's input by the device's own pre-processing.

use crate::left_out::LeftOut;
use crate::pictures::{Pictures, Set, Source};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use edge8::Preparation;
use edge8_preprocess::{prepare, workspace_len};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Labelled pictures, each prepared to the bytes of a network's input: a digit is light ink on black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// How they were prepared.
    pub preparation: Preparation,
    /// The pictures one after the other, row-major, channels last.
    pub images: Vec<u8>,
    /// The class of each picture, below the number of classes.
    pub labels: Vec<u32>,
    /// The group of each picture, see [`Pictures::groups`].
    pub groups: Vec<u32>,
    /// Name of each class.
    pub classes: Vec<String>,
    /// SHA-256 of the source, in hexadecimal: of the unpacked idx files, or of the picture files in order.
    pub sha256: String,
}

impl Dataset {
    /// Prepares pictures in parallel. Those that cannot be read are left out, and blank ones where a digit is looked for.
    ///
    /// # Errors
    /// If the pictures have no classes or only one, or there is no memory for them.
    pub fn prepare(pictures: &Pictures, preparation: Preparation) -> Result<(Self, LeftOut)> {
        let (labels, classes) = (pictures.labels()?, pictures.classes());
        ensure!(classes.len() >= 2, "there is only the class {classes:?}, expected at least two");
        let mut images = zeros(pictures.len(), preparation)?;
        let channels = preparation.shape().channels.into();
        let results: Vec<Result<Vec<u8>>> = images
            .par_chunks_exact_mut(length(preparation))
            .enumerate()
            .map_init(Vec::new, |workspace, (index, target)| {
                pictures.with_source(index, channels, |bytes, picture| {
                    workspace.resize(workspace_len(&preparation, picture.width(), picture.height()), 0);
                    prepare(&preparation, picture, workspace, target)?;
                    Ok(match pictures.source {
                        Source::Files(_) => Sha256::digest(bytes).to_vec(),
                        Source::Idx(_) => Vec::new(),
                    })
                })
            })
            .collect();
        let mut data = Self {
            preparation,
            images,
            labels: Vec::with_capacity(labels.len()),
            groups: Vec::with_capacity(labels.len()),
            classes: classes.to_vec(),
            sha256: String::new(),
        };
        let (reasons, hash) = data.keep(labels, &pictures.groups(), results);
        data.sha256 = hex(&match &pictures.source {
            Source::Idx(digits) => digits.sha256(),
            Source::Files(_) => hash,
        });
        Ok((data, LeftOut::new(pictures.len(), reasons)))
    }

    /// Adds the pictures of another set of the same classes, prepared in the same way; its groups are others.
    ///
    /// # Errors
    /// If it has other classes, or was prepared in another way.
    pub fn append(&mut self, other: Self) -> Result<()> {
        let [(here, ours), (there, theirs)] = [&*self, &other].map(|set| (&set.classes, set.preparation));
        ensure!(
            here == there && ours == theirs,
            "the sets are {here:?}, {ours:?}, and {there:?}, {theirs:?}"
        );
        let groups = self.groups.iter().max().map_or(0, |last| last + 1);
        self.images.extend(other.images);
        self.labels.extend(other.labels);
        self.groups.extend(other.groups.iter().map(|group| group + groups));
        self.sha256 = hex(&Sha256::digest(format!("{} {}", self.sha256, other.sha256)));
        Ok(())
    }

    /// Moves the pictures that have a result together; the reasons of the others, and the hash of the results.
    fn keep(
        &mut self,
        labels: &[u32],
        groups: &[u32],
        results: Vec<Result<Vec<u8>>>,
    ) -> (Vec<String>, Vec<u8>) {
        let length = length(self.preparation);
        let mut reasons = Vec::new();
        let mut hash = Sha256::new();
        for (index, (&label, result)) in labels.iter().zip(results).enumerate() {
            match result {
                Ok(sum) => {
                    hash.update(sum);
                    self.images.copy_within(index * length..(index + 1) * length, self.labels.len() * length);
                    self.labels.push(label);
                    self.groups.push(groups[index]);
                }
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        self.images.truncate(self.labels.len() * length);
        (reasons, hash.finalize().to_vec())
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Rows, columns and channels of each picture.
    pub fn shape(&self) -> [usize; 3] {
        let shape = self.preparation.shape();
        [shape.height, shape.width, shape.channels].map(usize::from)
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The bytes of one picture, row-major.
    ///
    /// # Panics
    /// If `index` is not below [`Dataset::len`].
    pub fn image(&self, index: usize) -> &[u8] {
        let length = length(self.preparation);
        &self.images[index * length..][..length]
    }
}

/// The training pictures in `folder`, as [`Pictures::open`] finds them, all of them.
///
/// # Errors
/// Says what is missing, broken or blank.
pub fn load_train(folder: &Path, preparation: Preparation) -> Result<Dataset> {
    load(folder, Set::Training, preparation)
}

/// The test pictures in `folder`, as [`Pictures::open`] finds them, all of them.
///
/// # Errors
/// Says what is missing, broken or blank.
pub fn load_test(folder: &Path, preparation: Preparation) -> Result<Dataset> {
    load(folder, Set::Test, preparation)
}

fn load(folder: &Path, set: Set, preparation: Preparation) -> Result<Dataset> {
    let (data, left_out) = Dataset::prepare(&Pictures::open(folder, set)?, preparation)?;
    left_out.check(true)?;
    Ok(data)
}

/// Bytes of a prepared picture.
fn length(preparation: Preparation) -> usize {
    preparation.shape().len().max(1)
}

/// Memory for prepared pictures; an error, and no abort, where a file counts more than there is memory for.
fn zeros(count: usize, preparation: Preparation) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(count.saturating_mul(length(preparation)));
    let each = length(preparation);
    reserved.with_context(|| format!("{count} pictures of {each} bytes do not fit the memory"))?;
    bytes.resize(count * each, 0);
    Ok(bytes)
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge8::{Framing, Sizing};
    use image::{GrayImage, Luma};

    fn digits(side: u16) -> Preparation {
        Preparation::Digit(Framing::mnist(side))
    }

    /// A folder with three pictures for each of two classes.
    fn bars_and_blocks() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (class, width) in [("bar", 4), ("block", 20)] {
            std::fs::create_dir(folder.path().join(class)).unwrap();
            for number in 0..3 {
                let picture = GrayImage::from_fn(60, 40, |x, y| {
                    let ink = x.abs_diff(30) < width && y.abs_diff(20) < 12 + number;
                    Luma([if ink { 20 } else { 230 }])
                });
                picture.save(folder.path().join(class).join(format!("{number}.png"))).unwrap();
            }
        }
        folder
    }

    #[test]
    fn one_subfolder_for_each_class() {
        let folder = bars_and_blocks();
        std::fs::write(folder.path().join("bar/notes.txt"), "no picture").unwrap();
        let data = load_train(folder.path(), digits(32)).unwrap();
        assert_eq!(data.classes, ["bar", "block"]);
        assert_eq!(data.labels, [0, 0, 0, 1, 1, 1]);
        std::fs::write(folder.path().join("bar/3.png"), "broken").unwrap();
        let error = format!("{:#}", load_train(folder.path(), digits(32)).unwrap_err());
        assert!(error.contains("3.png"), "{error}");
    }

    /// One broken and one blank picture, and one of another format, do not end the work; the others are as without them.
    #[test]
    fn what_cannot_be_read_is_left_out() {
        let folder = bars_and_blocks();
        let framing = digits(28);
        let whole = load_test(folder.path(), framing).unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("bar/1a.png"), "broken").unwrap();
        GrayImage::from_pixel(30, 30, Luma([200])).save(path("block/0a.png")).unwrap();
        std::fs::write(path("block/9.gif"), b"GIF89a").unwrap();
        let (data, left_out) =
            Dataset::prepare(&Pictures::open(folder.path(), Set::Test).unwrap(), framing).unwrap();
        // The numbers of groups, of which each picture is one, have gaps.
        let groups = whole.groups.clone();
        assert_eq!(Dataset { groups, ..data }, whole);
        let text = left_out.to_string();
        assert!(text.starts_with("3 of 9 pictures left out:"), "{text}");
        for reason in
            ["1a.png: is not a picture", "0a.png: the picture is blank", "9.gif: is a GIF picture: convert"]
        {
            assert!(text.contains(reason), "{text}");
        }
    }

    #[test]
    fn a_second_set_comes_behind_the_first_with_groups_of_its_own() {
        let folder = bars_and_blocks();
        let whole = load_train(folder.path(), digits(28)).unwrap();
        let mut twice = whole.clone();
        twice.append(whole.clone()).unwrap();
        assert_eq!((twice.len(), twice.image(7)), (12, whole.image(1)));
        assert!(twice.groups[..6].iter().all(|group| !twice.groups[6..].contains(group)));
        assert_ne!(twice.sha256, whole.sha256);
        let other = Dataset { classes: vec!["a".into(), "b".into()], ..whole.clone() };
        assert!(twice.append(other).unwrap_err().to_string().contains("block"));
    }

    #[test]
    fn pictures_of_any_kind_are_scaled_in_colour() {
        let folder = bars_and_blocks();
        image::RgbImage::from_pixel(9, 9, image::Rgb([200, 10, 90]))
            .save(folder.path().join("bar/9.png"))
            .unwrap();
        let sizing = Sizing::stretch([8, 12], 3);
        let data = load_train(folder.path(), Preparation::Picture(sizing)).unwrap();
        assert_eq!((data.len(), data.shape(), data.images.len()), (7, [8, 12, 3], 7 * 8 * 12 * 3));
        assert!(data.image(3).chunks(3).all(|pixel| pixel == [200, 10, 90]));
    }

    #[test]
    fn the_calibration_slice_loads_framed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../trainer/data/calibration");
        let data = load_train(&folder, digits(32)).unwrap();
        assert_eq!((data.len(), data.shape(), data.images.len()), (1024, [32, 32, 1], 1024 * 32 * 32));
        assert_eq!(data.labels[..6], [5, 0, 4, 1, 9, 2]);
        assert!((0..data.len()).all(|index| data.image(index).iter().any(|&byte| byte > 128)));
    }
}
