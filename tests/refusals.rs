//! Operators that the kernels could not run, or would run wrongly: each refused, and for its own reason.

use edge8::operator::{Kinds, USUAL_KINDS};
use edge8::{Error, Model, Problem};
use fastrand::Rng;
use tests::spec::{Kind, Spec, Tensor, Window};
use tests::{bytes, random};

const HALF: (i32, i8) = (1 << 30, 0);

/// An operator on inputs of these shapes.
fn operator(kind: Kind, inputs: &[[usize; 3]], output: [usize; 3]) -> Spec {
    let mut rng = Rng::with_seed(1);
    let inputs = inputs.iter().map(|&shape| Tensor::random(&mut rng, shape)).collect();
    random::operator(&mut rng, kind, inputs, output)
}

fn add(second: [usize; 3]) -> Spec {
    operator(Kind::Add([HALF; 3]), &[[2, 3, 4], second], [2, 3, 4])
}

fn pool(kind: fn(Window) -> Kind, kernel: usize) -> Spec {
    operator(kind([kernel, kernel, 1, 1, 0, 0]), &[[2, 3, 4]], [2, 3, 4])
}

/// What is wrong with an operator that is the whole network, if anything is.
fn problem(spec: &Spec) -> Option<Problem> {
    problem_of(&bytes::single(spec))
}

fn problem_of(image: &[u8]) -> Option<Problem> {
    match Model::parse(image) {
        Ok(_) => None,
        Err(Error::Operator { index: 0, problem }) => Some(problem),
        Err(other) => panic!("{other}"),
    }
}

/// Tensors of 24 values.
#[test]
fn what_works_in_place_does_so_only_exactly() {
    let softmax = operator(Kind::Softmax((1 << 30, 22), -255), &[[2, 3, 4]], [2, 3, 4]);
    for (spec, second) in [(add([2, 3, 4]), Some(24)), (softmax, None)] {
        let at = |output| {
            let inputs: Vec<usize> = [Some(0), second].into_iter().flatten().collect();
            problem_of(&bytes::placed(&spec, &inputs, output))
        };
        assert_eq!([0, 48].map(at), [None; 2], "{spec:?}");
        assert_eq!([1, 4, 23].map(at), [Some(Problem::Overlap); 3], "{spec:?}");
    }
    for inputs in [[24, 0], [0, 0], [0, 23]] {
        let image = bytes::placed(&add([2, 3, 4]), &inputs, 0);
        assert_eq!(problem_of(&image), Some(Problem::Overlap), "{inputs:?}");
    }
    let others = [
        pool(Kind::AveragePool, 1),
        pool(Kind::MaxPool, 1),
        operator(Kind::Pad([0; 3]), &[[2, 3, 4]], [2, 3, 4]),
        operator(Kind::Mean(HALF), &[[1, 1, 4]], [1, 1, 4]),
    ];
    for spec in others {
        assert_eq!(problem(&spec), None);
        assert_eq!(problem(&Spec { in_place: true, ..spec }), Some(Problem::Overlap));
    }
}

#[test]
fn a_sum_repeats_nothing_but_sides_of_1_of_the_second_input() {
    for second in [[1, 3, 4], [2, 1, 4], [2, 3, 1], [1, 1, 1]] {
        assert_eq!(problem(&add(second)), None, "{second:?}");
    }
    for second in [[2, 3, 2], [4, 3, 2], [2, 4, 4], [1, 1, 5]] {
        assert_eq!(problem(&add(second)), Some(Problem::Shapes), "{second:?}");
    }
    let first = operator(Kind::Add([HALF; 3]), &[[1, 3, 4], [2, 3, 4]], [2, 3, 4]);
    assert_eq!(problem(&first), Some(Problem::Shapes));
}

#[test]
fn pools_and_pads_do_not_rescale() {
    let specs = [
        pool(Kind::AveragePool, 1),
        pool(Kind::MaxPool, 1),
        operator(Kind::Pad([1, 0, 0]), &[[2, 3, 4]], [3, 3, 4]),
    ];
    for spec in specs {
        assert_eq!(problem(&spec), None);
        let zero_point = Tensor { zero_point: spec.output.zero_point ^ 1, ..spec.output };
        let scale = Tensor { scale: 0.25, ..spec.output };
        for output in [zero_point, scale] {
            assert_eq!(problem(&Spec { output, ..spec.clone() }), Some(Problem::Quantisation));
        }
    }
}

#[test]
fn a_pool_needs_its_channels_and_windows_that_meet_the_input() {
    for kind in [Kind::AveragePool, Kind::MaxPool] {
        let pool = |window, output| problem(&operator(kind(window), &[[2, 3, 4]], output));
        assert_eq!(pool([2, 2, 1, 1, 0, 0], [2, 3, 4]), None);
        assert_eq!(pool([2, 2, 1, 1, 0, 0], [2, 3, 3]), Some(Problem::Shapes));
        assert_eq!(pool([2, 2, 1, 1, 0, 0], [3, 3, 4]), Some(Problem::Window));
        assert_eq!(pool([2, 2, 1, 1, 2, 0], [2, 3, 4]), Some(Problem::Window));
        assert_eq!(pool([2, 0, 1, 1, 0, 0], [2, 3, 4]), Some(Problem::Window));
        assert_eq!(pool([2, 2, 0, 1, 0, 0], [2, 3, 4]), Some(Problem::Window));
    }
}

/// 4080 * 4080 taps of -128, and half as much for rounding, are the most below 2^31.
#[test]
fn an_average_stays_in_32_bits() {
    assert_eq!(problem(&pool(Kind::AveragePool, 4080)), None);
    assert_eq!(problem(&pool(Kind::AveragePool, 4081)), Some(Problem::Accumulator));
    assert_eq!(problem(&pool(Kind::MaxPool, 4081)), None);
}

#[test]
fn a_pad_has_room_for_its_input() {
    let pad = |output| problem(&operator(Kind::Pad([1, 2, 3]), &[[2, 3, 4]], output));
    assert_eq!([[3, 5, 7], [4, 6, 8]].map(pad), [None; 2]);
    assert_eq!([[2, 5, 7], [3, 4, 7], [3, 5, 6]].map(pad), [Some(Problem::Shapes); 3]);
}

#[test]
fn what_computes_nothing_takes_no_activation() {
    let pad = operator(Kind::Pad([0; 3]), &[[2, 3, 4]], [2, 3, 4]);
    let constant = operator(Kind::Constant(vec![1; 6]), &[], [1, 2, 3]);
    for spec in [pad, constant] {
        assert_eq!(problem(&spec), None);
        assert_eq!(problem(&Spec { activation: (-128, 126), ..spec }), Some(Problem::Activation));
    }
}

/// Kernels that add 128 to the inputs take the sums of the weights from the image, and none looks at what fills rows up.
#[test]
fn sums_and_fillings_are_those_of_the_weights() {
    let convolution = |depthwise, input: [usize; 3], outputs: usize| {
        let each = if depthwise { 1 } else { input[2] };
        let window = [2, 1, 1, 1, 0, 0];
        let kind = Kind::Convolution { depthwise, window, weights: vec![3; 2 * each * outputs] };
        operator(kind, &[input], [input[0] - 1, input[1], outputs])
    };
    let matrix = operator(Kind::FullyConnected(vec![3; 10]), &[[1, 1, 5]], [1, 1, 2]);
    // Weights of the second output, what fills its row up, and the sums, counted from the begin of the section.
    let cases = [
        (convolution(false, [3, 3, 3], 2), 4..8, 22, 32 + 8),
        (convolution(true, [3, 3, 2], 2), 4..6, 6, 8 + 8),
        (matrix, 4..8, 22, 32 + 8),
    ];
    for (spec, weights, filling, sums) in cases {
        let image = bytes::single(&spec);
        let section = u32::from_le_bytes(image[116..120].try_into().expect("four bytes")) as usize;
        let spoiled = |at: usize| {
            let mut image = image.clone();
            image[section + at] ^= 1;
            bytes::sign(&mut image);
            problem_of(&image)
        };
        assert_eq!(problem(&spec), None);
        for weight in weights {
            assert_eq!(spoiled(weight), Some(Problem::Sum), "{weight} in {spec:?}");
        }
        assert_eq!(spoiled(filling), Some(Problem::Filling), "{spec:?}");
        let mut smallest = image.clone();
        smallest[section] = i8::MIN as u8;
        bytes::sign(&mut smallest);
        assert_eq!(problem_of(&smallest), Some(Problem::WeightRange), "{spec:?}");
        assert_eq!(spoiled(sums), Some(Problem::Sum), "{spec:?}");
    }
}

#[test]
fn a_constant_lies_in_its_section_and_apart_from_others() {
    let constant = |len| operator(Kind::Constant(vec![1; len]), &[], [1, 2, 3]);
    assert_eq!(problem(&constant(6)), None);
    assert_eq!(problem(&constant(5)), Some(Problem::Weights));

    // Two records that claim the same values, and the same with a value for each claim.
    let tensor = bytes::tensor(&constant(6).output, 0);
    let record = bytes::record(&constant(6), &[], 0, &mut Vec::new());
    let schedule = bytes::schedule(&[constant(6), constant(6)]);
    let twice = |len: usize| {
        let records = [record.clone(), record.clone()];
        Model::parse(&bytes::image(
            &records,
            6,
            tensor.clone(),
            tensor.clone(),
            &[(2, vec![1; len]), (3, schedule.clone())],
        ))
        .err()
    };
    assert_eq!(twice(11), Some(Error::Operator { index: 1, problem: Problem::Weights }));
    assert_eq!(twice(12), None);
}

/// An image of one operator with these steps instead of its own.
fn scheduled(spec: &Spec, steps: &[[u16; 3]]) -> Option<Error> {
    let (places, output) = ([0], spec.inputs[0].volume());
    let mut weights = Vec::new();
    let record = bytes::record(spec, &places, output, &mut weights);
    let steps = steps.iter().flatten().flat_map(|field| field.to_le_bytes()).collect();
    let tensors = [bytes::tensor(&spec.inputs[0], 0), bytes::tensor(&spec.output, output)];
    let [input, last] = tensors;
    let arena = output + spec.output.volume();
    Model::parse(&bytes::image(&[record], arena, input, last, &[(2, weights), (3, steps)])).err()
}

#[test]
fn steps_are_of_rows_that_there_are() {
    let pool = pool(Kind::MaxPool, 1);
    for steps in [vec![[0, 0, 2]], vec![[0, 0, 1], [0, 1, 1]]] {
        assert_eq!(scheduled(&pool, &steps), None, "{steps:?}");
    }
    for step in [[1, 0, 2], [0, 0, 3], [0, 2, 1], [0, 0, 0], [0, u16::MAX, 2]] {
        assert_eq!(scheduled(&pool, &[step]), Some(Error::Step { index: 0 }), "{step:?}");
    }
    for (steps, found) in [(vec![], 0), (vec![[0, 1, 1]], 1), (vec![[0, 0, 2], [0, 0, 1]], 3)] {
        assert_eq!(scheduled(&pool, &steps), Some(Error::Schedule { expected: 2, found }), "{steps:?}");
    }
    let pad = operator(Kind::Pad([0; 3]), &[[2, 3, 4]], [2, 3, 4]);
    assert_eq!(scheduled(&pad, &[[0, 0, 2]]), None);
    assert_eq!(scheduled(&pad, &[[0, 0, 1], [0, 1, 1]]), Some(Error::Step { index: 0 }));
}

/// A single operator's image with one byte of its record changed. The record begins at 144, behind the header, input and output and 3
/// sections' entries.
fn with_record_byte(spec: &Spec, at: usize, value: u8) -> Option<Problem> {
    let mut image = bytes::single(spec);
    image[144 + at] = value;
    bytes::sign(&mut image);
    problem_of(&image)
}

/// Byte 11 of a tensor record is the number of rows that are kept: the input's is at 8, a pool's output at 24.
#[test]
fn as_many_rows_are_kept_as_are_needed_at_once() {
    let window = [2, 1, 1, 1, 0, 0];
    let pool = operator(Kind::MaxPool(window), &[[4, 3, 4]], [3, 3, 4]);
    assert_eq!([0, 2, 3, 4].map(|rows| with_record_byte(&pool, 8 + 11, rows)), [None; 4]);
    assert_eq!(with_record_byte(&pool, 8 + 11, 1), Some(Problem::Rows));
    assert_eq!(with_record_byte(&pool, 8 + 11, 5), Some(Problem::Tensor));
    let mean = operator(Kind::Mean(HALF), &[[4, 3, 4]], [1, 1, 4]);
    assert_eq!(with_record_byte(&mean, 8 + 11, 3), Some(Problem::Rows));
    let pad = operator(Kind::Pad([1, 0, 0]), &[[4, 3, 4]], [5, 3, 4]);
    assert_eq!(with_record_byte(&pad, 24 + 11, 4), Some(Problem::Rows));
}

/// The input's tensor record begins at 64, the output's at 80: a ring of rows would be filled, and read, in part only.
#[test]
fn inputs_and_outputs_are_whole() {
    let pool = operator(Kind::MaxPool([2, 1, 1, 1, 0, 0]), &[[4, 3, 4]], [3, 3, 4]);
    for (endpoint, record) in [(64, 144 + 8), (80, 144 + 24)] {
        for (rows, expected) in [(0, None), (2, Some(Error::Endpoint)), (3, Some(Error::Endpoint))] {
            let mut image = bytes::single(&pool);
            // The operator's own record says the same.
            image[record + 11] = rows;
            image.copy_within(record..record + 16, endpoint);
            bytes::sign(&mut image);
            // All three rows of the output are a whole.
            let expected = expected.filter(|_| (rows, endpoint) != (3, 80));
            assert_eq!(Model::parse(&image).err(), expected, "{rows} rows at {endpoint}");
        }
    }
}

/// The header's bytes 28 to 31 say how many bytes kernels have to work in.
#[test]
fn kernels_have_bytes_to_work_in() {
    let kind = Kind::Convolution { depthwise: false, window: [1, 1, 1, 1, 0, 0], weights: vec![1; 6] };
    let convolution = operator(kind, &[[2, 3, 3]], [2, 3, 2]);
    let image = |len: u32| {
        let mut image = bytes::single(&convolution);
        image[28..32].copy_from_slice(&len.to_le_bytes());
        bytes::sign(&mut image);
        image
    };
    let scratch = |len| problem_of(&image(len));
    // Four patches of three values, filled up to four.
    assert_eq!([16, 100, bytes::SCRATCH as u32].map(scratch), [None; 3]);
    assert_eq!([0, 15].map(scratch), [Some(Problem::Scratch); 2]);
    assert_eq!(Model::parse(&image(bytes::SCRATCH as u32 + 1)).err(), Some(Error::Endpoint));
}

/// An image for another program.
#[test]
fn a_program_for_other_operators_says_which_it_lacks() {
    const POOLS: Kinds = 1 << 7 | 1 << 8;
    let lacks = |image: &[u8]| match Model::parse_as::<POOLS>(image).map(|_| ()) {
        Ok(()) => None,
        Err(Error::Operator { problem: Problem::NotBuilt(kind), .. }) => Some(kind),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(lacks(&bytes::single(&pool(Kind::MaxPool, 1))), None);
    assert_eq!(lacks(&bytes::single(&add([2, 3, 4]))), Some(4));
    let repeated = bytes::single(&add([1, 1, 4]));
    assert!(Model::parse(&repeated).is_ok());
    assert_eq!(
        Model::parse_as::<USUAL_KINDS>(&repeated).err().map(|error| error.to_string()).as_deref(),
        Some(
            "operator 0: the program is built for a model without operators in unusual forms: embed the new one"
        )
    );
}
