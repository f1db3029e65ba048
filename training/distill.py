"""Distillation of an embedding model: python3 distill.py --from FOLDER --modules FOLDER --teacher CACHE --out FOLDER [options]

The student's vectors follow those that teach.py cached: (1) each vector the teacher's, rotated so that its first sizes hold most of it (PCA,
without subtracting the mean: cosines stay), at every Matryoshka size; (2) similarities within a batch, as in "relational" distillation; (3) the
passage of a pair before the others of its batch, except those that the teacher finds nearer than the right one. A run resumes from OUT/state.pt.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from contrastive import SIZES, embed, recall, save
from data import weights
from held_out import HERE
from modernbert import Encoder, load
from optimizer import optimizers, rate, step
from tokenizer import Tokenizer


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--from", dest="start", required=True, help="folder of a checkpoint with tokenizer.json")
    p.add_argument("--modules", required=True, help="folder with the sentence-transformers files to copy")
    p.add_argument("--teacher", required=True, help="folder that teach.py wrote")
    p.add_argument("--out", required=True)
    p.add_argument("--tokens", type=float, default=20e6)
    p.add_argument("--warmup", type=float, default=2e5, help="tokens")
    p.add_argument("--decay", type=float, default=6e6, help="tokens at the end")
    p.add_argument("--rows", type=int, default=64, help="rows per step")
    p.add_argument("--length", type=int, default=128, help="tokens per row, and at most per text")
    p.add_argument("--sources", type=int, default=4, help="sources per batch; few, so that the negatives are similar")
    p.add_argument("--losses", default="1,1,0.1", help="weights of the three losses")
    p.add_argument("--temperature", type=float, default=0.05)
    p.add_argument("--muon-lr", type=float, default=0.006)
    p.add_argument("--adam-lr", type=float, default=8e-4)
    p.add_argument("--eval-every", type=float, default=4e6, help="tokens")
    p.add_argument("--log-every", type=int, default=50, help="steps")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--minutes", type=float, default=1e9, help="stop after these, with the state saved")
    return p.parse_args()


class Source:
    """Tokenized texts and teacher's vectors of one cached file; an endless supply of its pairs, each once before any is repeated."""

    def __init__(self, path, tokenizer, length, rng):
        found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        self.ids = [np.array(ids, np.uint16) for ids in tokenizer.encode_all(found["texts"], length)]
        self.vectors = np.load(path)
        self.pairs = [pair[:2] for pair in found["pairs"]]
        self.tokens = sum(map(len, self.ids))
        self.rng, self.order = rng, []

    def take(self):
        if not self.order:
            self.order = list(self.rng.permutation(len(self.pairs)))
        return self.pairs[self.order.pop()]


def rotation(sources, rng, samples=20_000):
    """[teacher's dim, SIZES[0]]: the directions that hold most of the vectors, most first."""
    each = samples // len(sources) + 1
    chosen = np.concatenate([s.vectors[rng.permutation(len(s.vectors))[:each]] for s in sources]).astype(np.float64)
    _, vectors = np.linalg.eigh(chosen.T @ chosen)
    return torch.from_numpy(vectors[:, ::-1][:, : SIZES[0]].copy()).float()


def batch(sources, chances, a, rng):
    """(token ids of texts, teacher's vectors [texts, dim]); the texts of pair i are 2 i and 2 i + 1. Nearly fills rows · length tokens."""
    chosen, left = rng.choice(len(sources), a.sources, p=chances), a.rows * a.length * 0.96
    texts, vectors = [], []
    while True:
        source = sources[chosen[len(texts) // 2 % a.sources]]
        pair = source.take()
        left -= sum(len(source.ids[i]) for i in pair)
        if left < 0:
            return texts, torch.from_numpy(np.stack(vectors)).float()
        texts += [source.ids[i] for i in pair]
        vectors += [source.vectors[i] for i in pair]


def distance(student, target):
    return torch.stack([(1 - F.cosine_similarity(student[:, :n], target[:, :n])).mean() for n in SIZES]).mean()


def without_diagonal(scores):
    return scores.masked_fill(torch.eye(len(scores), dtype=torch.bool), -1e4)


def relation(student, teacher, temperature):
    """Kullback-Leibler divergence of each text's distribution over the other texts of the batch."""
    expected = F.log_softmax(without_diagonal(teacher @ teacher.T / temperature), -1)
    losses = []
    for n in SIZES:
        unit = F.normalize(student[:, :n], dim=-1)
        actual = F.log_softmax(without_diagonal(unit @ unit.T / temperature), -1)
        losses.append(F.kl_div(actual, expected, log_target=True, reduction="batchmean"))
    return torch.stack(losses).mean()


def contrast(student, teacher, temperature):
    """InfoNCE in both directions. A passage that the teacher finds nearer to a query than the query's own does not count as wrong."""
    similar = teacher[::2] @ teacher[1::2].T
    right = torch.arange(len(similar))
    wrong = similar < similar.diagonal()[:, None] - 0.02
    wrong_back = (similar < similar.diagonal()[None, :] - 0.02).T
    for allowed in (wrong, wrong_back):
        allowed.fill_diagonal_(True)
    losses = []
    for n in SIZES:
        scores = F.normalize(student[::2, :n], dim=-1) @ F.normalize(student[1::2, :n], dim=-1).T / temperature
        losses.append(F.cross_entropy(scores.masked_fill(~wrong, -1e4), right) + F.cross_entropy(scores.T.masked_fill(~wrong_back, -1e4), right))
    return torch.stack(losses).mean() / 2


def main():
    a = arguments()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    tokenizer, rng = Tokenizer(a.start), np.random.default_rng(a.seed)
    sources = [Source(path, tokenizer, a.length, rng) for path in sorted(Path(a.teacher).glob("*.npy"))]
    chances, share = weights(sources, 0.7), [float(w) for w in a.losses.split(",")]
    basis = rotation(sources, np.random.default_rng(0))
    model = load(a.start)
    encoder = model if isinstance(model, Encoder) else model.model
    made = optimizers(encoder, a.muon_lr, a.adam_lr)
    done, out = 0, Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    if (out / "state.pt").exists():
        state = torch.load(out / "state.pt", weights_only=True)
        encoder.load_state_dict(state["model"])
        for optimizer, kept in zip(made, state["optimizers"]):
            optimizer.load_state_dict(kept)
        done, basis = state["done"], state["basis"]
        rng = np.random.default_rng([a.seed, int(done)])
    held_out = [(p["query"], p["passage"]) for p in json.loads((HERE / "eval/held-out.json").read_text())["pairs"]]
    encode = lambda text: tokenizer.encode_all([text], a.length)[0]

    def found():
        with torch.autocast("cpu", torch.bfloat16):
            return recall(encoder, held_out, encode)

    print(f"{len(sources)} sources, {sum(len(s.ids) for s in sources)} texts, {sum(s.tokens for s in sources) / 1e6:.1f} M tokens; "
          f"recall@10 {found():.3f}", flush=True)
    begun = started = time.time()
    evaluated = since = done
    seen = []

    def keep():
        torch.save({"model": encoder.state_dict(), "optimizers": [o.state_dict() for o in made], "done": done, "basis": basis}, out / "state.tmp")
        (out / "state.tmp").replace(out / "state.pt")
        save(encoder, a)

    while done < a.tokens and time.time() - begun < 60 * a.minutes:
        texts, teacher = batch(sources, chances, a, rng)
        with torch.autocast("cpu", torch.bfloat16):
            student = embed(encoder, texts, a.length, a.rows)
        student = student.float()
        parts = [distance(student, teacher @ basis), relation(student, teacher, a.temperature), contrast(student, teacher, a.temperature)]
        sum(w * part for w, part in zip(share, parts) if w).backward()
        done += sum(map(len, texts))
        step(made, rate(done, a.warmup, a.decay, a.tokens))
        seen.append([part.item() for part in parts])
        if len(seen) == a.log_every:
            print(f"{time.strftime('%H:%M:%S')} {done / 1e6:.2f} M tokens; losses {' '.join(f'{x:.4f}' for x in np.mean(seen, 0))} "
                  f"{(done - since) / (time.time() - started):.0f} tokens/s", flush=True)
            started, since, seen = time.time(), done, []
        if done - evaluated >= a.eval_every or done >= a.tokens:
            print(f"at {done / 1e6:.2f} M: recall@10 {found():.3f}", flush=True)
            evaluated = done
            keep()
    keep()


if __name__ == "__main__":
    main()
