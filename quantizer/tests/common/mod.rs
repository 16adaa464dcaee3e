//! What a test needs and a machine may lack. Where it is missing the test says so and is skipped; with the variable
//! `EDGE8_REQUIRE_TOOLS` set, as in CI, it fails.
#![allow(dead_code, reason = "each test uses a part")]

use edge8::Model;
use quantizer::image;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file or folder of the shared folder beside the repository, which a user's clone has not.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared").join(path);
    // CI requires it where there is such a folder at all.
    found.exists().then_some(found).or_else(|| missing(&format!("../shared/{path}"), "EDGE8_REQUIRE_SHARED"))
}

/// A Python with the packages of quantizer/python/requirements.txt: `EDGE8_PYTHON`, or the one that
/// `quantizer/python/setup` has made.
pub fn python() -> Option<PathBuf> {
    let made = root().join("target/python/bin/python");
    let python = std::env::var_os("EDGE8_PYTHON").map_or(made, PathBuf::from);
    let works =
        Command::new(&python).args(["-c", "import ai_edge_litert, onnxruntime, onnx, numpy"]).output();
    let what = "a Python with LiteRT and ONNX Runtime (quantizer/python/setup makes it)";
    works
        .is_ok_and(|output| output.status.success())
        .then_some(python)
        .or_else(|| missing(what, "EDGE8_REQUIRE_TOOLS"))
}

fn missing(what: &str, variable: &str) -> Option<PathBuf> {
    assert!(std::env::var_os(variable).is_none(), "{what} is missing and {variable} is set");
    eprintln!("skipped: {what} is missing");
    None
}

/// int8 inputs of the shipped model from MNIST's test images.
pub fn test_inputs(model: &Model<'_>, count: usize) -> Vec<Vec<i8>> {
    let folder = root().join("trainer/data/mnist");
    let preparation = model.recipe().expect("the shipped model takes pictures").preparation();
    let data = files::load_test(&folder, preparation).expect("part of the repository");
    let quantisation = image::read(model).expect("a quantizer's image").tensors[0].quantisation;
    let image = |index| data.image(index).iter().map(|&byte| quantisation.quantise(f32::from(byte) / 255.0));
    (0..count).map(|index| image(index).collect()).collect()
}

/// The repository's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a script of quantizer/python.
pub fn script(python: &Path, name: &str, arguments: &[&str]) -> Output {
    let script = root().join("quantizer/python").join(name);
    let output = Command::new(python).arg(script).args(arguments).output().expect("Python starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
