// AdamW with averaged weights, and the scale of the loss.

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
