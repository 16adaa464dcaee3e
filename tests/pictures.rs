//! Pictures unlike MNIST: how many are read right.

use edge8::Framing;
use edge8_preprocess::digit::{Workspace, frame, workspace_len};
use files::OwnedPicture;
use tests::commands::{root, run};

/// Of the pictures in `tests/pictures`, so many were right when they were drawn; fewer is a regression.
const RIGHT: usize = 20;

/// Names of the pictures.
fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("tests/pictures"))
        .expect("part of the repository")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.ends_with(".png") || name.ends_with(".jpg"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 20);
    names
}

#[test]
fn pictures_unlike_mnist() {
    let names = names();
    let mut right = 0;
    for name in &names {
        let json = run("runtime", &["run", &format!("tests/pictures/{name}"), "--json"]).json();
        let answer = json["label"].as_str().expect("a label");
        let verdict = if name.starts_with(answer) { "right" } else { "wrong" };
        right += usize::from(name.starts_with(answer));
        println!("{name}: {answer}, {verdict}");
    }
    println!("{right} of {} right", names.len());
    assert!(right >= RIGHT, "{right} of {} right", names.len());
}

/// A picture's own workspace, which held something else, gives the bits of the one for any picture.
#[test]
fn pictures_need_no_more_than_their_own_workspace() {
    for name in names() {
        let bytes = std::fs::read(root().join("tests/pictures").join(&name)).expect("part of the repository");
        let decoded = OwnedPicture::decode(&bytes, 1).expect("a picture");
        let picture = decoded.picture().expect("not empty");
        let mut framed = [[0; 28 * 28]; 2];
        let mut least = vec![0x5a; workspace_len(picture.width(), picture.height())];
        frame(&picture, Framing::mnist(28), &mut least, &mut framed[0]).expect("a digit");
        frame(&picture, Framing::mnist(28), Workspace::new().bytes(), &mut framed[1]).expect("a digit");
        assert_eq!(framed[0], framed[1], "{name}");
    }
}
