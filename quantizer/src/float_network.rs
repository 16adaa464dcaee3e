//! A float network with what its file says about it.

use crate::graph::{self, Graph};
use crate::onnx;
use crate::samples::{Layout, Normalisation};
use anyhow::Result;
use edge8::Preparation;
use mobilenet::{Confidence, ModelFile};
use serde_json::json;
use std::path::Path;

/// A float network, from whatever file.
#[derive(Clone, Debug)]
pub struct FloatNetwork {
    /// The network, batch norms folded.
    pub graph: Graph,
    /// How pictures become bytes for it, and those its reals; nothing if its inputs are made otherwise.
    pub recipe: Option<(Preparation, Normalisation)>,
    /// How the inputs of its file lie.
    pub layout: Layout,
    /// Names of the classes, or nothing.
    pub labels: Vec<String>,
    /// How sure it was of validation pictures, if its file says so.
    pub confidence: Option<Confidence>,
    /// Where it comes from.
    pub provenance: serde_json::Value,
}

impl FloatNetwork {
    /// The network of a file that `trainer fit` wrote.
    ///
    /// # Errors
    /// As [`graph::from_safetensors`].
    pub fn from_safetensors(file: &ModelFile) -> Result<Self> {
        Ok(Self {
            graph: graph::from_safetensors(file)?,
            recipe: Some((file.preprocessing.preparation, normalisation(file))),
            layout: Layout::Nhwc,
            labels: file.architecture.classes.clone(),
            confidence: file.confidence.clone(),
            provenance: file.provenance.clone(),
        })
    }

    /// The network of a float ONNX file.
    ///
    /// # Errors
    /// As [`onnx::read`].
    pub fn from_onnx(path: &Path) -> Result<Self> {
        let onnx::Import { graph, layout } = onnx::read(path)?;
        let name = path.file_name().map(|name| name.to_string_lossy());
        let provenance = json!({ "onnx": name });
        Ok(Self { graph, recipe: None, layout, labels: Vec::new(), confidence: None, provenance })
    }
}

/// What the network reads of a byte.
pub fn normalisation(file: &ModelFile) -> Normalisation {
    Normalisation::linear(file.preprocessing.scale as f32, file.preprocessing.shift as f32)
}
