"""Gives a checkpoint the tokens that a corpus uses most: python3 vocabulary.py TOKENIZER.json TEXT_FOLDER CHECKPOINT OUT_FOLDER

Cuts a byte-level BPE tokenizer to SIZE tokens: the bytes, then the most used, each with the two tokens that its merge joins, so that every kept
token can still be reached; other words fall apart into kept pieces. Sources count by size to the power of TEMPERATURE, so that a large one does
not decide alone. A token that the checkpoint had keeps its embedding; a new one begins as the mean of the pieces that it was before.
"""
import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import tokenizers
import torch

from checkpoint import read_config, read_tensors, write_tensors
from data import documents, split
from tokenizer import Tokenizer

SIZE = 16_376
SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
CHARACTERS = 6_000_000  # per source; more change nothing
TEMPERATURE = 0.7


def pieces(path):
    """The training texts of a source, at most CHARACTERS, every document cut alike."""
    texts = ["\n\n".join(text for _, text in document) for document in split(list(documents(path)))[0]]
    share = min(1, CHARACTERS / sum(map(len, texts)))
    return [text[: int(len(text) * share) + 1] for text in texts]


def counted(library, folder):
    """Counter {token id: weighted uses}, and the characters and tokens read."""
    uses, characters, tokens = Counter(), 0, 0
    for path in sorted(Path(folder).glob("*.txt")):
        texts, found = pieces(path), Counter()
        for e in library.encode_batch_fast(texts, add_special_tokens=False):
            found.update(e.ids)
        total = found.total()
        for token, n in found.items():
            uses[token] += n / total**(1 - TEMPERATURE)
        characters += sum(map(len, texts))
        tokens += total
    return uses, characters, tokens


def kept_tokens(vocabulary, merges, uses, size=SIZE):
    """The names of the kept tokens in the original order: most used first until `size`, each with all that its merges need."""
    parts = {left + right: (left, right) for left, right in reversed(merges)}
    kept = {token for token in vocabulary if token not in parts and len(token) == 1}

    def needed(token):
        if token in kept:
            return set()
        if token not in parts:
            return {token}
        return {token}.union(*map(needed, parts[token]))

    for token in sorted(parts, key=lambda t: -uses.get(vocabulary[t], 0)):
        more = needed(token) if token in vocabulary else set()
        if len(kept) + len(more) <= size:
            kept |= more
        if len(kept) == size:
            break
    return sorted(kept, key=vocabulary.get)


def cut(file, uses):
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in file["model"]["merges"]]
    kept = kept_tokens(file["model"]["vocab"], merges, uses)
    known = set(kept)
    model = file["model"] | {
        "vocab": {token: i for i, token in enumerate(kept)},
        "merges": [f"{left} {right}" for left, right in merges if {left, right, left + right} <= known],
    }
    ids = {name: len(kept) + i for i, name in enumerate(SPECIAL)}
    added = [t | {"id": ids[t["content"]]} for t in file["added_tokens"] if t["content"] in ids]
    processor = json.loads(json.dumps(file["post_processor"]))
    for name, special in processor["special_tokens"].items():
        special["ids"] = [ids[name]]
    return file | {"added_tokens": sorted(added, key=lambda t: t["id"]), "post_processor": processor, "model": model, "truncation": None, "padding": None}


def embeddings(old, new, weight):
    """Rows for the tokens of `new` from those of `old`, both Tokenizers; weight: [old tokens, hidden]."""
    rows = {}
    for name, i in new.library.get_vocab().items():
        kept = old.library.token_to_id(name)
        ids = [kept] if kept is not None else old.encode(new.library.decode([i], skip_special_tokens=False))
        rows[i] = weight[ids].mean(0) if ids else weight.mean(0)
    spare = weight.mean(0)  # rows that no token has
    return torch.stack([rows.get(i, spare) for i in range(len(weight))])


def main(tokenizer, text, start, out):
    out = Path(out)
    file = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    uses, characters, tokens = counted(tokenizers.Tokenizer.from_file(tokenizer), text)
    shutil.copytree(start, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("onnx", "README.md", "state.*"))
    (out / "tokenizer.json").write_text(json.dumps(cut(file, uses), ensure_ascii=False), encoding="utf-8")
    old, new = Tokenizer(start), Tokenizer(out)
    ids = [read_config(start)[f"{name}_token_id"] for name in ("cls", "sep", "pad")]
    if ids != [new.library.token_to_id(name) for name in ("[CLS]", "[SEP]", "[PAD]")]:
        raise ValueError(f"{start}/config.json names other ids for [CLS], [SEP], [PAD] than the new tokenizer has")
    tensors = read_tensors(f"{start}/model.safetensors")
    name = next(name for name in tensors if name.endswith("tok_embeddings.weight"))
    tensors[name] = embeddings(old, new, tensors[name])
    write_tensors(out / "model.safetensors", tensors, "F32")
    _, _, before = counted(old.library, text)
    _, _, after = counted(new.library, text)
    shared = len(set(old.library.get_vocab()) & set(new.library.get_vocab()))
    print(f"{shared} tokens stay; characters per token: {characters / tokens:.3f} whole, {characters / before:.3f} before, {characters / after:.3f} now")


if __name__ == "__main__":
    main(*sys.argv[1:])
