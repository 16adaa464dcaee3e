//! Each rule against values worked out by hand from its definition.

use super::rule::Rule;
use super::site::Site;
use crate::graph::{Shape, TensorId, Window};
use crate::quantize::{Int8Filter, Int8Operator, Int8Tensor, Layer, Network, Quantisation, multiplier};
use edge8::fixed_point::{Activation, Multiplier};

/// Shape, scale and zero point.
type Stated = ([usize; 3], f32, i8);

/// What a layer gives by the contract and by a rule.
fn both(operator: Int8Operator, inputs: &[(Stated, Vec<i8>)], output: Stated, rule: Rule) -> [Vec<i8>; 2] {
    let tensor = |([height, width, channels], scale, zero_point): Stated| Int8Tensor {
        name: String::new(),
        shape: Shape::new(height, width, channels),
        quantisation: Quantisation { scale, zero_point },
    };
    let mut tensors: Vec<Int8Tensor> = inputs.iter().map(|(stated, _)| tensor(*stated)).collect();
    tensors.push(tensor(output));
    let layer = Layer {
        name: String::new(),
        operator,
        activation: Activation::NONE,
        inputs: (0..inputs.len()).map(TensorId).collect(),
        output: TensorId(inputs.len()),
    };
    let network = Network { tensors, layers: Vec::new(), output: layer.output };
    let site = Site::new(&network, &layer, inputs.iter().map(|(_, values)| values.as_slice()).collect());
    [site.contract().unwrap(), rule.apply(&site).unwrap()]
}

/// Inputs, each times 1/4, by the contract and by a rule, as a fully connected layer of one weight per output.
fn quarters(rule: Rule) -> [Vec<i8>; 2] {
    let sums = [2, -2, 5, -5, 6, -6, -7];
    let filter = Int8Filter {
        weights: sums.to_vec(),
        scales: vec![0.25],
        bias: vec![0; sums.len()],
        multipliers: vec![Multiplier { mantissa: 1 << 30, shift: -1 }; sums.len()],
    };
    let output = ([1, 1, sums.len()], 1.0, 0);
    both(Int8Operator::FullyConnected(filter), &[(([1, 1, 1], 1.0, 0), vec![1])], output, rule)
}

#[test]
fn filters() {
    // 0.5, -0.5, 1.25, -1.25, 1.5, -1.5, -1.75
    let contract = vec![1, 0, 1, -1, 2, -1, -2];
    assert_eq!(quarters(Rule::Float), [contract.clone(), vec![0, 0, 1, -1, 2, -2, -2]]);
    assert_eq!(quarters(Rule::Float64), [contract.clone(), vec![1, -1, 1, -1, 2, -2, -2]]);
    // Halved: 1, -1, 2.5 -> 3, -2.5 -> -2, 3, -3, -3.5 -> -3; and again 0.5, -0.5, 1.5, -1, 1.5, -1.5, -1.5.
    assert_eq!(quarters(Rule::DoubleRounding), [contract.clone(), vec![1, -1, 2, -1, 2, -2, -2]]);
    assert_eq!(quarters(Rule::DoubleRoundingUp), [contract.clone(), vec![1, 0, 2, -1, 2, -1, -1]]);
    assert_eq!(quarters(Rule::FloatSum), [contract.clone(), contract], "says nothing of it");
}

fn add(scales: [f32; 3], first: &[i8], second: &[i8], rule: Rule) -> [Vec<i8>; 2] {
    let common = 2.0 * f64::from(scales[0].max(scales[1]));
    let [a, b] = [0, 1].map(|place| multiplier(f64::from(scales[place]) / common));
    let sum = multiplier(common / f64::from(1 << 20) / f64::from(scales[2]));
    let shape = |values: &[i8]| [1, 1, values.len()];
    let inputs = [
        ((shape(first), scales[0], 3), first.iter().map(|x| x + 3).collect()),
        ((shape(second), scales[1], -9), second.iter().map(|x| x - 9).collect()),
    ];
    both(Int8Operator::Add([a, b, sum]), &inputs, (shape(first), scales[2], 0), rule)
}

#[test]
fn sums() {
    // 0.5, 1.5, -0.5, -1.5, 1.
    let halves = |rule| add([0.5, 0.25, 1.0], &[1, 3, -1, -3, 2], &[0], rule);
    let contract = vec![1, 2, 0, -1, 1];
    assert_eq!(halves(Rule::FloatSum), [contract.clone(), vec![0, 2, 0, -2, 1]]);
    assert_eq!(halves(Rule::FixedPointSum), [contract.clone(), contract.clone()]);
    // The last of three rescales shifts by more than it multiplies: halves away from zero.
    assert_eq!(halves(Rule::DoubleRounding), [contract, vec![1, 2, -1, -2, 1]]);
    // 72/144 as 72 * 1864135 / 2^28, a little below a half; with 31 bits, 72 * 1908874354 / 2^38, it is a little above.
    let narrow = add([1.0, 1.0, 144.0], &[72, 71], &[0, 0], Rule::FixedPointSum);
    assert_eq!(narrow, [vec![1, 0], vec![0, 0]]);
}

fn mean(values: &[i8], [input, output]: [(f32, i8); 2], rule: Rule) -> [i8; 2] {
    let by = crate::quantize::divide(multiplier(f64::from(input.0) / f64::from(output.0)), values.len());
    let input = (([1, values.len(), 1], input.0, input.1), values.to_vec());
    both(Int8Operator::Mean(by), &[input], ([1, 1, 1], output.0, output.1), rule).map(|values| values[0])
}

#[test]
fn means() {
    // 2 / 4 and 6 / 4.
    let same = [(0.1, 0); 2];
    assert_eq!(mean(&[1, 1, 0, 0], same, Rule::Float), [1, 0]);
    assert_eq!(mean(&[3, 3, 0, 0], same, Rule::Float), [2, 2]);
    // 5 / 4: 2.5 -> 3, 1.5 -> 2.
    assert_eq!(mean(&[5, 0, 0, 0], same, Rule::DoubleRounding), [1, 2]);
    // Values that LiteRT 2.3.0 gives: sums of -211 and 29 of raw values, zero points -7 and 4.
    let shifted = [(0.05, -7), (0.05, 4)];
    assert_eq!(mean(&[-100, -100, -11, 0], shifted, Rule::DoubleRoundingUp), [-42, -41]);
    assert_eq!(mean(&[29, 0, 0, 0], shifted, Rule::DoubleRoundingUp), [18, 19]);
}

#[test]
fn averages() {
    // 1.5, -1.5, 0.5, -0.5 and no half: 1.
    let pairs = [[1, 2], [-1, -2], [0, 1], [0, -1], [1, 1]];
    let values: Vec<i8> = (0..2).flat_map(|row| pairs.map(|pair| pair[row])).collect();
    let pool = Int8Operator::AveragePool2d(Window::valid([2, 1], [1, 1]));
    let input = (([2, 5, 1], 0.1, 7), values);
    let found = both(pool, &[input], ([1, 5, 1], 0.1, 7), Rule::OtherHalf);
    assert_eq!(found, [vec![2, -2, 1, -1, 1], vec![1, -1, 0, 0, 1]]);
}

#[test]
fn softmaxes() {
    // Values that LiteRT 2.3.0 gives with its optimised kernel. The first is 235.5002 of 256: fixed point falls a little
    // short.
    let by = multiplier(f64::from(0.05f32) * f64::from(1 << 26));
    let input = (([1, 1, 4], 0.05, 5), vec![108, 59, -74, -39]);
    let found =
        both(Int8Operator::Softmax(by, -255), &[input], ([1, 1, 4], 1.0 / 256.0, -128), Rule::FloatSoftmax);
    assert_eq!(found, [vec![107, -108, -128, -128], vec![108, -108, -128, -128]]);
}
