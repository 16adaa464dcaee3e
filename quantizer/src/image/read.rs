//! The way back: the network of a model image, to be written in another format or looked at.

use crate::engine::{described, layer};
use crate::graph::TensorId;
use crate::quantize::{Int8Operator, Layer, Network};
use anyhow::{Context, Result, ensure};
use edge8::fixed_point::Activation;
use edge8::{Model, Operator, Tensor};

/// The network of a model image. Layers are named by their number and operator; a reshape is put in where the image
/// reads a tensor in another shape than it was written in.
///
/// # Errors
/// If an operator reads what none has written, or its multipliers are not those of its tensors' scales.
pub fn read(model: &Model<'_>) -> Result<Network> {
    let mut reader = Reader::new(&model.input());
    for (index, operator) in model.operators().enumerate() {
        let name = format!("{index:03}_{}", operator.name());
        reader.add(&name, &operator).with_context(|| format!("operator {name}"))?;
    }
    Ok(reader.network)
}

struct Reader {
    network: Network,
    /// What lies in the arena at this moment: the record of each tensor that is whole.
    arena: Vec<(Tensor, TensorId)>,
}

impl Reader {
    fn new(input: &Tensor) -> Self {
        let tensor = described("input", input);
        let network = Network { tensors: vec![tensor], layers: Vec::new(), output: TensorId(0) };
        Self { network, arena: vec![(*input, TensorId(0))] }
    }

    fn add(&mut self, name: &str, operator: &Operator<'_>) -> Result<()> {
        let mut inputs = Vec::new();
        for input in operator.inputs() {
            inputs.push(self.find(name, input)?);
        }
        let int8 = layer(operator)?;
        let activation = operator.activation();
        let id = TensorId(self.network.tensors.len());
        self.network.tensors.push(described(name, operator.output()));
        self.network.layers.push(Layer { name: name.into(), operator: int8, activation, inputs, output: id });
        self.write(operator.output(), id);
        self.network.output = id;
        Ok(())
    }

    /// The tensor that lies where an operator reads; in the operator's shape.
    fn find(&mut self, name: &str, wanted: &Tensor) -> Result<TensorId> {
        let found = self.arena.iter().find(|(tensor, _)| tensor.range() == wanted.range()).copied();
        let (tensor, id) = found.context("it reads bytes that no operator has written as one tensor")?;
        ensure!(
            tensor.zero_point == wanted.zero_point && tensor.scale == wanted.scale,
            "it reads a tensor with another scale or zero point than it was written with"
        );
        if tensor.shape == wanted.shape {
            return Ok(id);
        }
        let output = TensorId(self.network.tensors.len());
        let name = format!("{name}.input");
        self.network.tensors.push(described(&name, wanted));
        let activation = Activation::NONE;
        let layer = Layer { name, operator: Int8Operator::Reshape, activation, inputs: vec![id], output };
        self.network.layers.push(layer);
        self.arena.push((*wanted, output));
        Ok(output)
    }

    /// What lay where the output lies now is lost.
    fn write(&mut self, output: &Tensor, id: TensorId) {
        let new = output.range();
        self.arena.retain(|(tensor, _)| {
            let old = tensor.range();
            old.end <= new.start || new.end <= old.start
        });
        self.arena.push((*output, id));
    }
}
