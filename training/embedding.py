"""An embedding model's forward pass over a batch of texts, and its folder."""
import shutil
from pathlib import Path

import numpy as np
import torch

from checkpoint import write_tensors

SIZES = (256, 128, 64)  # Matryoshka
MODULES = ["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "1_Pooling/config.json"]


def pack_whole(texts, length, at_least=0):
    """Packs whole texts into rows, `at_least` so many: (ids, sequence, position), each [rows, length], and each token's text [rows · length]."""
    rows, room = [], []
    for i in sorted(range(len(texts)), key=lambda i: -len(texts[i])):
        row = next((r for r, left in enumerate(room) if left >= len(texts[i])), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(length)
        rows[row].append(i)
        room[row] -= len(texts[i])
    rows += [[]] * (at_least - len(rows))
    out = np.zeros((4, len(rows), length), np.int64)
    out[1], out[3] = -1, len(texts)  # the rest of a row counts as an extra text, which is dropped
    for r, members in enumerate(rows):
        at = 0
        for i in members:
            end = at + len(texts[i])
            out[:, r, at:end] = texts[i], np.full(end - at, i), np.arange(end - at), np.full(end - at, i)
            at = end
    ids, sequence, position, owner = map(torch.from_numpy, out)
    return (ids, sequence, position), owner.flatten()


def embed(encoder, texts, length, at_least=0):
    """(last hidden states of the texts' tokens in order [tokens, hidden], their mean per text [texts, hidden]) for lists of token ids."""
    lengths = torch.tensor([len(ids) for ids in texts])
    batch, owner = pack_whole(texts, length, at_least)
    place = torch.cat([lengths.cumsum(0) - lengths, lengths.sum()[None]])[owner] + batch[2].flatten()
    hidden = encoder(*batch).flatten(0, 1)[place.argsort()[: lengths.sum()]].float()
    sums = torch.zeros(len(texts), hidden.shape[-1]).index_add(0, torch.repeat_interleave(lengths), hidden)
    return hidden, sums / lengths[:, None]


def save(encoder, out, start):
    """Writes a sentence-transformers folder with the tokenizer and the configuration of the folder `start`."""
    out = Path(out)
    (out / "1_Pooling").mkdir(parents=True, exist_ok=True)
    write_tensors(out / "model.safetensors", encoder.state_dict())
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", *MODULES]:
        shutil.copyfile(Path(start) / name, out / name)
