"""Begins a student: python3 student.py --teacher FOLDER --text FOLDER --modules FOLDER --out FOLDER

The student reads the teacher's own tokens, so that each token's vector can be learned from the teacher's, but only the SIZE that the texts use most:
a WordPiece tokenizer matches the longest piece that it has, so a word whose token is left out falls into shorter ones. Sources count by size to the
power of TEMPERATURE, so that a large one does not decide alone. A token's embedding begins as the teacher's, in the directions that hold most of
it (PCA without subtracting the mean, tokens weighted by the root of their uses); layers begin at random, their outputs small.
"""
import argparse
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel

from checkpoint import read_config, write_tensors
from data import documents, split
from embedding import MODULES
from modernbert import Encoder
from tokenizer import Tokenizer

SIZE = 16_384
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CHARACTERS = 2_000_000  # per source
TEMPERATURE = 0.7


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--teacher", required=True, help="folder as transformers saves it, with a WordPiece tokenizer")
    p.add_argument("--text", required=True, help="folder of text files, as fetch.py writes them")
    p.add_argument("--modules", required=True, help="folder with the student's config.json and sentence-transformers files")
    p.add_argument("--out", required=True)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


def pieces(path):
    """The training texts of a source, at most CHARACTERS, every document cut alike."""
    texts = ["\n\n".join(text for _, text in document) for document in split(list(documents(path)))[0]]
    share = min(1, CHARACTERS / sum(map(len, texts)))
    return [text[: int(len(text) * share) + 1] for text in texts]


def counted(library, folder):
    """Counter {token id: weighted uses}."""
    uses = Counter()
    for path in sorted(Path(folder).glob("*.txt")):
        found = Counter()
        for e in library.encode_batch_fast(pieces(path), add_special_tokens=False):
            found.update(e.ids)
        for token, n in found.items():
            uses[token] += n / found.total() ** (1 - TEMPERATURE)
    return uses


def kept_tokens(vocabulary, uses, size=SIZE):
    """Names of the kept tokens in the original order: the special ones, every used character at the beginning of a word and within one, and the most
    used others until `size`."""
    names = {i: name for name, i in vocabulary.items()}
    characters = {names[i].removeprefix("##")[0] for i in uses if names[i] not in SPECIAL}
    kept = {*SPECIAL, *(name for name in vocabulary if len(name.removeprefix("##")) == 1 and name.removeprefix("##") in characters)}
    for i, _ in uses.most_common():
        if len(kept) == size:
            break
        kept.add(names[i])
    return sorted(kept, key=vocabulary.get)


def cut(file, kept):
    """tokenizer.json with these tokens alone, numbered anew."""
    ids = {name: i for i, name in enumerate(kept)}
    processor = json.loads(json.dumps(file["post_processor"]))
    for name, special in processor["special_tokens"].items():
        special["ids"] = [ids[name]]
    added = [t | {"id": ids[t["content"]]} for t in file["added_tokens"]]
    model = file["model"] | {"vocab": ids}
    return file | {"added_tokens": added, "post_processor": processor, "model": model, "truncation": None, "padding": None}


def embeddings(teacher, ids, uses, hidden):
    """[SIZE, hidden]: the teacher's embeddings of its tokens `ids`, in the directions that hold most of them."""
    rows = teacher.embeddings(input_ids=torch.tensor(ids)[:, None])[:, 0]
    count = torch.tensor([uses.get(i, 0.0) for i in ids]).sqrt()[:, None]
    _, directions = torch.linalg.eigh((rows * count).T @ rows)
    rows = rows @ directions.flip(-1)[:, :hidden]
    return torch.cat([rows / rows.std(), torch.zeros(SIZE - len(rows), hidden)])


@torch.no_grad()
def main():
    a = arguments()
    torch.manual_seed(a.seed)
    out = Path(a.out)
    (out / "1_Pooling").mkdir(parents=True, exist_ok=True)
    file = json.loads((Path(a.teacher) / "tokenizer.json").read_text(encoding="utf-8"))
    library = Tokenizer(a.teacher).library
    uses, vocabulary = counted(library, a.text), file["model"]["vocab"]
    kept = kept_tokens(vocabulary, uses)
    config = read_config(a.modules) | {"vocab_size": SIZE}
    for role, name in {"pad": "[PAD]", "cls": "[CLS]", "bos": "[CLS]", "sep": "[SEP]", "eos": "[SEP]"}.items():
        config[f"{role}_token_id"] = kept.index(name)
    student = Encoder(config)
    teacher = AutoModel.from_pretrained(a.teacher, dtype=torch.float32).eval()
    rows = embeddings(teacher, [vocabulary[name] for name in kept], uses, config["hidden_size"])
    student.embeddings["tok_embeddings"].weight.copy_(rows)
    for layer in student.layers:
        for output in (layer.attn.Wo, layer.mlp.Wo):
            output.weight.mul_((2 * len(student.layers)) ** -0.5)
    for name in ["tokenizer_config.json", "special_tokens_map.json", *MODULES]:
        shutil.copyfile(Path(a.modules) / name, out / name)
    (out / "tokenizer.json").write_text(json.dumps(cut(file, kept), ensure_ascii=False), encoding="utf-8")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_tensors(out / "model.safetensors", student.state_dict(), "F32")
    covered = sum(uses[vocabulary[name]] for name in kept) / uses.total()
    print(f"{len(kept)} of {len(vocabulary)} tokens, {100 * covered:.2f}% of the uses")


if __name__ == "__main__":
    main()
