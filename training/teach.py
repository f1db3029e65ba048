"""Teacher's vectors of a corpus, cached: nice python3 teach.py --teacher FOLDER --text FOLDER --out FOLDER [options]

Draws pairs of texts (pairs.py) from every source and embeds their texts with a sentence-transformers model. Writes per source NAME.PART.json
(texts, pairs of their indices, each text's document) and NAME.PART.npy, float16 [texts, dim]; sources that have both are skipped, so an
interrupted run goes on, and a higher --part draws further pairs. Texts that share WORDS words in a row with a text of the evaluation are left out.
"""
import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from data import documents, split
from held_out import HERE, PASSAGE, QUERY, cut
from pairs import pairs

SHORTEST = 24  # characters of a passage: glosses and answers are short
WORDS = 12


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--teacher", required=True)
    p.add_argument("--text", required=True, help="folder of text files, as fetch.py writes them")
    p.add_argument("--out", required=True)
    p.add_argument("--pairs", type=float, default=1e5, help="about this many in all")
    p.add_argument("--part", type=int, default=0)
    p.add_argument("--temperature", type=float, default=0.5, help="a source's share is its size to this power")
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args()


def runs(text):
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)}


def evaluation_runs():
    """Runs of words in every text of the evaluation."""
    found = set()

    def walk(value):
        if isinstance(value, str):
            found.update(runs(value))
        elif isinstance(value, (list, dict)):
            for part in value.values() if isinstance(value, dict) else value:
                walk(part)

    for path in (HERE / "eval").rglob("*.json"):
        walk(json.loads(path.read_text(encoding="utf-8")))
    return found


def drawn(path, part, count, forbidden):
    """{texts, pairs, documents}: pairs number part · count to (part + 1) · count of a source's, in a random order that only its name determines."""
    rng = np.random.default_rng(list(path.stem.encode()))
    training = split(list(documents(path)))[0]
    found = [(d, kind, cut(q, QUERY), cut(p, PASSAGE)) for d, document in enumerate(training) for kind, q, p in pairs(document, SHORTEST)]
    chosen = sorted(rng.permutation(len(found))[part * count : (part + 1) * count])
    index, of_document, kept = {}, [], []
    for d, kind, *texts in (found[i] for i in chosen):
        if any(forbidden & runs(text) for text in texts):
            continue
        for text in texts:
            if text not in index:
                index[text] = len(index)
                of_document.append(d)
        kept.append([*map(index.get, texts), kind])
    return {"texts": list(index), "pairs": kept, "documents": of_document}


def main():
    a = arguments()
    torch.set_num_threads(a.threads)
    teacher = SentenceTransformer(a.teacher, device="cpu", model_kwargs={"dtype": torch.bfloat16})
    forbidden, out = evaluation_runs(), Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    paths = sorted(Path(a.text).glob("*.txt"))
    sizes = np.array([path.stat().st_size for path in paths]) ** a.temperature
    for path, share in zip(paths, sizes / sizes.sum()):
        vectors_file = out / f"{path.stem}.{a.part}.npy"
        if vectors_file.exists():
            continue
        started = time.time()
        found = drawn(path, a.part, int(a.pairs * share), forbidden)
        if not found["pairs"]:
            continue
        vectors = teacher.encode(found["texts"], batch_size=64, normalize_embeddings=True, show_progress_bar=False)
        vectors_file.with_suffix(".json").write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        np.save(vectors_file, vectors.astype(np.float16))
        print(f"{path.stem}: {len(found['pairs'])} pairs, {len(vectors)} texts, {len(vectors) / (time.time() - started):.0f} texts/s", flush=True)


if __name__ == "__main__":
    main()
