//! A model image written by hand from the documented byte layout, without the quantizer and without the runtime's
//! constants.

use crate::spec::{Kind, Multiplier, Spec, Tensor};

/// The image of a network of one operator. Its inputs are parts of the network's input, one behind the other; a
/// constant's network has an input of one value that nothing reads.
pub fn single(spec: &Spec) -> Vec<u8> {
    let mut places = Vec::new();
    let mut end = 0;
    for tensor in &spec.inputs {
        places.push(end);
        end += tensor.volume();
    }
    placed(spec, &places, if spec.in_place { 0 } else { end })
}

/// As [`single`], with the tensors where `inputs` and `output` say.
pub fn placed(spec: &Spec, inputs: &[usize], output: usize) -> Vec<u8> {
    let ends = spec.inputs.iter().zip(inputs).map(|(tensor, at)| at + tensor.volume());
    let end = ends.max().unwrap_or(1);
    let whole = Tensor { shape: [1, 1, end], ..spec.output };
    let mut weights = Vec::new();
    let record = record(spec, inputs, output, &mut weights);
    let arena = end.max(output + spec.output.volume());
    image(&[record], arena, tensor(&whole, 0), tensor(&spec.output, output), &[(2, weights)])
}

/// An image from its records, its arena's length, the records of input and output, and all other sections.
pub fn image(
    records: &[Vec<u8>],
    arena: usize,
    input: Vec<u8>,
    output: Vec<u8>,
    others: &[(u32, Vec<u8>)],
) -> Vec<u8> {
    let sections: Vec<(u32, Vec<u8>)> = [&[(1, records.concat())], others].concat();
    let mut table = Vec::new();
    let mut content = Vec::new();
    let begin = 80 + 16 * sections.len();
    for (kind, bytes) in &sections {
        // Operators and weights must be understood.
        for word in [*kind, (begin + content.len()) as u32, bytes.len() as u32, u32::from(*kind < 16)] {
            table.extend(word.to_le_bytes());
        }
        content.extend(bytes);
        content.resize(content.len().next_multiple_of(16), 0);
    }
    let mut bytes = b"edge8\r\n\x1a".to_vec();
    bytes.extend(1u16.to_le_bytes());
    bytes.extend([0; 2]);
    for word in [1, begin + content.len(), 0, arena, records.len(), sections.len(), 0] {
        bytes.extend((word as u32).to_le_bytes());
    }
    for part in [input, output, vec![0; 8], table, content] {
        bytes.extend(part);
    }
    sign(&mut bytes);
    bytes
}

/// Writes the checksum that belongs to the rest of the image.
pub fn sign(image: &mut [u8]) {
    if let Some(field) = image.get_mut(20..24) {
        field.fill(0);
        let checksum = crc32fast::hash(image);
        image[20..24].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// A tensor record.
pub fn tensor(tensor: &Tensor, offset: usize) -> Vec<u8> {
    let mut bytes = (offset as u32).to_le_bytes().to_vec();
    for side in tensor.shape {
        bytes.extend((side as u16).to_le_bytes());
    }
    bytes.extend(i16::from(tensor.zero_point).to_le_bytes());
    bytes.extend(tensor.scale.to_le_bytes());
    bytes
}

/// An operator record; its weights and constants are appended to `section`.
pub fn record(spec: &Spec, inputs: &[usize], output: usize, section: &mut Vec<u8>) -> Vec<u8> {
    let (kind, own) = match &spec.kind {
        Kind::Convolution { depthwise, window, weights } => {
            let own = [half_words(window), parameters(spec, weights, section)].concat();
            (if *depthwise { 2 } else { 1 }, own)
        }
        Kind::FullyConnected(weights) => (3, parameters(spec, weights, section)),
        Kind::Add(multipliers) => {
            let mut own: Vec<u8> = multipliers.iter().flat_map(|m| m.0.to_le_bytes()).collect();
            own.extend(multipliers.map(|m| m.1 as u8));
            own.push(0);
            (4, own)
        }
        Kind::Mean(multiplier) => (5, scalar(*multiplier)),
        Kind::Softmax(multiplier, diff_min) => {
            (6, [scalar(*multiplier), diff_min.to_le_bytes().to_vec()].concat())
        }
        Kind::AveragePool(window) => (7, half_words(window)),
        Kind::MaxPool(window) => (8, half_words(window)),
        Kind::Pad(before) => (9, [half_words(before), vec![0, 0]].concat()),
        Kind::Constant(values) => (10, append(values, section)),
    };
    let mut body: Vec<u8> = spec.inputs.iter().zip(inputs).flat_map(|(t, &at)| tensor(t, at)).collect();
    body.extend(tensor(&spec.output, output));
    body.extend(own);
    let mut record = (kind as u16).to_le_bytes().to_vec();
    record.extend((8 + body.len() as u16).to_le_bytes());
    record.extend([spec.activation.0 as u8, spec.activation.1 as u8, 0, 0]);
    record.extend(body);
    record
}

fn scalar((mantissa, shift): Multiplier) -> Vec<u8> {
    [&mantissa.to_le_bytes()[..], &[shift as u8, 0, 0, 0]].concat()
}

fn half_words(fields: &[usize]) -> Vec<u8> {
    fields.iter().flat_map(|&field| (field as u16).to_le_bytes()).collect()
}

/// Appends values to the section; their offset.
fn append(values: &[i8], section: &mut Vec<u8>) -> Vec<u8> {
    let offset = section.len() as u32;
    section.extend(values.iter().map(|&value| value as u8));
    offset.to_le_bytes().to_vec()
}

/// Appends weights and constants to the section; the two offsets.
fn parameters(spec: &Spec, weights: &[i8], section: &mut Vec<u8>) -> Vec<u8> {
    let first = append(weights, section);
    let second = section.len() as u32;
    section.extend(spec.constants.iter().flat_map(|(bias, _)| bias.to_le_bytes()));
    section.extend(spec.constants.iter().flat_map(|(_, multiplier)| multiplier.0.to_le_bytes()));
    section.extend(spec.constants.iter().map(|(_, multiplier)| multiplier.1 as u8));
    [first, second.to_le_bytes().to_vec()].concat()
}
