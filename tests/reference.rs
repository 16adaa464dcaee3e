//! The int8 contract stated a second time, in 128-bit integers and by its definitions: slow, plain, and sharing no
//! line with the runtime.

use crate::spec::{Kind, Multiplier, Spec, Window};

/// `floor(x * m + 1/2)` for `m = mantissa * 2^(shift - 31)`.
pub fn rescale(x: i128, (mantissa, shift): Multiplier) -> i128 {
    let denominator = 1i128 << (31 - i32::from(shift));
    (2 * x * i128::from(mantissa) + denominator).div_euclid(2 * denominator)
}

/// The output of an operator.
pub fn run(spec: &Spec, inputs: &[Vec<i8>]) -> Vec<i8> {
    // Relative to the output's zero point.
    let exact: Vec<i128> = match &spec.kind {
        Kind::Convolution { depthwise, window, weights } => {
            convolution(spec, *depthwise, window, weights, &inputs[0])
        }
        Kind::FullyConnected(weights) => fully_connected(spec, weights, &inputs[0]),
        Kind::Add(multipliers) => add(spec, multipliers, inputs),
        Kind::Mean(multiplier) => mean(spec, *multiplier, &inputs[0]),
        Kind::Softmax(multiplier, diff_min) => inputs[0]
            .chunks(spec.inputs[0].shape[2])
            .flat_map(|row| softmax(row, *multiplier, *diff_min))
            .collect(),
        Kind::AveragePool(window) => pooled(spec, window, &inputs[0], average),
        Kind::MaxPool(window) => pooled(spec, window, &inputs[0], largest),
        Kind::Pad(before) => pad(spec, before, &inputs[0]),
        Kind::Constant(values) => {
            values.iter().map(|&value| i128::from(value) - i128::from(spec.output.zero_point)).collect()
        }
    };
    let zero_point = i128::from(spec.output.zero_point);
    let (min, max) = spec.activation;
    exact.into_iter().map(|x| (x + zero_point).clamp(min.into(), max.into()) as i8).collect()
}

fn centred(spec: &Spec, input: usize, value: i8) -> i128 {
    i128::from(value) - i128::from(spec.inputs[input].zero_point)
}

/// The taps of an output position that lie inside the input: each tap's number and its pixel's.
fn taps(spec: &Spec, window: &Window, position: usize) -> Vec<(usize, usize)> {
    let &[kernel_height, kernel_width, down, across, above, left] = window;
    let [height, width, _] = spec.inputs[0].shape;
    let (row, column) = (position / spec.output.shape[1], position % spec.output.shape[1]);
    let mut found = Vec::new();
    for tap in 0..kernel_height * kernel_width {
        let (y, x) = (row * down + tap / kernel_width, column * across + tap % kernel_width);
        if (above..above + height).contains(&y) && (left..left + width).contains(&x) {
            found.push((tap, (y - above) * width + x - left));
        }
    }
    found
}

fn convolution(spec: &Spec, depthwise: bool, window: &Window, weights: &[i8], x: &[i8]) -> Vec<i128> {
    let (inputs, outputs) = (spec.inputs[0].shape[2], spec.output.shape[2]);
    let output = |index: usize| {
        let c = index % outputs;
        let (bias, multiplier) = spec.constants[c];
        let mut sum = i128::from(bias);
        for (tap, pixel) in taps(spec, window, index / outputs) {
            for k in 0..inputs {
                let weight = match depthwise {
                    true if c / (outputs / inputs) != k => 0,
                    true => weights[tap * outputs + c],
                    false => weights[(c * window[0] * window[1] + tap) * inputs + k],
                };
                sum += i128::from(weight) * centred(spec, 0, x[pixel * inputs + k]);
            }
        }
        rescale(sum, multiplier)
    };
    (0..spec.output.volume()).map(output).collect()
}

/// What `pool` makes of the raw values in each window.
fn pooled(spec: &Spec, window: &Window, x: &[i8], pool: impl Fn(&[i128]) -> i128) -> Vec<i128> {
    let channels = spec.output.shape[2];
    let output = |index: usize| {
        let value = |(_, pixel)| i128::from(x[pixel * channels + index % channels]);
        let values: Vec<i128> = taps(spec, window, index / channels).into_iter().map(value).collect();
        pool(&values) - i128::from(spec.output.zero_point)
    };
    (0..spec.output.volume()).map(output).collect()
}

fn average(values: &[i128]) -> i128 {
    half_away(values.iter().sum(), values.len() as i128)
}

fn largest(values: &[i128]) -> i128 {
    values.iter().copied().max().expect("every window meets the input")
}

fn pad(spec: &Spec, before: &[usize; 3], x: &[i8]) -> Vec<i128> {
    let [height, width, channels] = spec.inputs[0].shape;
    let output = |index: usize| {
        let [y, z, c] = coordinates(spec.output.shape, index);
        let inside =
            |at: usize, axis: usize, side: usize| at.checked_sub(before[axis]).filter(|&at| at < side);
        match (inside(y, 0, height), inside(z, 1, width), inside(c, 2, channels)) {
            (Some(y), Some(z), Some(c)) => centred(spec, 0, x[(y * width + z) * channels + c]),
            _ => 0,
        }
    };
    (0..spec.output.volume()).map(output).collect()
}

/// Row, column and channel of a value.
fn coordinates([_, width, channels]: [usize; 3], index: usize) -> [usize; 3] {
    [index / channels / width, index / channels % width, index % channels]
}

fn fully_connected(spec: &Spec, weights: &[i8], x: &[i8]) -> Vec<i128> {
    let output = |(c, &(bias, multiplier)): (usize, &(i32, Multiplier))| {
        let products = (0..x.len()).map(|k| i128::from(weights[c * x.len() + k]) * centred(spec, 0, x[k]));
        rescale(i128::from(bias) + products.sum::<i128>(), multiplier)
    };
    spec.constants.iter().enumerate().map(output).collect()
}

fn add(spec: &Spec, multipliers: &[Multiplier; 3], inputs: &[Vec<i8>]) -> Vec<i128> {
    let aligned = |input: usize, index: usize| {
        let at = coordinates(spec.output.shape, index);
        let [height, width, channels] = spec.inputs[input].shape;
        // A side of 1 is repeated.
        let [y, z, c] = [at[0] % height, at[1] % width, at[2] % channels];
        let value = inputs[input][(y * width + z) * channels + c];
        rescale(centred(spec, input, value) * (1 << 20), multipliers[input])
    };
    let output = |index| rescale(aligned(0, index) + aligned(1, index), multipliers[2]);
    (0..spec.output.volume()).map(output).collect()
}

fn mean(spec: &Spec, multiplier: Multiplier, x: &[i8]) -> Vec<i128> {
    let channels = spec.output.shape[2];
    let sum = |c: usize| (c..x.len()).step_by(channels).map(|k| centred(spec, 0, x[k])).sum();
    (0..channels).map(|c| rescale(sum(c), multiplier)).collect()
}

/// gemmlowp's softmax. A real `r` is `r * 2^31` in Q0.31.
fn softmax(x: &[i8], multiplier: Multiplier, diff_min: i32) -> Vec<i128> {
    let max = x.iter().copied().max().unwrap_or(0);
    let exponential = |v: &i8| {
        let difference = i128::from(*v) - i128::from(max);
        (difference >= i128::from(diff_min)).then(|| exp(rescale(difference, multiplier)))
    };
    let exponentials: Vec<Option<i128>> = x.iter().map(exponential).collect();
    let sum: i128 = exponentials.iter().flatten().map(|&e| half_away(e, 1 << 12)).sum();
    let (factor, bits) = reciprocal(sum);
    exponentials.iter().map(|e| e.map_or(0, |e| half_away(q31(factor, e), 1 << (bits + 23)))).collect()
}

/// `x / d`, rounded to nearest, halves away from zero.
fn half_away(x: i128, d: i128) -> i128 {
    (2 * x.abs() + d) / (2 * d) * x.signum()
}

/// Product of two Q0.31 numbers, halves away from zero... except that gemmlowp's nudge makes negative halves go up.
fn q31(a: i128, b: i128) -> i128 {
    let exact = a * b;
    let nudge = if exact >= 0 { 1i128 << 30 } else { 1 - (1i128 << 30) };
    ((exact + nudge) / (1i128 << 31)).min((1 << 31) - 1)
}

/// `exp(a)` in Q0.31 for `a <= 0` in Q5.26: a polynomial on the last quarter, then one factor per binary digit.
fn exp(a: i128) -> i128 {
    if a == 0 {
        return (1 << 31) - 1;
    }
    let quarter = 1i128 << 24;
    // a = fraction - quarters * 1/4 with fraction in [-1/4, 0).
    let fraction = a.rem_euclid(quarter) - quarter;
    let quarters = (fraction - a) / quarter;
    let x = fraction * 32 + (1 << 28);
    let x2 = q31(x, x);
    let (x3, x4) = (q31(x2, x), q31(x2, x2));
    let tail = half_away(q31(half_away(x4, 4) + x3, 715_827_883) + x2, 2);
    let eighth = 1_895_147_668;
    let mut result = eighth + q31(eighth, x + tail);
    for (digit, factor) in [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242]
        .into_iter()
        .enumerate()
    {
        if quarters >> digit & 1 == 1 {
            result = q31(result, factor);
        }
    }
    result
}

/// `1 / sum` of a Q12.19 number, as a Q0.31 factor and the bits to shift it right by.
fn reciprocal(sum: i128) -> (i128, u32) {
    let mut normal = sum;
    let mut bits = 12;
    while normal < 1 << 31 {
        normal *= 2;
        bits -= 1;
    }
    let half = half_away(normal - (1 << 31) + (1i128 << 31) - 1, 2);
    let mut z = 1_515_870_810 + q31(half, -1_010_580_540);
    for _ in 0..3 {
        let error = (1 << 29) - q31(half, z);
        z += (q31(z, error) * 4).clamp(-(1 << 31), (1 << 31) - 1);
    }
    ((2 * z).clamp(-(1 << 31), (1 << 31) - 1), bits)
}
