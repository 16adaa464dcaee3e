#!/usr/bin/env python3
"""What ONNX Runtime computes with a file of `quantizer export --onnx`, for `quantizer compare MODEL.edge8 OUT.npz`.

  pip install onnx onnxruntime numpy
  dump_onnxruntime.py MODEL.onnx INPUT OUT.npz [--float]

INPUT is an .npz file with an int8 array "input" ([N, ...]), or raw int8 values, channels last. OUT gets "input", "output"
of all N, and "layer_NNN_NAME", what each layer made of the first one; all int8, channels last. The file is checked by
onnx.checker first.

ONNX Runtime turns what lies between DequantizeLinear and QuantizeLinear into int8 kernels; with --float it does not, and
computes in f32 what the file says. The outputs are those of a second session, which keeps no layers: as users run it."""

import argparse

import numpy as np
import onnx
import onnxruntime as ort


def session(model, plain):
    options = ort.SessionOptions()
    # On x86 without VNNI its fast kernels saturate sums of two products at 16 bits; these do not.
    options.add_session_config_entry("session.x64quantprecision", "1")
    if plain:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options)


def keep(model, names):
    """The model with int8 values among its outputs."""
    kept = onnx.ModelProto()
    kept.CopyFrom(model)
    kept.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT8, None) for name in names)
    return kept


def channels_last(values):
    return values.transpose(0, 2, 3, 1) if values.ndim == 4 else values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("input")
    parser.add_argument("out")
    parser.add_argument("--float", action="store_true", help="no int8 kernels")
    options = parser.parse_args()
    model = onnx.load(options.model)
    onnx.checker.check_model(model, full_check=True)
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    quantised = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    first, *rest = [node.output[0] for node in quantised]
    last = next(node.input[0] for node in model.graph.node if model.graph.output[0].name in node.output)

    scale, zero_point = (constants[name] for name in quantised[0].input[1:])
    _, channels, rows, columns = (side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim)
    found = np.load(options.input)["input"] if options.input.endswith(".npz") else np.fromfile(options.input, np.int8)
    inputs = found.reshape(-1, rows, columns, channels)
    reals = ((inputs.astype(np.float32) - np.float32(zero_point)) * scale).transpose(0, 3, 1, 2)

    feed = model.graph.input[0].name
    kept = session(keep(model, rest), options.float).run(rest, {feed: reals[:1]})
    layers = {f"layer_{i:03}_{name.removesuffix('.int8')}": channels_last(v) for i, (name, v) in enumerate(zip(rest, kept))}
    plain = session(keep(model, [last]), options.float)
    outputs = np.stack([channels_last(plain.run([last], {feed: image[None]})[0]).reshape(-1) for image in reals])
    np.savez_compressed(options.out, input=inputs.reshape(len(inputs), -1), output=outputs, **layers)
    print(f"{len(inputs)} outputs, {len(layers)} layers: {options.out}")


if __name__ == "__main__":
    main()
