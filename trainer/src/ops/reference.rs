//! The same layers by candle's own operators: slow, and right.

use candle_core::{Result, Tensor};

use super::geometry::Geometry;
use super::inverted_residual::BlockShape;
use mobilenet::BATCH_NORM_EPSILON;

/// Batch normalisation over all but the last dimension, by tensor operators.
fn batch_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Result<Tensor> {
    let flat = x.flatten_to(x.rank() - 2)?;
    let mean = flat.mean_keepdim(0)?;
    let centred = flat.broadcast_sub(&mean)?;
    let variance = centred.sqr()?.mean_keepdim(0)?;
    let normal = centred.broadcast_div(&(variance + BATCH_NORM_EPSILON)?.sqrt()?)?;
    normal.broadcast_mul(gamma)?.broadcast_add(beta)?.reshape(x.shape())
}

fn relu6(x: &Tensor) -> Result<Tensor> {
    x.clamp(0f64, 6f64)
}

/// `x` (NHWC) times the weights of a 1x1 convolution.
fn pointwise(x: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let (images, height, width, channels) = x.dims4()?;
    x.reshape(((), channels))?.matmul(weights)?.reshape((images, height, width, ()))
}

/// 3x3 depthwise convolution of `x` (NHWC) by candle's grouped convolution; `weights` is `[9, channels]`.
fn depthwise(x: &Tensor, weights: &Tensor, geometry: &Geometry) -> Result<Tensor> {
    let channels = x.dim(3)?;
    let kernel = weights.t()?.reshape((channels, 1, 3, 3))?.contiguous()?;
    let side = |out: usize, length: usize, before: usize| {
        ((out - 1) * geometry.stride + 3).saturating_sub(length + before)
    };
    let below = side(geometry.out_height, geometry.height, geometry.top);
    let right = side(geometry.out_width, geometry.width, geometry.left);
    let planes = x.permute((0, 3, 1, 2))?.contiguous()?;
    let planes = planes.pad_with_zeros(2, geometry.top, below)?.pad_with_zeros(3, geometry.left, right)?;
    planes.conv2d(&kernel, 0, geometry.stride, 1, channels)?.permute((0, 2, 3, 1))?.contiguous()
}

/// The packed parameters cut into tensors of the given shapes.
fn cut(packed: &Tensor, shapes: &[&[usize]]) -> Result<Vec<Tensor>> {
    let mut start = 0;
    shapes
        .iter()
        .map(|shape| {
            let length = shape.iter().product();
            start += length;
            packed.narrow(0, start - length, length)?.reshape(*shape)
        })
        .collect()
}

/// An inverted residual by candle's own operators.
pub(crate) fn block(shape: &BlockShape, x: &Tensor, packed: &Tensor) -> Result<Tensor> {
    let (k, n, out) = (shape.expansion.k, shape.expansion.n, shape.output);
    let shapes: [&[usize]; 9] = [&[k, n], &[n], &[n], &[9, n], &[n], &[n], &[n, out], &[out], &[out]];
    let p = cut(packed, &shapes)?;
    let input = x.narrow(3, 0, k)?.contiguous()?;
    let y = relu6(&batch_norm(&pointwise(&input, &p[0])?, &p[1], &p[2])?)?;
    let y = relu6(&batch_norm(&depthwise(&y, &p[3], &shape.geometry)?, &p[4], &p[5])?)?;
    let y = batch_norm(&pointwise(&y, &p[6])?, &p[7], &p[8])?;
    if shape.residual { y + x } else { Ok(y) }
}

/// The last convolution with its pooling by candle's own operators.
pub(crate) fn features(k: usize, n: usize, x: &Tensor, packed: &Tensor) -> Result<Tensor> {
    let p = cut(packed, &[&[k, n], &[n], &[n]])?;
    relu6(&batch_norm(&pointwise(x, &p[0])?, &p[1], &p[2])?)?.mean((1, 2))
}
