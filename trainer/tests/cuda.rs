//! The command on a GPU, which is emulated: what it computes, and what it says where something is missing.

mod emulator;

use std::path::Path;
use std::process::{Command, Output};

use mobilenet::ModelFile;

/// 1024 training pictures.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/calibration");

/// The smallest network, for a computer that computes a GPU's threads one after the other.
fn fit(out: &Path, libraries: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(["fit", "--data", DATA, "--input-size", "8", "--alpha", "0.1", "--last-channels", "32"]);
    command.args(["--hidden", "8", "--batch-size", "16", "--out"]).arg(out).args(more);
    command.env("LD_LIBRARY_PATH", libraries).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
}

#[test]
fn fit_trains_in_every_precision_and_resumes_anywhere() {
    let Some(libraries) = emulator::folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    succeeds(&fit(out, &libraries, &["--epochs", "1", "--device", "cuda", "--precision", "f32"]));
    for (epochs, device) in [
        ("2", ["--device", "cpu"].as_slice()),
        ("3", &["--device", "cuda"]),
        ("4", &["--device", "cuda", "--precision", "f16"]),
    ] {
        succeeds(&fit(out, &libraries, &[device, &["--epochs", epochs, "--resume"]].concat()));
    }
    let history = std::fs::read(out.join("history.json")).unwrap();
    let history: serde_json::Value = serde_json::from_slice(&history).unwrap();
    let losses: Vec<f64> =
        history["epochs"].as_array().unwrap().iter().map(|epoch| epoch["loss"].as_f64().unwrap()).collect();
    assert!(losses.len() == 4 && losses.is_sorted_by(|before, after| before > after), "{losses:?}");
    assert!(ModelFile::load(&out.join("model.safetensors")).is_ok());
}

#[test]
fn bench_says_milliseconds() {
    let Some(libraries) = emulator::folder() else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(["bench", "--device", "cuda", "--precision", "bf16", "--batch-size", "2", "--steps", "1"]);
    let output =
        command.args(["--input-size", "8", "--json"]).env("LD_LIBRARY_PATH", libraries).output().unwrap();
    succeeds(&output);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["ms"].as_f64().unwrap() > 0.0 && said["batch_size"] == 2, "{said}");
}

#[test]
fn what_is_missing_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let out = folder.path().join("out");
    let refused = |output: Output, messages: &[&str]| {
        let text = text(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error: ") && text.trim_end().lines().count() == 1, "{text}");
        assert!(messages.iter().any(|message| text.contains(message)), "{text}");
        assert!(!out.exists());
    };
    // A machine with a driver, as it may have one all the same, may lack other things.
    let driver = ["libcuda.so.1", "libcuda.so", "nvcuda.dll"].iter().any(|name| on_this_machine(name));
    if !driver {
        refused(
            fit(&out, &nothing, &["--device", "cuda"]),
            &["no NVIDIA driver: libcuda.so.1 was not found"],
        );
    }
    let Some(libraries) = emulator::folder() else { return };
    for (left_out, messages) in [("libnvrtc.so", ["no NVRTC"]), ("libcublas.so", ["no cuBLAS"])] {
        if driver {
            continue;
        }
        let some = folder.path().join(left_out);
        std::fs::create_dir(&some).unwrap();
        for name in ["libcuda.so", "libnvrtc.so", "libcublas.so"].into_iter().filter(|name| *name != left_out)
        {
            std::fs::copy(libraries.join(name), some.join(name)).unwrap();
        }
        refused(fit(&out, &some, &["--device", "cuda"]), &messages);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(["fit", "--data", DATA, "--device", "cuda", "--out"]).arg(&out);
    command.env("LD_LIBRARY_PATH", libraries).env("EMULATOR_WITHOUT_GPU", "1");
    refused(command.output().unwrap(), &["no GPU: CUDA says"]);
}

/// Whether the system's loader would find a library, which a test cannot hide.
fn on_this_machine(library: &str) -> bool {
    let known = Command::new("ldconfig").arg("-p").output();
    known.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(library))
}
