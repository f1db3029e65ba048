"""Makes an ONNX graph small: its weights become external data in the checkpoint's model.safetensors.

    python3 tools/onnx/slim.py EXPORT.onnx CHECKPOINT_FOLDER OUT.onnx        (needs the Python package onnx)

EXPORT.onnx is an f32 export of the Hugging Face implementation. Its initializers are named like the checkpoint's tensors, with or without
a prefix, or have the values of a tensor or of its transpose. Each becomes a reference to the tensor in model.safetensors, in the file's
precision, with a Transpose if need be, and a Cast to f32, which ONNX Runtime folds when it loads. Constants of the graph (axes, RoPE's
frequencies) stay in it. So transformers.js can run the built-in models too, for comparison, for 0.2 MB per graph.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

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


def as_f32(data, dtype, shape, offset, length):
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2", length // 2, offset).astype("<u4") << 16).view("<f4").reshape(shape)
    kind = {"F32": "<f4", "F16": "<f2"}[dtype]
    return np.frombuffer(data, kind, length // np.dtype(kind).itemsize, offset).astype("<f4").reshape(shape)


def by_values(tensors, path):
    """shape and bytes of the f32 values -> (name, whether transposed)"""
    found = {}
    data = path.read_bytes()
    for name, tensor in tensors.items():
        values = as_f32(data, *tensor)
        if values.ndim == 2:
            found.setdefault((values.T.shape, values.T.tobytes()), (name, True))
        found[values.shape, values.tobytes()] = (name, False)
    return found


def source_of(initializer, tensors, values):
    """The checkpoint's tensor of an initializer, and whether it is transposed; none for a constant of the graph."""
    name = initializer.name
    for own in (name, *(name.split(".", i)[-1] for i in (1, 2))):
        if own in tensors and tensors[own][1] == list(initializer.dims):
            return own, False
    array = numpy_helper.to_array(initializer)
    if (array.shape, array.tobytes()) in values:
        return values[array.shape, array.tobytes()]
    if array.ndim < 2 or array.dtype != np.float32:
        return None
    raise SystemExit(f"initializer {name} {list(array.shape)} is not a tensor of {WEIGHTS}")


def slim(graph, path):
    tensors = tensors_of(path)
    values = by_values(tensors, path)
    before, kept, references = [], [], {}
    for initializer in graph.initializer:
        source = source_of(initializer, tensors, values)
        if source is None:
            kept.append(initializer)
            continue
        name, transposed = source
        dtype, shape, offset, length = tensors[name]
        tensor = references.setdefault(name, TensorProto(name=name, dims=shape, data_type=TYPES[dtype]))
        if not tensor.external_data:
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", WEIGHTS), ("offset", offset), ("length", length)):
                tensor.external_data.add(key=key, value=str(value))
        if transposed:
            before.append(helper.make_node("Transpose", [name], [f"{initializer.name}.T"], perm=[1, 0]))
        before.append(
            helper.make_node("Cast", [f"{initializer.name}.T" if transposed else name], [initializer.name], to=TensorProto.FLOAT)
        )
    nodes = list(graph.node)
    for node in nodes:
        node.ClearField("doc_string")
        node.ClearField("name")
        del node.metadata_props[:]
    del graph.initializer[:]
    graph.initializer.extend([*references.values(), *kept])
    del graph.node[:]
    graph.node.extend(before + nodes)
    del graph.value_info[:]


def write(model, folder, out):
    slim(model.graph, Path(folder) / WEIGHTS)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_bytes(model.SerializeToString())
    print(f"{out}: {Path(out).stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    write(onnx.load(sys.argv[1]), *sys.argv[2:])
