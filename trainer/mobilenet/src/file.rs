//! The safetensors file of a trained network: weights by name, and in its metadata how to rebuild and feed it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use files::Kind;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::architecture::Architecture;
use crate::confidence::Confidence;
use crate::preprocessing::Preprocessing;

/// One named tensor, f32 and row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Length of each dimension.
    pub shape: Vec<usize>,
    /// The values, as many as the product of the shape.
    pub values: Vec<f32>,
}

/// A trained network as it lies in its file.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// How to rebuild the network.
    pub architecture: Architecture,
    /// How to feed it.
    pub preprocessing: Preprocessing,
    /// Where it comes from: command, data, seed, accuracy.
    pub provenance: serde_json::Value,
    /// How sure it is of validation pictures, if that was measured.
    pub confidence: Option<Confidence>,
    /// All tensors by name.
    pub tensors: BTreeMap<String, Weights>,
}

impl ModelFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If the file cannot be read, is no safetensors file of f32 tensors, or lacks the metadata.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = files::read(path)?;
        Kind::of(&bytes).require(&[Kind::Safetensors], path)?;
        Self::parse(&bytes).with_context(|| format!("{} is not a model of `trainer fit`", path.display()))
    }

    /// Writes a file, by way of a temporary one in the same folder.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let metadata = HashMap::from([
            ("architecture".to_owned(), serde_json::to_string(&self.architecture)?),
            ("preprocessing".to_owned(), serde_json::to_string(&self.preprocessing)?),
            ("provenance".to_owned(), serde_json::to_string(&self.provenance)?),
            ("confidence".to_owned(), serde_json::to_string(&self.confidence)?),
        ]);
        files::write(path, &to_bytes(&self.tensors, metadata)?)
    }

    /// The tensor `name` of exactly this shape.
    ///
    /// # Errors
    /// Says which tensor is missing, or what shape it has.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<&[f32]> {
        let Some(weights) = self.tensors.get(name) else { bail!("the model has no tensor {name}") };
        ensure!(
            weights.shape == shape,
            "tensor {name} has shape {:?}, expected {shape:?} for the architecture",
            weights.shape
        );
        Ok(&weights.values)
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let (tensors, metadata) = from_bytes(bytes)?;
        let json = |key: &str| {
            let text = metadata.get(key).with_context(|| format!("its metadata has no {key:?}"))?;
            serde_json::from_str::<serde_json::Value>(text)
                .with_context(|| format!("its {key:?} is not JSON"))
        };
        let architecture: Architecture = serde_json::from_value(json("architecture")?)?;
        architecture.check()?;
        let preprocessing: Preprocessing = serde_json::from_value(json("preprocessing")?)?;
        let shape = preprocessing.preparation.shape();
        let prepared = [shape.height, shape.width, shape.channels].map(usize::from);
        let taken = architecture.input_shape();
        ensure!(prepared == taken, "its pre-processing makes {prepared:?}, its network takes {taken:?}");
        // Files of former versions do not say it.
        let confidence = if metadata.contains_key("confidence") {
            serde_json::from_value(json("confidence")?)?
        } else {
            None
        };
        Ok(Self { architecture, preprocessing, provenance: json("provenance")?, confidence, tensors })
    }
}

/// Named tensors and metadata as safetensors bytes, the same for the same content.
///
/// # Errors
/// If a tensor has not as many values as its shape says.
pub fn to_bytes(tensors: &BTreeMap<String, Weights>, metadata: HashMap<String, String>) -> Result<Vec<u8>> {
    let bytes: Vec<Vec<u8>> = (tensors.values())
        .map(|weights| weights.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, weights), bytes)| {
        TensorView::new(Dtype::F32, weights.shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views: Vec<_> = views.collect::<Result<_, _>>()?;
    Ok(safetensors::serialize(views, Some(metadata))?)
}

/// The named f32 tensors and the metadata of safetensors bytes.
///
/// # Errors
/// If they are no safetensors file of finite f32 tensors.
pub fn from_bytes(bytes: &[u8]) -> Result<(BTreeMap<String, Weights>, HashMap<String, String>)> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(bytes)?.iter() {
        ensure!(view.dtype() == Dtype::F32, "tensor {name} is {:?}, expected F32", view.dtype());
        let values: Vec<f32> =
            view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        ensure!(
            values.iter().all(|value| value.is_finite()),
            "tensor {name} holds a value that is not finite"
        );
        tensors.insert(name.to_owned(), Weights { shape: view.shape().to_vec(), values });
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge8::{Framing, Preparation};

    #[test]
    fn a_file_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let classes = (0..10).map(|digit| digit.to_string()).collect();
        let file = ModelFile {
            architecture: Architecture::new(0.35, [32, 32], 1, classes).unwrap(),
            preprocessing: Preprocessing::new(Preparation::Digit(Framing::mnist(32))),
            provenance: serde_json::json!({ "seed": 1 }),
            confidence: Some(Confidence::new(vec![0.5; 20])),
            tensors: BTreeMap::from([("a".into(), Weights { shape: vec![1, 2], values: vec![1.5, -2.0] })]),
        };
        file.save(&path).unwrap();
        assert_eq!(ModelFile::load(&path).unwrap(), file);
        assert!(file.tensor("a", &[2]).unwrap_err().to_string().contains("[1, 2]"));
        let bytes = std::fs::read(&path).unwrap();
        #[cfg(unix)]
        {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
            std::fs::write(folder.path().join("plain"), "").unwrap();
            let plain = std::fs::metadata(folder.path().join("plain")).unwrap().permissions();
            assert_eq!(mode, std::os::unix::fs::PermissionsExt::mode(&plain), "as readable as any file");
        }
        for length in [0, 7, 20, bytes.len() - 1] {
            assert!(ModelFile::parse(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
    }
}
