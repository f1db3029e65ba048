"""Golden outputs of the built-in models' weights, in float64, for nano-texts.json: python3 tools/train/goldens.py

Writes src/model/fixtures/golden/nano.safetensors and nano-embed.safetensors. Only the model code here is used; the token ids are those of the
file that is there, which are Hugging Face's.
"""
import sys
from pathlib import Path

import numpy as np
import torch

from modernbert import load, one_sequence

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/goldens"))
from reference import read_safetensors, write_safetensors  # noqa: E402

GOLDEN = ROOT / "src/model/fixtures/golden"


@torch.no_grad()
def main():
    old = {name: value.copy() for name, value in read_safetensors(GOLDEN / "nano.safetensors").items()}
    kept = {name: old[name] for name in ("lengths", "input_ids")}
    sequences = np.split(old["input_ids"], np.cumsum(old["lengths"])[:-1])
    nano, embedder = (load(ROOT / "public/models" / name).double().eval() for name in ("nano", "nano-embed"))
    hidden = torch.cat([nano.model(*one_sequence(ids))[0] for ids in sequences])
    top = nano.logits(hidden[torch.from_numpy(old["mask_rows"]).long()]).topk(50)
    write_safetensors(GOLDEN / "nano.safetensors", kept | {
        "last_hidden_state": hidden.numpy(), "mask_rows": old["mask_rows"],
        "top_logit_ids": top.indices.numpy(), "top_logits": top.values.numpy(),
    })
    pooled = torch.cat([embedder(*one_sequence(ids)).mean(1) for ids in sequences])
    write_safetensors(GOLDEN / "nano-embed.safetensors", kept | {"mean_pooled": pooled.numpy()})


if __name__ == "__main__":
    main()
