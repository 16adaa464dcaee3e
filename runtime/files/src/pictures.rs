//! Labelled pictures: MNIST's idx files, or a folder with one subfolder for each class.

use crate::idx::{self, Digits};
use crate::left_out::LeftOut;
use crate::picture::OwnedPicture;
use crate::{file, folder};
use anyhow::{Context, Result, bail, ensure};
use edge8::Preparation;
use edge8_preprocess::{Picture, prepare, workspace_len};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Which of MNIST's files are meant, where a folder has them. Folders of classes are what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`.
    Training,
    /// `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`.
    Test,
    /// The test pictures, or the training pictures where there are no others.
    Any,
}

/// Folders that hold classes, and are none.
const PARTS: [&str; 7] = ["train", "training", "test", "testing", "val", "valid", "validation"];

impl Set {
    /// How the files' names begin.
    const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Training => &["train"],
            Self::Test => &["t10k"],
            Self::Any => &["t10k", "train"],
        }
    }
}

/// The pictures of a folder, found but not yet decoded.
#[derive(Clone, Debug)]
pub struct Pictures {
    folder: PathBuf,
    classes: Vec<String>,
    /// Subfolders that hold no picture, and are no classes.
    empty: Vec<String>,
    labels: Option<Vec<u32>>,
    /// Of each picture the subfolder of its class that it lies in, in all classes of the same name; nothing if there are none.
    groups: Vec<Option<String>>,
    pub(crate) source: Source,
}

#[derive(Clone, Debug)]
pub(crate) enum Source {
    Idx(Digits),
    Files(Vec<PathBuf>),
}

impl Pictures {
    /// The pictures of a folder: MNIST's files (`.gz` or not), or one subfolder for each class, in the order of their names,
    /// or pictures without classes.
    ///
    /// # Errors
    /// If there are none, or an idx file is broken.
    pub fn open(folder: &Path, set: Set) -> Result<Self> {
        ensure!(
            folder.is_dir(),
            "{} is not a folder: pass one with MNIST's files or one folder per class",
            folder.display()
        );
        if let Some(pair) = set.prefixes().iter().find_map(|prefix| idx::find(folder, prefix)) {
            return Ok(Self::digits(folder, pair.read()?));
        }
        Self::files(folder)?.with_context(|| {
            format!(
                "{} has no pictures: it holds neither {}-images-idx3-ubyte(.gz) with its labels nor one subfolder of \
                 pictures for each class",
                folder.display(),
                set.prefixes()[0]
            )
        })
    }

    /// As [`open`](Self::open), for a network with these classes: subfolders have their names, numbers in idx files count them.
    ///
    /// # Errors
    /// As [`open`](Self::open); if the pictures have no classes, or one that the network has not.
    pub fn open_for(folder: &Path, set: Set, classes: &[String]) -> Result<Self> {
        if folder.is_dir() && set.prefixes().iter().all(|prefix| idx::find(folder, prefix).is_none()) {
            refuse_unknown(folder, classes)?;
        }
        let mut pictures = Self::open(folder, set)?;
        if matches!(pictures.source, Source::Files(_)) {
            let numbers = pictures.classes.iter().map(|name| number(name, classes));
            let numbers = numbers.collect::<Result<Vec<u32>>>()?;
            let labels = pictures.labels()?.iter().map(|&label| numbers[label as usize]);
            pictures.labels = Some(labels.collect());
        }
        pictures.classes = classes.to_vec();
        pictures.labels()?;
        Ok(pictures)
    }

    fn digits(folder: &Path, digits: Digits) -> Self {
        Self {
            folder: folder.into(),
            classes: (0..10).map(|digit| digit.to_string()).collect(),
            empty: Vec::new(),
            labels: Some(digits.labels().iter().map(|&label| label.into()).collect()),
            groups: Vec::new(),
            source: Source::Idx(digits),
        }
    }

    /// [`None`] if neither the subfolders nor the folder itself hold a picture.
    fn files(folder: &Path) -> Result<Option<Self>> {
        let (mut files, mut groups) = (Vec::new(), Vec::new());
        let (mut labels, mut classes, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        for class in folder::subfolders(folder)? {
            let before = files.len();
            for (group, pictures) in folder::groups(&folder.join(&class))? {
                groups.resize(groups.len() + pictures.len(), group);
                files.extend(pictures);
            }
            if files.len() > before {
                labels.resize(files.len(), u32::try_from(classes.len())?);
                classes.push(class);
            } else {
                empty.push(class);
            }
        }
        let name = folder.display();
        ensure!(
            classes.is_empty() || !classes.iter().all(|class| PARTS.contains(&class.to_lowercase().as_str())),
            "{name} holds the parts {classes:?} of a data set, not classes: pass the folder of one of them"
        );
        let mut labels = Some(labels);
        if files.is_empty() {
            files = folder::pictures(folder)?;
            (labels, groups) = (None, Vec::new());
        }
        let source = Source::Files(files);
        let found = Self { folder: folder.into(), classes, empty, labels, groups, source };
        Ok((!found.is_empty()).then_some(found))
    }

    /// Number of pictures, those that cannot be decoded among them.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Idx(digits) => digits.labels().len(),
            Source::Files(files) => files.len(),
        }
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The subfolders that hold no picture.
    pub(crate) fn empty(&self) -> &[String] {
        &self.empty
    }

    /// The names of the classes, or nothing if they are unknown.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Whether the classes are the numbers of MNIST's files, which have no names.
    pub fn are_numbered(&self) -> bool {
        matches!(self.source, Source::Idx(_))
    }

    /// Whether the pictures' classes are known.
    pub fn have_labels(&self) -> bool {
        self.labels.is_some()
    }

    /// Which pictures belong together, as those of one subfolder of their classes do: of each picture the number of its group.
    /// Pictures that lie in their class itself are each a group.
    pub fn groups(&self) -> Vec<u32> {
        let mut numbers = HashMap::new();
        let mut count = 0;
        let mut next = || {
            count += 1;
            count - 1
        };
        let group = |index: usize| match self.groups.get(index).and_then(Option::as_ref) {
            Some(name) => *numbers.entry(name.as_str()).or_insert_with(&mut next),
            None => next(),
        };
        (0..self.len()).map(group).collect()
    }

    /// The class of each picture, below the number of classes.
    ///
    /// # Errors
    /// If they are unknown, or there are not so many classes.
    pub fn labels(&self) -> Result<&[u32]> {
        let name = self.folder.display();
        let labels = self.labels.as_ref().with_context(|| {
            format!(
                "{name} holds pictures without classes: put those of each class into a subfolder of its name"
            )
        })?;
        let classes = self.classes.len();
        if let Some(label) = labels.iter().find(|&&label| label as usize >= classes) {
            bail!("{name} holds label {label}, expected 0 to {}", classes.saturating_sub(1));
        }
        Ok(labels)
    }

    /// What to call a picture in a message.
    pub fn name(&self, index: usize) -> String {
        match &self.source {
            Source::Idx(digits) => format!("picture {index} of {}", digits.path().display()),
            Source::Files(files) => {
                files.get(index).map_or_else(|| format!("picture {index}"), |path| path.display().to_string())
            }
        }
    }

    /// Calls `use_it` with the picture of an index, of so many channels: 1 for grey, 3 for colour. Those of idx files are grey.
    ///
    /// # Errors
    /// If it cannot be read, or `use_it` fails; with its name.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn with<T>(
        &self,
        index: usize,
        channels: usize,
        use_it: impl FnOnce(&Picture<'_>) -> Result<T>,
    ) -> Result<T> {
        self.with_source(index, channels, |_, picture| use_it(picture))
    }

    /// As [`with`](Self::with), with the bytes of its file before.
    pub(crate) fn with_source<T>(
        &self,
        index: usize,
        channels: usize,
        use_it: impl FnOnce(&[u8], &Picture<'_>) -> Result<T>,
    ) -> Result<T> {
        let read = || match &self.source {
            Source::Idx(digits) => {
                let [height, width] = digits.size;
                let pixels = digits.pixels(index);
                use_it(pixels, &Picture::new(width, height, pixels)?)
            }
            Source::Files(files) => {
                let bytes = file::read(&files[index])?;
                use_it(&bytes, &OwnedPicture::decode(&bytes, channels)?.picture()?)
            }
        };
        read().map_err(|error| self.named(index, error))
    }

    /// A picture prepared for a network, channels last.
    ///
    /// # Errors
    /// If it cannot be read, or holds no digit where one is looked for; with its name.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn prepared(&self, index: usize, preparation: &Preparation) -> Result<Vec<u8>> {
        let shape = preparation.shape();
        let mut bytes = vec![0; shape.len()];
        self.with(index, shape.channels.into(), |picture| {
            let mut workspace = vec![0; workspace_len(preparation, picture.width(), picture.height())];
            Ok(prepare(preparation, picture, &mut workspace, &mut bytes)?)
        })?;
        Ok(bytes)
    }

    /// What went wrong with a picture, after its name.
    fn named(&self, index: usize, error: anyhow::Error) -> anyhow::Error {
        let (name, text) = (self.name(index), format!("{error:#}"));
        // What cannot be opened is named already.
        if text.contains(&name) { error } else { error.context(name) }
    }

    /// Those of the indices whose picture `read` can read, in their order, read in parallel; what about the others.
    pub fn readable(
        &self,
        indices: &[usize],
        read: impl Fn(usize) -> Result<()> + Sync,
    ) -> (Vec<usize>, LeftOut) {
        let results: Vec<Result<()>> = indices.par_iter().map(|&index| read(index)).collect();
        let mut reasons = Vec::new();
        let mut left = Vec::with_capacity(indices.len());
        for (&index, result) in indices.iter().zip(results) {
            match result {
                Ok(()) => left.push(index),
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        (left, LeftOut::new(indices.len(), reasons))
    }
}

/// The number of a class.
fn number(name: &str, classes: &[String]) -> Result<u32> {
    let number = classes.iter().position(|class| class == name);
    Ok(u32::try_from(number.with_context(|| format!("{name} names no class"))?)?)
}

/// A subfolder that names no class would be left out in silence.
fn refuse_unknown(folder: &Path, classes: &[String]) -> Result<()> {
    match folder::subfolders(folder)?.iter().find(|name| !classes.contains(name)) {
        Some(name) => {
            bail!("{} names no class: the model's are {}", folder.join(name).display(), classes.join(", "))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "pictures_tests.rs"]
mod tests;
