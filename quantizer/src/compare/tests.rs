//! Two fully connected layers beside a second statement of them with double rounding, right and with an error.

use super::{Comparison, Dump, Engine, Other, compare, inputs};
use crate::graph::{Activation, Filter, Graph, Operator, Shape};
use crate::quantize::{Int8Operator, Network, Range, quantise};
use crate::testing::Random;

const SIZES: [usize; 3] = [2, 600, 30];

fn network() -> Network {
    let mut random = Random::new(5);
    let mut graph = Graph::new(Shape::new(1, 1, SIZES[0]));
    let mut last = graph.input();
    for (name, [rows, columns]) in [("first", [SIZES[1], SIZES[0]]), ("second", [SIZES[2], SIZES[1]])] {
        let weights = (0..rows * columns).map(|_| random.uniform(-0.2, 0.2)).collect();
        let bias = (0..rows).map(|_| random.uniform(-0.1, 0.1)).collect();
        let dense = Operator::FullyConnected(Filter::new(weights, bias).unwrap());
        last = graph.add(name, dense, Activation::None, &[last]).unwrap();
    }
    let ranges = [1.0, 0.3, 1.0].map(|limit| Range { min: -limit, max: limit });
    quantise(&graph, &ranges).unwrap()
}

/// gemmlowp's `SaturatingRoundingDoublingHighMul`, then its `RoundingDivideByPOT`, as their comments define them.
fn twice_rounded(x: i32, mantissa: i32, shift: i32) -> i32 {
    let product = i64::from(x) * i64::from(mantissa);
    let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
    let high = ((product + nudge) / (1 << 31)) as i32;
    let mask = (1 << -shift) - 1;
    let threshold = (mask >> 1) + i32::from(high < 0);
    (high >> -shift) + i32::from(high & mask > threshold)
}

fn dense(network: &Network, layer: usize, input: &[i8]) -> Vec<i8> {
    let layer = &network.layers[layer];
    let Int8Operator::FullyConnected(filter) = &layer.operator else { panic!("all are") };
    let [from, to] = [layer.inputs[0], layer.output].map(|id| network.tensor(id).quantisation.zero_point);
    let output = |(channel, row): (usize, &[i8])| {
        let products = row.iter().zip(input).map(|(&w, &x)| i32::from(w) * (i32::from(x) - i32::from(from)));
        let by = filter.multipliers[channel];
        let value = twice_rounded(filter.bias[channel] + products.sum::<i32>(), by.mantissa, by.shift.into());
        (value + i32::from(to)).clamp(-128, 127) as i8
    };
    filter.weights.chunks(input.len()).enumerate().map(output).collect()
}

fn dump(network: &Network, inputs: &[Vec<i8>]) -> Dump {
    let hidden: Vec<Vec<i8>> = inputs.iter().map(|input| dense(network, 0, input)).collect();
    let outputs: Vec<Vec<i8>> = hidden.iter().map(|hidden| dense(network, 1, hidden)).collect();
    let layers =
        [&hidden[0], &outputs[0]].map(|values| ("FULLY_CONNECTED".to_owned(), values.clone())).to_vec();
    Dump { input: inputs.concat(), output: Some(outputs.concat()), layers, ..Dump::default() }
}

fn random() -> Vec<Vec<i8>> {
    inputs::random(SIZES[0], 64, 1).split_off(3)
}

#[test]
fn double_rounding_is_explained() {
    let (network, inputs) = (network(), random());
    let found = compare(&network, Other::Dump(&dump(&network, &inputs)), &inputs).unwrap();
    assert!(found.passed(), "{}\n{}", found.table(), found.verdict());
    assert_eq!(found.engines, [Engine::TfliteMicro]);
    let [first, _, output] = &found.findings[..] else { panic!("{found:?}") };
    assert!(first.own > 0 && first.own == first.differing, "{first:?}");
    assert_eq!(first.explained["double rounding"], first.own);
    // Of the other inputs only the outputs are known: the whole network is looked for in each engine.
    assert_eq!(output.values, (inputs.len() - 1) * SIZES[2]);
    assert_eq!(output.explained["TFLite Micro"], output.own);
    assert!(output.own > 10, "{output:?}");
    assert!(found.verdict().contains("TFLite Micro"), "{}", found.verdict());
}

#[test]
fn an_error_is_found_where_it_is() {
    let (network, inputs) = (network(), random());
    let mut wrong = network.clone();
    let Int8Operator::FullyConnected(filter) = &mut wrong.layers[1].operator else { panic!("all are") };
    filter.bias[17] += 10_000;
    let found = compare(&network, Other::Dump(&dump(&wrong, &inputs)), &inputs).unwrap();
    let [first, second, output] = &found.findings[..] else { panic!("{found:?}") };
    assert_eq!((first.unexplained, second.unexplained), (0, 1), "{}", found.table());
    let unexplained = second.first_unexplained.unwrap();
    assert_eq!((unexplained.input, unexplained.at), (0, [0, 0, 17]));
    assert!(output.unexplained > inputs.len() / 2, "{output:?}");
    assert!(!found.passed() && found.engines.is_empty());
    assert!(found.verdict().contains("\"second\""), "{}", found.verdict());
    assert_eq!(found.json()["passed"], false);
}

#[test]
fn networks_differ_by_their_constants() {
    let (network, inputs) = (network(), random());
    let equal = compare(&network, Other::Network(&network), &inputs).unwrap();
    assert!(equal.passed() && equal.verdict().starts_with("equal"), "{}", equal.verdict());
    let mut other = network.clone();
    let Int8Operator::FullyConnected(filter) = &mut other.layers[0].operator else { panic!("all are") };
    filter.weights[5] += 9;
    let found: Comparison = compare(&network, Other::Network(&other), &inputs).unwrap();
    let [first, second] = &found.findings[..] else { panic!("{found:?}") };
    assert_eq!(first.constants, ["1 of 1200 weights"]);
    assert_eq!((first.own, first.unexplained), (first.differing, first.differing));
    // The second layer's are an echo of the first's.
    assert!(second.differing > 0 && second.own == 0, "{}", found.table());
    assert!(!found.passed());
}

#[test]
fn what_is_no_pair_is_refused() {
    let (network, inputs) = (network(), random());
    let mut found = dump(&network, &inputs);
    let empty = Dump { input: inputs.concat(), ..Dump::default() };
    let error = compare(&network, Other::Dump(&empty), &inputs).unwrap_err();
    assert!(error.to_string().contains("layer_NNN"), "{error}");
    found.output = Some(vec![0; SIZES[2]]);
    let error = compare(&network, Other::Dump(&found), &inputs).unwrap_err();
    assert!(error.to_string().contains("1 outputs for 61 inputs"), "{error}");
}

/// Then the layers are judged, and the outputs from end to end.
#[test]
fn outputs_may_come_from_another_run_than_the_layers() {
    let (network, inputs) = (network(), random());
    let mut other = dump(&network, &inputs);
    other.layers[1].1[4] ^= 64;
    let found = compare(&network, Other::Dump(&other), &inputs).unwrap();
    let [_, second, output] = &found.findings[..] else { panic!("{found:?}") };
    assert_eq!((second.unexplained, second.alone, output.unexplained, output.alone), (1, true, 0, false));
    assert_eq!(output.values, inputs.len() * SIZES[2]);
}

#[test]
fn layers_that_a_dump_lacks_are_looked_for_in_each_engine() {
    let (network, inputs) = (network(), random());
    let mut other = dump(&network, &inputs);
    other.layers.remove(0);
    let found = compare(&network, Other::Dump(&other), &inputs).unwrap();
    assert_eq!(found.alone, [vec!["first".to_owned()], vec![]]);
    assert!(found.passed() && !found.findings[0].alone, "{}", found.table());
    // By name it is the tensor all the same.
    let hidden = dump(&network, &inputs).layers.remove(0).1;
    other.tensors.insert("first".into(), hidden);
    let found = compare(&network, Other::Dump(&other), &inputs).unwrap();
    assert!(found.passed() && found.findings[0].alone && found.findings[1].alone, "{}", found.table());
}
