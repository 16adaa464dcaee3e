//! What two layers that belong together hold differently.

use crate::graph::Window;
use crate::quantize::{Int8Operator, Layer, Network, Stored};
use edge8::fixed_point::Multiplier;

/// The differences between a layer of A and its counterpart in B, in words; empty if there are none.
pub(super) fn differences(a: (&Network, &Layer), b: (&Network, &Layer)) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |differs: bool, what: String| found.extend(differs.then_some(what));
    let [x, y] = [a, b].map(|(network, layer)| network.tensor(layer.output).quantisation);
    say(x.scale != y.scale, format!("output scale {} and {}", x.scale, y.scale));
    say(x.zero_point != y.zero_point, format!("zero point {} and {}", x.zero_point, y.zero_point));
    let [x, y] = [a, b].map(|(_, layer)| layer.activation);
    say(x != y, format!("clamp {}..{} and {}..{}", x.min, x.max, y.min, y.max));
    let [x, y] = [a, b].map(|(_, layer)| Constants::of(&layer.operator));
    say(x.window != y.window, format!("window {} and {}", x.window, y.window));
    say(x.weights != y.weights, unlike("weights", x.weights, y.weights));
    say(x.bias != y.bias, unlike("biases", x.bias, y.bias));
    say(x.multipliers != y.multipliers, unlike("multipliers", x.multipliers, y.multipliers));
    found
}

fn unlike<T: PartialEq>(what: &str, a: &[T], b: &[T]) -> String {
    let unlike = a.iter().zip(b).filter(|(a, b)| a != b).count() + a.len().abs_diff(b.len());
    format!("{unlike} of {} {what}", a.len().max(b.len()))
}

/// The constants of any operator.
struct Constants<'a> {
    window: String,
    weights: &'a [i8],
    bias: &'a [i32],
    multipliers: &'a [Multiplier],
}

impl<'a> Constants<'a> {
    fn of(operator: &'a Int8Operator) -> Self {
        let (weights, bias): (&[i8], &[i32]) = match operator.stored() {
            Stored::Matrix(filter) | Stored::Depthwise(filter, _) => (&filter.weights, &filter.bias),
            Stored::Values(values) => (values, &[]),
            Stored::Nothing => (&[], &[]),
        };
        let window = operator.window().map(described);
        let window = window.or_else(|| operator.border().map(|border| format!("{border:?}")));
        Self { window: window.unwrap_or_default(), weights, bias, multipliers: operator.multipliers() }
    }
}

/// What follows the image is left out: it is whatever the output's size needs.
fn described(window: &Window) -> String {
    format!("{:?} step {:?} padded {:?}", window.kernel, window.stride, window.before)
}
