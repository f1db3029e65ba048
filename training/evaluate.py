"""Scores embedding models on held-out pairs and on sets of kinds that training leaves out: python3 evaluate.py MODEL [--out FILE.json]

MODEL is a checkpoint folder of ours: modernbert.py embeds the texts in float32, and without --torch also the library, in Node, in each of DTYPES. With
--sentence-transformers it is a folder for that package. --reference also makes eval/sets/sts.json of this model's cosines.
    python3 evaluate.py --table FILE.json ...      the results as a Markdown table
    python3 evaluate.py MODEL --bounds             what cosines mean, for the bounds in demo/search/relevance.ts

Training code calls evaluate() with a function of its own.
"""
import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SETS = HERE / "eval/sets"
STS = SETS / "sts.json"
SHORT = ["question", "paraphrase", "code", "report", "debian"]
DTYPES = ["f32", "f16", "q8", "q4"]
SIMILAR, TENTHS, UNRELATED = 2200, 10, 2000  # pairs of texts; at most, as the uppermost tenths have fewer
SOME = 40  # pairs of each set in every dtype
FIRST = 150  # pairs of each set, of which SIMILAR's texts are
MOST = 6  # times that a text is in SIMILAR


def pairs_of():
    """{set: pairs}. Debian's texts are not in the repository: without them the set is named and left out."""
    found = {"held-out": json.loads((HERE / "eval/held-out.json").read_text())["pairs"]}
    for name in SHORT:
        path = SETS / f"{name}.json"
        if path.exists():
            found[name] = json.loads(path.read_text())["pairs"]
        else:
            print(f"NOT EVALUATED: {path} is missing; eval_sets.py makes it.", file=sys.stderr)
    return found


def long_pairs():
    return json.loads(gzip.decompress((SETS / "long.json.gz").read_bytes()))["pairs"]


def unit(vectors):
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def retrieved(ranks):
    """Measures of the ranks, from 0, of the right passages."""
    found = ranks < 10
    return {
        "count": len(ranks), "recall1": np.mean(ranks < 1), "recall10": np.mean(found), "mrr": np.mean(1 / (ranks + 1)),
        "ndcg10": np.sum(1 / np.log2(ranks[found] + 2)) / len(ranks),
    }


def retrieval(pairs, vector):
    """Every query against all passages of its set; `kinds` and `domains` where the pairs have them. `vector`: {text: unit vector}."""
    queries, passages = (np.stack([vector[p[side]] for p in pairs]) for side in ("query", "passage"))
    scores = queries @ passages.T
    ranks = (scores > scores.diagonal()[:, None]).sum(1)
    found = {"all": retrieved(ranks)}
    for key in ("kind", "domain"):
        names = sorted({p[key] for p in pairs if key in p})
        if names:
            found[f"{key}s"] = {n: retrieved(ranks[[p[key] == n for p in pairs]]) for n in names}
    return found


def ranked(values):
    """Ranks from 0; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]


def spearman(a, b):
    return np.corrcoef(ranked(a), ranked(b))[0, 1]


def evaluate(embed, most=None, with_long=False):
    """Scores a function from a list of texts to vectors [texts, dim], which it makes unit vectors.

    most: only so many pairs of each set, for a look during training: not comparable with a whole set, which has more candidates. with_long: the
    long documents too. Returns sets (measures by set), sts (Spearman's rank correlation with the reference's cosines; not for fewer than FIRST
    pairs of each set) and unrelated (mean cosine of passages of any sets, drawn at random).
    """
    sets = {name: pairs[:most] for name, pairs in pairs_of().items()} | ({"long": long_pairs()} if with_long else {})
    similar = json.loads(STS.read_text())["pairs"] if most is None or most >= FIRST else []
    sides = [[sets[name][at][kind] for name, kind, at in (pair[side] for pair in similar)] for side in (0, 1)]
    texts = list(dict.fromkeys(p[side] for pairs in sets.values() for p in pairs for side in ("query", "passage")))
    vector = dict(zip(texts, unit(embed(texts))))
    passages = [p["passage"] for name, pairs in sets.items() if name != "long" for p in pairs]
    drawn = np.random.default_rng(0).integers(len(passages), size=(UNRELATED, 2))
    cosine = lambda a, b: float(vector[a] @ vector[b])
    found = {"sets": {name: retrieval(pairs, vector) for name, pairs in sets.items()}}
    if similar:
        found["sts"] = {"count": len(similar), "spearman": spearman([cosine(a, b) for a, b in zip(*sides)], [pair[2] for pair in similar])}
    found["unrelated"] = np.mean([cosine(passages[a], passages[b]) for a, b in drawn if a != b])
    return found


def write_reference(embed, name):
    """SIMILAR pairs of texts of the committed sets, as many from each tenth of this model's cosine between 0 and 1, or all that there are; a text at
    most MOST times."""
    sets = {n: pairs[:FIRST] for n, pairs in pairs_of().items() if n != "debian"}
    places = {p[side]: (n, side, i) for n, pairs in sets.items() for i, p in enumerate(pairs) for side in ("query", "passage")}
    vectors, places, rng = unit(embed(list(places))), list(places.values()), np.random.default_rng(0)
    cosines, used, kept = vectors @ vectors.T, np.zeros(len(places), int), []
    tenths = np.where(np.tri(len(places), dtype=bool), -1, np.clip(cosines * TENTHS, -1, TENTHS - 1).astype(np.int8))
    for tenth in range(TENTHS - 1, -1, -1):
        found, left = np.argwhere(tenths == tenth), SIMILAR // TENTHS
        for a, b in found[rng.permutation(len(found))]:
            if left and cosines[a, b] >= 0 and max(used[a], used[b]) < MOST:
                used[[a, b]] += 1
                left -= 1
                kept.append([places[a], places[b], round(float(cosines[a, b]), 4)])
        print(f"cosine {tenth / TENTHS} and more: {SIMILAR // TENTHS - left} pairs")
    lines = ",\n".join(f"    {json.dumps(kept[i])}" for i in rng.permutation(len(kept)))
    STS.write_text(f'{{\n  "reference": "{name}",\n  "pairs": [\n{lines}\n  ]\n}}\n')


def library(folder, dtype):
    """An embedding function that runs the library in Node."""

    def embed(texts):
        with tempfile.TemporaryDirectory() as top:
            given, out = Path(top) / "texts.json", Path(top) / "vectors.f32"
            given.write_text(json.dumps(texts))
            subprocess.run(["node", "tools/run.mjs", "training/eval/vectors.ts", Path(folder).resolve(), dtype, given, out], cwd=HERE.parent, check=True)
            return np.fromfile(out, "<f4").reshape(len(texts), -1)

    return embed


def of_encoder(encoder, tokenizer, tokens=16384):
    """An embedding function of our own model in PyTorch, about `tokens` at a time."""
    import torch

    from embedding import embed as embed_ids

    @torch.no_grad()
    def embed(texts):
        ids = tokenizer.encode_all(texts, encoder.config["max_position_embeddings"])
        order, out, at = sorted(range(len(ids)), key=lambda i: -len(ids[i])), [None] * len(ids), 0
        while at < len(order):
            chunk = order[at : at + max(1, tokens // len(ids[order[at]]))]
            for i, vector in zip(chunk, embed_ids(encoder, [ids[i] for i in chunk], len(ids[chunk[0]]))[1]):
                out[i] = vector.numpy()
            at += len(chunk)
        return np.stack(out)

    return embed


def checkpoint(folder):
    """An embedding function of our own checkpoint, in float32."""
    from modernbert import Encoder, load
    from tokenizer import Tokenizer

    model = load(folder).eval()
    return of_encoder(model if isinstance(model, Encoder) else model.model, Tokenizer(folder))


def sentence_transformers(folder):
    """An embedding function of the package. It keeps every vector: the reference's texts are the evaluation's too."""
    from sentence_transformers import SentenceTransformer

    model, kept = SentenceTransformer(str(folder), device="cpu"), {}

    def embed(texts):
        new = [t for t in texts if t not in kept]
        kept.update(zip(new, model.encode(new, batch_size=16, show_progress_bar=False)))
        return [kept[t] for t in texts]

    return embed


def of_dtypes(folder):
    """Our checkpoint in PyTorch, and how near the library's vectors come to these in each of DTYPES: on the first SOME pairs of each set."""
    ours, kept = checkpoint(folder), {}

    def keeping(name, embed):
        def kept_embed(texts):
            vectors = unit(embed(texts))
            kept[name] = dict(zip(texts, vectors))
            return vectors

        return kept_embed

    found = evaluate(keeping("PyTorch", ours), with_long=True) | {"dtypes": {}}
    for dtype in DTYPES:
        evaluate(keeping(dtype, library(folder, dtype)), most=SOME)
        cosines = [vector @ kept["PyTorch"][text] for text, vector in kept[dtype].items()]
        found["dtypes"][dtype] = {"count": len(cosines), "cosine": np.mean(cosines), "least": np.min(cosines)}
    return found


def bounds(embed, most=300, others=100, step=0.05):
    """A Markdown table: of the best passages with a cosine in each interval, how many were the right one. Half of the queries are asked among the
    passages of their own set, half among those of each other set, where nothing answers them."""
    sides = [[unit(embed([p[side] for p in pairs[:most]])) for side in ("query", "passage")] for pairs in pairs_of().values()]
    own = [(s.max(1), s.argmax(1) == np.arange(len(s))) for s in (queries @ passages.T for queries, passages in sides)]
    cosines, right = (np.concatenate(part) for part in zip(*own))
    none = np.concatenate([(q[:others] @ p.T).max(1) for i, (q, _) in enumerate(sides) for j, (_, p) in enumerate(sides) if i != j])
    rows = ["| cosine from | best of the own set | right | best where nothing answers, as many queries | right of both |", "| ---: | ---: | ---: | ---: | ---: |"]
    for low in np.arange(0.1, 1, step):
        inside, outside = (((c >= low) & (c < low + step)) for c in (cosines, none))
        n, m = inside.sum(), outside.sum() * len(cosines) / len(none)
        if n:
            rows.append(f"| {low:.2f} | {n} | {100 * right[inside].mean():.0f}% | {m:.0f} | {100 * right[inside].sum() / (n + m):.0f}% |")
    return "\n".join(rows)


def table(files):
    """Recall@1, recall@10 and MRR of every set, a column for each result file."""
    results = {Path(f).stem: json.loads(Path(f).read_text()) for f in files}
    rows = [["set", "pairs", *results], ["---", "---:", *["---:"] * len(results)]]
    for name in dict.fromkeys(name for r in results.values() for name in r["sets"]):
        of = [r["sets"].get(name, {}).get("all") for r in results.values()]  # the texts that are not committed can be missing
        count = next(s["count"] for s in of if s)
        rows.append([name, str(count), *(f"{s['recall1']:.2f} / {s['recall10']:.2f} / {s['mrr']:.2f}" if s else "" for s in of)])
    similar = [r.get("sts") for r in results.values()]
    count = next((str(s["count"]) for s in similar if s), "")
    rows.append(["rank correlation with all-mpnet-base-v2", count, *(f"{s['spearman']:.2f}" if s else "" for s in similar)])
    rows.append(["mean cosine of unrelated passages", str(UNRELATED), *(f"{r['unrelated']:.2f}" for r in results.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    return value if isinstance(value, int) else round(float(value), 4)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", nargs="+", help="a folder; with --table, result files")
    p.add_argument("--sentence-transformers", action="store_true")
    p.add_argument("--torch", action="store_true", help="our checkpoint in PyTorch alone")
    p.add_argument("--reference", action="store_true")
    p.add_argument("--table", action="store_true")
    p.add_argument("--bounds", action="store_true", help="of our checkpoint in PyTorch, or with --sentence-transformers")
    p.add_argument("--out")
    a = p.parse_args()
    if a.table:
        print(table(a.model))
        return
    (folder,) = a.model
    if a.sentence_transformers or a.torch or a.bounds:
        embed = sentence_transformers(folder) if a.sentence_transformers else checkpoint(folder)
        if a.bounds:
            print(bounds(embed))
            return
        if a.reference:
            write_reference(embed, Path(folder).name)
        found = evaluate(embed, with_long=True)
    else:
        found = of_dtypes(folder)
    report = json.dumps(rounded(found), indent=2) + "\n"
    if a.out:
        Path(a.out).write_text(report)
    print(report)


if __name__ == "__main__":
    main()
