// Sums over rows.
//
// A block treats a tile of at most 64 channels, which are a cache line of 16-bit values; blockIdx.y says which, and gridDim.y how
// many there are. Of the rows it treats every gridDim.x-th group. A row's channels lie in `groups` threads, eight each; `lanes`
// rows are treated at a time. Small tiles leave little for the last block of each to add up.
#define TILE 64

struct Lane {
    int groups, lanes, lane, channel, first, width;
};

DEVICE Lane lane_of(int channels) {
    int most = (channels / 8 + gridDim.y - 1) / gridDim.y * 8;
    int first = blockIdx.y * most, width = min(most, channels - first), groups = width / 8;
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
