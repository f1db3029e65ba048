"""Golden outputs of a built-in model's weights, in float64, for nano-texts.json: python3 training/goldens.py nano|nano-embed

Writes src/model/fixtures/golden/NAME.safetensors. Uses the model code in this folder, and Hugging Face's library for the token ids.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

from modernbert import load, one_sequence
from tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/goldens"))
from reference import write_safetensors  # noqa: E402

GOLDEN = ROOT / "src/model/fixtures/golden"


@torch.no_grad()
def main(name):
    texts = json.loads((GOLDEN / "nano-texts.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer(ROOT / "public/models" / name)
    sequences = tokenizer.encode_all(texts, 8192)
    kept = {"lengths": np.array([len(ids) for ids in sequences], np.int32), "input_ids": np.concatenate(sequences).astype(np.int32)}
    model = load(ROOT / "public/models" / name).double().eval()
    if name == "nano":
        hidden = torch.cat([model.model(*one_sequence(ids))[0] for ids in sequences])
        rows = np.flatnonzero(kept["input_ids"] == tokenizer.mask)
        top = model.logits(hidden[rows]).topk(50)
        outputs = {"last_hidden_state": hidden, "mask_rows": rows.astype(np.int32), "top_logit_ids": top.indices, "top_logits": top.values}
    else:
        outputs = {"mean_pooled": torch.cat([model(*one_sequence(ids)).mean(1) for ids in sequences])}
    write_safetensors(GOLDEN / f"{name}.safetensors", kept | {key: np.asarray(value) for key, value in outputs.items()})


if __name__ == "__main__":
    main(sys.argv[1])
