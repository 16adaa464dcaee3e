//! `runtime info`: what a model image holds.

use crate::memory_map::memory_map;
use crate::model_file::ModelOption;
use crate::report::{Report, bytes};
use anyhow::Result;
use edge8::Operator;
use edge8::{Model, Shape, Tensor};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOption,
    /// Print one JSON object with the keys image_bytes, weight_bytes, arena_bytes, input, output, operators.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let file = arguments.model.load()?;
    let model = file.parse()?;
    let operators: Vec<Operator<'_>> = model.operators().collect();
    let report = Report::new(arguments.json);
    report.text(&summary(&model, &operators, file.bytes().len()))?;
    report.text(&table(&operators))?;
    report.text(&memory_map(&operators, model.arena_len()))?;
    report.finish(&json!({
        "image_bytes": file.bytes().len(),
        "weight_bytes": model.weight_len(),
        "arena_bytes": model.arena_len(),
        "macs": operators.iter().map(Operator::macs).sum::<u64>(),
        "kernels": model.kernels().name(),
        "labels": model.labels().map(|labels| labels.collect::<Vec<_>>()).unwrap_or_default(),
        "input": tensor(&model.input()),
        "output": tensor(&model.output()),
        "operators": operators.iter().map(describe).collect::<Vec<_>>(),
    }))
}

fn summary(model: &Model<'_>, operators: &[Operator<'_>], length: usize) -> String {
    let macs = operators.iter().map(Operator::macs).sum::<u64>() as f64 / 1e6;
    let line = |name: &str, tensor: &Tensor| {
        format!("{name:<8}{} scale {} zero point {}\n", shape(tensor.shape), tensor.scale, tensor.zero_point)
    };
    let mut text = format!(
        "image   {}\nweights {}\narena   {}\n",
        bytes(length),
        bytes(model.weight_len()),
        bytes(model.arena_len())
    );
    text += &format!("work    {macs:.2} million multiply-accumulates in {} operators\n", operators.len());
    text += &line("input", &model.input());
    text += &line("output", &model.output());
    if let Ok(labels) = model.labels() {
        text += &format!("labels  {}\n", labels.collect::<Vec<_>>().join(" "));
    }
    text
}

fn table(operators: &[Operator<'_>]) -> String {
    let mut text = format!(
        "{:>3} {:<17} {:<24} {:<12} {:>8} {:>10}\n",
        "#", "operator", "input", "output", "weights", "MACs"
    );
    for (index, operator) in operators.iter().enumerate() {
        let inputs: Vec<String> = operator.inputs().map(|input| shape(input.shape)).collect();
        text += &format!(
            "{index:>3} {:<17} {:<24} {:<12} {:>8} {:>10}\n",
            operator.name(),
            if inputs.is_empty() { "-".into() } else { inputs.join(" + ") },
            shape(operator.output().shape),
            operator.parameter_len(),
            operator.macs()
        );
    }
    text
}

fn shape(shape: Shape) -> String {
    format!("{}x{}x{}", shape.height, shape.width, shape.channels)
}

fn tensor(tensor: &Tensor) -> Value {
    let Shape { height, width, channels } = tensor.shape;
    json!({
        "shape": [height, width, channels],
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
        "offset": tensor.offset,
    })
}

fn describe(operator: &Operator<'_>) -> Value {
    json!({
        "name": operator.name(),
        "inputs": operator.inputs().map(tensor).collect::<Vec<_>>(),
        "output": tensor(operator.output()),
        "weight_bytes": operator.parameter_len(),
        "macs": operator.macs(),
    })
}
