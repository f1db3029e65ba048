"""Distillation of an embedding model: python3 distill.py --from FOLDER --teacher CACHE --out FOLDER [options]

The student's vectors follow those that teach.py cached: (1) each token's last hidden state the teacher's; (2) each text's vector the teacher's, at
every Matryoshka size; (3) similarities within a batch, as in "relational" distillation; (4) the passage of a pair before the others of its batch,
except those that the teacher finds nearer than the right one. In the second half of a run a share of the batches has long documents: passages of a
source one after the other, whose tokens are to be as the teacher makes them for each passage alone. With --q4 the weights are rounded during the
decay as the library's q4 rounds them, and saved so: q4 then changes nothing more. A run resumes from OUT/state.pt.
"""
import argparse
import contextlib
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from data import weights
from embedding import SIZES, embed, save
from evaluate import evaluate, of_encoder
from modernbert import Encoder, load
from optimizer import optimizers, rate, step
from quantize import Rounded
from tokenizer import Tokenizer


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--from", dest="start", required=True, help="folder of a student, as student.py or this program writes them")
    p.add_argument("--teacher", required=True, help="folder that teach.py wrote")
    p.add_argument("--out", required=True)
    p.add_argument("--tokens", type=float, default=20e6)
    p.add_argument("--warmup", type=float, default=2e5, help="tokens")
    p.add_argument("--decay", type=float, default=6e6, help="tokens at the end")
    p.add_argument("--rows", type=int, default=64, help="rows per step")
    p.add_argument("--length", type=int, default=128, help="tokens per row, and at most per text")
    p.add_argument("--long", type=int, default=4096, help="tokens of a long document, at most")
    p.add_argument("--long-share", type=float, default=0.15, help="of the batches of the second half")
    p.add_argument("--q4", action="store_true", help="round the weights during the decay")
    p.add_argument("--sources", type=int, default=4, help="sources per batch; few, so that the negatives are similar")
    p.add_argument("--losses", default="2,2,1,0.3", help="weights of the four losses")
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
    """Texts of one cached file, each (token ids, teacher's vector, teacher's hidden states); an endless supply of its pairs, each once before any
    is repeated."""

    def __init__(self, path, rng):
        found = json.loads(path.read_text())
        ids = [np.array(ids, np.uint16) for ids in found["ids"]]
        start = np.cumsum([0, *map(len, ids)])
        hidden = np.load(path.with_suffix(".tokens.npy"), mmap_mode="r")
        self.ids, self.hidden = np.concatenate(ids), hidden
        self.texts = list(zip(ids, np.load(path.with_suffix(".npy")), (hidden[a:b] for a, b in zip(start, start[1:]))))
        self.pairs = [pair[:2] for pair in found["pairs"]]
        self.tokens = int(start[-1])
        self.rng, self.order = rng, []

    def take(self):
        if not self.order:
            self.order = list(self.rng.permutation(len(self.pairs)))
        return [self.texts[i] for i in self.pairs[self.order.pop()]]

    def take_long(self, length):
        """A pair whose passage is as many passages as fit in `length` tokens, neighbours in the source, and whose query is one of theirs."""
        at, room, queries, parts = self.rng.integers(len(self.pairs)), length - 2, [], {}
        for query, passage in self.pairs[at:]:
            room -= 0 if passage in parts else len(self.texts[passage][0]) - 2
            if room < 0:
                break
            queries.append(query)
            parts[passage] = self.texts[passage]
        if not parts:
            return self.take()
        ids, vectors, hidden = zip(*parts.values())
        inner = lambda of: np.concatenate([of[0][:1], *(part[1:-1] for part in of), of[-1][-1:]])
        vector = sum(len(i) * v.astype(np.float32) for i, v in zip(ids, vectors))
        return [self.texts[queries[self.rng.integers(len(queries))]], (inner(ids), vector, inner(hidden))]


@torch.no_grad()
def begin(encoder, sources, trust=5):
    """Embeddings from which the model answers well before its layers have learned: a token's is the mean of the teacher's hidden states of it, and,
    as if seen `trust` times, what a linear map makes of the teacher's own embedding, for rare ones. The final norm has the states' sizes."""
    table = encoder.embeddings["tok_embeddings"].weight
    sums, counts, squares = torch.zeros_like(table), torch.zeros(len(table), 1), torch.zeros(table.shape[1])
    for source in sources:
        for at in range(0, source.tokens, 100_000):
            ids = torch.from_numpy(source.ids[at : at + 100_000].astype(np.int64))
            states = torch.from_numpy(source.hidden[at : at + 100_000].astype(np.float32))
            sums.index_add_(0, ids, states)
            counts.index_add_(0, ids, torch.ones(len(ids), 1))
            squares += states.square().sum(0)
    left = table.T @ (counts.sqrt() * table)
    right = table.T @ (sums / counts.sqrt().clamp(min=1))
    guess = table @ torch.linalg.solve(left + 1e-3 * left.diagonal().mean() * torch.eye(len(left)), right)
    size = (squares / counts.sum()).sqrt()
    table.copy_((sums + trust * guess) / (counts + trust) / size)
    encoder.final_norm.weight.copy_(size)


def batch(sources, chances, a, rng, long=None):
    """Texts of a source; those of pair i are 2 i and 2 i + 1. Nearly fills rows · length tokens. long: passages have up to so many tokens."""
    chosen, left = rng.choice(len(sources), a.sources, p=chances), a.rows * a.length * 0.96
    texts = []
    while True:
        source = sources[chosen[len(texts) // 2 % a.sources]]
        pair = source.take_long(int(min(left, rng.integers(long // 8, long)))) if long else source.take()
        left -= sum(len(ids) for ids, _, _ in pair)
        if left < 0 and texts:
            return texts
        texts += pair


def error(student, teacher):
    """Mean squared error, as a share of the teacher's mean square."""
    return (student - teacher).square().mean() / teacher.square().mean()


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
    sources = [Source(path, rng) for path in sorted(Path(a.teacher).glob("*.json"))]
    chances, share = weights(sources, 0.7), [float(w) for w in a.losses.split(",")]
    basis = torch.from_numpy(np.load(Path(a.teacher) / "basis.npy"))
    model = load(a.start)
    encoder = model if isinstance(model, Encoder) else model.model
    made = optimizers(encoder, a.muon_lr, a.adam_lr)
    done, out = 0, Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "state.pt").exists():
        if (encoder.final_norm.weight == 1).all():  # as student.py made it
            begin(encoder, sources)
    else:
        state = torch.load(out / "state.pt", weights_only=True)
        encoder.load_state_dict(state["model"])
        for optimizer, kept, peak in zip(made, state["optimizers"], (a.muon_lr, a.adam_lr)):
            optimizer.load_state_dict(kept)
            for group in optimizer.param_groups:
                group["peak"] = peak
        done = state["done"]
        rng = np.random.default_rng([a.seed, int(done)])

    as_shipped = lambda: Rounded(encoder) if a.q4 else contextlib.nullcontext()

    def found():
        """recall@10 among the first 150 pairs of each set."""
        with torch.autocast("cpu", torch.bfloat16), as_shipped():
            sets = evaluate(of_encoder(encoder, tokenizer), most=150)["sets"]
        return "recall@10 " + " ".join(f"{name} {of['all']['recall10']:.3f}" for name, of in sets.items())

    print(f"{len(sources)} sources, {sum(len(s.texts) for s in sources)} texts, {sum(s.tokens for s in sources) / 1e6:.1f} M tokens; "
          f"{found()}", flush=True)
    begun = started = time.time()
    evaluated = since = done
    seen = []

    def keep():
        torch.save({"model": encoder.state_dict(), "optimizers": [o.state_dict() for o in made], "done": done}, out / "state.tmp")
        (out / "state.tmp").replace(out / "state.pt")
        with as_shipped():
            save(encoder, out, a.start)

    while done < a.tokens and time.time() - begun < 60 * a.minutes:
        long = a.long if done > a.tokens / 2 and rng.random() < a.long_share else None
        texts = batch(sources, chances, a, rng, long)
        teacher = F.normalize(torch.from_numpy(np.stack([vector for _, vector, _ in texts])).float(), dim=-1)
        with as_shipped() if done > a.tokens - a.decay else contextlib.nullcontext():
            with torch.autocast("cpu", torch.bfloat16):
                hidden, student = embed(encoder, [ids for ids, _, _ in texts], long or a.length, 0 if long else a.rows)
            parts = [
                error(hidden, torch.from_numpy(np.concatenate([states for _, _, states in texts])).float()),
                distance(student, teacher @ basis), relation(student, teacher, a.temperature), contrast(student, teacher, a.temperature),
            ]
            sum(w * part for w, part in zip(share, parts) if w).backward()
        done += len(hidden)
        step(made, rate(done, a.warmup, a.decay, a.tokens))
        seen.append([part.item() for part in parts])
        if len(seen) == a.log_every:
            print(f"{time.strftime('%H:%M:%S')} {done / 1e6:.2f} M tokens; losses {' '.join(f'{x:.4f}' for x in np.mean(seen, 0))} "
                  f"{(done - since) / (time.time() - started):.0f} tokens/s", flush=True)
            started, since, seen = time.time(), done, []
        if done - evaluated >= a.eval_every or done >= a.tokens:
            print(f"at {done / 1e6:.2f} M: {found()}", flush=True)
            evaluated = done
            keep()
    keep()


if __name__ == "__main__":
    main()
