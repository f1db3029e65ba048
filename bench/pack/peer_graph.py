"""ModernBERT with mean pooling and normalisation as an ONNX graph, for the stage peer.

    python3 peer_graph.py graph SHAPE.json OUT_DIR    writes OUT_DIR/f32 and OUT_DIR/f16, each with model.onnx and weights.json
    python3 peer_graph.py weights GRAPH_DIR           writes GRAPH_DIR/weights.bin, with random weights

graph exports Hugging Face's implementation and needs torch, transformers 5, onnx and onnxscript (made with torch 2.13.0). weights runs on
the machine that is measured and needs numpy only, so that no weights have to travel. weights.json lists the tensors of weights.bin: name,
shape, dtype, offset and size in bytes, whether they are ones or from a normal distribution, and its standard deviation.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

WEIGHTS = "weights.bin"
LEAST_VALUES = 512  # smaller tensors are constants of the graph (axes, RoPE's frequencies) and stay in it
PAGE = 4096  # offsets are multiples of it


def export(config, precision):
    """The ONNX model: input_ids and attention_mask [batch, length] int64 to sentence_embedding [batch, hidden] f32."""
    import torch
    import transformers

    class Embedder(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            hidden = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
            mask = attention_mask[:, :, None].float()
            mean = (hidden * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean, dim=-1)

    config = transformers.ModernBertConfig(**{key: value for key, value in config.items() if key != "model_type"})
    config.reference_compile = False
    config._attn_implementation = "eager"
    torch.manual_seed(6)
    dtype = {"f32": torch.float32, "f16": torch.float16}[precision]
    embedder = Embedder(transformers.ModernBertModel(config)).to(dtype).eval()
    ids, mask = torch.ones(2, 24, dtype=torch.long), torch.ones(2, 24, dtype=torch.long)
    mask[1, 20:] = 0
    # Dimensions of 0 and 1 would be taken for constants.
    batch = torch.export.Dim("batch", min=1, max=4096)
    length = torch.export.Dim("length", min=2, max=config.max_position_embeddings)
    shapes = {name: {0: batch, 1: length} for name in ("input_ids", "attention_mask")}
    program = torch.onnx.export(
        embedder,
        (ids, mask),
        dynamo=True,
        input_names=list(shapes),
        output_names=["sentence_embedding"],
        dynamic_shapes=shapes,
        opset_version=18,
    )
    return program.model_proto


def move_weights_out(model):
    """Makes the large tensors of an ONNX model references to WEIGHTS. Returns its size in bytes and the tensors' descriptions."""
    from onnx import TensorProto, numpy_helper

    offset, tensors = 0, []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.size < LEAST_VALUES or values.dtype.kind != "f":
            continue
        tensors.append({
            "name": tensor.name,
            "shape": list(values.shape),
            "dtype": str(values.dtype),
            "offset": offset,
            "bytes": values.nbytes,
            "kind": "ones" if values.ndim == 1 else "normal",
            "std": float(values.astype(np.float32).std()),
        })
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", offset), ("length", values.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        offset += -(-values.nbytes // PAGE) * PAGE
    return offset, tensors


def write_graph(shape_path, folder):
    config = json.loads(Path(shape_path).read_text())["config"]
    for precision in ("f32", "f16"):
        model = export(config, precision)
        size, tensors = move_weights_out(model)
        del model.graph.value_info[:]
        for node in model.graph.node:  # stack traces
            node.ClearField("doc_string")
            del node.metadata_props[:]
        out = Path(folder) / precision
        out.mkdir(parents=True, exist_ok=True)
        (out / "model.onnx").write_bytes(model.SerializeToString())
        plan = {"config": config, "bytes": size, "tensors": tensors}
        (out / "weights.json").write_text(json.dumps(plan, indent=1) + "\n")
        print(f"{out}: {(out / 'model.onnx').stat().st_size} bytes, {len(tensors)} tensors of {size / 1e6:.1f} MB left out")


def write_weights(folder):
    plan = json.loads((Path(folder) / "weights.json").read_text())
    random = np.random.default_rng(6)
    path = Path(folder) / WEIGHTS
    unfinished = path.with_suffix(f".{os.getpid()}")
    with open(unfinished, "wb") as file:
        file.truncate(plan["bytes"])
        for tensor in plan["tensors"]:
            shape = tensor["shape"]
            if tensor["kind"] == "ones":
                values = np.ones(shape, np.float32)
            else:
                values = random.standard_normal(shape, np.float32) * np.float32(tensor["std"])
            file.seek(tensor["offset"])
            file.write(values.astype(tensor["dtype"]).tobytes())
    unfinished.rename(path)
    print(f"{path}: {plan['bytes'] / 1e6:.1f} MB")


match sys.argv[1:]:
    case ["graph", shape_path, folder]:
        write_graph(shape_path, folder)
    case ["weights", folder]:
        write_weights(folder)
    case _:
        sys.exit(__doc__)
