"""Initialises a larger model from a smaller one's weights: python3 tile.py SMALL_FOLDER CONFIG.json OUT_FOLDER

ModernBERT-large was initialised like this: the small matrices are tiled into the large ones (rows and columns wrap around), and layers are
repeated in place, so that global layers come from global layers. If the sizes are multiples and the number of layers is the same, the large
model starts with the small one's outputs. Tokenizer and vocabulary are the small model's.
"""
import json
import shutil
import sys
from pathlib import Path

import torch

from checkpoint import read_config, read_tensors, write_tensors
from modernbert import MaskedLm


def tiled(small, shape):
    """Repeats a tensor along every dimension until it has the given shape."""
    for dimension, size in enumerate(shape):
        small = small.index_select(dimension, torch.arange(size) % small.shape[dimension])
    return small


def source_layer(layer, small_layers, large_layers, period):
    """The small layer to copy into a layer: of the same kind (first, global or local) and at about the same relative depth."""
    depth = layer * small_layers / large_layers
    same = [i for i in range(small_layers) if (i % period == 0) == (layer % period == 0) and (i == 0) == (layer == 0)]
    return min(same, key=lambda i: abs(i - depth))


def grow(small, small_config, config):
    model = MaskedLm(config)
    grown = {}
    for name, value in model.state_dict().items():
        source = name
        if name.startswith("model.layers."):
            layer, rest = name.removeprefix("model.layers.").split(".", 1)
            of = source_layer(int(layer), small_config["num_hidden_layers"], config["num_hidden_layers"], config["global_attn_every_n_layers"])
            source = f"model.layers.{of}.{rest}"
        old = small[source]
        # the rows of q, k, v, and of GeGLU's value and gate, are concatenated: tile each part separately
        groups = 3 if name.endswith("Wqkv.weight") else 2 if name.endswith("Wi.weight") else 1
        shape = (value.shape[0] // groups, *value.shape[1:])
        new = torch.cat([tiled(part, shape) for part in old.chunk(groups)])
        if name.endswith(("Wqkv.weight", "Wi.weight", "Wo.weight", "dense.weight")):
            new = new * old.shape[1] / new.shape[1]
        if name == "head.norm.weight":  # the decoder's weights are the tied embeddings, which are tiled too
            new = new * len(old) / len(new)
        grown[name] = new
    model.load_state_dict(grown)
    return model


def main(folder, config_file, out):
    config = json.loads(Path(config_file).read_text())
    model = grow(read_tensors(f"{folder}/model.safetensors"), read_config(folder), config)
    Path(out).mkdir(parents=True, exist_ok=True)
    write_tensors(f"{out}/model.safetensors", model.state_dict(), "F32")
    (Path(out) / "config.json").write_text(json.dumps(config, indent=2))
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        shutil.copyfile(Path(folder) / name, Path(out) / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
