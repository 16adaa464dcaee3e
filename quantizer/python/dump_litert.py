#!/usr/bin/env python3
"""What LiteRT computes with a .tflite file, for `quantizer compare MODEL.tflite OUT.npz`.

  pip install ai-edge-litert numpy
  dump_litert.py MODEL.tflite INPUT OUT.npz [--kernels xnnpack|reference|optimised]

INPUT is an .npz file with an int8 array "input" ([N, ...]), or raw int8 values. OUT gets "input", "output" of all N,
and "layer_NNN_OPERATOR", what each operator made of the first one.

With preserved tensors LiteRT gives XNNPACK each operator by itself, so that every intermediate tensor can be read and is
XNNPACK's own; what XNNPACK does not take (int8 SOFTMAX, AVERAGE_POOL_2D, RESHAPE) stays with LiteRT's optimised kernels.
The outputs are those of a second interpreter without preserved tensors: the network as users run it."""

import argparse

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KERNELS = {
    "xnnpack": OpResolverType.BUILTIN,
    "reference": OpResolverType.BUILTIN_REF,
    "optimised": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}


def interpreter(model, kernels, preserve):
    made = Interpreter(
        model, experimental_op_resolver_type=KERNELS[kernels], experimental_preserve_all_tensors=preserve
    )
    made.allocate_tensors()
    return made


def run(made, values):
    made.set_tensor(made.get_input_details()[0]["index"], values)
    made.invoke()
    return made.get_tensor(made.get_output_details()[0]["index"])


def layers(made):
    """Name and values of every operator of the file; the delegates that LiteRT appends to the list are none."""
    operators = [o for o in made._get_ops_details() if o["op_name"] != "DELEGATE"]
    return {f"layer_{o['index']:03}_{o['op_name']}": made.get_tensor(o["outputs"][0]) for o in operators}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("input")
    parser.add_argument("out")
    parser.add_argument("--kernels", choices=KERNELS, default="xnnpack")
    options = parser.parse_args()
    preserved = interpreter(options.model, options.kernels, True)
    shape = preserved.get_input_details()[0]["shape"]
    found = np.load(options.input)["input"] if options.input.endswith(".npz") else np.fromfile(options.input, np.int8)
    inputs = found.reshape(-1, *shape)
    run(preserved, inputs[0])
    plain = interpreter(options.model, options.kernels, False)
    outputs = np.concatenate([run(plain, values).reshape(1, -1) for values in inputs])
    np.savez_compressed(options.out, input=inputs.reshape(len(inputs), -1), output=outputs, **layers(preserved))
    print(f"{len(inputs)} outputs, {len(layers(preserved))} layers: {options.out}")


if __name__ == "__main__":
    main()
