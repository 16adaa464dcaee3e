// What the kernels of `trainer` find on the emulated GPU: they are compiled as C++ behind this, once for each set of options.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <tuple>
#include <utility>

// A thread's place, and how it waits for the others; shared with `driver.cpp`, which sets `machine`.
struct Machine {
    struct Place {
        unsigned x, y;
    };
    Place thread, block, grid;
    float exchanged[256];
    void (*wait)();
};

// A kernel with its arguments.
using Bound = std::function<void()>;

struct Entry {
    const char* name;
    Bound (*bind)(void** arguments);
};

#ifdef EMULATED
extern "C" Machine* machine;
Machine* machine;

#define __device__
#define __forceinline__ inline
// Blocks run one after the other.
#define __shared__ static
#define KERNEL static void
#define threadIdx machine->thread
#define blockIdx machine->block
#define gridDim machine->grid

using std::isfinite;
using std::max;
using std::min;
using std::pow;

struct float4 {
    float x, y, z, w;
};
struct uint4 {
    unsigned x, y, z, w;
};
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

static inline void __syncthreads() { machine->wait(); }
static inline void __threadfence() {}

static inline float __shfl_xor_sync(unsigned, float value, int other) {
    unsigned own = machine->thread.x;
    machine->exchanged[own] = value;
    machine->wait();
    float theirs = machine->exchanged[own ^ other];
    machine->wait();
    return theirs;
}

static inline unsigned atomicInc(unsigned* counter, unsigned last) {
    unsigned before = *counter;
    *counter = before >= last ? 0 : before + 1;
    return before;
}

template <class... Arguments, size_t... Index>
static Bound bind_each(void (*kernel)(Arguments...), void** from, std::index_sequence<Index...>) {
    std::tuple<Arguments...> arguments(*(Arguments*)from[Index]...);
    return [kernel, arguments] { std::apply(kernel, arguments); };
}

template <class... Arguments>
static Bound bind_arguments(void (*kernel)(Arguments...), void** from) {
    return bind_each(kernel, from, std::index_sequence_for<Arguments...>());
}
#endif

// bf16 (precision 1) and f16 (2) in the low bits.
namespace emulated {
static inline float widen(unsigned short bits, int precision) {
    if (precision == 1) {
        unsigned word = (unsigned)bits << 16;
        float value;
        std::memcpy(&value, &word, 4);
        return value;
    }
    _Float16 half;
    std::memcpy(&half, &bits, 2);
    return half;
}

static inline unsigned short narrow(float value, int precision) {
    if (precision == 1) {
        unsigned word;
        std::memcpy(&word, &value, 4);
        return (word + 0x7fff + (word >> 16 & 1)) >> 16;
    }
    _Float16 half = value;
    unsigned short bits;
    std::memcpy(&bits, &half, 2);
    return bits;
}
}  // namespace emulated
