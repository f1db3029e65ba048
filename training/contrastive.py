"""Embeddings: python3 contrastive.py --from FOLDER --text FOLDER --out FOLDER [options]

Trains on the pairs of pairs.py with in-batch negatives, in both directions, at every Matryoshka size; mean pooling, cosine. FOLDER may contain
a masked language model or an embedding model. The same arguments and seed give the same model, up to the order of the threads' sums.
"""
import argparse
import shutil
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from checkpoint import write_tensors
from data import documents, split, weights
from modernbert import Encoder, load
from optimizer import optimizers, rate, step
from pairs import KINDS, pairs
from tokenizer import Tokenizer

SIZES = (256, 128, 64)
MODULES = ["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json", "1_Pooling/config.json"]


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--from", dest="start", required=True, help="folder of a checkpoint with tokenizer.json")
    p.add_argument("--modules", required=True, help="folder with the sentence-transformers files to copy: modules.json, 1_Pooling, …")
    p.add_argument("--text", required=True, help="folder of text files, as fetch.py writes them")
    p.add_argument("--out", required=True)
    p.add_argument("--steps", type=int, default=2000)
    p.add_argument("--warmup", type=int, default=50)
    p.add_argument("--decay", type=int, help="steps at the end; default: half of them")
    p.add_argument("--batch", type=int, default=128, help="pairs")
    p.add_argument("--sources", type=int, default=2, help="text files per batch; few, so that the negatives are similar")
    p.add_argument("--length", type=int, default=128, help="maximum tokens per text")
    p.add_argument("--temperature", type=float, default=0.05)
    p.add_argument("--muon-lr", type=float, default=0.004)
    p.add_argument("--adam-lr", type=float, default=4e-4)
    p.add_argument("--eval-every", type=int, default=100, help="steps")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args()


class Pairs:
    """An endless supply of pairs from one text file, of random kinds."""

    def __init__(self, found, rng):
        self.rng = rng
        by_kind = {kind: [] for kind in KINDS}
        for document in found:
            for kind, query, passage in pairs(document):
                by_kind[kind].append((query, passage))
        self.kinds = [k for k in KINDS if by_kind[k]]
        self.by_kind = by_kind
        self.tokens = sum(len(p) for kind in self.kinds for _, p in by_kind[kind]) // 4

    def take(self):
        of_kind = self.by_kind[self.rng.choice(self.kinds)]
        return of_kind[self.rng.integers(len(of_kind))]


def pack_whole(texts, length, at_least=0):
    """Packs whole texts into rows, `at_least` so many: (ids, sequence, position), each [rows, length], and each token's text [rows · length]."""
    rows, room = [], []
    for i in sorted(range(len(texts)), key=lambda i: -len(texts[i])):
        row = next((r for r, left in enumerate(room) if left >= len(texts[i])), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(length)
        rows[row].append(i)
        room[row] -= len(texts[i])
    rows += [[]] * (at_least - len(rows))
    out = np.zeros((4, len(rows), length), np.int64)
    out[1], out[3] = -1, len(texts)  # the rest of a row counts as an extra text, which is dropped
    for r, members in enumerate(rows):
        at = 0
        for i in members:
            end = at + len(texts[i])
            out[:, r, at:end] = texts[i], np.full(end - at, i), np.arange(end - at), np.full(end - at, i)
            at = end
    ids, sequence, position, owner = map(torch.from_numpy, out)
    return (ids, sequence, position), owner.flatten()


def embed(encoder, texts, length, at_least=0):
    """Mean of the last hidden states, [texts, hidden], for lists of token ids."""
    batch, owner = pack_whole(texts, length, at_least)
    hidden = encoder(*batch).flatten(0, 1).float()
    sums = torch.zeros(len(texts) + 1, hidden.shape[-1]).index_add(0, owner, hidden)
    return sums[:-1] / torch.tensor([[len(t)] for t in texts])


def contrast(queries, passages, temperature):
    """InfoNCE in both directions, averaged over the Matryoshka sizes."""
    right, losses = torch.arange(len(queries)), []
    for size in SIZES:
        scores = F.normalize(queries[:, :size], dim=-1) @ F.normalize(passages[:, :size], dim=-1).T / temperature
        losses.append(F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right))
    return torch.stack(losses).mean() / 2


@torch.no_grad()
def recall(encoder, held_out, encode, at=10, candidates=1000, chunk=50):
    """Share of queries whose passage is among the `at` nearest of `candidates`."""
    found = held_out[:candidates]
    sides = [torch.cat([embed(encoder, [encode(p[side]) for p in found[i : i + chunk]], 128) for i in range(0, len(found), chunk)]) for side in (0, 1)]
    queries, passages = (F.normalize(s, dim=-1) for s in sides)
    scores = queries @ passages.T
    better = (scores > scores.diagonal()[:, None]).sum(-1)
    return (better < at).float().mean().item()


def save(encoder, a):
    out = Path(a.out)
    (out / "1_Pooling").mkdir(parents=True, exist_ok=True)
    write_tensors(out / "model.safetensors", encoder.state_dict())
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        shutil.copyfile(Path(a.start) / name, out / name)
    for name in ["config.json", *MODULES]:
        shutil.copyfile(Path(a.modules) / name, out / name)


def main():
    a = arguments()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    tokenizer, rng = Tokenizer(a.start), np.random.default_rng(a.seed)
    encode = lambda text: [tokenizer.cls, *tokenizer.encode(text)[: a.length - 2], tokenizer.sep]
    per_source = a.batch // a.sources
    sources, held_out = [], []
    for path in sorted(Path(a.text).glob("*.txt")):
        training, rest = split(list(documents(path)))
        source = Pairs(training, rng)
        if source.kinds:
            sources.append(source)
            kept = [pair[1:] for document in rest for pair in pairs(document)]
            held_out += [kept[i] for i in rng.permutation(len(kept))[:80]]
    held_out = [held_out[i] for i in rng.permutation(len(held_out))]
    chances = weights(sources)
    model = load(a.start)
    encoder = model if isinstance(model, Encoder) else model.model
    made = optimizers(encoder, a.muon_lr, a.adam_lr)
    print(f"recall@10 {recall(encoder, held_out, encode):.3f} of {min(1000, len(held_out))} held-out pairs", flush=True)
    started = time.time()
    for i in range(a.steps):
        drawn = rng.choice(len(sources), a.sources, p=chances)
        chosen = [sources[s].take() for s in drawn for _ in range(per_source)]
        texts = [encode(text) for side in zip(*chosen) for text in side]
        vectors = embed(encoder, texts, a.length)
        loss = contrast(vectors[: len(chosen)], vectors[len(chosen) :], a.temperature)
        loss.backward()
        step(made, rate(i + 1, a.warmup, a.decay or a.steps / 2, a.steps + 1))
        if i % 10 == 9:
            print(f"{time.strftime('%H:%M:%S')} step {i + 1} loss {loss.item():.3f} {(time.time() - started) / 10:.1f} s/step", flush=True)
            started = time.time()
        if i % a.eval_every == a.eval_every - 1 or i + 1 == a.steps:
            print(f"recall@10 {recall(encoder, held_out, encode):.3f}", flush=True)
            save(encoder, a)


if __name__ == "__main__":
    main()
