//! A network before its training: what it costs can be measured then.

use crate::{Architecture, ModelFile, Preprocessing, Weights};

impl ModelFile {
    /// A network of random weights (He et al., "Delving deep into rectifiers", 2015, uniform) with batch norms that change
    /// nothing, the same for the same seed.
    pub fn untrained(architecture: Architecture, preprocessing: Preprocessing, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let tensors = architecture.tensors().into_iter().map(|(name, shape)| {
            let len: usize = shape.iter().product();
            let values = match name.rsplit('.').next() {
                Some("weight") => {
                    // Every side but the last, which is the output's channels.
                    let fan_in = len / shape.last().copied().unwrap_or(1).max(1);
                    let bound = (6.0 / fan_in as f32).sqrt();
                    (0..len).map(|_| (2.0 * random.f32() - 1.0) * bound).collect()
                }
                Some("gamma" | "variance") => vec![1.0; len],
                _ => vec![0.0; len],
            };
            (name, Weights { shape, values })
        });
        let tensors = tensors.collect();
        let provenance = serde_json::json!({ "untrained": seed });
        Self { architecture, preprocessing, provenance, confidence: None, tensors }
    }
}
