//! Pictures unlike MNIST: how many are read right.

use tests::commands::{root, run};

/// Of the pictures in `tests/pictures`, so many were right when they were drawn; fewer is a regression.
const RIGHT: usize = 20;

#[test]
fn pictures_unlike_mnist() {
    let mut names: Vec<String> = std::fs::read_dir(root().join("tests/pictures"))
        .expect("part of the repository")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.ends_with(".png") || name.ends_with(".jpg"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 20);
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
