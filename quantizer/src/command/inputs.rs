//! The float network of a command line and the images that go with it.

use anyhow::{Context, Result, ensure};
use clap::error::ErrorKind;
use edge8::Model;
use edge8::section;
use quantizer::samples::{Layout, Normalisation, Samples};
use quantizer::{FloatNetwork, framing};
use serde_json::{Value, json};
use std::path::Path;

use mobilenet::ModelFile;

/// The key under which a model image's provenance says how bytes became the inputs of an ONNX file.
const NORMALISATION: &str = "normalisation";

/// Which images of a folder with MNIST's files are meant.
#[derive(Clone, Copy)]
pub enum Set {
    Training,
    Test,
}

impl Set {
    /// The folder that the repository ships.
    fn shipped(self) -> &'static str {
        match self {
            Self::Training => "trainer/data/calibration",
            Self::Test => "trainer/data/mnist",
        }
    }
}

/// Whether a file is an ONNX file, by its name.
pub fn is_onnx(model: &Path) -> bool {
    model.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// The network of a safetensors file, with framed pictures.
///
/// # Errors
/// If a file cannot be read.
pub fn trained(model: &Path, data: Option<&Path>, set: Set) -> Result<(FloatNetwork, Samples)> {
    let folder = files::data_folder(data, set.shipped())?;
    let file = ModelFile::load(model)?;
    let dataset = match set {
        Set::Training => files::load_train(&folder, framing(&file))?,
        Set::Test => files::load_test(&folder, framing(&file))?,
    };
    let samples = Samples::of_dataset(dataset, file.preprocessing.scale as f32);
    Ok((FloatNetwork::from_safetensors(&file)?, samples))
}

/// The network of an ONNX file, with pictures or arrays that lie as the network's input if `layout` says nothing else.
///
/// # Errors
/// If a file cannot be read; a usage error without `data`.
pub fn onnx(
    model: &Path,
    data: Option<&Path>,
    layout: Option<Layout>,
    normalisation: Normalisation,
) -> Result<(FloatNetwork, Samples)> {
    let Some(data) = data else {
        let message = "an ONNX file needs --data: a folder of pictures, or an .npz file with the array x\n";
        return Err(clap::Error::raw(ErrorKind::MissingRequiredArgument, message).into());
    };
    ensure!(data.exists(), "{} does not exist: pass a folder of pictures or an .npz file", data.display());
    let mut float = FloatNetwork::from_onnx(model)?;
    let shape = float.graph.tensor(float.graph.input()).shape;
    let samples = Samples::load(data, shape, layout.unwrap_or(float.layout), normalisation)?;
    let outputs = float.graph.tensor(float.graph.output()).shape.volume();
    if samples.classes.len() == outputs {
        float.labels.clone_from(&samples.classes);
    }
    float.provenance[NORMALISATION] = json!(samples.normalisation);
    Ok((float, samples))
}

/// How bytes became the inputs when this image was made from an ONNX file.
///
/// # Errors
/// If the image does not say so.
pub fn normalisation(image: &Model<'_>) -> Result<Normalisation> {
    let provenance = image.section(section::PROVENANCE);
    let provenance = provenance.ok().and_then(|json| serde_json::from_slice::<Value>(json).ok());
    let found = provenance.and_then(|mut value| value.get_mut(NORMALISATION).map(Value::take));
    let found = found.context("the model image was not made from an ONNX file by `quantizer calibrate`")?;
    serde_json::from_value(found).context("the model image's normalisation is damaged")
}
