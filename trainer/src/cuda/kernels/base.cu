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
