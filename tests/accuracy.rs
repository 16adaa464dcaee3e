//! Accuracy regression on the 10,000 test images: float against int8, raw files against PNG.

use std::path::Path;
use tests::commands::run;
use tests::mnist;

/// A trained network, its model image, and what they must keep: the least accuracy of int8, and at most so many points less
/// than float.
struct Pair {
    float: &'static str,
    int8: &'static str,
    least: f64,
    max_drop: &'static str,
}

/// What ships: the network of the commands, and the smallest one.
const PAIRS: [Pair; 2] = [
    Pair {
        float: "trainer/models/mnist.safetensors",
        int8: "runtime/models/mnist.edge8",
        least: 0.994,
        max_drop: "0.1",
    },
    Pair {
        float: "trainer/models/mnist_small.safetensors",
        int8: "runtime/models/mnist_small.edge8",
        least: 0.988,
        max_drop: "0.2",
    },
];

#[test]
fn int8_is_as_good_as_float() {
    for Pair { float, int8, least, max_drop } in PAIRS {
        let check = run("quantizer", &["check", float, int8, "--max-drop", max_drop, "--json"]);
        let json = check.json();
        println!("{json}");
        assert_eq!(check.code, Some(0), "{check:?}");
        assert_eq!(json["images"], 10_000);
        assert_eq!(json["passed"], true);
        let [float, int8, drop] = ["float_accuracy", "int8_accuracy", "drop_high_points"]
            .map(|key| json[key].as_f64().expect("a number"));
        assert!(float >= least + 0.001, "float {float}");
        assert!(int8 >= least, "int8 {int8}");
        assert!(drop <= max_drop.parse().expect("a number"), "drop {drop}");
    }
}

/// The runtime alone counts as many right answers as the check does, and the trainer's own float engine (candle) as
/// many as the check's (tract).
#[test]
fn every_engine_counts_the_same() {
    for Pair { float, int8, .. } in PAIRS {
        let check = run("quantizer", &["check", float, int8, "--json"]).json();
        let eval = run("runtime", &["eval", "--model", int8, "--json"]).json();
        assert_eq!(eval["images"], 10_000);
        assert_eq!(eval["accuracy"], check["int8_accuracy"]);
        let candle = run("trainer", &["eval", float, "--json"]).json();
        assert_eq!(candle["accuracy"], check["float_accuracy"]);
    }
}

/// The test images written as PNG files, one folder per class, lose nothing on the way through the picture path.
#[test]
fn png_files_are_read_as_well_as_raw_ones() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_png(folder.path());
    let raw = run("runtime", &["eval", "--json"]).json();
    let path = folder.path().to_str().expect("UTF-8");
    let png = run("runtime", &["eval", "--data", path, "--json"]).json();
    assert_eq!(png["images"], 10_000);
    let accuracy = |json: &serde_json::Value| json["accuracy"].as_f64().expect("a number");
    let difference = (accuracy(&raw) - accuracy(&png)).abs() * 100.0;
    assert!(difference <= 0.05, "raw {raw}, PNG {png}");
}

fn write_png(folder: &Path) {
    for class in 0..10 {
        std::fs::create_dir(folder.join(class.to_string())).expect("a new folder");
    }
    for (index, (pixels, label)) in mnist::test_images().into_iter().enumerate() {
        let picture = image::GrayImage::from_raw(28, 28, pixels).expect("28x28 pixels");
        picture.save(folder.join(label.to_string()).join(format!("{index:05}.png"))).expect("a PNG file");
    }
}
