"""Golden outputs of a built-in model's weights, in float64, for nano-texts.json: python3 training/goldens.py nano|nano-embed

Writes src/model/fixtures/golden/NAME.safetensors. Uses only the model code in this folder; the token ids are
taken from the existing file and are Hugging Face's.
"""
import sys
from pathlib import Path

import numpy as np
import torch

from modernbert import load, one_sequence

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/goldens"))
from reference import read_safetensors, write_safetensors  # noqa: E402

GOLDEN = ROOT / "src/model/fixtures/golden"


@torch.no_grad()
def main(name):
    old = {key: value.copy() for key, value in read_safetensors(GOLDEN / "nano.safetensors").items()}
    sequences = np.split(old["input_ids"], np.cumsum(old["lengths"])[:-1])
    model = load(ROOT / "public/models" / name).double().eval()
    if name == "nano":
        hidden = torch.cat([model.model(*one_sequence(ids))[0] for ids in sequences])
        top = model.logits(hidden[torch.from_numpy(old["mask_rows"]).long()]).topk(50)
        outputs = {"last_hidden_state": hidden, "mask_rows": old["mask_rows"], "top_logit_ids": top.indices, "top_logits": top.values}
    else:
        outputs = {"mean_pooled": torch.cat([model(*one_sequence(ids)).mean(1) for ids in sequences])}
    kept = {key: old[key] for key in ("lengths", "input_ids")}
    write_safetensors(GOLDEN / f"{name}.safetensors", kept | {key: np.asarray(value) for key, value in outputs.items()})


if __name__ == "__main__":
    main(sys.argv[1])
