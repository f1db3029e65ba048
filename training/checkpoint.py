"""Reads and writes model.safetensors and config.json in the layout of published ModernBERT checkpoints."""
import json
import struct
from pathlib import Path

import numpy as np
import torch

DTYPES = {"F16": np.float16, "F32": np.float32}


def read_tensors(path):
    """{name: float32 tensor}, in the order of the file's data."""
    raw = Path(path).read_bytes()
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, t in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
        first, last = t["data_offsets"]
        values = np.frombuffer(raw[start + first : start + last], DTYPES[t["dtype"]]).reshape(t["shape"])
        tensors[name] = torch.from_numpy(values.astype(np.float32))
    return tensors


def write_tensors(path, tensors, dtype="F16"):
    """Keeps the given order, but layers last, as in the built-in models: their ONNX graphs locate weights by offset in the file."""
    header, data, place = {}, [], 0
    for name, tensor in sorted(tensors.items(), key=lambda item: "layers." in item[0]):
        part = tensor.detach().cpu().numpy().astype(DTYPES[dtype]).tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [place, place + len(part)]}
        data.append(part)
        place += len(part)
    text = json.dumps({**header, "__metadata__": {"format": "pt"}}).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def read_config(folder):
    return json.loads((Path(folder) / "config.json").read_text())
