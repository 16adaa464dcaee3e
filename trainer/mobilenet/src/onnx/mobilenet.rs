//! The trained MobileNetV2 as a float ONNX file.

use anyhow::Result;

use super::attribute;
use super::builder::{Dimension, GraphBuilder};
use super::schema::AttributeProto;
use super::tensor::tensor;
use crate::{BATCH_NORM_EPSILON, Block, Dense, KERNEL, ModelFile};

/// The network of a safetensors file as an ONNX file, batch norms as nodes of their own.
///
/// Its input is `input`, f32 `[N, channels, rows, columns]`, as the pre-processing makes it of a picture. Its output is
/// `probabilities`, f32 `[N, classes]`. Classes, pre-processing and provenance are metadata, in JSON.
///
/// # Errors
/// If a tensor is absent or has another shape than the architecture says.
pub fn export(file: &ModelFile) -> Result<Vec<u8>> {
    let architecture = &file.architecture;
    let classes = architecture.classes.len();
    let mut graph = GraphBuilder::new("mobilenet_v2");
    let batch = Dimension::Free("N");
    let pixels = file.preprocessing.to_string();
    let [rows, columns] = architecture.input;
    let sides = [architecture.channels, rows, columns].map(Dimension::Fixed);
    let mut at = graph.input("input", &[batch, sides[0], sides[1], sides[2]], &pixels);
    let zero = graph.initializer("zero", tensor(&[], &[0f32]));
    let six = graph.initializer("six", tensor(&[], &[6f32]));
    let mut exporter = Exporter { file, graph, size: architecture.input, zero, six };

    at = exporter.spatial(
        "stem",
        &at,
        &[KERNEL, KERNEL, architecture.channels, architecture.stem_channels()],
        architecture.stem_stride,
    )?;
    for (index, block) in architecture.blocks().iter().enumerate() {
        at = exporter.block(&format!("blocks.{index}"), block, &at)?;
    }
    let features = architecture.last_channels();
    let last = architecture.blocks().last().map_or(0, |block| block.output);
    at = exporter.pointwise("last", &at, [last, features])?;
    at = exporter.clip("last", &at);
    at = exporter.graph.node("GlobalAveragePool", "pool", &[&at], []);
    at = exporter.graph.node("Flatten", "flatten", &[&at], []);
    at = exporter.head(&architecture.dense_layers(), at)?;
    at = exporter.graph.node("Softmax", "probabilities", &[&at], [attribute::int("axis", 1)]);
    let mut graph = exporter.graph;
    graph.output(&at, &[batch, Dimension::Fixed(classes)], "one probability per class");
    let metadata = [
        ("classes".to_owned(), serde_json::to_string(&architecture.classes)?),
        ("preprocessing".to_owned(), serde_json::to_string(&file.preprocessing)?),
        ("provenance".to_owned(), serde_json::to_string(&file.provenance)?),
    ];
    Ok(graph.finish(&format!("Input: {pixels}."), metadata))
}

struct Exporter<'a> {
    file: &'a ModelFile,
    graph: GraphBuilder,
    /// Rows and columns of what comes next.
    size: [usize; 2],
    /// Name of the constant 0.
    zero: String,
    /// Name of the constant 6.
    six: String,
}

impl Exporter<'_> {
    /// An inverted residual.
    fn block(&mut self, name: &str, block: &Block, input: &str) -> Result<String> {
        let part = |part: &str| format!("{name}.{part}");
        let mut at = input.to_owned();
        if let Some(channels) = block.expand {
            at = self.pointwise(&part("expand"), &at, [block.input, channels])?;
            at = self.clip(&part("expand"), &at);
        }
        at = self.spatial(&part("depthwise"), &at, &[KERNEL, KERNEL, block.middle()], block.stride)?;
        at = self.pointwise(&part("project"), &at, [block.middle(), block.output])?;
        if block.residual() {
            at = self.graph.node("Add", &part("add"), &[input, &at], []);
        }
        Ok(at)
    }

    /// The dense layers, with ReLU between them.
    fn head(&mut self, layers: &[Dense], mut at: String) -> Result<String> {
        for (index, &Dense { name, inputs, units }) in layers.iter().enumerate() {
            at = self.dense(name, &at, [inputs, units])?;
            if index + 1 < layers.len() {
                at = self.graph.node("Relu", &format!("{name}.relu"), &[&at], []);
            }
        }
        Ok(at)
    }

    /// A 3x3 convolution, depthwise (`[3, 3, channels]`) or not (`[3, 3, inputs, channels]`), with TensorFlow's "SAME"
    /// padding, its batch norm and ReLU6.
    fn spatial(&mut self, name: &str, input: &str, shape: &[usize], stride: usize) -> Result<String> {
        let output = self.size.map(|side| side.div_ceil(stride));
        let padding: [usize; 2] = std::array::from_fn(|axis| {
            ((output[axis] - 1) * stride + KERNEL).saturating_sub(self.size[axis])
        });
        let [top, left] = padding.map(|both| both / 2);
        let [bottom, right] = [padding[0] - top, padding[1] - left];
        self.size = output;
        let channels = shape[shape.len() - 1];
        let (group, inputs) = if shape.len() == 3 { (channels, 1) } else { (1, shape[2]) };
        let attributes = [
            attribute::ints("kernel_shape", &[KERNEL, KERNEL]),
            attribute::ints("strides", &[stride, stride]),
            attribute::ints("pads", &[top, left, bottom, right]),
            attribute::int("group", group as i64),
        ];
        let at = self.convolution(name, input, shape, &[channels, inputs, KERNEL, KERNEL], &attributes)?;
        Ok(self.clip(name, &at))
    }

    /// A 1x1 convolution and its batch norm.
    fn pointwise(&mut self, name: &str, input: &str, shape: [usize; 2]) -> Result<String> {
        self.convolution(name, input, &shape, &[shape[1], shape[0], 1, 1], &[])
    }

    /// A convolution and its batch norm; `shape` is that of the weights in the file, the output channel last.
    fn convolution(
        &mut self,
        name: &str,
        input: &str,
        shape: &[usize],
        onnx_shape: &[usize; 4],
        attributes: &[AttributeProto],
    ) -> Result<String> {
        let channels = onnx_shape[0];
        let weight = format!("{name}.weight");
        let values = self.file.tensor(&weight, shape)?;
        // One channel out after the other, and within each one channel in after the other.
        let rows = channels_first(values, channels);
        let planes: Vec<f32> = (rows.chunks_exact(values.len() / channels))
            .flat_map(|row| channels_first(row, onnx_shape[1]))
            .collect();
        let weight = self.graph.initializer(&weight, tensor(onnx_shape, &planes));
        let at = self.graph.node("Conv", name, &[input, &weight], attributes.iter().cloned());
        let mut inputs = vec![at];
        for part in ["gamma", "beta", "mean", "variance"] {
            inputs.push(self.vector(name, part, channels)?);
        }
        let epsilon = attribute::float("epsilon", BATCH_NORM_EPSILON as f32);
        Ok(self.graph.node("BatchNormalization", &format!("{name}.norm"), &inputs, [epsilon]))
    }

    fn dense(&mut self, name: &str, input: &str, shape: [usize; 2]) -> Result<String> {
        let weight = format!("{name}.weight");
        let values = self.file.tensor(&weight, &shape)?;
        let weight = self.graph.initializer(&weight, tensor(&shape, values));
        let bias = self.vector(name, "bias", shape[1])?;
        Ok(self.graph.node("Gemm", name, &[input, &weight, &bias], []))
    }

    /// A vector of the file as a constant; its name.
    fn vector(&mut self, name: &str, part: &str, length: usize) -> Result<String> {
        let name = format!("{name}.{part}");
        let values = self.file.tensor(&name, &[length])?;
        Ok(self.graph.initializer(&name, tensor(&[length], values)))
    }

    /// ReLU6.
    fn clip(&mut self, name: &str, input: &str) -> String {
        self.graph.node("Clip", &format!("{name}.clip"), &[input, &self.zero, &self.six], [])
    }
}

/// Weights whose fastest index is that of `channels` channels, with that index first.
fn channels_first(weights: &[f32], channels: usize) -> Vec<f32> {
    (0..channels).flat_map(|channel| weights.iter().skip(channel).step_by(channels).copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use prost::Message;

    use super::*;
    use crate::onnx::schema::{GraphProto, ModelProto, NodeProto};
    use crate::{Architecture, Preprocessing};
    use edge8::{Framing, Preparation};

    fn architecture(input: [usize; 2], stem_stride: usize) -> Architecture {
        Architecture::new(0.35, input, stem_stride, ["a", "b", "c"].map(String::from).to_vec()).unwrap()
    }

    /// Colour, and no hidden layer.
    fn other() -> Architecture {
        architecture([20, 32], 1).with_channels(3).unwrap().with_hidden(None).unwrap()
    }

    fn model_file(architecture: Architecture) -> ModelFile {
        let preparation = Preparation::Digit(Framing { side: 32, digit: 20 });
        let preprocessing = Preprocessing { scale: 0.5, ..Preprocessing::new(preparation) };
        ModelFile::untrained(architecture, preprocessing, 1)
    }

    fn exported(architecture: Architecture) -> ModelProto {
        ModelProto::decode(&*export(&model_file(architecture)).unwrap()).unwrap()
    }

    fn node<'a>(graph: &'a GraphProto, name: &str) -> &'a NodeProto {
        graph.node.iter().find(|node| node.name == name).unwrap()
    }

    #[test]
    fn every_value_has_one_writer_before_its_readers() {
        for architecture in [architecture([32, 32], 1), other()] {
            let graph = exported(architecture).graph.unwrap();
            let constants = graph.initializer.iter().map(|tensor| &tensor.name);
            let mut known: HashSet<&String> =
                constants.chain(graph.input.iter().map(|input| &input.name)).collect();
            let mut read = HashSet::new();
            for node in &graph.node {
                assert!(node.input.iter().all(|input| known.contains(input)), "{node:?}");
                assert!(node.output.iter().all(|output| known.insert(output)), "{node:?}");
                read.extend(&node.input);
            }
            read.insert(&graph.output[0].name);
            assert_eq!(read, known, "nothing is written in vain");
        }
    }

    #[test]
    fn same_padding_is_explicit() {
        for (input, stem_stride, pads) in [
            ([32, 32], 1, [0, 0, 1, 1]),
            ([33, 33], 1, [1, 1, 1, 1]),
            ([32, 32], 2, [0, 0, 1, 1]),
            ([33, 32], 1, [1, 0, 1, 1]),
        ] {
            let graph = exported(architecture(input, stem_stride)).graph.unwrap();
            let halving = node(&graph, "blocks.1.depthwise");
            let attribute =
                |name: &str| &halving.attribute.iter().find(|found| found.name == name).unwrap().ints;
            assert_eq!((attribute("strides"), attribute("pads")), (&vec![2, 2], &pads.to_vec()), "{input:?}");
        }
    }

    #[test]
    fn the_stem_takes_one_channel_after_the_other() {
        let file = model_file(other());
        let weights = &file.tensors["stem.weight"];
        let graph = exported(other()).graph.unwrap();
        let stem = graph.initializer.iter().find(|tensor| tensor.name == "stem.weight").unwrap();
        let [outputs, inputs] = [weights.shape[3], weights.shape[2]];
        assert_eq!(stem.dims, [outputs as i64, inputs as i64, 3, 3]);
        let mut expected = Vec::new();
        for output in 0..outputs {
            for input in 0..inputs {
                expected.extend((0..9).map(|tap| weights.values[(tap * inputs + input) * outputs + output]));
            }
        }
        let found: Vec<f32> =
            stem.raw_data.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_file_says_how_to_feed_it() {
        let model = exported(architecture([32, 32], 1));
        assert!(model.doc_string.contains("byte times 0.5"), "{}", model.doc_string);
        let entry = |key: &str| &model.metadata_props.iter().find(|entry| entry.key == key).unwrap().value;
        assert_eq!(entry("classes"), r#"["a","b","c"]"#);
        assert_eq!(entry("preprocessing"), r#"{"side":32,"digit":20,"scale":0.5}"#);
    }

    #[test]
    fn an_incomplete_file_is_refused() {
        let mut file = model_file(architecture([32, 32], 1));
        file.tensors.remove("blocks.3.project.gamma");
        assert!(export(&file).unwrap_err().to_string().contains("blocks.3.project.gamma"));
    }
}
