"""Golden outputs of a built-in model's weights, in float64, for nano-texts.json: python3 training/goldens.py nano|nano-embed

Writes src/model/fixtures/golden/NAME.safetensors. nano's are of the model code in this folder, nano-embed's of Hugging Face's transformers; the
token ids of both are of their tokenizers.
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
    if name == "nano":
        model = load(ROOT / "public/models" / name).double().eval()
        hidden = torch.cat([model.model(*one_sequence(ids))[0] for ids in sequences])
        rows = np.flatnonzero(kept["input_ids"] == tokenizer.mask)
        top = model.logits(hidden[rows]).topk(50)
        outputs = {"last_hidden_state": hidden, "mask_rows": rows.astype(np.int32), "top_logit_ids": top.indices, "top_logits": top.values}
    else:
        from transformers import AutoModel

        model = AutoModel.from_pretrained(ROOT / "public/models" / name, dtype=torch.float64, attn_implementation="eager").eval()
        outputs = {"mean_pooled": torch.cat([model(torch.tensor([ids])).last_hidden_state.mean(1) for ids in sequences])}
    write_safetensors(GOLDEN / f"{name}.safetensors", kept | {key: np.asarray(value) for key, value in outputs.items()})


if __name__ == "__main__":
    main(sys.argv[1])
