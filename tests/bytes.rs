//! A model image written by hand from the documented byte layout, without the quantizer and without the runtime's
//! constants.

use crate::spec::{Kind, Multiplier, Spec, Tensor, Window};

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

/// As [`single`], with what must come out of these inputs as a test vector, and no more than `scratch` scratch bytes.
pub fn proven(spec: &Spec, inputs: &[Vec<i8>], output: &[i8], scratch: usize) -> Vec<u8> {
    let unsigned = |values: &[i8]| values.iter().map(|&value| value as u8).collect::<Vec<u8>>();
    let mut vector = 1u32.to_le_bytes().to_vec();
    vector.extend(unsigned(&inputs.concat()));
    vector.resize(vector.len().max(5), 0);
    vector.extend(unsigned(output));
    vector.extend(crc32fast::hash(&unsigned(output)).to_le_bytes());
    let lens = spec.inputs.iter().scan(0, |end, tensor| {
        let begin = *end;
        *end += tensor.volume();
        Some(begin)
    });
    let places: Vec<usize> = lens.collect();
    let end = if spec.in_place { 0 } else { spec.inputs.iter().map(Tensor::volume).sum() };
    let mut image = placed_with(spec, &places, end, &[(20, vector)]);
    shrink_scratch(&mut image, spec, scratch);
    image
}

/// Moves all tensors of an image of one operator to where they lie behind fewer scratch bytes.
fn shrink_scratch(image: &mut [u8], spec: &Spec, scratch: usize) {
    let first_section = u32::from_le_bytes(image[100..104].try_into().expect("four bytes")) as usize;
    let tensors = (0..spec.inputs.len() + 1).map(|tensor| first_section + 8 + 16 * tensor);
    // Arena, scratch, input and output in the header, then the operator's tensors.
    for at in [24, 28, 64, 80].into_iter().chain(tensors) {
        let field = &mut image[at..at + 4];
        let value = u32::from_le_bytes((&*field).try_into().expect("four bytes"));
        field.copy_from_slice(&(value - (SCRATCH - scratch) as u32).to_le_bytes());
    }
    sign(image);
}

/// As [`single`], with the tensors where `inputs` and `output` say.
pub fn placed(spec: &Spec, inputs: &[usize], output: usize) -> Vec<u8> {
    placed_with(spec, inputs, output, &[])
}

/// As [`placed`], with more sections.
fn placed_with(spec: &Spec, inputs: &[usize], output: usize, others: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let ends = spec.inputs.iter().zip(inputs).map(|(tensor, at)| at + tensor.volume());
    let end = ends.max().unwrap_or(1);
    let whole = Tensor { shape: [1, 1, end], ..spec.output };
    let mut weights = Vec::new();
    let record = record(spec, inputs, output, &mut weights);
    let arena = end.max(output + spec.output.volume());
    let schedule = schedule(std::slice::from_ref(spec));
    let sections = [&[(2, weights), (3, schedule)], others].concat();
    image(&[record], arena, tensor(&whole, 0), tensor(&spec.output, output), &sections)
}

/// The scratch bytes that each image has: enough for every operator drawn.
pub const SCRATCH: usize = 16384;

/// A schedule that computes each operator as a whole, one after the other.
pub fn schedule(specs: &[Spec]) -> Vec<u8> {
    let step = |(index, spec): (usize, &Spec)| half_words(&[index, 0, spec.output.shape[0]]);
    specs.iter().enumerate().flat_map(step).collect()
}

/// An image from its records, the length of its tensors' part of the arena, the records of input and output, and all other sections.
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
    let begin = 96 + 16 * sections.len();
    for (kind, bytes) in &sections {
        // Operators, weights and schedule must be understood.
        for word in [*kind, (begin + content.len()) as u32, bytes.len() as u32, u32::from(*kind < 16)] {
            table.extend(word.to_le_bytes());
        }
        content.extend(bytes);
        content.resize(content.len().next_multiple_of(16), 0);
    }
    let mut bytes = b"edge8\r\n\x1a".to_vec();
    bytes.extend(3u16.to_le_bytes());
    bytes.extend([0; 2]);
    for word in [1, begin + content.len(), 0, SCRATCH + arena, SCRATCH, 0, records.len(), sections.len()] {
        bytes.extend((word as u32).to_le_bytes());
    }
    // One input and one output.
    bytes.extend([1, 0, 1, 0]);
    for part in [vec![0; 16], input, output, table, content] {
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

/// A tensor record; the offset counts from the scratch bytes on.
pub fn tensor(tensor: &Tensor, offset: usize) -> Vec<u8> {
    let mut bytes = ((SCRATCH + offset) as u32).to_le_bytes().to_vec();
    for side in tensor.shape {
        bytes.extend((side as u16).to_le_bytes());
    }
    bytes.extend([tensor.zero_point as u8, 0]);
    bytes.extend(tensor.scale.to_le_bytes());
    bytes
}

/// An operator record; its weights and constants are appended to `section`.
pub fn record(spec: &Spec, inputs: &[usize], output: usize, section: &mut Vec<u8>) -> Vec<u8> {
    let (kind, own) = match &spec.kind {
        Kind::Convolution { depthwise: true, window, weights } => {
            let taps = window[0] * window[1];
            let rows = (0..spec.output.shape[2])
                .map(|c| (0..taps).map(move |tap| weights[tap * spec.output.shape[2] + c]));
            let rows: Vec<Vec<i8>> = rows.map(Iterator::collect).collect();
            (2, [half_words(window), parameters(spec, &rows, depthwise(window, &rows), section)].concat())
        }
        Kind::Convolution { depthwise: false, window, weights } => {
            (1, [half_words(window), matrix(spec, weights, section)].concat())
        }
        Kind::FullyConnected(weights) => (3, matrix(spec, weights, section)),
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
    let small = !spec.constants.is_empty() && spec.constants.iter().all(|(_, multiplier)| multiplier.1 <= -2);
    let packed = !spec.constants.is_empty();
    record.extend([0, 0, spec.activation.0 as u8, spec.activation.1 as u8, packed.into(), small.into()]);
    record.extend(body);
    record.resize(72, 0);
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

/// Appends a matrix `[out][patch]` and its constants; the two offsets.
fn matrix(spec: &Spec, weights: &[i8], section: &mut Vec<u8>) -> Vec<u8> {
    let patch = weights.len() / spec.output.shape[2];
    let rows: Vec<Vec<i8>> = weights.chunks(patch).map(<[i8]>::to_vec).collect();
    let at =
        |output: usize, value: usize| rows.get(output).and_then(|row| row.get(value)).copied().unwrap_or(0);
    let mut packed = Vec::new();
    for first in (0..rows.len()).step_by(16) {
        for group in (0..patch).step_by(4) {
            for output in first..(first + 16).min(rows.len().next_multiple_of(4)) {
                packed.extend((group..group + 4).map(|value| at(output, value)));
            }
        }
    }
    parameters(spec, &rows, packed, section)
}

/// Depthwise weights, of which `rows` has those of each channel: four kernel rows side by side.
fn depthwise(window: &Window, rows: &[Vec<i8>]) -> Vec<i8> {
    let mut packed = Vec::new();
    for first in (0..window[0]).step_by(4) {
        for column in 0..window[1] {
            for row in rows {
                let tap = |tap_row| if tap_row < window[0] { row[tap_row * window[1] + column] } else { 0 };
                packed.extend((first..first + 4).map(tap));
            }
        }
    }
    packed
}

/// Appends packed weights and the constants of outputs that have these weights; the two offsets.
fn parameters(spec: &Spec, rows: &[Vec<i8>], packed: Vec<i8>, section: &mut Vec<u8>) -> Vec<u8> {
    let first = append(&packed, section);
    let second = section.len() as u32;
    let sums: Vec<i32> = rows.iter().map(|row| row.iter().map(|&w| i32::from(w)).sum()).collect();
    let zero_point = i32::from(spec.inputs[0].zero_point);
    let biases = spec.constants.iter().zip(&sums).map(|((bias, _), sum)| bias - zero_point * sum);
    section.extend(biases.flat_map(i32::to_le_bytes));
    section.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
    section.extend(spec.constants.iter().flat_map(|(_, multiplier)| multiplier.0.to_le_bytes()));
    section.extend(spec.constants.iter().map(|(_, multiplier)| multiplier.1 as u8));
    [first, second.to_le_bytes().to_vec()].concat()
}
