//! The trained MobileNetV2 as a float ONNX file.

use anyhow::Result;

use super::attribute;
use super::builder::{Dimension, GraphBuilder};
use super::schema::AttributeProto;
use super::tensor::tensor;
use crate::{BATCH_NORM_EPSILON, Block, HIDDEN, KERNEL, ModelFile};

/// The network of a safetensors file as an ONNX file, batch norms as nodes of their own.
///
/// Its input is `input`, f32 `[N, 1, side, side]`: the framed picture's bytes times the scale of the pre-processing. Its
/// output is `probabilities`, f32 `[N, classes]`. Classes, pre-processing and provenance are metadata, in JSON.
///
/// # Errors
/// If a tensor is absent or has another shape than the architecture says.
pub fn export(file: &ModelFile) -> Result<Vec<u8>> {
    let architecture = &file.architecture;
    let classes = architecture.classes.len();
    let mut graph = GraphBuilder::new("mobilenet_v2");
    let side = Dimension::Fixed(architecture.input_size);
    let batch = Dimension::Free("N");
    let scale = file.preprocessing.scale;
    let pixels = format!("framed pictures, light ink on black; a value is a pixel's byte times {scale}");
    let mut at = graph.input("input", &[batch, Dimension::Fixed(1), side, side], &pixels);
    let zero = graph.initializer("zero", tensor(&[], &[0f32]));
    let six = graph.initializer("six", tensor(&[], &[6f32]));
    let mut exporter = Exporter { file, graph, side: architecture.input_size, zero, six };

    at = exporter.spatial(
        "stem",
        &at,
        &[KERNEL, KERNEL, 1, architecture.stem_channels()],
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
    at = exporter.dense("dense1", &at, [features, HIDDEN])?;
    at = exporter.graph.node("Relu", "dense1.relu", &[&at], []);
    at = exporter.dense("dense2", &at, [HIDDEN, classes])?;
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
    side: usize,
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

    /// A 3x3 convolution, depthwise or of one channel, with TensorFlow's "SAME" padding, its batch norm and ReLU6.
    fn spatial(&mut self, name: &str, input: &str, shape: &[usize], stride: usize) -> Result<String> {
        let output = self.side.div_ceil(stride);
        let padding = ((output - 1) * stride + KERNEL).saturating_sub(self.side);
        let (before, after) = (padding / 2, padding - padding / 2);
        self.side = output;
        let channels = shape[shape.len() - 1];
        let attributes = [
            attribute::ints("kernel_shape", &[KERNEL, KERNEL]),
            attribute::ints("strides", &[stride, stride]),
            attribute::ints("pads", &[before, before, after, after]),
            attribute::int("group", if shape.len() == 3 { channels as i64 } else { 1 }),
        ];
        let at = self.convolution(name, input, shape, &[channels, 1, KERNEL, KERNEL], &attributes)?;
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
        let rows = channels_first(self.file.tensor(&weight, shape)?, channels);
        let weight = self.graph.initializer(&weight, tensor(onnx_shape, &rows));
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

/// Weights whose fastest index is the output channel, with that index first.
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

    fn model_file(side: usize, stem_stride: usize) -> ModelFile {
        let classes = ["a", "b", "c"].map(String::from).to_vec();
        let architecture = Architecture::new(0.35, side, stem_stride, classes).unwrap();
        let preprocessing = Preprocessing { side: side as u16, digit: 20, scale: 0.5 };
        ModelFile::untrained(architecture, preprocessing, 1)
    }

    fn exported(side: usize, stem_stride: usize) -> ModelProto {
        ModelProto::decode(&*export(&model_file(side, stem_stride)).unwrap()).unwrap()
    }

    fn node<'a>(graph: &'a GraphProto, name: &str) -> &'a NodeProto {
        graph.node.iter().find(|node| node.name == name).unwrap()
    }

    #[test]
    fn every_value_has_one_writer_before_its_readers() {
        let graph = exported(32, 1).graph.unwrap();
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

    #[test]
    fn same_padding_is_explicit() {
        for (side, stem_stride, pads) in [(32, 1, [0, 0, 1, 1]), (33, 1, [1, 1, 1, 1]), (32, 2, [0, 0, 1, 1])]
        {
            let graph = exported(side, stem_stride).graph.unwrap();
            let halving = node(&graph, "blocks.1.depthwise");
            let attribute =
                |name: &str| &halving.attribute.iter().find(|found| found.name == name).unwrap().ints;
            assert_eq!((attribute("strides"), attribute("pads")), (&vec![2, 2], &pads.to_vec()), "{side}");
        }
    }

    #[test]
    fn the_file_says_how_to_feed_it() {
        let model = exported(32, 1);
        assert!(model.doc_string.contains("byte times 0.5"), "{}", model.doc_string);
        let entry = |key: &str| &model.metadata_props.iter().find(|entry| entry.key == key).unwrap().value;
        assert_eq!(entry("classes"), r#"["a","b","c"]"#);
        assert_eq!(entry("preprocessing"), r#"{"side":32,"digit":20,"scale":0.5}"#);
    }

    #[test]
    fn an_incomplete_file_is_refused() {
        let mut file = model_file(32, 1);
        file.tensors.remove("blocks.3.project.gamma");
        assert!(export(&file).unwrap_err().to_string().contains("blocks.3.project.gamma"));
    }
}
