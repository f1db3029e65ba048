"""Makes an ONNX graph small: its weights become external data in the checkpoint's model.safetensors.

    python3 tools/onnx/slim.py EXPORT.onnx CHECKPOINT_FOLDER OUT.onnx        (needs the Python package onnx)

EXPORT.onnx is an f32 export of the Hugging Face implementation. Its initializers are named like the checkpoint's tensors, with or without
a prefix. Each becomes a reference to the tensor in model.safetensors, in the file's precision, and a Cast to f32, which ONNX Runtime folds
when it loads. So transformers.js can run the built-in models too, for comparison, for 0.2 MB per graph.
"""

import json
import struct
import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper

TYPES = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "BF16": TensorProto.BFLOAT16}
WEIGHTS = "model.safetensors"


def tensors_of(path):
    """name -> (dtype, shape, first byte in the file, bytes)"""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    start = 8 + length
    return {
        name: (t["dtype"], t["shape"], start + t["data_offsets"][0], t["data_offsets"][1] - t["data_offsets"][0])
        for name, t in header.items()
    }


def slim(graph, tensors):
    casts = []
    for initializer in graph.initializer:
        name = initializer.name
        found = next((t for t in (name, *(name.split(".", i)[-1] for i in (1, 2))) if t in tensors), None)
        if found is None:
            raise SystemExit(f"initializer {name} is not a tensor of {WEIGHTS}")
        dtype, shape, offset, length = tensors[found]
        if list(initializer.dims) != shape:
            raise SystemExit(f"{name} is {list(initializer.dims)} in the graph, {shape} in {WEIGHTS}")
        initializer.ClearField("raw_data")
        initializer.name = found
        initializer.data_type = TYPES[dtype]
        initializer.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", offset), ("length", length)):
            initializer.external_data.add(key=key, value=str(value))
        casts.append(helper.make_node("Cast", [found], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    for node in nodes:
        node.ClearField("doc_string")
        node.ClearField("name")
    del graph.node[:]
    graph.node.extend(casts + nodes)
    del graph.value_info[:]


def main(export, folder, out):
    model = onnx.load(export)
    slim(model.graph, tensors_of(Path(folder) / WEIGHTS))
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_bytes(model.SerializeToString())
    print(f"{out}: {Path(out).stat().st_size} bytes, {len(model.graph.initializer)} tensors in {WEIGHTS}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
