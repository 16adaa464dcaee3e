"""Milliseconds of one training step of the digits' network in PyTorch on an NVIDIA GPU, to compare with `trainer bench --device cuda`.

    pip install torch
    python trainer/bench/pytorch_step.py [--batch-size N ...] [--precision f32 bf16 ...] [--steps N]

The network of `trainer fit`'s defaults: MobileNetV2, alpha 0.35, 32x32x1, stem stride 1, Dense 128, Dropout 0.5, Dense 10.
Channels last, fused AdamW, averaged weights, the whole step recorded as one CUDA graph, which is the fastest that PyTorch has for
batches of 128. f32 is f32 throughout, tf32 lets products round to 10 bits, bf16 is autocast with f32 weights. What a batch
shows does not change the time. Prints one line for each combination: the median of five runs of `--steps` steps.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

CLASSES = 10
EPSILON = 1e-3
# Expansion, channels, repetitions and stride of the stages, from the paper.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def make_divisible(channels):
    rounded = max(int(channels + 4) // 8 * 8, 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class Block(nn.Module):
    """An inverted residual; the first has the stem for its expansion."""

    def __init__(self, inputs, middle, outputs, stride, stem):
        super().__init__()
        kernel = 3 if stem else 1
        self.expand = nn.Conv2d(inputs, middle, kernel, padding=kernel // 2, bias=False)
        self.depthwise = nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False)
        self.project = nn.Conv2d(middle, outputs, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels, eps=EPSILON) for channels in (middle, middle, outputs))
        self.residual = stride == 1 and inputs == outputs and not stem

    def forward(self, x):
        expand, depthwise, project = self.norms
        y = functional.relu6(expand(self.expand(x)))
        y = functional.relu6(depthwise(self.depthwise(y)))
        y = project(self.project(y))
        return x + y if self.residual else y


class Network(nn.Module):
    def __init__(self, alpha=0.35, last=1280, hidden=128):
        super().__init__()
        blocks, channels = [], make_divisible(32 * alpha)
        for expansion, width, repetitions, first_stride in STAGES:
            outputs = make_divisible(width * alpha)
            for repetition in range(repetitions):
                stride, stem = first_stride if repetition == 0 else 1, not blocks
                inputs, middle = (1, channels) if stem else (channels, channels * expansion)
                blocks.append(Block(inputs, middle, outputs, stride, stem))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Sequential(nn.Conv2d(channels, last, 1, bias=False), nn.BatchNorm2d(last, eps=EPSILON), nn.ReLU6())
        self.head = nn.Sequential(nn.Linear(last, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, CLASSES))

    def forward(self, x):
        return self.head(self.last(self.blocks(x)).mean((2, 3)))


def recorded_step(batch, precision):
    """The step as a CUDA graph, and what it computes with, which must not be freed before."""
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    short = torch.bfloat16 if precision == "bf16" else None
    network = Network().cuda().to(memory_format=torch.channels_last)
    weights = list(network.parameters())
    averaged = [weight.detach().clone() for weight in weights]
    pictures = torch.rand(batch, 1, 32, 32, device="cuda").to(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (batch,), device="cuda")
    optimizer = torch.optim.AdamW(weights, lr=1e-3, fused=True, capturable=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        # What autocast has converted once is not to be kept from one run of the graph to the next.
        with torch.autocast("cuda", dtype=short, enabled=short is not None, cache_enabled=False):
            loss = functional.cross_entropy(network(pictures), labels)
        loss.backward()
        optimizer.step()
        torch._foreach_lerp_(averaged, [weight.detach() for weight in weights], 1e-3)

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph, step


def milliseconds(graph, steps):
    times = []
    for _ in range(6):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            graph.replay()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1e3 / steps)
    # The first run warms up.
    return statistics.median(times[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, nargs="+", default=[128, 1024])
    parser.add_argument("--precision", nargs="+", default=["f32", "tf32", "bf16"], choices=["f32", "tf32", "bf16"])
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    for batch in options.batch_size:
        for precision in options.precision:
            graph, _kept = recorded_step(batch, precision)
            found = milliseconds(graph, options.steps)
            print(f"PyTorch {torch.__version__}, CUDA graph, {precision}: {found:.2f} ms per step of {batch} pictures", flush=True)


if __name__ == "__main__":
    main()
