//! The command `trainer` as it is typed.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use mobilenet::ModelFile;

/// 1024 training pictures.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/calibration");

fn trainer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(arguments);
    command
}

/// A short run into `folder`.
fn fit(folder: &Path, more: &[&str]) -> Command {
    let mut command = trainer(&["fit", "--data", DATA, "--epochs", "6", "--batch-size", "64"]);
    command.args(["--input-size", "28", "--stem-stride", "2", "--out"]).arg(folder).args(more);
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn fit_writes_a_model_that_eval_reads() {
    let folder = tempfile::tempdir().unwrap();
    let output = fit(folder.path(), &["--last-channels", "256"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let mut names: Vec<String> = (std::fs::read_dir(folder.path()).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["confusion.png", "curves.png", "history.json", "model.safetensors"]);
    let path = folder.path().join("model.safetensors");
    let file = ModelFile::load(&path).unwrap();
    assert_eq!((file.architecture.input_size, file.architecture.stem_stride), (28, 2));
    assert_eq!(file.architecture.last_channels(), 256);
    assert_eq!(file.provenance["train_images"], 922);
    assert!(file.provenance["command"].as_str().unwrap().contains("--epochs 6 --batch-size 64 --lr 0.003"));
    assert!(file.provenance["command"].as_str().unwrap().contains("--stem-stride 2 --last-channels 256"));
    let history = std::fs::read(folder.path().join("history.json")).unwrap();
    let history: serde_json::Value = serde_json::from_slice(&history).unwrap();
    assert_eq!(history["epochs"].as_array().unwrap().len(), 6);

    let output =
        trainer(&["eval", path.to_str().unwrap(), "--json", "--data"]).arg(DATA_TEST).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let result: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(result["images"], 10_000);
    let accuracy = result["correct"].as_f64().unwrap() / 10_000.0;
    assert_eq!(result["accuracy"].as_f64().unwrap(), accuracy);
}

/// 10,000 test pictures.
const DATA_TEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");

/// Waits for the first epoch, then presses Ctrl-C.
#[cfg(unix)]
fn interrupt(mut child: Child) -> (Option<i32>, String) {
    use std::io::{BufRead, BufReader, Read};
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("epoch  1/6") {
        assert!(reader.read_line(&mut text).unwrap() > 0, "ended early: {text}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    reader.read_to_string(&mut text).unwrap();
    (child.wait().unwrap().code(), text)
}

#[cfg(unix)]
#[test]
fn control_c_and_resume_give_the_very_same_weights() {
    let whole = tempfile::tempdir().unwrap();
    let broken = tempfile::tempdir().unwrap();
    assert!(fit(whole.path(), &[]).output().unwrap().status.success());
    let child = fit(broken.path(), &[]).stderr(Stdio::piped()).spawn().unwrap();
    let (code, text) = interrupt(child);
    assert_eq!(code, Some(130), "{text}");
    assert!(text.contains("--resume"), "{text}");
    assert!(!broken.path().join("model.safetensors").exists());
    let output = fit(broken.path(), &["--resume"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let load = |folder: &Path| ModelFile::load(&folder.join("model.safetensors")).unwrap();
    assert_eq!(load(broken.path()), load(whole.path()));
}

#[test]
fn mistakes_get_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/mnist.safetensors");
    let cases: [(&[&str], i32, &str); 13] = [
        (&["fit", "--data", empty, "--out", empty], 1, "train-images-idx3-ubyte"),
        (&["fit", "--data", "nowhere", "--out", empty], 1, "nowhere is not a folder"),
        (&["fit", "--data", DATA, "--out", empty, "--resume"], 1, "no checkpoint"),
        (&["fit", "--data", DATA, "--out", empty, "--input-size", "27"], 1, "expected 28 to 224"),
        (&["fit", "--data", DATA, "--out", empty, "--last-channels", "100"], 1, "a multiple of 8"),
        (&["fit", "--data", DATA, "--out", empty, "--batch-size", "5000"], 1, "not enough"),
        (&["fit", "--data", DATA, "--out", empty, "--lr", "0"], 1, "learning rate"),
        (&["fit", "--alpha", "wide"], 2, "--alpha"),
        (&["eval", DATA], 1, "cannot read"),
        (&["eval", model, "--data", DATA], 1, "t10k-images-idx3-ubyte"),
        (&["export", model], 2, "--onnx"),
        (&["export", DATA, "--onnx", "nowhere.onnx"], 1, "cannot read"),
        (&["export", model, "--onnx", "nowhere/mnist.onnx"], 1, "cannot write nowhere/mnist.onnx"),
    ];
    for (arguments, code, message) in cases {
        let output = trainer(arguments).output().unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.starts_with("error: ") && text.contains(message), "{arguments:?}: {text}");
        assert!(code == 2 || text.trim_end().lines().count() == 1, "{arguments:?}: {text}");
    }
}
