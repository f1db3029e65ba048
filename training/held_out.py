"""Writes eval/held-out.json from the documents held out from training: python3 held_out.py TEXT_FOLDER"""
import json
import sys
from pathlib import Path

import numpy as np

from data import documents, domains, split
from pairs import KINDS, pairs

HERE = Path(__file__).parent
CHARACTERS = 36_000  # per domain, for the masked tokens
PAIRS = 1000
QUERY, PASSAGE = 400, 600  # characters, about 90 and 130 tokens


def cut(text, length):
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0]


def masked_texts(found, rng):
    """{domain: texts for the masked tokens}"""
    texts = {}
    for domain, rest in found.items():
        texts[domain] = []
        for i in rng.permutation(len(rest)):
            left = CHARACTERS - sum(map(len, texts[domain]))
            if left > 400:
                texts[domain].append(cut("\n\n".join(t for _, t in rest[i]), min(left, CHARACTERS // 3)))
    return texts


def retrieval_pairs(found, rng):
    """PAIRS pairs, the same number of each kind, drawn from at most 80 per domain and kind; no passage twice."""
    by_kind = {kind: [] for kind in KINDS}
    for domain, rest in found.items():
        for kind in KINDS:
            these = [(q, p) for d in rest for k, q, p in pairs(d) if k == kind]
            by_kind[kind] += [{"domain": domain, "kind": kind, "query": cut(q, QUERY), "passage": cut(p, PASSAGE)}
                              for q, p in (these[i] for i in rng.permutation(len(these))[:80])]
    chosen = {}
    for n in range(PAIRS):
        these, before = by_kind[KINDS[n % len(KINDS)]], len(chosen)
        while len(chosen) == before:
            pair = these.pop(rng.integers(len(these)))
            chosen.setdefault(pair["passage"], pair)
    return list(chosen.values())


def main(folder):
    domain, found = domains(), {}
    for path in sorted(Path(folder).glob("*.txt")):
        found.setdefault(domain.get(path.stem, path.stem), []).extend(split(list(documents(path)))[1])
    found = {name: rest for name, rest in found.items() if sum(len(t) for d in rest for _, t in d) >= 8000}
    out = {"texts": masked_texts(found, np.random.default_rng(0)), "pairs": retrieval_pairs(found, np.random.default_rng(0))}
    (HERE / "eval/held-out.json").write_text(json.dumps(out, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print({d: sum(map(len, t)) for d, t in out["texts"].items()}, len(out["pairs"]), "pairs")


if __name__ == "__main__":
    main(sys.argv[1])
