// What follows the last convolution, and the loss.

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
