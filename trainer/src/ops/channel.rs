//! Passes over `[rows, channels]` matrices that treat each channel by itself: batch normalisation's share of the work.

use super::vector::{LANES, Vector, multiversion};

multiversion! {
    /// `sum[c] +=` total of `x - shift[c]`, `square[c] +=` total of `(x - shift[c])^2`.
    pub(crate) fn moments(channels: usize, x: &[f32], shift: &[f32], sum: &mut [f32], square: &mut [f32])
        = moments_kernel
}

multiversion! {
    /// `out = x - shift`, `sum[c] +=` its total.
    pub(crate) fn subtract(channels: usize, x: &[f32], shift: &[f32], out: &mut [f32], sum: &mut [f32])
        = subtract_kernel
}

multiversion! {
    /// `out = relu6(x * scale + shift)`.
    pub(crate) fn affine_relu6(channels: usize, x: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32])
        = affine_relu6_kernel
}

multiversion! {
    /// `out = x * scale + shift + out`.
    pub(crate) fn add_affine(channels: usize, x: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32])
        = add_affine_kernel
}

multiversion! {
    /// `sum[c] +=` total of `gradient`, `product[c] +=` total of `gradient * (x - mean[c])`.
    pub(crate) fn gradient_sums(
        channels: usize, gradient: &[f32], x: &[f32], mean: &[f32], sum: &mut [f32], product: &mut [f32],
    ) = gradient_sums_kernel
}

multiversion! {
    /// Sets `gradient` to zero where ReLU6 was flat (judged by its output), then as [`gradient_sums`].
    pub(crate) fn masked_sums(
        channels: usize, gradient: &mut [f32], output: &[f32], x: &[f32], mean: &[f32],
        sum: &mut [f32], product: &mut [f32],
    ) = masked_sums_kernel
}

multiversion! {
    /// `gradient * scale + x * slope + shift` per channel; row `r` goes to `out[offsets[r]..]`.
    pub(crate) fn scatter_gradient(
        channels: usize, gradient: &[f32], x: &[f32], coefficients: [&[f32]; 3],
        offsets: &[usize], out: &mut [f32],
    ) = scatter_gradient_kernel
}

/// Number of rows, after checking that the matrix is whole.
#[inline(always)]
fn rows_of(channels: usize, x: &[f32]) -> usize {
    assert!(channels.is_multiple_of(LANES) && x.len().is_multiple_of(channels));
    x.len() / channels
}

#[inline(always)]
unsafe fn moments_kernel<V: Vector>(
    channels: usize,
    x: &[f32],
    shift: &[f32],
    sum: &mut [f32],
    square: &mut [f32],
) {
    let rows = rows_of(channels, x);
    assert!([shift.len(), sum.len(), square.len()].iter().all(|&length| length >= channels));
    for channel in (0..channels).step_by(LANES) {
        // SAFETY: all slices hold `channels` values, `x` holds `rows` times as many.
        unsafe {
            let shift = V::load(shift.as_ptr().add(channel));
            let mut total = V::splat(0.0);
            let mut squares = V::splat(0.0);
            for row in 0..rows {
                let value = V::load(x.as_ptr().add(row * channels + channel)).sub(shift);
                total = total.add(value);
                squares = value.mul_add(value, squares);
            }
            add_to(sum, channel, total);
            add_to(square, channel, squares);
        }
    }
}

#[inline(always)]
unsafe fn subtract_kernel<V: Vector>(
    channels: usize,
    x: &[f32],
    shift: &[f32],
    out: &mut [f32],
    sum: &mut [f32],
) {
    let rows = rows_of(channels, x);
    assert!(shift.len() >= channels && sum.len() >= channels && out.len() >= x.len());
    for channel in (0..channels).step_by(LANES) {
        // SAFETY: as above.
        unsafe {
            let shift = V::load(shift.as_ptr().add(channel));
            let mut total = V::splat(0.0);
            for row in 0..rows {
                let index = row * channels + channel;
                let value = V::load(x.as_ptr().add(index)).sub(shift);
                value.store(out.as_mut_ptr().add(index));
                total = total.add(value);
            }
            add_to(sum, channel, total);
        }
    }
}

#[inline(always)]
unsafe fn affine_relu6_kernel<V: Vector>(
    channels: usize,
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    out: &mut [f32],
) {
    let rows = rows_of(channels, x);
    assert!(scale.len() >= channels && shift.len() >= channels && out.len() >= x.len());
    for row in 0..rows {
        for channel in (0..channels).step_by(LANES) {
            let index = row * channels + channel;
            // SAFETY: `index + LANES` is at most the length of `x`; the other lengths were checked.
            unsafe {
                let value = V::load(x.as_ptr().add(index));
                let scale = V::load(scale.as_ptr().add(channel));
                let shift = V::load(shift.as_ptr().add(channel));
                value.mul_add(scale, shift).relu6().store(out.as_mut_ptr().add(index));
            }
        }
    }
}

#[inline(always)]
unsafe fn add_affine_kernel<V: Vector>(
    channels: usize,
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    out: &mut [f32],
) {
    let rows = rows_of(channels, x);
    assert!(scale.len() >= channels && shift.len() >= channels && out.len() >= x.len());
    for row in 0..rows {
        for channel in (0..channels).step_by(LANES) {
            let index = row * channels + channel;
            // SAFETY: as above.
            unsafe {
                let target = out.as_mut_ptr().add(index);
                let scale = V::load(scale.as_ptr().add(channel));
                let shift = V::load(shift.as_ptr().add(channel));
                let value = V::load(x.as_ptr().add(index)).mul_add(scale, shift);
                value.add(V::load(target)).store(target);
            }
        }
    }
}

#[inline(always)]
unsafe fn gradient_sums_kernel<V: Vector>(
    channels: usize,
    gradient: &[f32],
    x: &[f32],
    mean: &[f32],
    sum: &mut [f32],
    product: &mut [f32],
) {
    let rows = rows_of(channels, gradient);
    assert!(x.len() >= gradient.len());
    assert!([mean.len(), sum.len(), product.len()].iter().all(|&length| length >= channels));
    for channel in (0..channels).step_by(LANES) {
        // SAFETY: all slices hold `channels` values, `x` and `gradient` hold `rows` times as many.
        unsafe {
            let mean = V::load(mean.as_ptr().add(channel));
            let mut total = V::splat(0.0);
            let mut products = V::splat(0.0);
            for row in 0..rows {
                let index = row * channels + channel;
                let value = V::load(gradient.as_ptr().add(index));
                total = total.add(value);
                products = V::load(x.as_ptr().add(index)).sub(mean).mul_add(value, products);
            }
            add_to(sum, channel, total);
            add_to(product, channel, products);
        }
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn masked_sums_kernel<V: Vector>(
    channels: usize,
    gradient: &mut [f32],
    output: &[f32],
    x: &[f32],
    mean: &[f32],
    sum: &mut [f32],
    product: &mut [f32],
) {
    let rows = rows_of(channels, gradient);
    assert!(x.len() >= gradient.len() && output.len() >= gradient.len());
    assert!([mean.len(), sum.len(), product.len()].iter().all(|&length| length >= channels));
    for channel in (0..channels).step_by(LANES) {
        // SAFETY: as above.
        unsafe {
            let mean = V::load(mean.as_ptr().add(channel));
            let mut total = V::splat(0.0);
            let mut products = V::splat(0.0);
            for row in 0..rows {
                let index = row * channels + channel;
                let target = gradient.as_mut_ptr().add(index);
                let value = V::load(output.as_ptr().add(index)).relu6_mask(V::load(target));
                value.store(target);
                total = total.add(value);
                products = V::load(x.as_ptr().add(index)).sub(mean).mul_add(value, products);
            }
            add_to(sum, channel, total);
            add_to(product, channel, products);
        }
    }
}

#[inline(always)]
unsafe fn scatter_gradient_kernel<V: Vector>(
    channels: usize,
    gradient: &[f32],
    x: &[f32],
    coefficients: [&[f32]; 3],
    offsets: &[usize],
    out: &mut [f32],
) {
    let rows = rows_of(channels, gradient);
    assert!(x.len() >= gradient.len() && offsets.len() >= rows);
    assert!(coefficients.iter().all(|values| values.len() >= channels));
    let [scale, slope, shift] = coefficients;
    for (row, &offset) in offsets[..rows].iter().enumerate() {
        assert!(offset + channels <= out.len());
        for channel in (0..channels).step_by(LANES) {
            let index = row * channels + channel;
            // SAFETY: the lengths were checked above, the row's place in `out` just now.
            unsafe {
                let shift = V::load(shift.as_ptr().add(channel));
                let slope = V::load(slope.as_ptr().add(channel));
                let scale = V::load(scale.as_ptr().add(channel));
                let value = V::load(x.as_ptr().add(index)).mul_add(slope, shift);
                let value = V::load(gradient.as_ptr().add(index)).mul_add(scale, value);
                value.store(out.as_mut_ptr().add(offset + channel));
            }
        }
    }
}

/// `target[channel..] += value`.
#[inline(always)]
unsafe fn add_to<V: Vector>(target: &mut [f32], channel: usize, value: V) {
    // SAFETY: the caller has checked that eight values follow `channel`.
    unsafe {
        let target = target.as_mut_ptr().add(channel);
        V::load(target).add(value).store(target);
    }
}
