// Statistics of a batch, and normalisation by them.
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
