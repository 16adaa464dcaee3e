#!/usr/bin/env bash
# What training on a GPU takes and gives, on a machine that has one: trainer/bench/gpu.sh DATA [OUT]
# DATA has MNIST's train files (.gz or not); the network goes to OUT, by default target/gpu. It needs CUDA 12's NVRTC and cuBLAS,
# where the loader looks or as wheels beside PyTorch, and to compare with that a python3 (or PYTHON) that can import torch.
set -euo pipefail
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 DATA [OUT]" >&2
    exit 2
fi
data=$(realpath "$1")
out=$(realpath -m "${2:-$(dirname "$0")/../../target/gpu}")
python=${PYTHON:-python3}
cd "$(dirname "$0")/../.."
if [ -e "$out" ]; then
    echo "error: $out exists: choose another folder" >&2
    exit 1
fi

# PyTorch's wheels bring the libraries along.
wheels=$("$python" -c 'import glob, nvidia; print(":".join(f for p in nvidia.__path__ for f in glob.glob(p + "/*/lib")))' \
    2>/dev/null || true)
if [ -n "$wheels" ]; then export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$wheels; fi

step() { printf '\n== %s (%ss)\n' "$*" "$SECONDS"; }

step "build"
cargo build --release -p trainer --features cuda
trainer=${CARGO_TARGET_DIR:-target}/release/trainer

step "the GPU"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader

step "gradients, the optimizer and changes of the device on this GPU, beside the CPU"
cargo test --release -p trainer --features cuda --lib -- fit::engine --ignored --nocapture --test-threads 1

step "a step: the whole, with what prepares the next batch meanwhile, and PyTorch's"
for batch in 128 1024; do
    for precision in f32 bf16 f16; do
        for what in --prepared ""; do
            printf '%s %s: ' "$precision" "${what:-with the next batch}"
            # shellcheck disable=SC2086 # nothing is no argument
            "$trainer" bench --device cuda --precision "$precision" --batch-size "$batch" --steps 200 $what
        done
    done
done
if "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    "$python" trainer/bench/pytorch_step.py
else
    echo "PyTorch: $python has none for this GPU; PYTHON says which one has"
fi

step "fit with its defaults, bf16"
began=$SECONDS
"$trainer" fit --device cuda --data "$data" --out "$out"
echo "fit: $((SECONDS - began)) s"

step "its accuracy on the test images"
"$trainer" eval "$out/model.safetensors"
