//! The golden models of the shared folder, imported.

use crate::{commands, tools};
use quantizer::compare::Dump;
use quantizer::image::{self, Extras};
use quantizer::quantize::Network;
use quantizer::tflite;
use std::path::{Path, PathBuf};

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

/// Name and image of the shipped model and of some golden ones; their images lie in `folder` and have a test vector.
pub fn images(names: &[&str], folder: &Path) -> Vec<(String, PathBuf)> {
    let mut images = vec![("mnist".into(), commands::shipped())];
    let golden = tools::shared("golden").map(|shared| all(&shared)).unwrap_or_default();
    for model in golden.into_iter().filter(|model| names.contains(&model.name.as_str())) {
        let path = folder.join(&model.name).with_extension("edge8");
        let len = model.network.tensors[0].shape.volume();
        let extras = Extras { test_inputs: vec![model.inputs[..len].to_vec()], ..Extras::default() };
        std::fs::write(&path, image::write(&model.network, &extras).expect("an image")).expect("written");
        images.push((model.name, path));
    }
    images
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
