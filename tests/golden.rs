//! The golden models of the shared folder, imported.

use quantizer::compare::Dump;
use quantizer::quantize::Network;
use quantizer::tflite;
use std::path::Path;

/// A `.tflite` file and its inputs.
#[derive(Debug)]
pub struct Golden {
    /// The file's name without its end.
    pub name: String,
    /// The network.
    pub network: Network,
    /// Its inputs, one after the other.
    pub inputs: Vec<i8>,
}

/// Every golden model of a folder, in the order of their names.
pub fn all(folder: &Path) -> Vec<Golden> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "tflite")).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Golden {
    let bytes = |path: &Path| std::fs::read(path).expect("readable");
    let network = tflite::read(&bytes(path)).expect("a golden model").network;
    let inputs = Dump::read(&bytes(&path.with_extension("npz"))).expect("arrays").input;
    let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
    Golden { name, network, inputs }
}
