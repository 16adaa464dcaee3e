// What a training step does besides matrix products; NVRTC compiles it when training begins.
//
// Activations are NHWC, of type Real; weights of depthwise convolutions, statistics and gradients of weights are float, and so is
// all arithmetic. Channels are a multiple of eight, which one thread treats together. Every block has 256 threads. Sums are taken
// in an order that depends on sizes alone, so that a run can be repeated.
//
// A normalisation is four rows of its channels: mean, 1 / sqrt(variance + epsilon), scale, shift.

#ifndef KERNEL
#define KERNEL extern "C" __global__ void __launch_bounds__(256)
#endif
#define DEVICE static __device__ __forceinline__

typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned long long u64;

// PRECISION is that of Real: 0 for f32, 1 for bf16, 2 for f16. NVRTC comes without the headers of the short ones.
#if PRECISION == 0
typedef float Real;
DEVICE float widen(Real x) { return x; }
DEVICE Real narrow(float x) { return x; }
#else
typedef u16 Real;
#ifdef EMULATED
DEVICE float widen(Real x) { return emulated::widen(x, PRECISION); }
DEVICE Real narrow(float x) { return emulated::narrow(x, PRECISION); }
#elif PRECISION == 1
DEVICE float widen(Real x) { return __uint_as_float((u32)x << 16); }
DEVICE Real narrow(float x) {
    Real bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
#else
DEVICE float widen(Real x) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(x));
    return value;
}
DEVICE Real narrow(float x) {
    Real bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
#endif
#endif

struct Eight {
    float at[8];
};

DEVICE Eight load_floats(const float* from) {
    float4 low = ((const float4*)from)[0], high = ((const float4*)from)[1];
    return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
}

#if PRECISION == 0
DEVICE Eight load(const Real* from) { return load_floats(from); }
DEVICE void store(Real* to, const Eight& x) {
    ((float4*)to)[0] = make_float4(x.at[0], x.at[1], x.at[2], x.at[3]);
    ((float4*)to)[1] = make_float4(x.at[4], x.at[5], x.at[6], x.at[7]);
}
#else
DEVICE Eight load(const Real* from) {
    uint4 four = *(const uint4*)from;
    u32 pairs[4] = {four.x, four.y, four.z, four.w};
    Eight x;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        x.at[2 * i] = widen((Real)(pairs[i] & 0xffff));
        x.at[2 * i + 1] = widen((Real)(pairs[i] >> 16));
    }
    return x;
}
DEVICE void store(Real* to, const Eight& x) {
    u32 pairs[4];
#pragma unroll
    for (int i = 0; i < 4; i++) pairs[i] = (u32)narrow(x.at[2 * i]) | (u32)narrow(x.at[2 * i + 1]) << 16;
    *(uint4*)to = make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
}
#endif

DEVICE float relu6(float x) { return fminf(fmaxf(x, 0.f), 6.f); }
DEVICE bool passes_relu6(float x) { return x > 0.f && x < 6.f; }

// As the host has it; channels are those of the depthwise convolution, for the stem those of the picture.
struct Geometry {
    int images, height, width, channels, stride, top, left, out_height, out_width;
};

// A 3x3 kernel at an output pixel of all images: the image, and the input's place under the kernel's first tap.
struct Window {
    int image, y, x;
};

DEVICE Window window(const Geometry& g, u32 pixel) {
    u32 row = pixel / g.out_width;
    int x = pixel % g.out_width, y = row % g.out_height;
    return {(int)(row / g.out_height), y * g.stride - g.top, x * g.stride - g.left};
}

// ---- Sums over rows ----
//
// A block treats at most 256 channels, blockIdx.y says which, and every gridDim.x-th group of rows. A row's channels lie in
// `groups` threads, eight each; `lanes` rows are treated at a time.
#define TILE 256

struct Lane {
    int groups, lanes, lane, channel, first, width;
};

DEVICE Lane lane_of(int channels) {
    int first = blockIdx.y * TILE;
    int width = min(TILE, channels - first), groups = width / 8;
    return {groups, 256 / groups, (int)threadIdx.x / groups, first + (int)threadIdx.x % groups * 8, first, width};
}

// The rows first, first + step, ... below `rows`.
DEVICE int count_rows(int first, int step, int rows) { return first < rows ? (rows - 1 - first) / step + 1 : 0; }

// Where a block's sums lie: those of all blocks of a tile side by side, `quantities` rows of TILE each.
DEVICE float* partial(float* partials, int block, int quantities) {
    return partials + ((u64)blockIdx.y * gridDim.x + block) * quantities * TILE;
}

// Whether all other blocks of this tile are done, in every thread of the block; the counter begins anew by itself.
DEVICE bool is_last_block(u32* counters) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) last = atomicInc(counters + blockIdx.y, gridDim.x - 1) == gridDim.x - 1;
    __syncthreads();
    __threadfence();
    return last;
}

// The sums over the block's lanes of what each thread holds for its eight channels.
DEVICE void sum_lanes(const Lane& lane, const float* own, float* shared, float* sums) {
    __syncthreads();
    if (lane.lane < lane.lanes)
#pragma unroll
        for (int i = 0; i < 8; i++) shared[lane.lane * lane.width + lane.channel - lane.first + i] = own[i];
    __syncthreads();
    if (threadIdx.x < lane.width) {
        float sum = 0.f;
        for (int l = 0; l < lane.lanes; l++) sum += shared[l * lane.width + threadIdx.x];
        sums[threadIdx.x] = sum;
    }
}

// For channel threadIdx.x of the tile the sum over all blocks of value(block, channel); of no use in the threads beyond.
template <class Value>
DEVICE float sum_blocks(const Lane& lane, float* shared, Value value) {
    int parts = 256 / lane.width, part = threadIdx.x / lane.width, channel = threadIdx.x % lane.width;
    float sum = 0.f;
    if (part < parts)
#pragma unroll 8
        for (int block = part; block < gridDim.x; block += parts) sum += value(block, channel);
    __syncthreads();
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x < lane.width)
        for (int p = 1; p < parts; p++) sum += shared[p * lane.width + threadIdx.x];
    return sum;
}

// ---- Statistics ----
//
// Each thread sums x and its square less the first x that it sees, so that a mean far from zero costs no digits; then means and
// squared deviations are put together (Chan, Golub and LeVeque, 1979), for lanes and blocks alike.

struct Moments {
    float shift[8], sum[8], square[8];
    int count;
};

DEVICE void add(Moments& moments, const Eight& x) {
    if (moments.count == 0)
#pragma unroll
        for (int i = 0; i < 8; i++) moments.shift[i] = x.at[i];
    moments.count++;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        float d = x.at[i] - moments.shift[i];
        moments.sum[i] += d;
        moments.square[i] += d * d;
    }
}

// Rows that a block of `moments` or `depthwise` has seen.
DEVICE int rows_of_block(const Lane& lane, int block, int rows) {
    int step = gridDim.x * lane.lanes, rest = rows % step - block * lane.lanes;
    return rows / step * lane.lanes + max(0, min(rest, lane.lanes));
}

// From what the threads of all blocks have seen of `rows` rows to the normalisation.
DEVICE void normalise(const Lane& lane, const Moments& own, int rows, int channels, float epsilon, const float* gamma,
                      const float* beta, float* partials, u32* counters, float* norm) {
    __shared__ float means[2048], deviations[2048];
    int t = threadIdx.x, step = gridDim.x * lane.lanes;
    if (lane.lane < lane.lanes)
#pragma unroll
        for (int i = 0; i < 8; i++) {
            int place = lane.lane * lane.width + lane.channel - lane.first + i;
            float n = fmaxf(own.count, 1.f);
            means[place] = own.shift[i] + own.sum[i] / n;
            deviations[place] = own.square[i] - own.sum[i] * own.sum[i] / n;
        }
    __syncthreads();
    if (t < lane.width) {
        float mean = 0.f, deviation = 0.f;
        int total = max(1, rows_of_block(lane, blockIdx.x, rows));
        for (int l = 0; l < lane.lanes; l++)
            mean += means[l * lane.width + t] * count_rows(blockIdx.x * lane.lanes + l, step, rows);
        mean /= total;
        for (int l = 0; l < lane.lanes; l++) {
            float d = means[l * lane.width + t] - mean;
            int n = count_rows(blockIdx.x * lane.lanes + l, step, rows);
            if (n > 0) deviation += deviations[l * lane.width + t] + d * d * n;
        }
        float* to = partial(partials, blockIdx.x, 2);
        to[t] = mean;
        to[TILE + t] = deviation;
    }
    if (!is_last_block(counters)) return;
    auto weighted = [&](int block, int c) {
        return partial(partials, block, 2)[c] * rows_of_block(lane, block, rows);
    };
    float mean = sum_blocks(lane, means, weighted) / rows;
    __syncthreads();
    if (t < lane.width) deviations[t] = mean;
    __syncthreads();
    auto deviation = [&](int block, int c) {
        const float* from = partial(partials, block, 2);
        float d = from[c] - deviations[c];
        return from[TILE + c] + d * d * rows_of_block(lane, block, rows);
    };
    float variance = fmaxf(sum_blocks(lane, means, deviation) / rows, 0.f);
    if (t < lane.width) {
        int c = lane.first + t;
        float inverse = 1.f / sqrtf(variance + epsilon), scale = gamma[c] * inverse;
        norm[c] = mean;
        norm[channels + c] = inverse;
        norm[2 * channels + c] = scale;
        norm[3 * channels + c] = beta[c] - mean * scale;
    }
}

// norm = that of x [rows, channels].
KERNEL moments(const Real* x, int rows, int channels, float epsilon, const float* gamma, const float* beta,
               float* partials, u32* counters, float* norm) {
    Lane lane = lane_of(channels);
    Moments own = {};
    if (lane.lane < lane.lanes)
        for (int row = blockIdx.x * lane.lanes + lane.lane; row < rows; row += gridDim.x * lane.lanes)
            add(own, load(x + (u64)row * channels + lane.channel));
    normalise(lane, own, rows, channels, epsilon, gamma, beta, partials, counters, norm);
}

// y = norm(x), by choice with ReLU6, plus `residual` if there is one; eights are all values by eight.
KERNEL apply(const Real* x, const float* norm, const Real* residual, int relu, u64 eights, int channels, Real* y) {
    for (u64 i = blockIdx.x * 256ull + threadIdx.x; i < eights; i += gridDim.x * 256ull) {
        int c = (int)(i % (channels / 8)) * 8;
        Eight value = load(x + i * 8), more = {};
        Eight scale = load_floats(norm + 2 * channels + c), shift = load_floats(norm + 3 * channels + c);
        if (residual) more = load(residual + i * 8);
#pragma unroll
        for (int k = 0; k < 8; k++) {
            float v = value.at[k] * scale.at[k] + shift.at[k];
            value.at[k] = (relu ? relu6(v) : v) + more.at[k];
        }
        store(y + i * 8, value);
    }
}

// ---- Gradients of a normalisation ----
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

// ---- Convolutions ----

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

// ---- The head ----

// y [images, channels] = the mean over so many pixels of ReLU6(norm(x)), times `dropout` if there is one.
KERNEL pool(const Real* x, const float* norm, const float* dropout, int images, int pixels, int channels, Real* y) {
    int eights = images * (channels / 8);
    for (int i = blockIdx.x * 256 + threadIdx.x; i < eights; i += gridDim.x * 256) {
        int c = i % (channels / 8) * 8, image = i / (channels / 8);
        Eight scale = load_floats(norm + 2 * channels + c), shift = load_floats(norm + 3 * channels + c), sum = {};
        for (int pixel = 0; pixel < pixels; pixel++) {
            Eight value = activated(x + ((u64)image * pixels + pixel) * channels + c, scale, shift);
#pragma unroll
            for (int k = 0; k < 8; k++) sum.at[k] += value.at[k];
        }
#pragma unroll
        for (int k = 0; k < 8; k++) sum.at[k] *= (dropout ? dropout[i * 8 + k] : 1.f) / pixels;
        store(y + (u64)i * 8, sum);
    }
}

// x *= dropout.
KERNEL drop(const float* dropout, int count, Real* x) {
    for (int i = blockIdx.x * 256 + threadIdx.x; i < count; i += gridDim.x * 256) x[i] = narrow(widen(x[i]) * dropout[i]);
}

// x = ReLU(x + bias) * dropout.
KERNEL hidden(const float* bias, const float* dropout, int count, int units, Real* x) {
    for (int i = blockIdx.x * 256 + threadIdx.x; i < count; i += gridDim.x * 256)
        x[i] = narrow(fmaxf(widen(x[i]) + bias[i % units], 0.f) * dropout[i]);
}

// bias = the column sums of dy [rows, columns]; block by block one. Before, if there is an output y of `hidden`, dy goes back
// through dropout and ReLU.
KERNEL bias_gradient(Real* dy, const Real* y, const float* dropout, int rows, int columns, float* bias) {
    __shared__ float shared[256];
    float sum = 0.f;
    for (int row = threadIdx.x; row < rows; row += 256) {
        int i = row * columns + blockIdx.x;
        if (y) dy[i] = narrow(widen(y[i]) > 0.f ? widen(dy[i]) * dropout[i] : 0.f);
        sum += widen(dy[i]);
    }
    shared[threadIdx.x] = sum;
    for (int half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    if (threadIdx.x == 0) bias[blockIdx.x] = shared[0];
}

// The optimizer's numbers, as the host has them.
struct State {
    u32 steps;
    // Whether a gradient of the present step is not finite, and whether that was so when `advance` looked.
    u32 overflow, skip;
    // Steps since `scale`, by which the loss is multiplied, has changed.
    u32 since;
    float scale, inverse_scale;
    float learning, decay, averaging, correct1, correct2;
};

DEVICE float warp_max(float x) {
    for (int other = 16; other > 0; other /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, other));
    return x;
}

DEVICE float warp_sum(float x) {
    for (int other = 16; other > 0; other /= 2) x += __shfl_xor_sync(~0u, x, other);
    return x;
}

// The loss of each image and its gradient by the logits, times the state's scale. The loss is the sum over the classes of
// -target * log softmax(logits), and, if there are soft targets, of -soft * log softmax(logits / temperature): both are weighted
// already. `results` are the losses, then the answers. A warp treats an image.
KERNEL loss(const float* logits, const float* bias, const float* targets, const float* soft, float temperature,
            int images, int classes, const State* state, Real* gradient, float* results) {
    int image = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (image >= images) return;
    const float* row = logits + (u64)image * classes;
    float best = -3.402823466e38f;
    int answer = classes;
    for (int c = lane; c < classes; c += 32) {
        float z = row[c] + bias[c];
        if (z > best) best = z, answer = c;
    }
    float top = warp_max(best);
    // The first of the best.
    float first = warp_max(best == top ? -(float)answer : -(float)classes);
    float cool = 1.f / temperature, sum = 0.f, cool_sum = 0.f, total = 0.f, soft_total = 0.f;
    for (int c = lane; c < classes; c += 32) {
        float z = row[c] + bias[c] - top;
        u64 i = (u64)image * classes + c;
        sum += expf(z);
        total += targets[i];
        if (soft) {
            cool_sum += expf(z * cool);
            soft_total += soft[i];
        }
    }
    sum = warp_sum(sum);
    total = warp_sum(total);
    cool_sum = warp_sum(cool_sum);
    soft_total = warp_sum(soft_total);
    float loss = 0.f;
    for (int c = lane; c < classes; c += 32) {
        float z = row[c] + bias[c] - top;
        u64 i = (u64)image * classes + c;
        float d = total * expf(z) / sum - targets[i];
        loss += targets[i] * (logf(sum) - z);
        if (soft) {
            d += (soft_total * expf(z * cool) / cool_sum - soft[i]) * cool;
            loss += soft[i] * (logf(cool_sum) - z * cool);
        }
        gradient[i] = narrow(d * state->scale);
    }
    loss = warp_sum(loss);
    if (lane == 0) {
        results[image] = loss;
        results[images + image] = -first;
    }
}

// ---- The optimizer ----

// Notes a gradient that is not finite.
KERNEL find_overflow(const float* gradients, int count, State* state) {
    for (int i = blockIdx.x * 256 + threadIdx.x; i < count; i += gridDim.x * 256)
        if (!isfinite(gradients[i])) state->overflow = 1;
}

// Counts the step, and says what it takes; a step whose gradients overflow is left out, and the next ones are scaled less.
KERNEL advance(const float* rates, State* state) {
    if (threadIdx.x > 0) return;
    state->inverse_scale = 1.f / state->scale;
    state->skip = state->overflow;
    state->overflow = 0;
    state->since++;
    if (state->skip) {
        state->scale *= 0.5f;
        state->since = 0;
        return;
    }
#if PRECISION == 2
    if (state->since == SCALE_STEPS) {
        state->scale *= 2.f;
        state->since = 0;
    }
#endif
    state->steps++;
    double steps = state->steps;
    state->learning = rates[0];
    state->decay = rates[1];
    state->averaging = fminf(rates[2], (float)((1.0 + steps) / (10.0 + steps)));
    state->correct1 = (float)(1.0 - pow((double)BETA1, steps));
    state->correct2 = (float)(1.0 - pow((double)BETA2, steps));
}

// As the host's AdamW. `work` are the values as products take them: the values themselves, or their short copy.
KERNEL adamw(const float* gradients, const float* decays, int count, const State* state, float* values, float* first,
             float* second, float* averaged, Real* work) {
    if (state->skip) return;
    for (int i = blockIdx.x * 256 + threadIdx.x; i < count; i += gridDim.x * 256) {
        float gradient = gradients[i] * state->inverse_scale, value = values[i];
        float m = BETA1 * first[i] + (1.f - BETA1) * gradient;
        float v = BETA2 * second[i] + (1.f - BETA2) * gradient * gradient;
        float direction = m / (state->correct1 * (sqrtf(v / state->correct2) + ADAM_EPSILON));
        value -= state->learning * (direction + decays[i] * state->decay * value);
        first[i] = m;
        second[i] = v;
        averaged[i] = state->averaging * averaged[i] + (1.f - state->averaging) * value;
        values[i] = value;
        work[i] = narrow(value);
    }
}

// work = values.
KERNEL shorten(const float* values, int count, Real* work) {
    for (int i = blockIdx.x * 256 + threadIdx.x; i < count; i += gridDim.x * 256) work[i] = narrow(values[i]);
}
