//! What is in a set of pictures, before it is read.

use crate::picture::{Appearance, OwnedPicture};
use crate::pictures::{Pictures, Source};
use crate::{file, picture};
use anyhow::Result;
use rayon::prelude::*;
use std::fmt;

/// Pictures that are looked at to find out whether there is colour.
const LOOKED_AT: usize = 64;

/// Classes that are named one by one.
const NAMED: usize = 12;

/// Fewer pictures of a class are hardly enough to learn it.
const FEW: usize = 5;

/// How many pictures there are, how large, and whether they have colour.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Names of the classes, each with the number of its pictures.
    pub classes: Vec<(String, usize)>,
    /// Subfolders that hold no picture, and are no classes.
    pub empty: Vec<String>,
    /// Height and width that are in the middle when pictures are sorted by them; of those that can be read.
    pub middle: [usize; 2],
    /// Smallest and largest height and width.
    pub extremes: [[usize; 2]; 2],
    /// Whether some picture of those that were looked at, 64 evenly spread, is more than grey.
    pub coloured: bool,
}

impl Survey {
    /// Looks at the headers of all pictures, and at some whole ones.
    ///
    /// # Errors
    /// If the pictures have no classes, or none of them can be read.
    pub fn of(pictures: &Pictures) -> Result<Self> {
        let mut counts = vec![0; pictures.classes().len()];
        pictures.labels()?.iter().for_each(|&label| counts[label as usize] += 1);
        let classes = pictures.classes().iter().cloned().zip(counts).collect();
        let (sizes, coloured) = match &pictures.source {
            Source::Idx(digits) => (vec![digits.size], false),
            Source::Files(files) => {
                let sizes: Vec<Result<[usize; 2]>> =
                    files.par_iter().map(|path| picture::size(&file::read(path)?)).collect();
                let step = files.len().div_ceil(LOOKED_AT).max(1);
                let some: Vec<_> = files.iter().step_by(step).collect();
                let coloured = some.par_iter().any(|path| {
                    let decoded = file::read(path).and_then(|bytes| OwnedPicture::decode(&bytes, 3));
                    decoded.is_ok_and(|picture| picture.appearance() == Appearance::Coloured)
                });
                if let Some(Err(error)) = sizes.first()
                    && sizes.iter().all(Result::is_err)
                {
                    anyhow::bail!(
                        "none of {} pictures can be read; {}: {error:#}",
                        files.len(),
                        files[0].display()
                    );
                }
                (sizes.into_iter().flatten().collect(), coloured)
            }
        };
        anyhow::ensure!(!sizes.is_empty(), "there is no picture");
        let sorted = |side: usize| {
            let mut sides: Vec<usize> = sizes.iter().map(|size| size[side]).collect();
            sides.sort_unstable();
            [sides[0], sides[sides.len() / 2], sides[sides.len() - 1]]
        };
        let [heights, widths] = [sorted(0), sorted(1)];
        let extremes = [[heights[0], widths[0]], [heights[2], widths[2]]];
        let empty = pictures.empty().to_vec();
        Ok(Self { classes, empty, middle: [heights[1], widths[1]], extremes, coloured })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.classes.iter().map(|(_, count)| count).sum()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes.len();
        let colours = if self.coloured { "in colour" } else { "grey" };
        let [[low, narrow], [high, wide]] = self.extremes;
        write!(f, "{} pictures of {classes} classes, {colours}, ", self.len())?;
        write!(f, "{} wide and {} high", span(narrow, wide), span(low, high))?;
        let mut sorted: Vec<_> = self.classes.iter().collect();
        if classes <= NAMED {
            let named: Vec<String> = sorted.iter().map(|(name, count)| format!("{name} {count}")).collect();
            write!(f, "\n  {}", named.join(", "))?;
        } else {
            sorted.sort_by_key(|(_, count)| *count);
            let of = |place: usize| format!("{} ({})", sorted[place].1, sorted[place].0);
            let middle = sorted[classes / 2].1;
            write!(f, "\n  a class has {} to {}, {middle} in the middle", of(0), of(classes - 1))?;
        }
        let few = self.classes.iter().filter(|(_, count)| *count < FEW).map(|(name, _)| name.as_str());
        list(f, &format!("fewer than {FEW} pictures are little to learn from:"), few)?;
        list(f, "no picture is in:", self.empty.iter().map(String::as_str))
    }
}

/// A line of names, if there are any; of many the first ones.
fn list<'a>(f: &mut fmt::Formatter<'_>, title: &str, names: impl Iterator<Item = &'a str>) -> fmt::Result {
    let names: Vec<&str> = names.collect();
    match names.split_at_checked(NAMED) {
        _ if names.is_empty() => Ok(()),
        Some((first, rest)) if !rest.is_empty() => {
            write!(f, "\n  {title} {} and {} more", first.join(", "), rest.len())
        }
        _ => write!(f, "\n  {title} {}", names.join(", ")),
    }
}

fn span(from: usize, to: usize) -> String {
    if from == to { from.to_string() } else { format!("{from} to {to}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::Set;
    use image::{GrayImage, Luma, Rgb, RgbImage};

    #[test]
    fn classes_sizes_and_colour() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for class in ["ä b", "c", "none"] {
            std::fs::create_dir(path(class)).unwrap();
        }
        // Grey pixels in a file with room for colour are grey.
        RgbImage::from_pixel(6, 4, Rgb([7, 7, 7])).save(path("c/a.png")).unwrap();
        GrayImage::from_pixel(8, 5, Luma([1])).save(path("ä b/b.png")).unwrap();
        GrayImage::from_pixel(10, 9, Luma([1])).save(path("ä b/c.png")).unwrap();
        std::fs::write(path("c/d.jpg"), "").unwrap();
        let survey = || Survey::of(&Pictures::open(folder.path(), Set::Training).unwrap()).unwrap();
        assert_eq!(
            survey().to_string(),
            "4 pictures of 2 classes, grey, 6 to 10 wide and 4 to 9 high\n  c 2, ä b 2\n  \
             fewer than 5 pictures are little to learn from: c, ä b\n  no picture is in: none"
        );
        assert_eq!(survey().middle, [5, 8]);
        RgbImage::from_pixel(6, 4, Rgb([7, 90, 7])).save(path("c/a.png")).unwrap();
        assert!(survey().coloured);
        for name in ["c/a.png", "ä b/b.png", "ä b/c.png"] {
            std::fs::write(path(name), "x").unwrap();
        }
        let error =
            Survey::of(&Pictures::open(folder.path(), Set::Training).unwrap()).unwrap_err().to_string();
        assert!(
            error.starts_with("none of 4 pictures can be read; ") && error.contains("is not a picture"),
            "{error}"
        );
    }
}
