//! Writes an untrained MobileNetV2 as a model image: what a network of a size costs can be measured before it is trained.
//!
//! ```sh
//! untrained ALPHA SIDE MODEL.edge8
//! ```

use anyhow::{Context, Result};
use edge8::{Framing, Preparation};
use mobilenet::Architecture;
use mobilenet::{ModelFile, Preprocessing};
use quantizer::graph;
use quantizer::image::{self, Extras};
use quantizer::quantize::{Range, quantise};

/// The range of every tensor: of random weights no other would mean more.
const RANGE: Range = Range { min: -1.0, max: 1.0 };

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [alpha, side, output] = arguments.as_slice() else {
        anyhow::bail!("expected three arguments, ALPHA SIDE MODEL.edge8, found {}", arguments.len())
    };
    let (alpha, side) = (alpha.parse().context("ALPHA")?, side.parse().context("SIDE")?);
    let graph = graph::from_safetensors(&untrained(alpha, side)?)?;
    let network = quantise(&graph, &vec![RANGE; graph.tensors().len()])?;
    files::write(output.as_ref(), &image::write(&network, &Extras::default())?)
}

/// Ten classes, one channel, the first stride 2.
fn untrained(alpha: f64, side: u16) -> Result<ModelFile> {
    let classes = (0..10).map(|class| class.to_string()).collect();
    let architecture = Architecture::new(alpha, [side.into(); 2], 2, classes)?;
    let preprocessing = Preprocessing::new(Preparation::Digit(Framing { side, digit: side }));
    Ok(ModelFile::untrained(architecture, preprocessing, 1))
}
