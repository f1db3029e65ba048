"""A small made-up folder in BEIR's layout and tables, and what the published libraries' models score on them, into cli/evaluate/fixtures:

    python3 tools/evaluation/make_models.py

The models are checkpoints of src/reference/fixtures. Needs sentence-transformers 6.2, transformers 5.24 and torch 2.13, and what make.py needs.
Metrics that rounding could change are refused: change SEED then.
"""
import csv
import json
import random
import re
from importlib.metadata import version
from pathlib import Path

import bm25s
import numpy as np
import pytrec_eval
import torch
import transformers
from scipy.stats import pearsonr, spearmanr
from sentence_transformers import CrossEncoder, MultiVectorEncoder, SentenceTransformer, SparseEncoder
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "src/reference/fixtures"
OUT = ROOT / "cli/evaluate/fixtures"
PACKAGES = ["sentence-transformers", "transformers", "torch", "pytrec-eval-terrier", "scikit-learn", "scipy", "bm25s"]
SEED = 8
# What our f32 results may differ by.
ROUNDING = 5e-6
DEPTH, RERANKED = 30, 10
random.seed(SEED)

SUBJECTS = ["The captain", "A whale", "The harbour master", "My sister", "Nobody", "An old ship", "The baker"]
VERBS = ["crosses", "saw", "waits for", "sells", "remembers", "has never heard of", "repairs"]
OBJECTS = ["the river", "a storm at sea", "bread and salt", "the island", "Paris", "twelve coins", "the lighthouse"]
sentence = lambda: f"{random.choice(SUBJECTS)} {random.choice(VERBS)} {random.choice(OBJECTS)}."


def folder():
    documents = [{"_id": f"d{i}", "title": random.choice(OBJECTS).title() if i % 3 else "", "text": " ".join(sentence() for _ in range(1 + i % 3))} for i in range(40)]
    documents[5] = {"_id": "d5", "title": "", "text": " "}  # a text that nothing can find
    queries = [{"_id": f"q{i}", "text": sentence()} for i in range(10)]
    documents[9]["_id"] = "q3"  # never ranked for the query of that name
    ids = [document["_id"] for document in documents]
    judged = {f"q{i}": {id: random.randint(0, 2) for id in random.sample(ids, 8)} for i in range(8)}
    judged["q3"]["q3"] = 2
    judged["q6"] = {id: 0 for id in judged["q6"]}  # no relevant document
    place = OUT / "beir"
    (place / "qrels").mkdir(parents=True, exist_ok=True)
    for name, rows in [("corpus", documents), ("queries", queries)]:
        (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [f"{query}\t{id}\t{grade}\n" for query, grades in judged.items() for id, grade in grades.items()]
    (place / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows))
    kept = {document["_id"]: f"{document['title']} {document['text']}".strip() for document in documents}
    return {id: text for id, text in kept.items() if text}, {q["_id"]: q["text"] for q in queries if q["_id"] in judged}, judged


CORPUS, QUERIES, QRELS = folder()
IDS = list(CORPUS)
order = lambda hits: sorted(hits, key=lambda id: (np.float32(hits[id]), id.encode()), reverse=True)


def runs(scores, positive=False):
    """Of a matrix [queries, documents], as a search keeps them."""
    run = {}
    for query, row in zip(QUERIES, np.asarray(scores, dtype="float64")):
        hits = {id: score for id, score in zip(IDS, row.tolist()) if id != query and (score > 0 or not positive)}
        run[query] = {id: hits[id] for id in order(hits)[:DEPTH]}
    return run


def metrics(run):
    found = pytrec_eval.RelevanceEvaluator(QRELS, {"ndcg_cut.10", "recall.5,20"}).evaluate(run)
    cut = {query: {id: hits[id] for id in order(hits)[:10]} for query, hits in run.items()}
    reciprocal = pytrec_eval.RelevanceEvaluator(QRELS, {"recip_rank"}).evaluate(cut)
    mean = lambda values: float(np.mean(list(values)))
    names = {"ndcg@10": "ndcg_cut_10", "recall@5": "recall_5", "recall@20": "recall_20"}
    values = {ours: mean(query[theirs] for query in found.values()) for ours, theirs in names.items()}
    return {**values, "mrr@10": mean(query["recip_rank"] for query in reciprocal.values())}


def firm(scores, of):
    """`of` the scores, unless noise of the size of rounding errors changes it."""
    scores = np.asarray(scores, dtype="float64")
    value = of(scores)
    for seed in range(20):
        noise = np.random.default_rng(seed).uniform(-ROUNDING, ROUNDING, scores.shape)
        # Zeros stay: a sparse score without a common token is exact.
        assert np.allclose(list(value.values()), list(of(scores + noise * (scores != 0)).values()), atol=1e-12), "Rounding decides: change SEED."
    return value


def fuse(a, b):
    fused = {}
    for query in QUERIES:
        scores = {}
        for run in (a, b):
            for rank, id in enumerate(order(run[query])):
                scores[id] = scores.get(id, 0) + 1 / (60 + rank + 1)
        fused[query] = {id: scores[id] for id in order(scores)[:DEPTH]}
    return fused


def reranked(first, model):
    run = {}
    for query, text in QUERIES.items():
        top = order(first[query])
        scores = model.predict([(text, CORPUS[id]) for id in top[:RERANKED]], batch_size=1)
        run[query] = {id: float(score) for id, score in zip(top, scores)}
        least = min(run[query].values())
        run[query].update({id: least - 1 - i for i, id in enumerate(top[RERANKED:])})
    return run


queries, texts = list(QUERIES.values()), list(CORPUS.values())
dense_model = SentenceTransformer(str(MODELS / "st-dense-prompts"), device="cpu")
dense = dense_model.similarity(dense_model.encode_query(queries, batch_size=1), dense_model.encode_document(texts, batch_size=1)).numpy()
sparse_model = SparseEncoder(str(MODELS / "splade-max"), device="cpu")
sparse = sparse_model.similarity(sparse_model.encode_query(queries, batch_size=1), sparse_model.encode_document(texts, batch_size=1)).to_dense().numpy()
multi_model = MultiVectorEncoder(str(MODELS / "mv-colbert"), device="cpu")
vectors = [[model([text])[0] for text in of] for model, of in [(multi_model.encode_query, queries), (multi_model.encode_document, texts)]]
multi = [[float((torch.as_tensor(q) @ torch.as_tensor(d).T).max(1).values.sum()) for d in vectors[1]] for q in vectors[0]]
words = lambda text: re.findall(r"[^\W_]+", text.lower())
ranker = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
ranker.index([words(text) for text in texts], show_progress=False)
known = {word for text in texts for word in words(text)}
lexical = [ranker.get_scores([word for word in words(query) if word in known]) for query in queries]
cross = CrossEncoder(str(MODELS / "cross-encoder"), device="cpu")

RETRIEVAL = {
    "dense": firm(dense, lambda s: metrics(runs(s))),
    "sparse": firm(sparse, lambda s: metrics(runs(s, True))),
    "multi-vector": firm(multi, lambda s: metrics(runs(s))),
    "bm25": metrics(runs(lexical, True)),
    "hybrid": firm(dense, lambda s: metrics(fuse(runs(s), runs(lexical, True)))),
    "hybrid, sparse": firm(sparse, lambda s: metrics(fuse(runs(dense), runs(s, True)))),
    "reranked": firm(dense, lambda s: metrics(reranked(runs(s), cross))),
}

# Quotes that no one closes, as GLUE has them.
PAIRS = [(sentence(), f'"{sentence()}' if i % 9 == 4 else sentence()) for i in range(40)]


def logits(name, inputs):
    tokenizer = transformers.AutoTokenizer.from_pretrained(MODELS / name)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(MODELS / name).eval()
    with torch.no_grad():
        return np.array([model(**tokenizer(*row, return_tensors="pt")).logits[0].tolist() for row in inputs])


def table(name, header, rows):
    """TSV without quotes; CSV with those that it needs."""
    with open(OUT / name, "w", newline="") as file:
        if name.endswith(".csv"):
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        else:
            file.write("".join("\t".join(map(str, row)) + "\n" for row in [header, *rows]))


def labels(name, inputs, names):
    """Gold labels: the model's for two of three rows. `names`: what the data calls the model's labels."""
    scores = logits(name, inputs)
    gold = [names[best] if random.random() < 0.66 else random.choice(names) for best in scores.argmax(1)]

    def of(scores):
        predicted = [names[best] for best in scores.argmax(1)]
        return {
            "accuracy": accuracy_score(gold, predicted),
            "f1": f1_score([g == names[1] for g in gold], [p == names[1] for p in predicted], zero_division=0),
            "macroF1": f1_score(gold, predicted, average="macro", zero_division=0),
            "mcc": matthews_corrcoef(gold, predicted),
        }

    return gold, {"positive": names[1], **firm(scores, of)}


def correlations(gold, scores):
    value = {"pearson": pearsonr(gold, scores).statistic, "spearman": spearmanr(gold, scores).statistic}
    firm(scores, lambda s: {"spearman": spearmanr(gold, s).statistic})
    return value


grades = [random.randint(0, 10) / 2 for _ in PAIRS]
singles = [(text,) for text, _ in PAIRS]
names, named = labels("classify-labels", singles, ["3", "1", "2"])
indices, indexed = labels("cross-encoder-nli", PAIRS, ["0", "1", "2"])
st_model = SentenceTransformer(str(MODELS / "st-mean"), device="cpu")
left, right = (st_model.encode([pair[side] for pair in PAIRS], batch_size=1) for side in (0, 1))
cosines = st_model.similarity_pairwise(left, right).numpy()

table("labels.csv", ["id", "sentence", "class"], [(i, text, name) for i, ((text,), name) in enumerate(zip(singles, names))])
table("pairs.tsv", ["premise", "hypothesis", "label", "score"], [(*pair, label, grade) for pair, label, grade in zip(PAIRS, indices, grades)])

made = {
    "madeBy": {name: version(name) for name in PACKAGES},
    "depth": DEPTH,
    "rerankTopK": RERANKED,
    "retrieval": RETRIEVAL,
    "tables": {
        "labels.csv": named,
        "pairs.tsv": indexed,
        "regression": correlations(grades, logits("classify-regression", singles)[:, 0]),
        "cosine": correlations(grades, cosines),
        "cross-encoder": correlations(grades, cross.predict(PAIRS, batch_size=1)),
    },
}
(OUT / "models.json").write_text(json.dumps(made, indent=2) + "\n")
