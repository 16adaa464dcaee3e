//! The model image: an int8 network, planned into an arena and written in `edge8`'s format.

mod read;
mod record;

pub use read::read;

use crate::engine::{Parameters, put, size};
use crate::graph::{Shape, TensorId};
use crate::plan::NetworkPlan;
use crate::quantize::{Int8Operator, Int8Tensor, Layer, Network};
use crate::samples::Normalisation;
use anyhow::{Context, Result, ensure};
use edge8::format::{self, header, section};
use edge8::internal::image_checksum;
use edge8::operator::Record;
use edge8::{Crc32, Digit, Model, Preparation, Scaled};

/// What an image says beside its network; each part is optional.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// The names of the classes, in the order of the outputs.
    pub labels: Vec<String>,
    /// How a picture becomes bytes, and those reals of the input.
    pub recipe: Option<(Preparation, Normalisation)>,
    /// Where the network comes from.
    pub provenance: Option<serde_json::Value>,
    /// How the ranges were found.
    pub calibration: Option<serde_json::Value>,
    /// Inputs for the test vectors; their outputs and hashes come from running the image.
    pub test_inputs: Vec<Vec<i8>>,
}

/// The memory plan of a network that needs the smallest arena, as [`write()`] uses it.
pub fn memory_plan(network: &Network) -> NetworkPlan {
    NetworkPlan::streamed(network, format::ALIGNMENT)
}

/// What a plan says of the arena, in one line for people.
pub fn describe_arena(network: &Network, plan: &NetworkPlan) -> String {
    let NetworkPlan { arena, lower_bound, .. } = plan;
    let whole = NetworkPlan::layer_by_layer(network, format::ALIGNMENT).arena;
    format!("arena: {arena} bytes, lower bound {lower_bound}, layer by layer {whole}")
}

/// The optional sections that an image has, each with its kind, for [`write_sections`].
pub fn optional_sections(model: &Model<'_>) -> Vec<(u32, Vec<u8>)> {
    /// In the order in which they are written.
    const KINDS: [u32; 6] = [
        section::LABELS,
        section::RECIPE,
        section::PROVENANCE,
        section::CALIBRATION,
        section::TEST_VECTORS,
        section::REJECT,
    ];
    let section = |&kind: &u32| Some((kind, model.section(kind).ok()?.to_vec()));
    KINDS.iter().filter_map(section).collect()
}

/// Every layer's output for one input, in the order of [`operators`].
///
/// # Errors
/// If the input has the wrong length.
pub fn run_layers(model: &Model<'_>, input: &[i8]) -> Result<Vec<Vec<i8>>> {
    let mut layers = vec![Vec::new(); model.operators().len()];
    let mut output = vec![0; model.output().shape.len()];
    model.run_layers(input, &mut vec![0; model.arena_len()], &mut output, |computed| {
        layers[computed.index].extend_from_slice(computed.values);
    })?;
    Ok(layers)
}

/// The layers that become records of the image, in order: all but reshapes.
pub fn operators(network: &Network) -> impl Iterator<Item = &Layer> {
    network.layers.iter().filter(|layer| !matches!(layer.operator, Int8Operator::Reshape))
}

/// Writes a network as a model image. What is returned has been accepted by [`Model::parse`].
///
/// # Errors
/// If a size exceeds the format, or a label holds a line end.
pub fn write(network: &Network, extras: &Extras) -> Result<Vec<u8>> {
    write_with(network, &memory_plan(network), extras)
}

/// As [`write()`], with a plan that is there already.
///
/// # Errors
/// As [`write()`].
pub fn write_with(network: &Network, plan: &NetworkPlan, extras: &Extras) -> Result<Vec<u8>> {
    let mut sections = required_sections(network, plan)?;
    sections.extend(extra_sections(network, extras)?);
    if !extras.test_inputs.is_empty() {
        let image = finish(network, plan, &sections)?;
        sections.push((section::TEST_VECTORS, test_vectors(&image, &extras.test_inputs)?));
    }
    finish(network, plan, &sections)
}

/// As [`write()`], with optional sections that are there already, each with its kind.
///
/// # Errors
/// If a size exceeds the format, or a section is not one of this network.
pub fn write_sections(network: &Network, optional: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    write_planned(network, &memory_plan(network), optional)
}

/// As [`write_sections`], with a plan of one's own.
///
/// # Errors
/// As [`write_sections`].
pub fn write_planned(network: &Network, plan: &NetworkPlan, optional: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut sections = required_sections(network, plan)?;
    sections.extend_from_slice(optional);
    finish(network, plan, &sections)
}

/// What every image has: records, weights, schedule.
fn required_sections(network: &Network, plan: &NetworkPlan) -> Result<Vec<(u32, Vec<u8>)>> {
    record::check_sizes(network, plan)?;
    let mut records: Vec<Record> = Vec::new();
    let mut parameters = Parameters::default();
    for layer in &network.layers {
        let at = parameters.add(network, layer);
        let at = at.with_context(|| format!("layer \"{}\" in the model image", layer.name))?;
        records.extend(record::record(network, plan, layer, at));
    }
    Ok(vec![
        (section::OPERATORS, records.concat()),
        (section::WEIGHTS, parameters.into_bytes()),
        (section::SCHEDULE, schedule(network, plan)?),
    ])
}

/// The image of all its sections, accepted by the runtime.
fn finish(network: &Network, plan: &NetworkPlan, sections: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let image = assemble(network, plan, sections)?;
    Model::parse(&image).context("the image just made is invalid")?;
    Ok(image)
}

fn extra_sections(network: &Network, extras: &Extras) -> Result<Vec<(u32, Vec<u8>)>> {
    let mut sections = Vec::new();
    if !extras.labels.is_empty() {
        let classes = network.tensor(network.output).shape.volume();
        ensure!(extras.labels.len() == classes, "{} labels for {classes} outputs", extras.labels.len());
        for label in &extras.labels {
            ensure!(
                !label.is_empty() && !label.contains(['\n', '\r']),
                "the label {label:?} is not one line"
            );
        }
        sections.push((section::LABELS, extras.labels.join("\n").into_bytes()));
    }
    if let Some((preparation, normalisation)) = &extras.recipe {
        sections.push((section::RECIPE, recipe(&network.tensors[0], preparation, normalisation)?));
    }
    let json = [(section::PROVENANCE, &extras.provenance), (section::CALIBRATION, &extras.calibration)];
    for (kind, value) in json {
        if let Some(value) = value {
            sections.push((kind, serde_json::to_vec(value)?));
        }
    }
    Ok(sections)
}

/// The section that says how a picture becomes the input.
pub fn recipe(
    input: &Int8Tensor,
    preparation: &Preparation,
    normalisation: &Normalisation,
) -> Result<Vec<u8>> {
    let edge8::Shape { height, width, channels } = preparation.shape();
    let prepared = Shape::new(height.into(), width.into(), channels.into());
    ensure!(input.shape == prepared, "a recipe for {prepared}, the input is {}", input.shape);
    normalisation.check(prepared.channels)?;
    let table = |channel| normalisation.table(channel).map(|real| input.quantisation.quantise(real));
    Ok(match *preparation {
        Preparation::Digit(framing) => Digit::encode(framing, &table(0)).to_vec(),
        Preparation::Picture(sizing) => {
            ensure!(
                sizing.is_valid(),
                "a recipe for {prepared}: sides up to 4096 and 1 or 3 channels are possible"
            );
            let tables = (0..prepared.channels).flat_map(table).map(|value| value as u8);
            Scaled::encode(sizing).into_iter().chain(tables).collect()
        }
    })
}

/// The inputs, with what the runtime makes of them.
fn test_vectors(image: &[u8], inputs: &[Vec<i8>]) -> Result<Vec<u8>> {
    let model = Model::parse(image)?;
    let mut bytes = u32::try_from(inputs.len())?.to_le_bytes().to_vec();
    for input in inputs {
        let layers: Vec<Vec<u8>> = run_layers(&model, input)?.iter().map(|layer| as_bytes(layer)).collect();
        bytes.extend(as_bytes(input));
        bytes.extend(layers.last().into_iter().flatten());
        bytes.extend(layers.iter().flat_map(|layer| Crc32::of(layer).to_le_bytes()));
    }
    Ok(bytes)
}

fn as_bytes(values: &[i8]) -> Vec<u8> {
    values.iter().map(|&value| value as u8).collect()
}

/// The steps, each with the number of its operator's record.
fn schedule(network: &Network, plan: &NetworkPlan) -> Result<Vec<u8>> {
    let is_record = |layer: &Layer| !matches!(layer.operator, Int8Operator::Reshape);
    let records_before = network.layers.iter().scan(0, |records, layer| {
        let before = *records;
        *records += usize::from(is_record(layer));
        Some(before)
    });
    let record_of: Vec<usize> = records_before.collect();
    let mut bytes = Vec::new();
    for step in &plan.steps {
        for field in [record_of[step.layer], step.rows.start, step.rows.len()] {
            bytes.extend(u16::try_from(field).context("a schedule holds numbers up to 65535")?.to_le_bytes());
        }
    }
    Ok(bytes)
}

/// Header, records of input and output, section table and sections.
fn assemble(network: &Network, plan: &NetworkPlan, sections: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    // A last reshape is no record: the network's output is what the last record writes, on the same bytes.
    let last = operators(network).last().map_or(network.output, |layer| layer.output);
    let endpoints = [TensorId(0), last].map(|id| record::placed(network, plan, id).encode());
    let table = header::LEN + endpoints.as_flattened().len();
    let mut image = vec![0; table + sections.len() * format::SECTION_LEN];
    put(&mut image, header::LEN, endpoints.as_flattened());
    for (index, (kind, content)) in sections.iter().enumerate() {
        image.resize(image.len().next_multiple_of(format::CACHE_LINE), 0);
        let required = matches!(*kind, section::OPERATORS | section::WEIGHTS | section::SCHEDULE);
        let flags = if required { format::SECTION_REQUIRED } else { 0 };
        let entry = [*kind, size(image.len())?, size(content.len())?, flags];
        for (field, value) in entry.into_iter().enumerate() {
            put(&mut image, table + index * format::SECTION_LEN + 4 * field, &value.to_le_bytes());
        }
        image.extend(content);
    }
    put(&mut image, header::MAGIC, &format::MAGIC);
    for (at, half_word) in [(header::VERSION, format::VERSION), (header::INPUTS, 1), (header::OUTPUTS, 1)] {
        put(&mut image, at, &half_word.to_le_bytes());
    }
    let words = [
        (header::CONTRACT, format::CONTRACT),
        (header::IMAGE_LEN, size(image.len())?),
        (header::ARENA_LEN, size(plan.arena)?),
        (header::SCRATCH_LEN, size(plan.scratch)?),
        (header::OPERATORS, size(operators(network).count())?),
        (header::SECTIONS, size(sections.len())?),
    ];
    for (at, word) in words {
        put(&mut image, at, &word.to_le_bytes());
    }
    let checksum = image_checksum(&image);
    put(&mut image, header::CHECKSUM, &checksum.to_le_bytes());
    Ok(image)
}
