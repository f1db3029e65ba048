"""What the published libraries make of small made-up rankings, labels, scores and texts, into cli/evaluate/fixtures/expected.json:

    python3 tools/evaluation/make.py

Needs pytrec_eval (here pytrec-eval-terrier 0.5.11, the same module with wheels), scikit-learn 1.9, scipy 1.17, bm25s 0.3 and numpy 2.
"""
import json
import random
import re
import warnings
from importlib.metadata import version
from pathlib import Path

import bm25s
import numpy as np
import pytrec_eval
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

OUT = Path(__file__).resolve().parents[2] / "cli/evaluate/fixtures/expected.json"
PACKAGES = ["pytrec-eval-terrier", "scikit-learn", "scipy", "bm25s", "numpy"]
RECALL_AT = [1, 5, 10, 100]
CUT = 10
warnings.simplefilter("ignore")  # constant predictions are among the cases
random.seed(20)


def retrieval(about, qrels, run):
    """Per query; MRR@10 is recip_rank of each run cut to its first 10, in trec_eval's order."""
    measures = {f"ndcg_cut.{CUT}", "recall." + ",".join(map(str, RECALL_AT))}
    found = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    # f32 scores, then ids, the last first: trec_eval's order, which the cut must follow.
    order = lambda hits: sorted(hits, key=lambda id: (np.float32(hits[id]), id.encode()), reverse=True)
    cut = {query: {id: hits[id] for id in order(hits)[:CUT]} for query, hits in run.items()}
    reciprocal = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut)
    expected = {
        query: {
            f"ndcg@{CUT}": values[f"ndcg_cut_{CUT}"],
            **{f"recall@{k}": values[f"recall_{k}"] for k in RECALL_AT},
            f"mrr@{CUT}": reciprocal[query]["recip_rank"],
        }
        for query, values in found.items()
    }
    return {"about": about, "qrels": qrels, "run": run, "expected": expected}


def random_run(queries, documents, graded):
    ids = [f"d{i}" for i in range(documents)]
    qrels = {f"q{q}": {id: random.randint(0, 3 if graded else 1) for id in random.sample(ids, documents // 4)} for q in range(queries)}
    # Few different scores, so that there are ties.
    run = {f"q{q}": {id: random.randint(0, 12) / 4 for id in random.sample(ids, documents // 2)} for q in range(queries)}
    return qrels, run


RETRIEVAL = [
    retrieval("graded", {"q": {"a": 3, "b": 2, "c": 1, "d": 0, "e": 2}}, {"q": {"d": 5.0, "a": 4.0, "x": 3.0, "c": 2.0, "b": 1.0}}),
    retrieval("ties go by id, the last first", {"q": {"a": 1}}, {"q": {"a": 1.0, "b": 1.0, "c": 1.0, "é": 1.0, "B": 1.0}}),
    retrieval("scores that are equal as f32", {"q": {"a": 1}}, {"q": {"a": 0.7000000001, "b": 0.7, "c": 0.1}}),
    retrieval("ids beyond UTF-16's first plane", {"q": {"\U0001f6a2": 1}}, {"q": {"\U0001f6a2": 1.0, "\uff21": 1.0}}),
    retrieval("no relevant document", {"none": {"a": 0, "b": 0}, "one": {"a": 1}}, {"none": {"a": 2.0, "b": 1.0}, "one": {"a": 2.0, "b": 1.0}}),
    retrieval("relevant documents that the run lacks", {"q": {"a": 1, "gone": 2, "lost": 1}}, {"q": {"z": 3.0, "a": 2.0}}),
    retrieval("negative grades", {"q": {"a": -1, "b": 2, "c": -2, "d": 1}}, {"q": {"a": 5.0, "b": 4.0, "c": 3.0, "d": 2.0}}),
    retrieval("the first relevant one after place 10", {"q": {"d11": 1, "d14": 1}}, {"q": {f"d{i}": float(20 - i) for i in range(16)}}),
    retrieval("more relevant ones than places", {"q": {f"d{i}": 1 + i % 3 for i in range(15)}}, {"q": {f"d{i}": float(i * 7 % 15) for i in range(15)}}),
    retrieval("random, graded", *random_run(12, 60, True)),
    retrieval("random, two grades", *random_run(12, 60, False)),
]


def labels(about, gold, predicted, positive):
    return {
        "about": about,
        "gold": gold,
        "predicted": predicted,
        "positive": positive,
        "expected": {
            "accuracy": accuracy_score(gold, predicted),
            # Binary F1 of any label: 0 where it is not defined.
            "f1": f1_score([g == positive for g in gold], [p == positive for p in predicted], zero_division=0),
            "macroF1": f1_score(gold, predicted, average="macro", zero_division=0),
            "mcc": matthews_corrcoef(gold, predicted),
        },
    }


pick = lambda names, n: [random.choice(names) for _ in range(n)]
mostly = lambda gold, names: [label if random.random() < 0.7 else random.choice(names) for label in gold]
THREE = ["contradiction", "entailment", "neutral"]
gold_two, gold_three = pick(["0", "1"], 60), pick(THREE, 60)
LABELS = [
    labels("two labels", gold_two, mostly(gold_two, ["0", "1"]), "1"),
    labels("three labels", gold_three, mostly(gold_three, THREE), "entailment"),
    labels("constant predictions", gold_two, ["1"] * 60, "1"),
    labels("constant predictions of the other label", gold_two, ["0"] * 60, "1"),
    labels("constant gold labels", ["1"] * 5, ["1", "1", "0", "1", "0"], "1"),
    labels("all right", gold_three, gold_three, "neutral"),
    labels("all wrong", ["0", "1", "0", "1"], ["1", "0", "1", "0"], "1"),
    labels("a label that is never predicted", ["a", "b", "c", "a"], ["a", "b", "a", "a"], "c"),
    labels("a label that is only predicted", ["a", "b", "b", "a"], ["a", "c", "b", "a"], "c"),
]


def scores(about, gold, predicted):
    number = lambda x: None if np.isnan(x) else float(x)
    return {
        "about": about,
        "gold": gold,
        "predicted": predicted,
        "expected": {
            "pearson": number(pearsonr(gold, predicted).statistic),
            "spearman": number(spearmanr(gold, predicted).statistic),
        },
    }


grades = [random.randint(0, 10) / 2 for _ in range(50)]
SCORES = [
    scores("ties in the gold scores", grades, [x / 5 + random.gauss(0, 0.3) for x in grades]),
    scores("ties in both", grades, [float(round(x + random.gauss(0, 1))) for x in grades]),
    scores("against one another", grades, [-x for x in grades]),
    scores("monotone, not linear", [1.0, 2.0, 3.0, 4.0, 5.0], [0.1, 0.2, 0.4, 0.9, 5.0]),
    scores("far from 0", [1.0, 2.0, 3.0, 4.0], [1e6 + 1, 1e6 + 3, 1e6 + 2, 1e6 + 4]),
    scores("constant predictions", [1.0, 2.0, 3.0], [0.1, 0.1, 0.1]),
    scores("constant gold scores", [2.0, 2.0, 2.0], [0.1, 0.2, 0.3]),
]

TEXTS = [
    "A ship at sea, and a ship in the harbour.",
    "The whale rose beside the ship; the captain saw the whale.",
    "Bread is made of flour, water and salt.",
    "Öl and SALT: the 2 best of 12 preserves",
    "The harbour was closed because of the storm at sea. The captain waited in the harbour.",
]
QUERIES = ["ship at sea", "the captain", "salt öl", "unknown words", "whale whale harbour"]


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


def bm25():
    """Lucene's variant, with its k1 and b; the words are given, so that nothing but the scores is compared."""
    ranker = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    ranker.index([words(text) for text in TEXTS], show_progress=False)
    # A word that no text has is left out: bm25s would refuse it.
    known = {word for text in TEXTS for word in words(text)}
    asked = [[word for word in words(query) if word in known] for query in QUERIES]
    return {"texts": TEXTS, "queries": QUERIES, "scores": [ranker.get_scores(q).tolist() if q else [0.0] * len(TEXTS) for q in asked]}


made = {
    "madeBy": {name: version(name) for name in PACKAGES},
    "recallAt": RECALL_AT,
    "retrieval": RETRIEVAL,
    "labels": LABELS,
    "scores": SCORES,
    "bm25": bm25(),
}
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps(made, ensure_ascii=False) + "\n")
