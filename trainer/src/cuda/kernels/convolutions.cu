// The stem's patches, and the depthwise convolution with its gradients.

// What the stem, a product then, takes of the pictures: nine pixels, then zeros up to `length`, a multiple of eight.
KERNEL patches(const float* pictures, Geometry g, int length, Real* out) {
    u64 eights = (u64)g.images * g.out_height * g.out_width * (length / 8);
    for (u64 i = blockIdx.x * 256ull + threadIdx.x; i < eights; i += gridDim.x * 256ull) {
        Window at = window(g, (u32)(i / (length / 8)));
        int first = (int)(i % (length / 8)) * 8;
        Eight patch;
#pragma unroll
        for (int k = 0; k < 8; k++) {
            int tap = (first + k) / g.channels, channel = (first + k) % g.channels;
            int y = at.y + tap / 3, x = at.x + tap % 3;
            bool inside = tap < 9 && y >= 0 && y < g.height && x >= 0 && x < g.width;
            patch.at[k] = inside ? pictures[(((u64)at.image * g.height + y) * g.width + x) * g.channels + channel] : 0.f;
        }
        store(out + i * 8, patch);
    }
}

// The input of a depthwise convolution is stored as it is before its normalisation and ReLU6.
DEVICE Eight activated(const Real* x, const Eight& scale, const Eight& shift) {
    Eight value = load(x);
#pragma unroll
    for (int i = 0; i < 8; i++) value.at[i] = relu6(value.at[i] * scale.at[i] + shift.at[i]);
    return value;
}

// y = depthwise(ReLU6(in_norm(x))) and, unless gamma is null, norm = that of y.
KERNEL depthwise(const Real* x, const float* in_norm, const float* weights, Geometry g, float epsilon,
                 const float* gamma, const float* beta, float* partials, u32* counters, float* norm, Real* y) {
    Lane lane = lane_of(g.channels);
    int rows = g.images * g.out_height * g.out_width, channels = g.channels;
    Moments own = {};
    if (lane.lane < lane.lanes) {
        Eight scale = load_floats(in_norm + 2 * channels + lane.channel);
        Eight shift = load_floats(in_norm + 3 * channels + lane.channel);
        for (int row = blockIdx.x * lane.lanes + lane.lane; row < rows; row += gridDim.x * lane.lanes) {
            Window at = window(g, row);
            Eight sum = {};
#pragma unroll
            for (int tap = 0; tap < 9; tap++) {
                int iy = at.y + tap / 3, ix = at.x + tap % 3;
                if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
                u64 pixel = ((u64)at.image * g.height + iy) * g.width + ix;
                Eight value = activated(x + pixel * channels + lane.channel, scale, shift);
                Eight weight = load_floats(weights + tap * channels + lane.channel);
#pragma unroll
                for (int i = 0; i < 8; i++) sum.at[i] += value.at[i] * weight.at[i];
            }
            Real* to = y + (u64)row * channels + lane.channel;
            store(to, sum);
            // As it is stored, which is what others read.
            add(own, PRECISION == 0 ? sum : load(to));
        }
    }
    if (gamma) normalise(lane, own, rows, channels, epsilon, gamma, beta, partials, counters, norm);
}

// dw, the gradient of the depthwise weights.
KERNEL depthwise_weights(const Real* x, const float* in_norm, const Real* dy, Geometry g, float* partials, u32* counters,
                         float* dw) {
    __shared__ float shared[2048];
    Lane lane = lane_of(g.channels);
    int rows = g.images * g.out_height * g.out_width, channels = g.channels;
    float sums[9][8] = {};
    if (lane.lane < lane.lanes) {
        Eight scale = load_floats(in_norm + 2 * channels + lane.channel);
        Eight shift = load_floats(in_norm + 3 * channels + lane.channel);
        for (int row = blockIdx.x * lane.lanes + lane.lane; row < rows; row += gridDim.x * lane.lanes) {
            Window at = window(g, row);
            Eight gradient = load(dy + (u64)row * channels + lane.channel);
#pragma unroll
            for (int tap = 0; tap < 9; tap++) {
                int iy = at.y + tap / 3, ix = at.x + tap % 3;
                if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
                u64 pixel = ((u64)at.image * g.height + iy) * g.width + ix;
                Eight value = activated(x + pixel * channels + lane.channel, scale, shift);
#pragma unroll
                for (int i = 0; i < 8; i++) sums[tap][i] += value.at[i] * gradient.at[i];
            }
        }
    }
    float* own = partial(partials, blockIdx.x, 9);
#pragma unroll
    for (int tap = 0; tap < 9; tap++) sum_lanes(lane, sums[tap], shared, own + tap * TILE);
    if (!is_last_block(counters)) return;
    for (int tap = 0; tap < 9; tap++) {
        auto value = [&](int block, int c) { return partial(partials, block, 9)[tap * TILE + c]; };
        float sum = sum_blocks(lane, shared, value);
        if (threadIdx.x < lane.width) dw[tap * channels + lane.first + threadIdx.x] = sum;
    }
}

// dx = the gradient of in_norm(x), before ReLU6, and what `norm_backward` needs to go on.
KERNEL depthwise_input(const Real* dy, const float* weights, const Real* x, const float* in_norm, Geometry g,
                       float* partials, u32* counters, float* gamma, float* beta, float* slopes, Real* dx) {
    Lane lane = lane_of(g.channels);
    int rows = g.images * g.height * g.width, channels = g.channels;
    float sum[8] = {}, product[8] = {};
    if (lane.lane < lane.lanes) {
        const float* norm = in_norm + lane.channel;
        Eight mean = load_floats(norm), scale = load_floats(norm + 2 * channels), shift = load_floats(norm + 3 * channels);
        for (int row = blockIdx.x * lane.lanes + lane.lane; row < rows; row += gridDim.x * lane.lanes) {
            int ix = row % g.width, iy = row / g.width % g.height;
            u64 image = row / g.width / g.height;
            Eight gradient = {};
#pragma unroll
            for (int tap = 0; tap < 9; tap++) {
                // The output pixels whose kernel has this tap over the input's pixel.
                int y = iy + g.top - tap / 3, x = ix + g.left - tap % 3;
                if (g.stride == 2 && ((y | x) & 1)) continue;
                int oy = g.stride == 2 ? y >> 1 : y, ox = g.stride == 2 ? x >> 1 : x;
                if (oy < 0 || oy >= g.out_height || ox < 0 || ox >= g.out_width) continue;
                u64 pixel = (image * g.out_height + oy) * g.out_width + ox;
                Eight value = load(dy + pixel * channels + lane.channel);
                Eight weight = load_floats(weights + tap * channels + lane.channel);
#pragma unroll
                for (int i = 0; i < 8; i++) gradient.at[i] += value.at[i] * weight.at[i];
            }
            Eight value = load(x + (u64)row * channels + lane.channel);
#pragma unroll
            for (int i = 0; i < 8; i++) {
                if (!passes_relu6(value.at[i] * scale.at[i] + shift.at[i])) gradient.at[i] = 0.f;
                sum[i] += gradient.at[i];
                product[i] += gradient.at[i] * (value.at[i] - mean.at[i]);
            }
            store(dx + (u64)row * channels + lane.channel, gradient);
        }
    }
    finish_gradient(lane, sum, product, rows, channels, in_norm, partials, counters, gamma, beta, slopes);
}
