//! `quantizer calibrate` and `check` with an ONNX file and a folder of pictures, as a user types them.

use image::{Rgb, RgbImage};
use mobilenet::onnx::{Dimension, GraphBuilder, attribute, tensor};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SIDE: usize = 8;

/// Names and colours of the classes, in the order of the folders.
const CLASSES: [(&str, [u8; 3]); 3] =
    [("blue", [20, 30, 220]), ("green", [10, 200, 40]), ("red", [190, 20, 20])];

/// A folder with `model.onnx` and the folders of `pictures`.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        std::fs::write(folder.path("model.onnx"), network()).expect("written");
        for (class, colour) in CLASSES {
            let pictures = folder.path("pictures").join(class);
            std::fs::create_dir_all(&pictures).expect("created");
            for number in 0..4u8 {
                let pixel = |x, y| Rgb(colour.map(|c| c + 5 * number + ((3 * x + 5 * y) % 7) as u8));
                let picture = RgbImage::from_fn(12, 10, pixel);
                picture.save(pictures.join(format!("{number}.png"))).expect("written");
            }
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the command in the folder.
    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quantizer"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace()).output().expect("it starts")
    }
}

/// A network that finds the strongest colour: a mean, and rows that read blue, green and red.
fn network() -> Vec<u8> {
    let mut graph = GraphBuilder::new("colours");
    let batch = Dimension::Free("N");
    let side = Dimension::Fixed(SIDE);
    let input = graph.input("input", &[batch, Dimension::Fixed(3), side, side], "");
    let mean = graph.node("GlobalAveragePool", "mean", &[&input], []);
    let flat = graph.node("Flatten", "flat", &[&mean], []);
    let weights =
        graph.initializer("weights", tensor(&[3, 3], &[0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0f32]));
    let output = graph.node("MatMul", "dense", &[&flat, &weights], []);
    graph.output(&output, &[batch, Dimension::Fixed(3)], "");
    graph.finish("", [])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn pictures_by_class_calibrate_and_check() {
    let folder = Folder::new();
    let calibrated = folder
        .run("calibrate --int8 model.onnx --data pictures --samples 12 --mean 0.5,0.5,0.5 --std 0.5,0.4,0.5");
    assert!(calibrated.status.success(), "{}", text(&calibrated.stderr));
    let report = text(&calibrated.stdout);
    assert!(report.contains("float 100.00 %, int8 100.00 %, drop 0.000 points"), "{report}");

    let bytes = std::fs::read(folder.path("model.edge8")).expect("written");
    let model = edge8::Model::parse(&bytes).expect("an image");
    assert!(model.labels().expect("the folders' names").eq(CLASSES.map(|(name, _)| name)));
    // From (0 - 0.5) / 0.4 to (1 - 0.5) / 0.4, the widest channel.
    assert!((model.input().scale - 2.5 / 255.0).abs() < 1e-6, "{}", model.input().scale);

    // Of twelve pictures that agree the upper end of the interval is 1.96^2 / (12 + 1.96^2), or 24.25 %.
    let checked = folder.run("check model.onnx model.edge8 --data pictures --max-drop 24.3 --json");
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let summary: serde_json::Value = serde_json::from_str(&text(&checked.stdout)).expect("JSON");
    assert_eq!((&summary["images"], &summary["agreement"]), (&12.into(), &1.0.into()));
    assert_eq!((&summary["passed"], &summary["pictures_needed"]), (&true.into(), &().into()));
}

#[test]
fn a_wrong_mean_is_told() {
    let folder = Folder::new();
    let calibrate = |mean: &str| {
        let done =
            folder.run(&format!("calibrate --int8 model.onnx --data pictures --mean {mean} -o wrong.edge8"));
        assert!(done.status.success(), "{}", text(&done.stderr));
        text(&done.stderr)
    };
    assert!(!calibrate("0.5,0.5,0.5").contains("warning"));
    // Red and green are 30 less than in training: never the strongest.
    let told = calibrate("30,30,0");
    assert!(told.contains("% right, is seldom right: look whether --mean, --std"), "{told}");
}

#[test]
fn the_usual_limit_is_one_that_so_many_pictures_can_tell() {
    let folder = Folder::new();
    folder.run("calibrate --int8 model.onnx --data pictures");
    let checked = folder.run("check model.onnx model.edge8 --data pictures");
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let report = text(&checked.stdout);
    assert!(report.contains("passed: the limit is a drop of 83.333 points"), "{report}");
}

#[test]
fn too_few_pictures_do_not_pass_however_well_they_agree() {
    let folder = Folder::new();
    let calibrated = folder.run("calibrate --int8 model.onnx --data pictures --samples 12");
    assert!(calibrated.status.success(), "{}", text(&calibrated.stderr));
    let checked = folder.run("check model.onnx model.edge8 --data pictures --max-drop 0.2 --json");
    assert_eq!(checked.status.code(), Some(1));
    let report = text(&checked.stderr);
    assert!(report.contains("drop       0.000 points, 95 % confidence -24.249 to 24.249"), "{report}");
    assert!(report.contains("not enough pictures: the limit is a drop of 0.2 points"), "{report}");
    let summary: serde_json::Value = serde_json::from_str(&text(&checked.stdout)).expect("JSON");
    assert_eq!((&summary["passed"], &summary["pictures_needed"]), (&false.into(), &1917.into()));
}

#[test]
fn pictures_without_classes_calibrate_but_do_not_check() {
    let folder = Folder::new();
    let calibrated = folder.run("calibrate --int8 model.onnx --data pictures/red --samples 4 -o red.edge8");
    assert!(calibrated.status.success(), "{}", text(&calibrated.stderr));
    assert!(!text(&calibrated.stdout).contains("on these images"));
    let checked = folder.run("check model.onnx red.edge8 --data pictures/red");
    assert_eq!(checked.status.code(), Some(1));
    assert!(text(&checked.stderr).contains("no labels"), "{}", text(&checked.stderr));
}

#[test]
fn unreadable_pictures_are_left_out_and_counted() {
    let folder = Folder::new();
    std::fs::write(folder.path("pictures/red/4.png"), "no picture").expect("written");
    std::fs::write(folder.path("pictures/red/5.gif"), b"GIF89a").expect("written");
    std::fs::write(folder.path("pictures/red/notes.txt"), "no picture").expect("written");
    let calibrate = "calibrate --int8 model.onnx --data pictures --samples 14";
    let check = "check model.onnx model.edge8 --data pictures --max-drop 30 --json";
    for command in [calibrate, check] {
        let done = folder.run(command);
        let error = text(&done.stderr);
        assert!(done.status.success(), "{error}");
        assert!(error.contains("2 of 14 pictures left out"), "{error}");
        assert!(error.contains("4.png") && error.contains("5.gif: is a GIF picture"), "{error}");
        if command == check {
            let summary: serde_json::Value = serde_json::from_str(&text(&done.stdout)).expect("JSON");
            assert_eq!((&summary["images"], &summary["unreadable"]), (&12.into(), &2.into()));
        }
        let strict = folder.run(&format!("{command} --strict"));
        assert_eq!(strict.status.code(), Some(1), "{}", text(&strict.stderr));
    }
}

/// The classes are those of the model image, whatever folders there are to check it on.
#[test]
fn a_check_on_some_of_the_classes_takes_them_by_name() {
    let folder = Folder::new();
    assert!(folder.run("calibrate --int8 model.onnx --data pictures --samples 12").status.success());
    std::fs::remove_dir_all(folder.path("pictures/blue")).expect("removed");
    let checked = folder.run("check model.onnx model.edge8 --data pictures --json");
    let summary: serde_json::Value = serde_json::from_str(&text(&checked.stdout)).expect("JSON");
    assert_eq!((&summary["images"], &summary["float_accuracy"]), (&8.into(), &1.0.into()));
}

/// 16 GiB in a file of a hundred bytes, and a folder or a text for the samples.
#[test]
fn samples_that_cannot_be_are_refused() {
    let folder = Folder::new();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (22369622, 3, 8, 8), }\n";
    let array = [&b"\x93NUMPY\x01\0"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    let mut bomb = zip::ZipWriter::new(std::fs::File::create(folder.path("bomb.npz")).expect("created"));
    bomb.start_file("x.npy", zip::write::SimpleFileOptions::default()).expect("started");
    std::io::Write::write_all(&mut bomb, &array).expect("written");
    bomb.finish().expect("written");
    std::fs::write(folder.path("notes.txt"), "no array").expect("written");
    for (data, expected) in
        [("bomb.npz", "at most 67108864"), ("notes.txt", "notes.txt is a file of an unknown kind: a folder")]
    {
        let refused = folder.run(&format!("calibrate --int8 model.onnx --data {data}"));
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains(expected), "{}", text(&refused.stderr));
    }
}

#[test]
fn what_is_missing_is_said_before_anything_is_written() {
    let folder = Folder::new();
    let shown = |path: &str| Path::new(path).display().to_string();
    let cases = [
        ("calibrate --int8 model.onnx", 2, "--data".to_owned()),
        ("calibrate --int8 model.onnx --data nowhere", 1, shown("nowhere")),
        (
            "calibrate --int8 model.onnx --data pictures --samples 12 --mean 0.5,0.5 --std 1,1",
            1,
            "3 channels".into(),
        ),
        (
            "calibrate --int8 model.onnx --data pictures --samples 12 --std 1e-300",
            1,
            "image 0: \"input\" of the float network holds inf: its values are too large, check the normalisation".into(),
        ),
        ("calibrate --int8 model.onnx --data pictures --samples 13", 1, "--samples from 1 to 12".into()),
        ("calibrate --int8 absent.onnx --data pictures", 1, "absent.onnx".into()),
    ];
    for (arguments, code, expected) in cases {
        let output = folder.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments}");
        let error = text(&output.stderr);
        assert!(error.contains(&expected), "{arguments}: {error}");
    }
    let made: Vec<_> = std::fs::read_dir(folder.0.path()).expect("listed").collect();
    assert_eq!(made.len(), 2, "the network and the pictures");
}

/// The weights are for an image of two channels; what a library makes of that is none of a user's business.
#[test]
fn a_contradiction_in_the_file_is_one_line() {
    let folder = Folder::new();
    let mut graph = GraphBuilder::new("contradiction");
    let sides = [1, 3, SIDE, SIDE].map(Dimension::Fixed);
    let input = graph.input("input", &sides, "");
    let weights = graph.initializer("weights", tensor(&[1, 2, 1, 1], &[1.0f32, 2.0]));
    let output = graph.node("Conv", "conv", &[&input, &weights], [attribute::ints("strides", &[0, 1])]);
    graph.output(&output, &[], "");
    std::fs::write(folder.path("model.onnx"), graph.finish("", [])).expect("written");
    let output = folder.run("calibrate --int8 model.onnx --data pictures");
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    let expected =
        "error: model.onnx: node \"conv\" (Conv): its weights have shape [1, 2, 1, 1] for 3 input channels";
    assert_eq!(error.trim_end(), expected);
}
