#!/usr/bin/env python3
"""Random small int8 .tflite networks, and what an independent oracle computes with them.

  pip install ai-edge-litert numpy
  random_graphs.py ORACLE COUNT OUT

ORACLE is the path of oracle.py, a numpy statement of the int8 arithmetic; operators and paddings that it leaves out are
stated below. OUT gets NNN.tflite, and NNN.npz with "input", "output" and "layer_NNN_OPERATOR" of the first input. Every
operator occurs, with odd shapes, strides and paddings, and multipliers near both ends of their range."""

import importlib.util
import os
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as S

INPUTS = 4
NONE, RELU, RELU6 = 0, 1, 3
SAME, VALID = 0, 1


def positions(size, kernel, stride, padding):
    return -(-size // stride) if padding == SAME else (size - kernel) // stride + 1


class Graph:
    """A network that grows by an operator at a time; `at` is the tensor that the next one reads."""

    def __init__(self, random):
        self.random = random
        self.tensors, self.buffers, self.codes, self.operators = [], [S.BufferT()], [], []
        self.buffers[0].data = None

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]

    def number(self, low, high):
        return int(self.random.integers(low, high + 1))

    def scale(self):
        return float(np.float32(2.0 ** self.random.uniform(-7, 1)))

    def tensor(self, shape, kind=S.TensorType.INT8, scales=None, zero=None, axis=0, data=None):
        t = S.TensorT()
        t.name, t.type, t.shape, t.buffer = f"t{len(self.tensors)}", kind, list(shape), 0
        if scales is not None:
            t.quantization = S.QuantizationParametersT()
            t.quantization.scale = scales
            t.quantization.zeroPoint = [0] * len(scales) if zero is None else [zero]
            t.quantization.quantizedDimension = axis
        if data is not None:
            buffer = S.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            self.buffers.append(buffer)
            t.buffer = len(self.buffers) - 1
        self.tensors.append(t)
        return len(self.tensors) - 1

    def activation(self, shape, like=None):
        if like is not None:
            q = self.tensors[like].quantization
            return self.tensor(shape, scales=list(q.scale), zero=int(q.zeroPoint[0]))
        zero = self.pick(-128, 127, self.number(-128, 127), self.number(-20, 20))
        return self.tensor(shape, scales=[self.scale()], zero=zero)

    def numbers(self, values):
        data = np.array(values, np.int32)
        return self.tensor(data.shape, S.TensorType.INT32, data=data)

    def shape(self, index):
        return list(self.tensors[index].shape)

    def add(self, name, inputs, output, options=None, kind=0):
        code = getattr(S.BuiltinOperator, name)
        if code not in self.codes:
            self.codes.append(code)
        o = S.OperatorT()
        o.opcodeIndex, o.inputs, o.outputs = self.codes.index(code), inputs, [output]
        o.builtinOptions, o.builtinOptionsType = options, kind
        self.operators.append(o)
        self.at = output

    def parameters(self, dims, channels, axis, taps, output, per_tensor=None):
        """Weights and bias whose multipliers mostly fit, and at times lie near an end of their range."""
        source, target = (float(self.tensors[i].quantization.scale[0]) for i in (self.at, output))
        wanted = target / source * 2.0 ** self.random.uniform(-3, 1, channels) / (40 * np.sqrt(taps))
        end = self.random.integers(8)
        if end < 2:
            wanted = target / source * 2.0 ** self.random.uniform(*((-33, -26), (18, 29.5))[end], channels)
        if self.random.random() < 0.3 if per_tensor is None else per_tensor:
            wanted = wanted[:1]
        scales = [float(s) for s in wanted.astype(np.float32)]
        weights = self.random.integers(-127, 128, dims).astype(np.int8)
        weights.reshape(-1)[self.random.random(weights.size) < 0.1] = self.pick(-127, 127, 0)
        inputs = [self.tensor(dims, scales=scales, axis=axis, data=weights)]
        if len(dims) == 4 or self.random.random() < 0.6:
            size = self.pick(10, 10_000, 1_000_000, 1_000_000_000)
            bias = self.random.integers(-size, size + 1, channels).astype(np.int32)
            products = [float(np.float32(source) * np.float32(s)) for s in scales]
            inputs.append(self.tensor([channels], S.TensorType.INT32, products, data=bias))
        else:
            # A fully connected layer may have none, or say that it has none.
            inputs += self.pick([-1], [])
        return inputs

    def window(self, largest=4):
        _, height, width, _ = self.shape(self.at)
        padding = self.pick(SAME, VALID)
        fit = (lambda size: largest) if padding == SAME else (lambda size: min(size, largest))
        return padding, self.number(1, fit(height)), self.number(1, fit(width)), self.number(1, 3), self.number(1, 3)

    def convolution(self, depthwise):
        padding, rows, columns, down, across = self.window()
        _, height, width, depth = self.shape(self.at)
        multiplier = self.pick(1, 1, 2, 3, 8)
        channels = depth * multiplier if depthwise else self.number(1, 9)
        shape = [1, positions(height, rows, down, padding), positions(width, columns, across, padding), channels]
        output = self.activation(shape)
        options = S.DepthwiseConv2DOptionsT() if depthwise else S.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = padding, down, across
        options.fusedActivationFunction = self.pick(NONE, RELU, RELU6)
        options.dilationHFactor = options.dilationWFactor = 1
        if depthwise:
            options.depthMultiplier = multiplier
            w = self.parameters([1, rows, columns, channels], channels, 3, rows * columns, output)
            self.add("DEPTHWISE_CONV_2D", [self.at, *w], output, options, S.BuiltinOptions.DepthwiseConv2DOptions)
        else:
            w = self.parameters([channels, rows, columns, depth], channels, 0, rows * columns * depth, output)
            self.add("CONV_2D", [self.at, *w], output, options, S.BuiltinOptions.Conv2DOptions)

    def fully_connected(self):
        volume, channels = int(np.prod(self.shape(self.at))), self.number(1, 12)
        output = self.activation([1, channels])
        options = S.FullyConnectedOptionsT()
        options.fusedActivationFunction = self.pick(NONE, RELU, RELU6)
        w = self.parameters([channels, volume], channels, 0, volume, output)
        self.add("FULLY_CONNECTED", [self.at, *w], output, options, S.BuiltinOptions.FullyConnectedOptions)

    def sum(self):
        shape = self.shape(self.at)
        other = [i for i in self.written if self.shape(i) == shape]
        if other and self.random.random() < 0.6:
            second = other[self.number(0, len(other) - 1)]
        else:
            small = [side if self.random.random() < 0.5 else 1 for side in shape]
            small = small[self.number(0, len(small) - 1) :]
            values = self.random.integers(-128, 128, small).astype(np.int8)
            second = self.tensor(small, scales=[self.scale()], zero=self.number(-128, 127), data=values)
        inputs = [self.at, second]
        if self.random.random() < 0.5:
            inputs.reverse()
        options = S.AddOptionsT()
        options.fusedActivationFunction = self.pick(NONE, RELU, RELU6)
        self.add("ADD", inputs, self.activation(shape), options, S.BuiltinOptions.AddOptions)

    def pool(self, name):
        padding, rows, columns, down, across = self.window(5)
        _, height, width, depth = self.shape(self.at)
        shape = [1, positions(height, rows, down, padding), positions(width, columns, across, padding), depth]
        options = S.Pool2DOptionsT()
        options.padding, options.strideH, options.strideW = padding, down, across
        options.filterHeight, options.filterWidth = rows, columns
        options.fusedActivationFunction = self.pick(NONE, RELU, RELU6)
        self.add(name, [self.at], self.activation(shape, self.at), options, S.BuiltinOptions.Pool2DOptions)

    def mean(self):
        options = S.ReducerOptionsT()
        options.keepDims = bool(self.number(0, 1))
        channels = self.shape(self.at)[3]
        output = self.activation([1, 1, 1, channels] if options.keepDims else [1, channels])
        axes = self.numbers(self.pick([1, 2], [2, 1], [-3, -2]))
        self.add("MEAN", [self.at, axes], output, options, S.BuiltinOptions.ReducerOptions)

    def pad(self):
        sides = [[0, 0], *([self.number(0, 2), self.number(0, 2)] for _ in range(2)), [0, self.pick(0, 0, 0, 1)]]
        shape = [size + sum(side) for size, side in zip(self.shape(self.at), sides)]
        inputs = [self.at, self.numbers(sides)]
        self.add("PAD", inputs, self.activation(shape, self.at), S.PadOptionsT(), S.BuiltinOptions.PadOptions)

    def reshape(self, shape):
        options = S.ReshapeOptionsT()
        options.newShape = shape
        inputs = [self.at, self.numbers(shape)]
        self.add("RESHAPE", inputs, self.activation(shape, self.at), options, S.BuiltinOptions.ReshapeOptions)

    def softmax(self):
        options = S.SoftmaxOptionsT()
        options.beta = self.pick(1.0, 1.0, 0.5, 3.0)
        output = self.tensor(self.shape(self.at), scales=[1 / 256], zero=-128)
        self.add("SOFTMAX", [self.at], output, options, S.BuiltinOptions.SoftmaxOptions)

    def step(self):
        self.written.append(self.at)
        shape = self.shape(self.at)
        if len(shape) == 2:
            back = lambda: self.reshape([1, 1, *shape])
            return self.pick(self.fully_connected, self.sum, self.softmax, back)()
        flat = lambda: self.reshape([1, int(np.prod(shape))])
        turned = lambda: self.reshape([1, shape[2], shape[1], shape[3]])
        convolution = lambda: self.convolution(False)
        depthwise = lambda: self.convolution(True)
        average, largest = lambda: self.pool("AVERAGE_POOL_2D"), lambda: self.pool("MAX_POOL_2D")
        steps = [convolution, depthwise, self.sum, average, largest, self.pad, turned, flat, self.mean]
        steps += [convolution, depthwise, self.sum, self.pad, self.fully_connected, self.softmax]
        return self.pick(*steps)()

    def build(self):
        self.at = self.activation([1, self.number(1, 9), self.number(1, 9), self.pick(1, 2, 3, 5, 8)])
        first, self.written = self.at, []
        inputs = first
        if self.random.random() < 0.2:
            # An end in float32 or uint8 instead of int8.
            q = self.tensors[first].quantization
            kind = self.pick(S.TensorType.FLOAT32, S.TensorType.UINT8)
            zero = 0 if kind == S.TensorType.FLOAT32 else int(q.zeroPoint[0]) + 128
            inputs = self.tensor(self.shape(first), kind, list(q.scale), zero)
            self.add("QUANTIZE", [inputs], first)
        for _ in range(self.number(2, 9)):
            self.step()
        # Something to compute, whatever came before.
        self.fully_connected()
        if self.random.random() < 0.2:
            self.add("DEQUANTIZE", [self.at], self.tensor(self.shape(self.at), S.TensorType.FLOAT32))
        return self.file(inputs, self.at)

    def file(self, first, last):
        graph, model = S.SubGraphT(), S.ModelT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = self.tensors, self.operators, [first], [last]
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = []
        for code in self.codes:
            c = S.OperatorCodeT()
            c.builtinCode = c.deprecatedBuiltinCode = code
            c.version = 1 if code == S.BuiltinOperator.RESHAPE else 3
            model.operatorCodes.append(c)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def windows(x, options):
    """Every position of a pool, with the values of the map under its window."""
    _, height, width, _ = x.shape
    kernel, stride = (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
    out = [positions(n, k, s, options.padding) for n, k, s in zip((height, width), kernel, stride)]
    total = [max((o - 1) * s + k - n, 0) for o, s, k, n in zip(out, stride, kernel, (height, width))]
    before = [t // 2 if options.padding == SAME else 0 for t in total]
    for row in range(out[0]):
        for column in range(out[1]):
            top, left = row * stride[0] - before[0], column * stride[1] - before[1]
            part = x[0, max(top, 0) : top + kernel[0], max(left, 0) : left + kernel[1]].astype(np.int64)
            yield (row, column), out, part.reshape(-1, x.shape[3])


def pool(model, o, x, name):
    y = None
    low, high = model.rng(o.builtinOptions.fusedActivationFunction, o.outputs[0])
    for (row, column), out, part in windows(x, o.builtinOptions):
        if y is None:
            y = np.zeros((1, *out, x.shape[3]), np.int64)
        if name == "MAX_POOL_2D":
            y[0, row, column] = part.max(0)
        else:
            total, count = part.sum(0), len(part)
            y[0, row, column] = np.where(total > 0, (total + count // 2) // count, -((-total + count // 2) // count))
    return np.clip(y, low, high).astype(np.int8)


def load_oracle(path):
    spec = importlib.util.spec_from_file_location("oracle", path)
    oracle = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(oracle)

    class Model(oracle.Model):
        def name(self, o):
            code = self.m.operatorCodes[o.opcodeIndex]
            return oracle.names[max(code.builtinCode, code.deprecatedBuiltinCode)]

        def op(self, o, values, mode):
            name, x = self.name(o), values.get(o.inputs[0])
            shape = list(self.T[o.outputs[0]].shape)
            if name in ("QUANTIZE", "DEQUANTIZE"):
                return x
            if name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
                return pool(self, o, x, name)
            if name == "PAD":
                return np.pad(x, self.const(o.inputs[1]), constant_values=self.q(o.inputs[0])[1])
            return super().op(o, values, mode).reshape(shape)

    return Model


def main(oracle, count, folder):
    Model = load_oracle(oracle)
    os.makedirs(folder, exist_ok=True)
    for index in range(int(count)):
        random = np.random.default_rng(index)
        path = os.path.join(folder, f"{index:03}")
        with open(path + ".tflite", "wb") as file:
            file.write(Graph(random).build())
        model = Model(path + ".tflite")
        shape = [INPUTS, *model.T[model.g.inputs[0]].shape]
        inputs = random.integers(-128, 128, shape).astype(np.int8)
        inputs[0].reshape(-1)[::2] = random.choice([-128, 127])
        runs = [model.run(x, "single") for x in inputs]
        outputs = np.stack([run[model.g.outputs[0]].reshape(-1) for run in runs])
        layers = {
            f"layer_{k:03}_{model.name(o)}": runs[0][o.outputs[0]] for k, o in enumerate(model.g.operators)
        }
        np.savez_compressed(path + ".npz", input=inputs, output=outputs, **layers)


if __name__ == "__main__":
    main(*sys.argv[1:])
