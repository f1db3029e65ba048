"""Golden outputs of the family's tiny twins (family.json) into src/model/fixtures/golden/family: python3 tools/goldens/make.py

Twins with text use nano's tokenizer, whose ids for nano-texts.json are in nano.safetensors (Hugging Face's).
"""
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from reference import Model, dense, pool, read_safetensors, unit, write_safetensors

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "src/model/fixtures/golden"
LENGTHS = [1, 90, 7]
TEXTS = [0, 2, 3, 5]  # of nano-texts.json; the last one is too long for a query and a document
PREFIXES = {"query": 16384, "document": 16385}
POOLINGS = {"cls_token": "cls", "max_tokens": "max", "mean_tokens": "mean", "weightedmean_tokens": "weightedmean"}
ACTIVATIONS = {"Tanh": "tanh", "Identity": None}

tokenizer = json.loads((ROOT / "public/models/nano/tokenizer.json").read_text())
mask_id = next(token["id"] for token in tokenizer["added_tokens"] if token["content"] == "[MASK]")
vocabulary = tokenizer["model"]["vocab"]
nano = read_safetensors(GOLDEN / "nano.safetensors")
every_text = np.split(nano["input_ids"], np.cumsum(nano["lengths"])[:-1])
texts = [every_text[i] for i in TEXTS]
(GOLDEN / "family").mkdir(exist_ok=True)


def embed(x, twin, weights):
    """x: pooled, or the hidden states of every token."""
    d = 0
    for module in twin.get("modules", []):
        if module == "Normalize":
            x = unit(x)
            continue
        activation = ACTIVATIONS[module["activation_function"].split(".")[-1]]
        x = dense(x, weights[f"dense.{d}.weight"], weights.get(f"dense.{d}.bias"), activation)
        d += 1
    return unit(x)


for twin in json.loads((Path(__file__).parent / "family.json").read_text()):
    rng = np.random.default_rng(twin["seed"])
    tensors = {}
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.json"
        spec.write_text(json.dumps(twin))
        subprocess.run(["node", ROOT / "tools/make-checkpoint.mjs", spec, folder], check=True, stdout=subprocess.DEVNULL)
        model = Model(folder)
    if twin["task"] != "encoder":
        ids = [rng.integers(0, twin["config"]["vocab_size"], n) for n in LENGTHS]
        hidden = [model.hidden_states(x) for x in ids]
        logits = np.concatenate([model.logits(x, twin["task"]) for x in hidden])
        tensors |= {"lengths": np.array(LENGTHS), "input_ids": np.concatenate(ids), "last_hidden_state": np.concatenate(hidden)}
        tensors["logits"] = logits[-7:] if twin["task"] == "mlm" else logits
    else:
        for d, module in enumerate(m for m in twin.get("modules", []) if m != "Normalize"):
            shape = (module["out_features"], module["in_features"])
            tensors[f"dense.{d}.weight"] = (rng.normal(size=shape) / np.sqrt(shape[1])).astype(np.float32)
            if module["bias"]:
                tensors[f"dense.{d}.bias"] = rng.normal(size=shape[0]).astype(np.float32)
        if "pooling" in twin:
            modes = [POOLINGS[key.removeprefix("pooling_mode_")] for key, on in twin["pooling"].items() if on]
            tensors["embeddings"] = np.stack([embed(pool(model.hidden_states(x), modes), twin, tensors) for x in texts])
        else:
            settings = twin["multi_vector"]
            skipped = [vocabulary[word] for word in settings["skiplist_words"]]
            for kind in ["query", "document"]:
                for i, text in enumerate(texts):
                    length = settings[f"{kind}_length"]
                    cut = text if len(text) < length else np.concatenate([text[: length - 2], text[-1:]])
                    ids = np.concatenate([cut[:1], [PREFIXES[kind]], cut[1:]])
                    keys = len(ids)
                    if kind == "query":
                        ids = np.concatenate([ids, np.full(length - keys, mask_id)])
                    every = embed(model.hidden_states(ids, keys), twin, tensors)
                    kept = np.ones(len(ids), bool) if kind == "query" else ~np.isin(ids, skipped)
                    tensors[f"{kind}.{i}"] = every[kept]
                    tensors[f"{kind}.{i}.ids"] = ids[kept]
    write_safetensors(GOLDEN / "family" / f"{twin['name']}.safetensors", tensors)
