//! Folders as users have them.

use super::*;
use edge8::Sizing;
use image::{GrayImage, Luma, Rgb, RgbImage};
use std::fs;

fn stretch(size: [u16; 2], channels: u8) -> Preparation {
    Preparation::Picture(Sizing::stretch(size, channels))
}

fn names(classes: &[&str]) -> Vec<String> {
    classes.iter().map(|class| class.to_string()).collect()
}

fn message<T>(result: Result<T>) -> String {
    result.map(|_| ()).map_err(|error| format!("{error:#}")).unwrap_err()
}

#[test]
fn idx_files_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("t10k-images-idx3-ubyte");
    let head = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    fs::write(&images, [&head[..], &[1, 2, 3, 4]].concat()).unwrap();
    fs::write(folder.path().join("t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 2, 7, 9]).unwrap();
    let digits: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    for data in
        [Pictures::open(folder.path(), Set::Test), Pictures::open_for(folder.path(), Set::Any, &digits)]
    {
        let data = data.unwrap();
        assert_eq!((data.len(), data.labels().unwrap()), (2, &[7, 9][..]));
        assert_eq!(data.with(1, 1, |picture| Ok(picture.row(0).to_vec())).unwrap(), [3, 4]);
        assert_eq!(data.prepared(1, &stretch([1, 2], 3)).unwrap(), [3, 3, 3, 4, 4, 4]);
    }
    assert!(message(Pictures::open(folder.path(), Set::Training)).contains("train-images"));
    assert!(message(Pictures::open_for(folder.path(), Set::Test, &digits[..9])).contains("label 9"));
    fs::write(&images, [&head[..], &[1, 2, 3]].concat()).unwrap();
    assert!(message(Pictures::open(folder.path(), Set::Any)).contains("cut or padded"));
}

#[test]
fn folders_name_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Pictures::open_for(folder.path(), Set::Any, &names(&["no", "yes"]));
    assert!(message(open()).contains("has no pictures"));
    let yes = folder.path().join("yes");
    fs::create_dir(&yes).unwrap();
    GrayImage::from_pixel(3, 1, Luma([5])).save(yes.join("a.png")).unwrap();
    for ignored in ["readme.txt", "Thumbs.db", ".DS_Store", "._a.png"] {
        fs::write(yes.join(ignored), "text").unwrap();
    }
    let data = open().unwrap();
    assert_eq!((data.len(), data.labels().unwrap()), (1, &[1][..]), "the model's number, not the folder's");
    assert_eq!(data.with(0, 1, |picture| Ok(picture.row(0).to_vec())).unwrap(), [5; 3]);
    fs::create_dir(folder.path().join("maybe")).unwrap();
    let error = message(open());
    assert!(error.contains("maybe names no class") && error.contains("no, yes"), "{error}");
}

#[test]
fn pictures_get_the_network_s_size_and_channels() {
    let folder = tempfile::tempdir().unwrap();
    let red = folder.path().join("red");
    fs::create_dir(&red).unwrap();
    RgbImage::from_pixel(6, 4, Rgb([200, 100, 0])).save(red.join("b.png")).unwrap();
    fs::write(red.join("a.JPG"), "broken").unwrap();
    let found = Pictures::open(folder.path(), Set::Training).unwrap();
    assert_eq!((found.labels().unwrap(), found.classes()), (&[0, 0][..], &names(&["red"])[..]));
    assert_eq!(found.prepared(1, &stretch([1, 2], 3)).unwrap(), [200, 100, 0, 200, 100, 0]);
    // 0.299 * 200 + 0.587 * 100, as for the digit finder.
    assert_eq!(found.prepared(1, &stretch([3, 1], 1)).unwrap(), [119; 3]);
    assert!(message(found.prepared(0, &stretch([1, 1], 1))).contains("a.JPG"));
    let (left, left_out) =
        found.readable(&[0, 1], |index| found.prepared(index, &stretch([1, 1], 3)).map(drop));
    assert_eq!((left, left_out.len()), (vec![1], 1));
    let plain = Pictures::open(&red, Set::Training).unwrap();
    assert!(!plain.have_labels() && message(plain.labels()).contains("without classes"));
    assert!(message(Pictures::open(Path::new("/no such folder"), Set::Any)).contains("is not a folder"));
}
