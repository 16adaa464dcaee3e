// libcuda, libnvrtc and libcublas as far as `trainer` calls them, on the CPU: one library under the three names. The kernels
// run as they are, thread by thread, in orders that change; races between blocks cannot be seen here, nor how fast a GPU is.

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <vector>

#include <dlfcn.h>
#include <ucontext.h>
#include <unistd.h>

#include "device.h"

namespace {

// ---- Threads: 256 contexts that take turns, each going on until all have to wait ----

constexpr int THREADS = 256;
constexpr size_t STACK = 256 << 10;

Machine state;
const Bound* body;
jmp_buf host, threads[THREADS];
bool begun, done[THREADS];

void wait() {
    unsigned own = state.thread.x;
    if (!_setjmp(threads[own])) _longjmp(host, 1);
    state.thread.x = own;
}

// Each context does so for ever.
void thread() {
    unsigned own = state.thread.x;
    for (;;) {
        (*body)();
        done[own] = true;
        wait();
    }
}

void run_block() {
    if (!begun) {
        state.wait = wait;
        static std::vector<char> stacks(THREADS * STACK);
        static ucontext_t contexts[THREADS];
        for (int t = 0; t < THREADS; t++) {
            getcontext(&contexts[t]);
            contexts[t].uc_stack.ss_sp = &stacks[t * STACK];
            contexts[t].uc_stack.ss_size = STACK;
            makecontext(&contexts[t], thread, 0);
        }
        for (volatile int t = 0; t < THREADS; t++) {
            done[t] = false;
            state.thread = {(unsigned)t, 0};
            if (!_setjmp(host)) setcontext(&contexts[t]);
        }
        begun = true;
    } else {
        for (volatile int t = 0; t < THREADS; t++) {
            done[t] = false;
            state.thread = {(unsigned)t, 0};
            if (!_setjmp(host)) _longjmp(threads[t], 1);
        }
    }
    // First to last and back again: where a barrier is missing, some thread finds what is not there yet, or not any more.
    volatile bool back = state.block.x % 2;
    for (volatile bool going = true; going; back = !back) {
        going = false;
        for (volatile int i = 0; i < THREADS; i++) {
            volatile int t = back ? THREADS - 1 - i : i;
            if (done[t]) continue;
            going = true;
            state.thread = {(unsigned)t, 0};
            if (!_setjmp(host)) _longjmp(threads[t], 1);
        }
    }
}

// ---- Streams: work is done at once, or recorded ----

using Graph = std::vector<Bound>;
Graph* recording;

void submit(Bound work) {
    if (recording) recording->push_back(std::move(work));
    else work();
}

// ---- Modules ----

struct Module {
    const Entry* entries;
    int count;
};

struct Program {
    std::string source, library, log;
};

std::string folder() {
    Dl_info info;
    dladdr((void*)&folder, &info);
    std::string path = info.dli_fname;
    return path.substr(0, path.rfind('/'));
}

constexpr int INVALID = 1, NO_MEMORY = 2, NO_DEVICE = 100, NOT_FOUND = 500;
constexpr int COMPILATION = 6;

}  // namespace

extern "C" {

// ---- The driver ----

int cuInit(unsigned) { return getenv("EMULATOR_WITHOUT_GPU") ? NO_DEVICE : 0; }
int cuDeviceGet(int* device, int) { return *device = 0; }
int cuDeviceGetName(char* name, int length, int) { return snprintf(name, length, "emulator"), 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
    // Compute capability 9.0; no memory pools.
    *value = attribute == 75 ? 9 : 0;
    return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int) { return *context = (void*)1, 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxGetCurrent(void** context) { return *context = (void*)1, 0; }
int cuCtxSetCurrent(void*) { return 0; }
int cuCtxSynchronize() { return 0; }
int cuGetErrorName(int, const char** text) { return *text = "an error of the emulator", 0; }
int cuGetErrorString(int, const char** text) { return *text = "an error of the emulator", 0; }

int cuStreamCreate(void** stream, unsigned) { return *stream = (void*)2, 0; }
int cuStreamDestroy_v2(void*) { return 0; }
int cuStreamSynchronize(void*) { return recording ? INVALID : 0; }
int cuStreamBeginCapture_v2(void*, int) { return recording = new Graph, 0; }
int cuStreamEndCapture(void*, void** graph) {
    *graph = recording;
    recording = nullptr;
    return 0;
}
int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
    return *executable = new Graph(*(Graph*)graph), 0;
}
int cuGraphLaunch(void* executable, void*) {
    for (const Bound& work : *(Graph*)executable) work();
    return 0;
}
int cuGraphExecDestroy(void* executable) { return delete (Graph*)executable, 0; }
int cuGraphDestroy(void* graph) { return delete (Graph*)graph, 0; }

int cuMemAlloc_v2(uint64_t* at, size_t length) {
    *at = (uint64_t)aligned_alloc(256, (length + 255) / 256 * 256);
    return *at ? 0 : NO_MEMORY;
}
int cuMemFree_v2(uint64_t at) { return free((void*)at), 0; }
// In a recording these would be part of the graph, which `trainer` does not want.
int cuMemsetD8Async(uint64_t at, unsigned char value, size_t length, void*) {
    return recording ? INVALID : (memset((void*)at, value, length), 0);
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t length, void*) {
    return recording ? INVALID : (memcpy((void*)to, from, length), 0);
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t length, void*) {
    return recording ? INVALID : (memcpy(to, (void*)from, length), 0);
}

int cuModuleLoadData(void** module, const void* image) {
    void* library = dlopen((const char*)image, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), NOT_FOUND;
    *(Machine**)dlsym(library, "machine") = &state;
    *module = new Module{(const Entry*)dlsym(library, "entries"), *(int*)dlsym(library, "entry_count")};
    return 0;
}
int cuModuleUnload(void* module) { return delete (Module*)module, 0; }
int cuModuleGetFunction(void** function, void* module, const char* name) {
    const Module* in = (Module*)module;
    for (int i = 0; i < in->count; i++)
        if (!strcmp(in->entries[i].name, name)) return *function = (void*)&in->entries[i], 0;
    return NOT_FOUND;
}
int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned, unsigned threads, unsigned, unsigned, unsigned, void*,
                   void** arguments, void**) {
    if (threads != THREADS) return INVALID;
    Bound bound = ((const Entry*)function)->bind(arguments);
    submit([bound, x, y] {
        body = &bound;
        state.grid = {x, y};
        // Any block may be the last.
        static bool back;
        back = !back;
        for (volatile unsigned by = 0; by < y; by++)
            for (volatile unsigned i = 0; i < x; i++) {
                state.block = {back ? x - 1 - i : i, by};
                run_block();
            }
    });
    return 0;
}

// ---- NVRTC: what it compiles to is the path of a library ----

int nvrtcCreateProgram(void** program, const char* source, const char*, int, const char* const*, const char* const*) {
    return *program = new Program{source, "", ""}, 0;
}
int nvrtcCompileProgram(void* program, int count, const char* const* options) {
    Program& own = *(Program*)program;
    std::string defines;
    for (int i = 0; i < count; i++)
        if (!strncmp(options[i], "-D", 2)) defines += std::string(" ") + options[i];
    std::ostringstream text;
    text << "#include \"device.h\"\n" << own.source << "\nextern const Entry entries[] = {\n";
    std::regex kernel("\nKERNEL (\\w+)\\(");
    int entries = 0;
    for (std::sregex_iterator i(own.source.begin(), own.source.end(), kernel), end; i != end; ++i, entries++)
        text << "{\"" << (*i)[1] << "\", [](void** from) { return bind_arguments(" << (*i)[1] << ", from); }},\n";
    text << "};\nextern const int entry_count = " << entries << ";\n";
    // Compiled once for each text and options, by whoever is first.
    size_t key = std::hash<std::string>()(text.str() + defines);
    std::string name = folder() + "/kernels-" + std::to_string(key);
    own.library = name + ".so";
    if (!access(own.library.c_str(), F_OK)) return 0;
    std::string own_name = name + "-" + std::to_string(getpid());
    std::ofstream(own_name + ".cpp") << text.str();
    std::string command = "g++ -std=c++17 -O2 -w -shared -fPIC -fno-strict-aliasing -fvisibility=default -DEMULATED -I '" +
                          folder() + "'" + defines + " -o " + own_name + ".so " + own_name + ".cpp 2> " + own_name + ".log";
    if (system(command.c_str())) {
        std::ifstream log(own_name + ".log");
        own.log.assign(std::istreambuf_iterator<char>(log), {});
        return COMPILATION;
    }
    return rename((own_name + ".so").c_str(), own.library.c_str()) ? COMPILATION : 0;
}
int nvrtcGetProgramLogSize(void* program, size_t* length) { return *length = ((Program*)program)->log.size() + 1, 0; }
int nvrtcGetProgramLog(void* program, char* to) { return strcpy(to, ((Program*)program)->log.c_str()), 0; }
int nvrtcGetPTXSize(void* program, size_t* length) { return *length = ((Program*)program)->library.size() + 1, 0; }
int nvrtcGetPTX(void* program, char* to) { return strcpy(to, ((Program*)program)->library.c_str()), 0; }
int nvrtcDestroyProgram(void** program) { return delete (Program*)*program, 0; }
const char* nvrtcGetErrorString(int) { return "an error of the emulator"; }

// ---- cuBLAS ----

int cublasCreate_v2(void** handle) { return *handle = (void*)3, 0; }
int cublasDestroy_v2(void*) { return 0; }
int cublasSetStream_v2(void*, void*) { return 0; }
int cublasSetWorkspace_v2(void*, void*, size_t) { return 0; }

// Values as the types of cuBLAS have them: 0 is f32, 14 bf16, 2 f16.
static float get(const void* from, int type, size_t index) {
    if (type == 0) return ((const float*)from)[index];
    return emulated::widen(((const unsigned short*)from)[index], type == 14 ? 1 : 2);
}
static void put(void* to, int type, size_t index, float value) {
    if (type == 0) ((float*)to)[index] = value;
    else ((unsigned short*)to)[index] = emulated::narrow(value, type == 14 ? 1 : 2);
}

// The columns of op(matrix), `rows` x `columns`, as f32.
static std::vector<float> gathered(const void* matrix, int type, int transposed, int stride, int rows, int columns) {
    std::vector<float> out((size_t)rows * columns);
    for (size_t column = 0; column < (size_t)columns; column++)
        for (size_t row = 0; row < (size_t)rows; row++)
            out[column * rows + row] = get(matrix, type, transposed ? row * stride + column : column * stride + row);
    return out;
}

int cublasGemmEx(void*, int a_transposed, int b_transposed, int m, int n, int k, const float* alpha, const void* a, int a_type,
                 int a_stride, const void* b, int b_type, int b_stride, const float* beta, void* c, int c_type, int c_stride,
                 int, int) {
    float product = *alpha, before = *beta;
    submit([=] {
        std::vector<float> left = gathered(a, a_type, a_transposed, a_stride, m, k);
        std::vector<float> right = gathered(b, b_type, b_transposed, b_stride, k, n);
        std::vector<float> column(m);
        for (size_t j = 0; j < (size_t)n; j++) {
            std::fill(column.begin(), column.end(), 0.f);
            for (size_t l = 0; l < (size_t)k; l++) {
                float factor = right[j * k + l];
                const float* from = &left[l * m];
                for (size_t i = 0; i < (size_t)m; i++) column[i] += factor * from[i];
            }
            for (size_t i = 0; i < (size_t)m; i++) {
                size_t at = j * c_stride + i;
                float rest = before == 0.f ? 0.f : before * get(c, c_type, at);
                put(c, c_type, at, product * column[i] + rest);
            }
        }
    });
    return 0;
}
}
