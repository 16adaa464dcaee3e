// The gradients of a normalisation.
//
// With G the gradient of its output, after ReLU6's mask, s and p the sums of G and of G (x - mean) over all rows:
// beta's is s, gamma's p * inverse, and the input's is scale * (G - s / rows - (x - mean) * inverse^2 * p / rows).
// `slopes` are three rows of its channels: scale, the factor of x - mean, what is added.

DEVICE void finish_gradient(const Lane& lane, const float* sum, const float* product, int rows, int channels,
                            const float* norm, float* partials, u32* counters, float* gamma, float* beta, float* slopes) {
    __shared__ float shared[2048];
    float* own = partial(partials, blockIdx.x, 2);
    sum_lanes(lane, sum, shared, own);
    sum_lanes(lane, product, shared, own + TILE);
    if (!is_last_block(counters)) return;
    float s = sum_blocks(lane, shared, [&](int block, int c) { return partial(partials, block, 2)[c]; });
    float p = sum_blocks(lane, shared, [&](int block, int c) { return partial(partials, block, 2)[TILE + c]; });
    if (threadIdx.x < lane.width) {
        int c = lane.first + threadIdx.x;
        float inverse = norm[channels + c], scale = norm[2 * channels + c];
        beta[c] = s;
        gamma[c] = p * inverse;
        slopes[c] = scale;
        slopes[channels + c] = -scale * inverse * inverse * p / rows;
        slopes[2 * channels + c] = -scale * s / rows;
    }
}

// A row of dy is for so many `pixels`, rows of x.
KERNEL norm_gradient(const Real* dy, int pixels, const Real* x, const float* norm, int relu, int rows, int channels,
                     float* partials, u32* counters, float* gamma, float* beta, float* slopes) {
    Lane lane = lane_of(channels);
    float sum[8] = {}, product[8] = {};
    if (lane.lane < lane.lanes) {
        const float* own = norm + lane.channel;
        Eight mean = load_floats(own), scale = load_floats(own + 2 * channels), shift = load_floats(own + 3 * channels);
        for (int row = blockIdx.x * lane.lanes + lane.lane; row < rows; row += gridDim.x * lane.lanes) {
            Eight value = load(x + (u64)row * channels + lane.channel);
            Eight gradient = load(dy + (u64)(row / pixels) * channels + lane.channel);
#pragma unroll
            for (int i = 0; i < 8; i++) {
                bool live = !relu || passes_relu6(value.at[i] * scale.at[i] + shift.at[i]);
                float g = live ? gradient.at[i] : 0.f;
                sum[i] += g;
                product[i] += g * (value.at[i] - mean.at[i]);
            }
        }
    }
    finish_gradient(lane, sum, product, rows, channels, norm, partials, counters, gamma, beta, slopes);
}

// dx, the gradient of x; it may lie where dy does.
KERNEL norm_backward(const Real* dy, int pixels, const Real* x, const float* norm, const float* slopes, int relu,
                     u64 eights, int channels, Real* dx) {
    for (u64 i = blockIdx.x * 256ull + threadIdx.x; i < eights; i += gridDim.x * 256ull) {
        int groups = channels / 8, c = (int)(i % groups) * 8;
        u64 source = pixels == 1 ? i * 8 : i / groups / pixels * channels + c;
        Eight value = load(x + i * 8), gradient = load(dy + source), mean = load_floats(norm + c);
        Eight scale = load_floats(norm + 2 * channels + c), shift = load_floats(norm + 3 * channels + c);
        Eight slope = load_floats(slopes + channels + c), constant = load_floats(slopes + 2 * channels + c);
#pragma unroll
        for (int k = 0; k < 8; k++) {
            bool live = !relu || passes_relu6(value.at[k] * scale.at[k] + shift.at[k]);
            float g = live ? gradient.at[k] * scale.at[k] : 0.f;
            value.at[k] = g + (value.at[k] - mean.at[k]) * slope.at[k] + constant.at[k];
        }
        store(dx + i * 8, value);
    }
}
