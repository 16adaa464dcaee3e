//! Names the model of the page: the shipped one, or the image that the variable `EDGE8_MODEL` names.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=EDGE8_MODEL");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/models/mnist.edge8");
    let model = std::env::var_os("EDGE8_MODEL").map_or(shipped, PathBuf::from);
    let model = std::path::absolute(model).expect("the build's folder is known");
    println!("cargo::rustc-env=EDGE8_MODEL={}", model.display());
}
