//! The float network of a command line and the images that go with it.

use anyhow::{Context, Result, ensure};
use clap::error::ErrorKind;
use edge8::{Model, Preparation, section};
use files::{Dataset, Kind, Pictures, Set};
use quantizer::check::Comparison;
use quantizer::graph::Shape;
use quantizer::samples::{Layout, Normalisation, Samples};
use quantizer::{FloatNetwork, normalisation as trained_normalisation};
use serde_json::{Value, json};
use std::path::Path;

use mobilenet::ModelFile;

/// The key under which a model image's provenance says how bytes became the inputs of an ONNX file.
const NORMALISATION: &str = "normalisation";

/// Whether a file is an ONNX file, and none of `trainer fit`.
///
/// # Errors
/// If it is neither.
pub fn is_onnx(model: &Path) -> Result<bool> {
    let named = model.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
    match Kind::of_file(model)? {
        // ONNX has no magic: an unusual one is known by its name only.
        Kind::Unknown if named => Ok(true),
        kind => {
            kind.require(&[Kind::Safetensors, Kind::Onnx], model)?;
            Ok(kind == Kind::Onnx)
        }
    }
}

/// The network of a safetensors file, with prepared pictures of `set`; by default those that the repository ships.
///
/// # Errors
/// If a file cannot be read, or no picture.
pub fn trained(model: &Path, data: Option<&Path>, set: Set) -> Result<(FloatNetwork, Samples)> {
    let shipped = if set == Set::Training { "trainer/data/calibration" } else { "trainer/data/mnist" };
    let folder = files::data_folder(data, shipped)?;
    let file = ModelFile::load(model)?;
    let pictures = Pictures::open_for(&folder, set, &file.architecture.classes)?;
    let (dataset, left_out) = Dataset::prepare(&pictures, file.preprocessing.preparation)?;
    left_out.check(false)?;
    let mut samples = Samples::of_dataset(dataset, trained_normalisation(&file));
    samples.left_out = left_out;
    Ok((FloatNetwork::from_safetensors(&file)?, samples))
}

/// What an ONNX file does not say of its inputs.
pub struct OnnxInputs<'a> {
    /// A folder of pictures, or an `.npz` file.
    pub data: Option<&'a Path>,
    /// Which of MNIST's files, if the folder has such.
    pub set: Set,
    /// The names of the classes, or nothing if they are unknown; subfolders have these.
    pub classes: Vec<String>,
    /// How arrays lie; nothing for as the network's input.
    pub layout: Option<Layout>,
    pub normalisation: Normalisation,
    /// How pictures become bytes, for a network that reads some shape.
    pub preparation: &'a dyn Fn(Shape) -> Result<Preparation>,
}

/// The network of an ONNX file, with pictures or arrays.
///
/// # Errors
/// If a file cannot be read; a usage error without data.
pub fn onnx(model: &Path, inputs: OnnxInputs<'_>) -> Result<(FloatNetwork, Samples)> {
    let OnnxInputs { data, set, classes, layout, normalisation, preparation } = inputs;
    let Some(data) = data else {
        let message = "an ONNX file needs --data: a folder of pictures, or an .npz file with the array x\n";
        return Err(clap::Error::raw(ErrorKind::MissingRequiredArgument, message).into());
    };
    ensure!(data.exists(), "{} does not exist: pass a folder of pictures or an .npz file", data.display());
    let pictures = match (data.is_dir(), &classes[..]) {
        (false, _) => None,
        (true, []) => Some(Pictures::open(data, set)?),
        (true, classes) => {
            let found = Pictures::open(data, set)?;
            // Those without classes can be calibrated on.
            Some(if found.have_labels() { Pictures::open_for(data, set, classes)? } else { found })
        }
    };
    let mut float = FloatNetwork::from_onnx(model)?;
    let shape = float.graph.tensor(float.graph.input()).shape;
    let samples = match pictures {
        Some(pictures) => {
            let preparation = preparation(shape)?;
            float.recipe = Some((preparation, normalisation.clone()));
            Samples::of_pictures(pictures, preparation, normalisation)?
        }
        None => Samples::of_arrays(data, shape, layout.unwrap_or(float.layout), normalisation)?,
    };
    let outputs = float.graph.tensor(float.graph.output()).shape.volume();
    if samples.classes.len() == outputs {
        float.labels.clone_from(&samples.classes);
    }
    float.provenance[NORMALISATION] = json!(samples.normalisation);
    Ok((float, samples))
}

/// Says so if the float network is no better than guessing, or one from elsewhere is right less than half of the time: what
/// goes into it is then most likely not what it was trained on.
pub fn warn_of_wrong_inputs(comparison: &Comparison, is_onnx: bool) {
    let accuracy = comparison.float_accuracy();
    let found = if comparison.float_is_at_chance() {
        "is no better than guessing"
    } else if is_onnx && accuracy < 0.5 {
        "is seldom right"
    } else {
        return;
    };
    let advice = if is_onnx {
        "look whether --mean, --std and --recipe of calibrate are those of the training, and --labels in the order of the outputs"
    } else {
        "look whether these are pictures of what it was trained on, each in the folder of its class"
    };
    eprintln!("warning: the float network, {:.2} % right, {found}: {advice}", 100.0 * accuracy);
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
