//! Every operator of the runtime against the contract stated a second time in 128-bit integers.

use edge8::KernelSet;
use edge8::Model;
use fastrand::Rng;
use tests::spec::{self, Kind, Tensor};
use tests::{bytes, random, reference};

/// Operators drawn of each kind: many, but under Miri few.
const COUNT: usize = if cfg!(miri) { 4 } else { 2000 };

/// Draws operators and compares the runtime's output of each with the reference's.
fn compare(seed: u64, draw: impl Fn(&mut Rng) -> spec::Spec) {
    let mut rng = Rng::with_seed(seed);
    let mut distinct = std::collections::BTreeSet::new();
    for index in 0..COUNT {
        let spec = draw(&mut rng);
        let inputs: Vec<Vec<i8>> = spec.inputs.iter().map(|tensor| tensor.values(&mut rng)).collect();
        let expected = reference::run(&spec, &inputs);
        for kernels in KernelSet::available() {
            let found = run(&spec, &inputs, kernels);
            assert_eq!(found, expected, "operator {index} of seed {seed}, {kernels:?}: {spec:?}");
        }
        distinct.extend(expected);
    }
    assert!(
        cfg!(miri) || distinct.len() > 200,
        "only {} distinct outputs: the operators drawn show too little",
        distinct.len()
    );
}

/// The runtime on an image of this one operator.
fn run(spec: &spec::Spec, inputs: &[Vec<i8>], kernels: KernelSet) -> Vec<i8> {
    let image = bytes::single(spec);
    let model = Model::parse(&image).unwrap_or_else(|error| panic!("{error}: {spec:?}"));
    let model = model.with_kernels(kernels);
    let mut arena = vec![0x55; model.arena_len()];
    let mut output = vec![0; spec.output.volume()];
    let mut input = inputs.concat();
    input.resize(model.input().shape.len(), 0);
    model.run(&input, &mut arena, &mut output).expect("lengths are the model's own");
    output
}

#[test]
fn convolution() {
    compare(1, |rng| random::convolution(rng, false, 9));
}

#[test]
fn depthwise_convolution() {
    compare(2, |rng| random::convolution(rng, true, 9));
}

#[test]
fn fully_connected() {
    compare(3, random::fully_connected);
}

/// Golden models cannot show the rounding inside a sum: here halves occur in each of the three rescales.
#[test]
fn add() {
    compare(4, random::add);
}

#[test]
fn mean() {
    compare(5, random::mean);
}

#[test]
fn softmax() {
    compare(6, random::softmax);
}

#[test]
fn average_pool() {
    compare(7, |rng| random::pool(rng, Kind::AveragePool));
}

#[test]
fn max_pool() {
    compare(8, |rng| random::pool(rng, Kind::MaxPool));
}

#[test]
fn pad() {
    compare(9, random::pad);
}

#[test]
fn constant() {
    compare(10, random::constant);
}

#[test]
fn add_rounds_halves_up_in_each_rescale() {
    let tensor = spec::Tensor { shape: [1, 1, 4], zero_point: 0, scale: 0.5 };
    let tie = |multipliers| spec::Spec {
        kind: Kind::Add(multipliers),
        inputs: vec![tensor; 2],
        output: tensor,
        in_place: false,
        activation: (-128, 127),
        constants: Vec::new(),
    };
    // Sum and output at 2^-21 each way: (a + b) / 2, halves up.
    let half = (1 << 30, 0);
    let found =
        run(&tie([half, half, (1 << 30, -19)]), &[vec![1, -1, 3, -3], vec![0, 0, 0, 0]], KernelSet::SCALAR);
    assert_eq!(found, [1, 0, 2, -1]);
}

/// On the values as they are, whatever the zero point; the padding does not count.
#[test]
fn an_average_rounds_halves_away_from_zero() {
    let tensor = |width, channels| spec::Tensor { shape: [1, width, channels], zero_point: 5, scale: 0.5 };
    let average = spec::Spec {
        kind: Kind::AveragePool([1, 2, 1, 2, 0, 1]),
        inputs: vec![tensor(3, 4)],
        output: tensor(2, 4),
        in_place: false,
        activation: (-128, 100),
        constants: Vec::new(),
    };
    let found = run(&average, &[vec![7, -7, 127, -128, 0, -1, 1, -128, 1, 0, 2, -128]], KernelSet::SCALAR);
    assert_eq!(found, [7, -7, 100, -128, 1, -1, 2, -128]);
}

/// A table's record is that of kind 11: input, output, the offset of 256 values. Over its input, beside it, and by rows.
#[test]
fn table() {
    let mut rng = Rng::with_seed(13);
    for _ in 0..COUNT / 4 {
        let shape = [rng.usize(1..6), rng.usize(1..6), rng.usize(1..20)];
        let [input, output] = [(); 2].map(|()| Tensor::random(&mut rng, shape));
        let table = random::values(&mut rng, 256);
        let in_place = rng.bool();
        let place = if in_place { 0 } else { input.volume() };
        let mut record = [11, 0, 0, 0, 0x80, 0x7f, 0, 0].to_vec();
        record.extend([bytes::tensor(&input, 0), bytes::tensor(&output, place)].concat());
        record.resize(72, 0);
        let weights = table.iter().map(|&value| value as u8).collect();
        let step = |first: usize, rows: usize| [0, 0, first as u8, 0, rows as u8, 0];
        let whole = step(0, shape[0]).to_vec();
        let by_rows = (0..shape[0]).flat_map(|row| step(row, 1)).collect();
        let values = input.values(&mut rng);
        let expected: Vec<i8> = values.iter().map(|&x| table[(i32::from(x) + 128) as usize]).collect();
        for schedule in [whole, by_rows] {
            let [first, last] = [bytes::tensor(&input, 0), bytes::tensor(&output, place)];
            let sections = [(2, Vec::clone(&weights)), (3, schedule)];
            let image = bytes::image(&[record.clone()], place + output.volume(), first, last, &sections);
            let model = Model::parse(&image).expect("a valid image");
            for kernels in KernelSet::available() {
                let (mut arena, mut found) = (vec![0x55; model.arena_len()], vec![0; output.volume()]);
                model.with_kernels(kernels).run(&values, &mut arena, &mut found).expect("right lengths");
                assert_eq!(found, expected, "{kernels:?}, {shape:?}, in place: {in_place}");
            }
        }
        // A table that lies outside the section.
        let mut outside = bytes::image(
            &[record],
            place + output.volume(),
            bytes::tensor(&input, 0),
            bytes::tensor(&output, place),
            &[(2, vec![0; 255]), (3, step(0, shape[0]).to_vec())],
        );
        bytes::sign(&mut outside);
        assert!(Model::parse(&outside).is_err());
    }
}
