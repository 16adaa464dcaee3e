//! Folders of PNG and JPEG pictures, with one subfolder for each class or without classes.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The extensions of pictures. Those of a kind that is not read are counted as unreadable: who put them there should know.
const EXTENSIONS: [&str; 24] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "gif", "webp", "bmp", "dib", "tif", "tiff", "heic", "heif", "avif",
    "jxl", "jp2", "svg", "psd", "qoi", "ico", "ppm", "pgm", "pbm", "tga",
];

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
            bail!("{} is not a folder: pass one with MNIST's files or one folder per class", folder.display())
        }
        None => bail!("{shipped} is not here: pass --data, or run the command in edge8's checkout"),
    }
}

/// The names of the subfolders that may be classes, sorted: numbers by their values, 9 before 10.
pub(crate) fn subfolders(folder: &Path) -> Result<Vec<String>> {
    let folders = sorted(folder)?.into_iter().filter(|path| path.is_dir());
    let mut names: Vec<String> = folders.map(|path| name(&path)).collect();
    let values: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
    if let Some(values) = values {
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        names = order.into_iter().map(|index| names[index].clone()).collect();
    }
    Ok(names)
}

/// The pictures in a folder, sorted by name; those in its subfolders are not among them.
pub(crate) fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        path.is_file() && EXTENSIONS.contains(&extension.as_str())
    };
    Ok(sorted(folder)?.into_iter().filter(is_picture).collect())
}

/// The pictures of a class: those in its folder, and those in its subfolders, which are groups, however deep they lie.
pub(crate) fn groups(class: &Path) -> Result<Vec<(Option<String>, Vec<PathBuf>)>> {
    let mut groups = vec![(None, pictures(class)?)];
    for group in subfolders(class)? {
        let mut folders = vec![class.join(&group)];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            files.extend(pictures(&folder)?);
            // Links may lead back, again and again.
            let inside = subfolders(&folder)?.into_iter().map(|name| folder.join(name));
            folders.extend(inside.filter(|folder| !folder.is_symlink()));
        }
        groups.push((Some(group), files));
    }
    Ok(groups)
}

/// What a folder holds, but for what systems hide in it.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| anyhow::Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| !name(path).starts_with('.') && name(path) != "__MACOSX");
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_by_value_and_names_by_letters() {
        let folder = tempfile::tempdir().unwrap();
        let made = |names: &[&str]| {
            names.iter().for_each(|name| std::fs::create_dir(folder.path().join(name)).unwrap());
            subfolders(folder.path()).unwrap()
        };
        assert_eq!(made(&["10", "9", "-1", "0.5"]), ["-1", "0.5", "9", "10"]);
        assert_eq!(made(&["b"]), ["-1", "0.5", "10", "9", "b"]);
    }
}
