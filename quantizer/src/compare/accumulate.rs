//! The exact sums that an operator forms before it rescales: integers, the same in every engine.

use super::site::Site;
use crate::graph::{Shape, Window};
use crate::quantize::{Int8Filter, Int8Operator};

/// One sum per output value, in the output's order:
/// bias plus weighted sum of `x - zero point` for convolutions and fully connected layers, the sum of `x - zero point`
/// for a mean, the sum of the raw x for an average pool. Other operators have none. Computed once for each site.
pub(super) fn sums<'a>(site: &'a Site<'_>) -> &'a [i64] {
    site.sums.get_or_init(|| computed(site))
}

fn computed(site: &Site<'_>) -> Vec<i64> {
    match &site.layer.operator {
        Int8Operator::Conv2d(window, filter) => {
            let channels = site.input(0).shape.channels;
            over_windows(site, window, |taps, channel| {
                let row = &filter.weights[channel * filter.row_len()..][..filter.row_len()];
                let dot = |&(tap, pixel): &(usize, &[i64])| -> i64 {
                    pixel.iter().zip(&row[tap * channels..]).map(|(x, &w)| x * i64::from(w)).sum()
                };
                i64::from(filter.bias[channel]) + taps.iter().map(dot).sum::<i64>()
            })
        }
        Int8Operator::DepthwiseConv2d(window, filter) => {
            let multiplier = site.output().shape.channels / site.input(0).shape.channels;
            over_windows(site, window, |taps, channel| {
                let row = &filter.weights[channel * filter.row_len()..];
                let dot = |&(tap, pixel): &(usize, &[i64])| pixel[channel / multiplier] * i64::from(row[tap]);
                i64::from(filter.bias[channel]) + taps.iter().map(dot).sum::<i64>()
            })
        }
        Int8Operator::FullyConnected(filter) => fully_connected(site, filter),
        Int8Operator::Mean(_) => {
            let values = centred(site, 0);
            let channels = site.input(0).shape.channels;
            (0..channels).map(|channel| values.iter().skip(channel).step_by(channels).sum()).collect()
        }
        Int8Operator::AveragePool2d(window) => {
            let zero_point = i64::from(site.input(0).quantisation.zero_point);
            over_windows(site, window, |taps, channel| {
                taps.iter().map(|(_, pixel)| pixel[channel] + zero_point).sum()
            })
        }
        _ => Vec::new(),
    }
}

/// For every output value of a pool the number of input values that its window meets.
pub(super) fn counts(site: &Site<'_>, window: &Window) -> Vec<i64> {
    over_windows(site, window, |taps, _| taps.len() as i64)
}

/// An input's values less its zero point.
pub(super) fn centred(site: &Site<'_>, place: usize) -> Vec<i64> {
    let zero_point = i64::from(site.input(place).quantisation.zero_point);
    site.inputs[place].iter().map(|&x| i64::from(x) - zero_point).collect()
}

fn fully_connected(site: &Site<'_>, filter: &Int8Filter) -> Vec<i64> {
    let values = centred(site, 0);
    let rows = filter.weights.chunks_exact(filter.row_len()).zip(&filter.bias);
    let dot = |row: &[i8]| values.iter().zip(row).map(|(x, &w)| x * i64::from(w)).sum::<i64>();
    rows.map(|(row, &bias)| i64::from(bias) + dot(row)).collect()
}

/// What `sum` makes of each output position and channel. It is given the taps that lie in the image: their number in
/// the window, and the centred channels of the pixel that they meet.
fn over_windows(
    site: &Site<'_>,
    window: &Window,
    sum: impl Fn(&[(usize, &[i64])], usize) -> i64,
) -> Vec<i64> {
    let values = centred(site, 0);
    let pixels: Vec<&[i64]> = values.chunks_exact(site.input(0).shape.channels).collect();
    let output = site.output().shape;
    let mut sums = Vec::with_capacity(output.volume());
    for position in 0..output.height * output.width {
        let position = [position / output.width, position % output.width];
        let taps = taps(window, site.input(0).shape, position);
        let met: Vec<(usize, &[i64])> = taps.map(|(tap, pixel)| (tap, pixels[pixel])).collect();
        sums.extend((0..output.channels).map(|channel| sum(&met, channel)));
    }
    sums
}

/// The taps of a window that lie in the image, with the pixels that they meet.
fn taps(window: &Window, input: Shape, position: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
    let Window { kernel, stride, before, .. } = *window;
    (0..window.taps()).filter_map(move |tap| {
        let at = [tap / kernel[1], tap % kernel[1]];
        let row = (position[0] * stride[0] + at[0]).checked_sub(before[0])?;
        let column = (position[1] * stride[1] + at[1]).checked_sub(before[1])?;
        (row < input.height && column < input.width).then_some((tap, row * input.width + column))
    })
}
