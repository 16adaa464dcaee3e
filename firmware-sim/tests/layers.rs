//! The layer viewer beside reference frames, through the command that a person types.
//!
//! `EDGE8_UPDATE_FRAMES=1` makes the reference frames anew, as in `app.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A layer that is looked at: feature maps, some values of which are saturated.
const LAYER: usize = 1;

/// The frames of a script with `--layers` on some screen, and how many of them are layers.
fn frames(screen: &str) -> (Vec<PathBuf>, usize) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |name: &str, layers: &[&str]| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{screen}_{name}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_firmware-sim"));
        command.args(["--screen", screen, "--script"]).arg(package.join("strokes/5.txt"));
        let run = command.args(layers).arg("--out").arg(&out).output().expect("it starts");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        (0..).map(move |index| out.join(format!("frame_{index:04}.png"))).take_while(|path| path.exists())
    };
    let drawn = run("drawn", &[]).count();
    let all: Vec<PathBuf> = run("layers", &["--layers"]).collect();
    let layers = all.len() - drawn;
    (all, layers)
}

/// A model of another kind is named, with what makes a model image of it.
#[test]
fn other_models_are_refused_by_name() {
    let tflite = Path::new(env!("CARGO_TARGET_TMPDIR")).join("net.tflite");
    std::fs::write(&tflite, b"\x1c\0\0\0TFL3\x14\0").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_firmware-sim"));
    let run = command.args(["--script", "none", "--model"]).arg(&tflite).output().expect("it starts");
    let error = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{error}");
    for words in ["net.tflite is a TFLite model, not a model image", "quantizer import"] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn each_layer_is_shown_as_the_reference_frame_does() {
    let image = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/models/mnist.edge8"));
    let image = image.expect("the shipped image");
    let operators = edge8::Model::parse(&image).expect("an image").operators().len();
    for screen in ["oled-128x64", "160x128", "240x240", "320x240"] {
        let (frames, layers) = frames(screen);
        assert_eq!(layers, operators);
        let frame = &frames[frames.len() - layers + LAYER];
        let name = format!("{}_layer.png", screen.trim_start_matches("oled-"));
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("frames").join(name);
        if std::env::var_os("EDGE8_UPDATE_FRAMES").is_some() {
            std::fs::copy(frame, &reference).expect("writable");
        }
        let [shown, expected] =
            [frame, &reference].map(|path| image::open(path).expect("a picture").to_rgb8());
        assert!(shown == expected, "{} is not as {}", frame.display(), reference.display());
    }
}
