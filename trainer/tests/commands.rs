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
    let expected = [
        "checkpoint.safetensors",
        "confusion.png",
        "curves.png",
        "history.json",
        "mistakes.png",
        "model.safetensors",
    ];
    assert_eq!(names, expected);
    let path = folder.path().join("model.safetensors");
    let file = ModelFile::load(&path).unwrap();
    assert_eq!((file.architecture.input, file.architecture.stem_stride), ([28, 28], 2));
    assert_eq!(file.architecture.last_channels(), 256);
    assert_eq!(file.provenance["train_images"], 921);
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

/// One epoch of a small network into `folder`.
fn fit_briefly(folder: &Path, more: &[&str]) -> Output {
    let mut command = trainer(&["fit", "--data", DATA, "--batch-size", "64", "--alpha", "0.1"]);
    command.args(["--input-size", "28", "--stem-stride", "2", "--last-channels", "8", "--out"]);
    command.arg(folder).args(more).output().unwrap()
}

#[test]
fn a_run_begins_with_another_network() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["before", "after"].map(|name| folder.path().join(name));
    assert!(fit_briefly(&before, &["--epochs", "1"]).status.success());
    let path = before.join("model.safetensors");
    let tune = |more: &[&str]| {
        let mut command = trainer(&["fit", "--data", DATA, "--epochs", "1", "--batch-size", "64", "--init"]);
        command.arg(&path).arg("--out").arg(&after).args(more).output().unwrap()
    };
    // The same pictures twice: a second folder adds to the first.
    let output = tune(&["--freeze", "18", "--data", DATA]);
    assert!(output.status.success(), "{}", stderr(&output));
    let [old, new] = [&before, &after].map(|out| ModelFile::load(&out.join("model.safetensors")).unwrap());
    assert_eq!(new.architecture, old.architecture);
    assert_eq!(
        new.provenance["train_images"].as_u64(),
        Some(2 * 1024 - new.provenance["validation_images"].as_u64().unwrap())
    );
    for (name, weights) in &new.tensors {
        assert_eq!(*weights == old.tensors[name], !name.starts_with("dense"), "{name}");
    }
    let command = new.provenance["command"].as_str().unwrap();
    assert!(command.contains("before/model.safetensors --keep 0.5 --freeze 18"), "{command}");
    assert_eq!(new.provenance["init_sha256"].as_str().map(str::len), Some(64));

    for (more, code, message) in [
        (&["--overwrite", "--alpha", "0.5"][..], 2, "--alpha"),
        (&["--overwrite", "--freeze", "19"], 2, "19"),
        (&["--overwrite", "--keep", "1"], 1, "keep is 1, expected from 0 to below 1"),
        (
            &["--overwrite", "--recipe", "picture", "--colours", "rgb", "--input-size", "4"],
            2,
            "\"4\" is no side",
        ),
    ] {
        let output = tune(more);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
    let output = fit_briefly(&after, &["--overwrite", "--freeze", "2"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_run_is_neither_lost_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    // The folder is made, and the one above it.
    let out = folder.path().join("runs/1");
    assert!(fit_briefly(&out, &["--epochs", "1"]).status.success());
    let path = out.join("model.safetensors");
    let first = ModelFile::load(&path).unwrap();

    let refused = fit_briefly(&out, &["--epochs", "1"]);
    let text = stderr(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    for part in ["runs/1 holds the checkpoint", "--resume", "--overwrite", "another --out"] {
        assert!(text.contains(part), "{text}");
    }
    let other = fit_briefly(&out, &["--epochs", "2", "--resume", "--seed", "5"]);
    let text = stderr(&other);
    assert!(text.contains("made with --seed 1, but given is --seed 5"), "{text}");
    assert_eq!(ModelFile::load(&path).unwrap(), first);

    let more = fit_briefly(&out, &["--epochs", "2", "--resume"]);
    assert!(more.status.success(), "{}", stderr(&more));
    let provenance = ModelFile::load(&path).unwrap().provenance;
    let command = provenance["command"].as_str().unwrap();
    assert!(command.starts_with("trainer fit --recipe digit --epochs 1 --batch-size 64"), "{command}");
    assert!(command.contains(" && trainer fit --recipe digit --epochs 2 --batch-size 64"), "{command}");
    assert!(command.ends_with(" --resume"), "{command}");

    let anew = fit_briefly(&out, &["--epochs", "1", "--overwrite"]);
    assert!(anew.status.success(), "{}", stderr(&anew));
    assert_eq!(ModelFile::load(&path).unwrap(), first);
}

/// Writes one picture of a bar for each number in `counts`, of that many picture files in a class.
fn bars(folder: &Path, counts: &[u32]) {
    for (class, &count) in counts.iter().enumerate() {
        let class = folder.join(class.to_string());
        std::fs::create_dir(&class).unwrap();
        for number in 0..count {
            let picture = image::GrayImage::from_fn(40, 40, |x, y| {
                let ink = x.abs_diff(20) < 3 + number && y.abs_diff(20) < 12;
                image::Luma([if ink { 20 } else { 230 }])
            });
            picture.save(class.join(format!("{number}.png"))).unwrap();
        }
    }
}

#[test]
fn a_few_pictures_are_split_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |counts: &[u32]| {
        let data = tempfile::tempdir().unwrap();
        bars(data.path(), counts);
        let mut command = trainer(&["fit", "--epochs", "1", "--batch-size", "2", "--alpha", "0.1"]);
        command.args(["--input-size", "28", "--stem-stride", "2", "--last-channels", "8"]);
        command.arg("--data").arg(data.path()).arg("--out").arg(folder.path().join("out")).output().unwrap()
    };
    let alone = run(&[1, 1]);
    assert_eq!(alone.status.code(), Some(1));
    assert!(stderr(&alone).contains("2 pictures cannot be split"), "{}", stderr(&alone));
    assert!(!folder.path().join("out").exists());
    let few = run(&[3, 2]);
    assert!(few.status.success(), "{}", stderr(&few));
    assert!(stderr(&few).contains(" of 2 right"), "{}", stderr(&few));
}

#[test]
fn failed_calls_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/out");
    let out = out.to_str().unwrap();
    let cache = folder.path().join("cache");
    for more in [
        ["--data", "nowhere", "--epochs", "1"],
        ["--data", DATA, "--batch-size", "5000"],
        // Without --data, what comes before a download that would fail.
        ["--epochs", "0", "--seed", "1"],
        ["--epochs", "1", "--lr", "2"],
    ] {
        let mut command = trainer(&["fit", "--out", out]);
        let command =
            command.args(more).env("XDG_CACHE_HOME", &cache).env("EDGE8_MNIST_MIRROR", "http://127.0.0.1:9");
        assert!(!command.output().unwrap().status.success(), "{more:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{more:?}");
    }
}

#[test]
fn mistakes_get_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/mnist.safetensors");
    let cases: [(&[&str], i32, &str); 21] = [
        (&["fit", "--data", empty, "--out", empty], 1, "train-images-idx3-ubyte"),
        (&["fit", "--data", "nowhere", "--out", empty], 1, "nowhere is not a folder"),
        (&["fit", "--out", empty, "--resume"], 1, "no checkpoint"),
        (&["fit", "--data", DATA, "--out", empty, "--input-size", "7"], 2, "no side from 8 to 224"),
        (&["fit", "--data", DATA, "--out", empty, "--last-channels", "100"], 2, "a multiple of 8"),
        (&["fit", "--data", DATA, "--out", empty, "--batch-size", "5000"], 1, "not enough"),
        (&["fit", "--data", DATA, "--out", empty, "--lr", "0"], 2, "learning rate"),
        (&["fit", "--out", empty, "--lr", "-1"], 2, "the learning rate is -1"),
        (&["fit", "--out", empty, "--epochs", "0"], 2, "0 epochs, expected 1 to"),
        (&["fit", "--out", empty, "--batch-size", "1"], 2, "at least 2"),
        (&["fit", "--out", empty, "--resume", "--overwrite"], 2, "--overwrite"),
        (&["fit", "--out", "Cargo.toml"], 1, "Cargo.toml is a file: pass a folder"),
        (&["fit", "--out", "Cargo.toml/inside"], 1, "Cargo.toml is a file: pass a folder"),
        (&["fit", "--out", empty, "--precision", "f16"], 2, "pass --device cuda"),
        (&["fit", "--alpha", "wide"], 2, "--alpha"),
        (&["bench", "--steps", "0"], 2, "--steps"),
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
        // What is in the data, and the recipe that follows, may come before.
        let error = text.find("error: ").map_or("", |at| &text[at..]);
        assert!(error.contains(message), "{arguments:?}: {text}");
        assert!(text.starts_with("error: ") || text.starts_with("1024 pictures of"), "{arguments:?}: {text}");
        assert!(code == 2 || error.trim_end().lines().count() == 1, "{arguments:?}: {text}");
    }
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_gpu_needs_a_trainer_that_is_built_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = trainer(&["fit", "--device", "cuda", "--out"]).arg(&out).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("error: this trainer was built without CUDA"), "{text}");
    assert!(text.contains("cargo run --release -p trainer --features cuda -- fit"), "{text}");
    assert!(!out.exists());
}

/// Linux has a folder that not even root may write into.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_read_only_is_noticed_first() {
    for out in ["/proc", "/proc/trained"] {
        let output = trainer(&["fit", "--data", "nowhere", "--out", out]).output().unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error: cannot write into /proc: pass another folder"), "{text}");
    }
}

#[test]
fn a_teacher_is_named_in_the_command_and_runs_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let [teacher, first, second] = ["teacher", "first", "second"].map(|name| folder.path().join(name));
    assert!(fit_briefly(&teacher, &["--epochs", "1"]).status.success());
    let model = teacher.join("model.safetensors").display().to_string();
    for (out, seed) in [(&first, "1"), (&second, "2")] {
        let output =
            fit_briefly(out, &["--epochs", "2", "--seed", seed, "--teacher", &model, "--temperature", "2"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains("--temperature 2 --teacher-weight"), "{}", stderr(&output));
    }
    let wrong = fit_briefly(&teacher, &["--overwrite", "--teacher", &model, "--temperature", "0"]);
    assert!(stderr(&wrong).contains("the temperature is 0, expected from 1 to 100"), "{}", stderr(&wrong));
    assert_eq!(wrong.status.code(), Some(2));
    let alone = fit_briefly(&teacher, &["--overwrite", "--temperature", "2"]);
    assert_eq!(alone.status.code(), Some(2));
    assert!(stderr(&alone).contains("--teacher <FILE>"), "{}", stderr(&alone));
    let other = trainer(&["fit", "--data", DATA, "--epochs", "1", "--teacher", &model, "--out"])
        .arg(folder.path().join("other"))
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(1));
    assert!(stderr(&other).contains("train a teacher with the same --recipe"), "{}", stderr(&other));

    let plot = folder.path().join("runs.png");
    let output =
        trainer(&["compare"]).args([&teacher, &first, &second]).arg("--plot").arg(&plot).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let seeds = text.lines().find(|line| line.contains("over 2 seeds")).expect("mean and spread");
    assert!(seeds.contains("first") && seeds.contains("second") && !seeds.contains("/teacher"), "{text}");
    assert!(text.contains("--temperature 2") && text.contains("; the first: no --teacher"), "{text}");
    assert!(std::fs::read(plot).unwrap().starts_with(b"\x89PNG"));
    let nothing = trainer(&["compare"]).arg(folder.path()).output().unwrap();
    assert_eq!(nothing.status.code(), Some(1));
    assert!(stderr(&nothing).contains("pass folders that `trainer fit` has written"), "{}", stderr(&nothing));
}
