//! The 3x3 depthwise convolution of one image and its two gradients.
//!
//! Buffers are NHWC. The input lies in a padded buffer, the output's gradient in a bordered one (see [`Geometry`]);
//! both borders hold zeros, so that no kernel has to look for the edge. Weights are `[3, 3, channels]`.

use super::geometry::{Geometry, KERNEL, TAPS};
use super::vector::{LANES, Vector, multiversion};

multiversion! {
    /// `out` (`[out_height, out_width, channels]`) `= input * weights`.
    pub(crate) fn forward(geometry: &Geometry, channels: usize, input: &[f32], weights: &[f32], out: &mut [f32])
        = forward_kernel
}

multiversion! {
    /// `sum` (`[3, 3, channels]`) `+=` the gradient of the weights.
    pub(crate) fn accumulate_weights(
        geometry: &Geometry, channels: usize, input: &[f32], gradient: &[f32], sum: &mut [f32],
    ) = accumulate_kernel
}

multiversion! {
    /// The gradient of what went into ReLU6, from the gradient of the convolution's output: `out` is
    /// `[height, width, channels]`; `input` is the padded output of that ReLU6. `sum[c] +=` the total of `out`.
    pub(crate) fn backward(
        geometry: &Geometry, channels: usize, gradient: &[f32], weights: &[f32], input: &[f32],
        out: &mut [f32], sum: &mut [f32],
    ) = backward_kernel
}

#[inline(always)]
unsafe fn forward_kernel<V: Vector>(
    geometry: &Geometry,
    channels: usize,
    input: &[f32],
    weights: &[f32],
    out: &mut [f32],
) {
    check(geometry, channels, input, weights);
    assert!(out.len() >= geometry.out_pixels() * channels);
    for y in 0..geometry.out_height {
        for channel in (0..channels).step_by(LANES) {
            // SAFETY: the kernel's window lies in the padded input for every output pixel; lengths checked above.
            unsafe {
                let weights = load_taps::<V>(weights, channels, channel);
                let step = geometry.stride * channels;
                let rows = window_rows(geometry, channels, input, y, channel);
                let mut target = out.as_mut_ptr().add(y * geometry.out_width * channels + channel);
                for x in 0..geometry.out_width {
                    let mut sum = V::splat(0.0);
                    for ky in 0..KERNEL {
                        for kx in 0..KERNEL {
                            let value = V::load(rows[ky].add(x * step + kx * channels));
                            sum = value.mul_add(weights[ky * KERNEL + kx], sum);
                        }
                    }
                    sum.store(target);
                    target = target.add(channels);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn accumulate_kernel<V: Vector>(
    geometry: &Geometry,
    channels: usize,
    input: &[f32],
    gradient: &[f32],
    sum: &mut [f32],
) {
    check(geometry, channels, input, sum);
    assert!(gradient.len() >= geometry.bordered_pixels() * channels);
    for y in 0..geometry.out_height {
        for channel in (0..channels).step_by(LANES) {
            // SAFETY: as in the forward kernel; the gradient's pixel lies inside its border.
            unsafe {
                let mut sums = load_taps::<V>(sum, channels, channel);
                let step = geometry.stride * channels;
                let rows = window_rows(geometry, channels, input, y, channel);
                let start = ((y + 1) * geometry.bordered_width() + 1) * channels + channel;
                let mut source = gradient.as_ptr().add(start);
                for x in 0..geometry.out_width {
                    let gradient = V::load(source);
                    for ky in 0..KERNEL {
                        for kx in 0..KERNEL {
                            let value = V::load(rows[ky].add(x * step + kx * channels));
                            sums[ky * KERNEL + kx] = value.mul_add(gradient, sums[ky * KERNEL + kx]);
                        }
                    }
                    source = source.add(channels);
                }
                for (tap, total) in sums.iter().enumerate() {
                    total.store(sum.as_mut_ptr().add(tap * channels + channel));
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn backward_kernel<V: Vector>(
    geometry: &Geometry,
    channels: usize,
    gradient: &[f32],
    weights: &[f32],
    input: &[f32],
    out: &mut [f32],
    sum: &mut [f32],
) {
    check(geometry, channels, input, weights);
    assert!(gradient.len() >= geometry.bordered_pixels() * channels);
    assert!(out.len() >= geometry.pixels() * channels && sum.len() >= channels);
    let pass = Backward { geometry, channels, gradient, weights, input };
    for y in 0..geometry.height {
        for channel in (0..channels).step_by(LANES) {
            // SAFETY: lengths checked above, and the instruction set is the caller's promise.
            unsafe {
                let total = match geometry.stride {
                    1 => pass.row::<V, 1>(y, channel, out),
                    _ => pass.row::<V, 2>(y, channel, out),
                };
                let sum = sum.as_mut_ptr().add(channel);
                V::load(sum).add(total).store(sum);
            }
        }
    }
}

struct Backward<'a> {
    geometry: &'a Geometry,
    channels: usize,
    gradient: &'a [f32],
    weights: &'a [f32],
    input: &'a [f32],
}

impl Backward<'_> {
    /// One row of the input's gradient for eight channels; returns its total.
    ///
    /// Padded row p was read by output row (p - ky) / stride for each ky that divides evenly: for stride 2 only the
    /// taps of p's own parity. The same holds for columns.
    #[inline(always)]
    unsafe fn row<V: Vector, const STRIDE: usize>(&self, y: usize, channel: usize, out: &mut [f32]) -> V {
        let (geometry, channels) = (self.geometry, self.channels);
        let padded = y + geometry.top;
        // SAFETY: (padded - ky) / stride is from -1 to out_height: inside the border; `out` and `input` as checked.
        unsafe {
            let weights = load_taps::<V>(self.weights, channels, channel);
            let mut rows = [self.gradient.as_ptr(); KERNEL];
            for (ky, row) in rows.iter_mut().enumerate() {
                // The border moves indices up by one: this is (padded - ky) / stride + 1, never negative.
                let index = (padded + STRIDE - ky) / STRIDE;
                *row = row.add(index * geometry.bordered_width() * channels + channel);
            }
            let even = padded.is_multiple_of(2);
            let mut total = V::splat(0.0);
            let start = (padded * geometry.padded_width() + geometry.left) * channels + channel;
            let mut activated = self.input.as_ptr().add(start);
            let mut target = out.as_mut_ptr().add(y * geometry.width * channels + channel);
            for x in geometry.left..geometry.left + geometry.width {
                let value = match (STRIDE, even, x.is_multiple_of(2)) {
                    (1, ..) => taps::<V, 1, 3, 3>([0, 1, 2], [0, 1, 2], rows, x, channels, &weights),
                    (_, true, true) => taps::<V, 2, 2, 2>([0, 2], [0, 2], rows, x, channels, &weights),
                    (_, true, false) => taps::<V, 2, 2, 1>([0, 2], [1], rows, x, channels, &weights),
                    (_, false, true) => taps::<V, 2, 1, 2>([1], [0, 2], rows, x, channels, &weights),
                    (_, false, false) => taps::<V, 2, 1, 1>([1], [1], rows, x, channels, &weights),
                };
                let value = V::load(activated).relu6_mask(value);
                value.store(target);
                total = total.add(value);
                activated = activated.add(channels);
                target = target.add(channels);
            }
            total
        }
    }
}

/// The sum over the taps `kys` x `kxs` of weight times gradient, for padded column `x`.
#[inline(always)]
unsafe fn taps<V: Vector, const STRIDE: usize, const Y: usize, const X: usize>(
    kys: [usize; Y],
    kxs: [usize; X],
    rows: [*const f32; KERNEL],
    x: usize,
    channels: usize,
    weights: &[V; TAPS],
) -> V {
    // SAFETY: the caller's rows start at the border, and (x - kx) / stride + 1 lies between its two columns.
    unsafe {
        let mut value = V::splat(0.0);
        for ky in kys {
            for kx in kxs {
                let gradient = V::load(rows[ky].add((x + STRIDE - kx) / STRIDE * channels));
                value = gradient.mul_add(weights[ky * KERNEL + kx], value);
            }
        }
        value
    }
}

/// The checks all three kernels share. `weights` is any `[3, 3, channels]`.
#[inline(always)]
fn check(geometry: &Geometry, channels: usize, input: &[f32], weights: &[f32]) {
    assert!(channels.is_multiple_of(LANES) && matches!(geometry.stride, 1 | 2));
    assert!(input.len() >= geometry.padded_pixels() * channels);
    assert!(weights.len() >= TAPS * channels);
}

#[inline(always)]
unsafe fn load_taps<V: Vector>(weights: &[f32], channels: usize, channel: usize) -> [V; TAPS] {
    // SAFETY: the caller has checked that there are TAPS rows of `channels`.
    unsafe {
        let mut taps = [V::splat(0.0); TAPS];
        for (tap, value) in taps.iter_mut().enumerate() {
            *value = V::load(weights.as_ptr().add(tap * channels + channel));
        }
        taps
    }
}

/// The three rows of the padded input under output row `y`.
#[inline(always)]
unsafe fn window_rows(
    geometry: &Geometry,
    channels: usize,
    input: &[f32],
    y: usize,
    channel: usize,
) -> [*const f32; KERNEL] {
    let mut rows = [input.as_ptr(); KERNEL];
    for (ky, row) in rows.iter_mut().enumerate() {
        let start = (y * geometry.stride + ky) * geometry.padded_width() * channels + channel;
        // SAFETY: y * stride + ky is below the padded height for every output row.
        *row = unsafe { row.add(start) };
    }
    rows
}
