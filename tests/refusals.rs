//! Operators that the kernels could not run, or would run wrongly: each refused, and for its own reason.

use fastrand::Rng;
use runtime::{Error, Model, Problem};
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
fn only_a_sum_and_a_softmax_work_in_place_and_only_exactly() {
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
        let section = u32::from_le_bytes(image[100..104].try_into().expect("four bytes")) as usize;
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
