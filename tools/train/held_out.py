"""Writes eval/held-out.json from the documents that training leaves out: python3 held_out.py TEXT_FOLDER"""
import json
import sys
from pathlib import Path

import numpy as np

from data import documents, split
from pairs import KINDS, pairs

HERE = Path(__file__).parent
CHARACTERS = 36_000  # a domain, for the masked tokens
PAIRS = 1000
QUERY, PASSAGE = 200, 320  # characters


def cut(text, length):
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0]


def main(folder):
    domains = {s["name"]: s["domain"] for s in json.loads((HERE / "sources.json").read_text())}
    rng, found = np.random.default_rng(0), {}
    for path in sorted(Path(folder).glob("*.txt")):
        found.setdefault(domains.get(path.stem, path.stem), []).extend(split(list(documents(path)))[1])
    texts, by_kind = {}, {kind: [] for kind in KINDS}
    for domain, rest in found.items():
        if sum(len(t) for d in rest for _, t in d) < 8000:
            continue
        shuffled = [rest[i] for i in rng.permutation(len(rest))]
        texts[domain] = []
        for document in shuffled:
            text = "\n\n".join(t for _, t in document)
            left = CHARACTERS - sum(map(len, texts[domain]))
            if left > 400:
                texts[domain].append(cut(text, min(left, CHARACTERS // 3)))
        for kind in KINDS:
            these = [(q, p) for d in rest for k, q, p in pairs(d) if k == kind]
            by_kind[kind] += [{"domain": domain, "kind": kind, "query": cut(q, QUERY), "passage": cut(p, PASSAGE)}
                              for q, p in (these[i] for i in rng.permutation(len(these))[:100])]
    chosen = {}
    for kind in KINDS:
        some = [by_kind[kind][i] for i in rng.permutation(len(by_kind[kind]))]
        for pair in some[: PAIRS // 3 + 20]:
            chosen.setdefault(pair["passage"], pair)
    out = {"texts": texts, "pairs": list(chosen.values())[:PAIRS]}
    (HERE / "eval/held-out.json").write_text(json.dumps(out, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print({d: sum(map(len, t)) for d, t in texts.items()}, len(out["pairs"]), "pairs")


if __name__ == "__main__":
    main(sys.argv[1])
