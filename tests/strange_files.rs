//! Files as users have them: pictures that cannot be read, models of other kinds, forged ones, outputs that cannot be written.

use ::image::{GrayImage, Luma};
use quantizer::image::{self, Extras};
use std::path::Path;
use tempfile::TempDir;
use tests::commands::{root, run};
use tests::{bytes, golden, tools};

const FLOAT: &str = "trainer/models/mnist.safetensors";
const INT8: &str = "runtime/models/mnist.edge8";
const DIGIT: &str = "runtime/assets/5_blue_ink.png";

/// A temporary folder whose paths are strings, as commands take them.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(Path::new(&path).parent().expect("a folder")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// A picture that is broken, one that is blank and one of another format, among files that are none.
    fn spoil(&self, class: &str) {
        self.write(&format!("{class}/broken.png"), "no picture");
        self.write(&format!("{class}/phone.HEIC"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
        GrayImage::new(40, 40).save(self.path(&format!("{class}/blank.png"))).expect("written");
        for ignored in ["Thumbs.db", ".DS_Store", "notes.txt"] {
            self.write(&format!("{class}/{ignored}"), "no picture");
        }
    }
}

/// A five in a folder of its class, and three pictures that cannot be read.
fn one_of_four() -> (Folder, String) {
    let folder = Folder::new();
    folder.write("data/5/five.png", std::fs::read(root().join(DIGIT)).expect("part of the repository"));
    folder.spoil("data/5");
    let data = folder.path("data");
    (folder, data)
}

#[test]
fn unreadable_pictures_are_named_left_out_and_counted() {
    let (folder, data) = one_of_four();
    let image = folder.path("made.edge8");
    let calls: [&[&str]; 4] = [
        &["runtime", "eval"],
        &["trainer", "eval", FLOAT],
        &["quantizer", "check", FLOAT, INT8, "--max-drop", "100"],
        &["quantizer", "calibrate", "--int8", FLOAT, "-o", &image],
    ];
    for call in calls {
        let arguments = [&call[1..], &["--data", &data]].concat();
        let json = if call[1] == "calibrate" { &[][..] } else { &["--json"] };
        let done = run(call[0], &[&arguments[..], json].concat());
        assert_eq!(done.code, Some(0), "{call:?}: {done:?}");
        for words in ["3 of 4 pictures", "broken.png: is not a picture", "blank.png: the picture is blank"] {
            assert!(done.stderr.contains(words), "{call:?}: {done:?}");
        }
        assert!(done.stderr.contains("phone.HEIC: is a HEIC picture: convert it to PNG or JPEG"), "{done:?}");
        if !json.is_empty() {
            // The device's own command counts what it cannot read as wrong.
            let images = if call[0] == "runtime" { 4 } else { 1 };
            let json = done.json();
            assert_eq!((&json["images"], &json["unreadable"]), (&images.into(), &3.into()), "{call:?}");
        }
        run(call[0], &[&arguments[..], &["--strict"]].concat()).assert_error(1, &["--strict", "broken.png"]);
        std::fs::rename(Path::new(&data).join("5/five.png"), folder.path("five.png")).expect("moved");
        run(call[0], &arguments).assert_error(1, &["no picture can be read"]);
        std::fs::rename(folder.path("five.png"), Path::new(&data).join("5/five.png")).expect("moved");
    }
}

#[test]
fn training_goes_on_without_unreadable_pictures() {
    let folder = Folder::new();
    for (class, width) in [("bar", 4), ("block", 20)] {
        folder.spoil(&format!("data/{class}"));
        for number in 0..20 {
            let ink = |x: u32, y: u32| x.abs_diff(30) < width && y.abs_diff(20) < 12 + number % 4;
            let picture = GrayImage::from_fn(60, 40, |x, y| Luma([if ink(x, y) { 20 } else { 230 }]));
            picture.save(folder.path(&format!("data/{class}/{number}.png"))).expect("written");
        }
    }
    let [data, out] = ["data", "out"].map(|name| folder.path(name));
    let fit = ["fit", "--data", &data, "--out", &out, "--epochs", "1", "--batch-size", "4"];
    let fit = [
        &fit[..],
        &["--input-size", "28", "--stem-stride", "2", "--last-channels", "64", "--recipe", "digit"],
    ]
    .concat();
    let strict = run("trainer", &[&fit[..], &["--strict"]].concat());
    strict.assert_error(1, &["6 of 46 pictures", "blank.png"]);
    let done = run("trainer", &fit);
    assert!(done.code == Some(0) && done.stderr.contains("6 of 46 pictures left out"), "{done:?}");
}

#[test]
fn a_photo_with_a_film_behind_it_is_read_a_cut_one_is_not() {
    let folder = Folder::new();
    let photo = std::fs::read(root().join("tests/pictures/7_paper.jpg")).expect("part of the repository");
    let film = [&b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"[..], &[0xff, 0xda, 0, 2], &[0x5a; 5000]].concat();
    let whole = folder.write("whole.jpg", &photo);
    let motion = folder.write("motion.jpg", [&photo[..], &film].concat());
    let frames = folder.write("frames.jpg", [&photo[..], &photo, &[0; 100]].concat());
    let cut = folder.write("cut.jpg", &photo[..photo.len() - 100]);
    let probabilities = |path: &str| run("runtime", &["run", path, "--json"]).json()["probabilities"].clone();
    assert!(probabilities(&whole).is_array());
    assert_eq!(
        [probabilities(&motion), probabilities(&frames)],
        [probabilities(&whole), probabilities(&whole)]
    );
    run("runtime", &["run", &cut]).assert_error(1, &["cut.jpg", "cut short"]);
}

#[test]
fn models_of_other_kinds_are_named_with_what_to_do() {
    let folder = Folder::new();
    let tflite = folder.write("net.tflite", b"\x1c\0\0\0TFL3\x14\0\x20\0");
    let onnx = folder.write("net.onnx", b"\x08\x08\x12\x07pytorch\x1a\x05");
    let torch = folder.write("net.pt", b"PK\x03\x04archive/data.pkl");
    let text = folder.write("notes.txt", "a network");
    let image = folder.path("net.edge8");
    let import = format!("quantizer import {tflite} -o {image}");
    let cases: [(&str, &[&str], &[&str]); 14] = [
        ("runtime", &["info", "--model", &tflite], &["a TFLite model, not a model image", &import]),
        ("runtime", &["run", DIGIT, "--model", &tflite], &["TFLite", &import]),
        ("runtime", &["infer", &tflite, "--input", &text, "--output", &image], &["TFLite", &import]),
        ("runtime", &["info", "--model", &onnx], &["an ONNX file", "quantizer calibrate --int8"]),
        ("runtime", &["bench", "--model", FLOAT], &["a safetensors file", "quantizer calibrate --int8"]),
        ("runtime", &["info", "--model", &torch], &["a zip archive", "export the network to ONNX"]),
        ("runtime", &["info", "--model", &text], &["notes.txt is not a model image"]),
        ("quantizer", &["calibrate", "--int8", &tflite], &["TFLite", "safetensors", "ONNX", &import]),
        ("quantizer", &["calibrate", "--int8", INT8, "-o", &image], &["mnist.edge8 is a model image, not"]),
        ("quantizer", &["check", &text, INT8], &["notes.txt is not a safetensors file or an ONNX file"]),
        ("quantizer", &["check", FLOAT, &tflite], &["TFLite", &import]),
        ("quantizer", &["import", INT8, "-o", &image], &["a model image, not a TFLite model"]),
        ("quantizer", &["compare", INT8, &text], &["notes.txt is a file of an unknown kind, neither"]),
        ("trainer", &["eval", &onnx], &["an ONNX file, not a safetensors file"]),
    ];
    for (command, arguments, words) in cases {
        let done = run(command, arguments);
        done.assert_error(1, words);
        assert!(!done.stderr.contains("header too large"), "{done:?}");
    }
    let empty = folder.write("empty.edge8", []);
    run("runtime", &["info", "--model", &empty]).assert_error(1, &["empty.edge8 is empty"]);
    run("quantizer", &["export", folder.0.path().to_str().expect("UTF-8"), "--onnx", &onnx])
        .assert_error(1, &["it is a folder, give a file"]);
}

/// A tiny image that asks for 4 GiB, right in all else, in the commands that would give it an arena.
#[test]
fn a_forged_arena_is_refused() {
    let folder = Folder::new();
    let mut image = std::fs::read(root().join(INT8)).expect("part of the repository");
    image[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes::sign(&mut image);
    let forged = folder.write("forged.edge8", &image);
    assert!(edge8::Model::parse(&image).is_ok());
    let output = folder.path("out");
    let calls: [&[&str]; 6] = [
        &["runtime", "run", DIGIT, "--model", &forged],
        &["runtime", "bench", "--model", &forged],
        &["runtime", "infer", &forged, "--input", DIGIT, "--output", &output],
        &["quantizer", "check", FLOAT, &forged],
        &["quantizer", "compare", &forged, INT8],
        &["quantizer", "plan", &forged, "--arena", "65536", "-o", &output],
    ];
    for call in calls {
        run(call[0], &call[1..]).assert_error(1, &["forged.edge8", "4294967295 bytes", "at most"]);
    }
}

/// The rule by which arenas are refused holds for all golden models, as they are planned and with room for many rows.
#[test]
fn honest_arenas_are_not_refused() {
    let folder = Folder::new();
    for model in tools::shared("golden").iter().flat_map(|shared| golden::all(shared)) {
        let image = image::write(&model.network, &Extras::default()).expect("an image");
        let image = folder.write("image.edge8", image);
        let large = folder.path("large.edge8");
        let plan = run("quantizer", &["plan", &image, "--arena", "4000000", "-o", &large]);
        assert_eq!(plan.code, Some(0), "{}: {plan:?}", model.name);
        for image in [&image, &large] {
            let info = run("runtime", &["info", "--model", image, "--json"]);
            assert_eq!(info.code, Some(0), "{}: {info:?}", model.name);
        }
    }
}

#[test]
fn outputs_that_cannot_be_written_are_refused_before_the_work() {
    let folder = Folder::new();
    let [nowhere, here] = ["missing/a", ""].map(|name| folder.path(name));
    let tflite = folder.write("net.tflite", b"\x1c\0\0\0TFL3\x14\0 and nothing else");
    // Something else is wrong with each of them, which the work would find.
    let calls: [&[&str]; 7] = [
        &["quantizer", "calibrate", "--int8", FLOAT, "--data", "absent", "-o"],
        &["quantizer", "import", &tflite, "-o"],
        &["quantizer", "plan", INT8, "--arena", "1", "-o"],
        &["quantizer", "export", "absent", "--onnx"],
        &["runtime", "infer", "absent", "--input", "absent", "--output"],
        &["runtime", "run", "absent", "--show-input"],
        &["trainer", "export", "absent", "--onnx"],
    ];
    for call in calls {
        for (output, words) in [(&nowhere, "missing"), (&here, "is a folder")] {
            let done = run(call[0], &[&call[1..], &[output]].concat());
            done.assert_error(1, &["cannot write", words]);
            assert!(!done.stderr.contains("absent"), "{done:?}");
        }
    }
}
