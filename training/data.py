"""Tokenizes text files, splits them by document into training and held-out text, packs and masks rows of sequences."""
import json
from pathlib import Path

import numpy as np
import torch

HELD_OUT = 60  # every 60th document


def documents(path):
    """Yields documents, each a list of (is_heading, text) paragraphs."""
    for document in Path(path).read_text(encoding="utf-8").split("\n\f\n"):
        blocks = [b for b in document.strip().split("\n\n") if b]
        yield [(b.startswith("# "), b.removeprefix("# ")) for b in blocks]


def tokenized(path, tokenizer):
    """Documents as lists of (is_heading, uint16 ids), cached next to the text as NAME.npz."""
    kept = Path(path).with_suffix(".npz")
    if not kept.exists() or kept.stat().st_mtime < Path(path).stat().st_mtime:
        document, heading, texts = zip(*((d, h, t) for d, document in enumerate(documents(path)) for h, t in document))
        ids = tokenizer.encode_each(texts)
        np.savez(
            kept, ids=np.concatenate([np.array(i, np.uint16) for i in ids]), lengths=np.array([len(i) for i in ids], np.int32),
            document=np.array(document, np.int32), heading=np.array(heading),
        )
    file = np.load(kept)
    parts = np.split(file["ids"], np.cumsum(file["lengths"])[:-1])
    found = [[] for _ in range(file["document"][-1] + 1)]
    for document, heading, ids in zip(file["document"], file["heading"], parts):
        found[document].append((bool(heading), ids))
    return found


def split(found):
    """(training, held out) documents."""
    held_out = found[HELD_OUT - 1 :: HELD_OUT]
    return [d for i, d in enumerate(found) if i % HELD_OUT != HELD_OUT - 1], held_out


def stream(document, newline):
    """A document as one array of ids, with an empty line after each paragraph."""
    return np.concatenate([np.concatenate([ids, newline]) for _, ids in document])


WINDOW = 512  # tokens of a document in which a few sentences are looked for


class Source:
    """An endless supply of sequences from one text file: documents, of which every one comes once before any is repeated; and a share `short` of
    the sequences is one to three sentences by themselves, as people write them, without the empty line that ends a paragraph."""

    def __init__(self, name, training, tokenizer, rng, short=0.0):
        newline = np.array(tokenizer.encode("\n\n"), np.uint16)
        self.name, self.rng, self.tokenizer, self.short, self.newline = name, rng, tokenizer, short, newline
        self.ends = np.array([*newline, *(i for mark in ".?!" for i in tokenizer.encode(mark))], np.uint16)
        self.documents = [stream(d, newline) for d in training]
        self.tokens = sum(map(len, self.documents))
        self.order, self.document, self.at = [], np.zeros(0, np.uint16), 0

    def take(self, size):
        """A sequence of at most `size` tokens with [CLS] and [SEP]."""
        part = self.sentences()[: size - 2] if self.short and self.rng.random() < self.short else self.part(size)
        return np.concatenate([[self.tokenizer.cls], part, [self.tokenizer.sep]]).astype(np.int64)

    def part(self, size):
        """What follows in the document under way, or the beginning of the next."""
        if self.at >= len(self.document):
            if not self.order:
                self.order = list(self.rng.permutation(len(self.documents)))
            self.document, self.at = self.documents[self.order.pop()], 0
        part = self.document[self.at : self.at + size - 2]
        self.at += size - 2
        return self.stripped(part)

    def sentences(self):
        """One to three sentences of a document drawn at random."""
        document = self.documents[self.rng.integers(len(self.documents))]
        start = self.rng.integers(max(1, len(document) - WINDOW + 1))
        window = document[start : start + WINDOW]
        ends = np.flatnonzero(np.isin(window, self.ends)) + 1
        starts = np.concatenate([[0], ends]) if start == 0 else ends
        if len(starts) < 2:
            return self.stripped(window)
        first = self.rng.integers(len(starts) - 1)
        last = min(len(starts) - 1, first + self.rng.integers(1, 4))
        found = self.stripped(window[starts[first] : starts[last]])
        return found if len(found) > 3 else self.stripped(window)

    def stripped(self, ids):
        """Without the newlines at both ends, if there is more."""
        inside = np.flatnonzero(~np.isin(ids, self.newline))
        return ids[inside[0] : inside[-1] + 1] if len(inside) else ids


def pack(take, rows, length):
    """Fills rows without padding: (ids, sequence, position), each [rows, length]. `take(n)` returns a sequence of at most n tokens."""
    out = np.zeros((3, rows, length), np.int64)
    for row in range(rows):
        at = count = 0
        while at < length:
            ids = take(length)[: length - at]
            out[:, row, at : at + len(ids)] = ids, np.full(len(ids), count), np.arange(len(ids))
            at, count = at + len(ids), count + 1
    return tuple(torch.from_numpy(part) for part in out)


def choose(ids, share, tokenizer, generator):
    """A random `share` of the tokens, special ones excluded, as booleans."""
    chosen = torch.rand(ids.shape, generator=generator) < share
    for special in tokenizer.special:
        chosen &= ids != special
    return chosen


def mask(ids, share, tokenizer, vocabulary, generator):
    """(masked ids, places [n] in the flat stream, right ids [n]). Of the chosen tokens 80% become [MASK], 10% a random token, 10% stay."""
    chosen = choose(ids, share, tokenizer, generator)
    fate = torch.rand(ids.shape, generator=generator)
    random = torch.randint(0, vocabulary, ids.shape, generator=generator)
    masked = torch.where(chosen & (fate < 0.8), torch.tensor(tokenizer.mask), ids)
    masked = torch.where(chosen & (fate >= 0.9), random, masked)
    places = chosen.flatten().nonzero()[:, 0]
    return masked, places, ids.flatten()[places]


def mask_all(ids, share, tokenizer, generator):
    """Like mask, but every chosen token becomes [MASK]: for evaluation."""
    chosen = choose(ids, share, tokenizer, generator)
    places = chosen.flatten().nonzero()[:, 0]
    return ids.masked_fill(chosen, tokenizer.mask), places, ids.flatten()[places]


def weights(sources, temperature=0.7):
    """Probability of drawing each source: small ones more often than in proportion to their size."""
    sizes = np.array([s.tokens for s in sources], np.float64) ** temperature
    return sizes / sizes.sum()


def domains():
    """{name of a text file: domain}, from sources.json. A file that is not listed is a domain by itself."""
    return {s["name"]: s["domain"] for s in json.loads((Path(__file__).parent / "sources.json").read_text())}


def load_sources(folder, tokenizer, seed, short=0.0):
    """([Source], {domain: held-out documents}) of the text files in `folder`."""
    rng, sources, held_out = np.random.default_rng(seed), [], {}
    domain = domains()
    for path in sorted(Path(folder).glob("*.txt")):
        training, rest = split(tokenized(path, tokenizer))
        sources.append(Source(path.stem, training, tokenizer, rng, short))
        held_out.setdefault(domain.get(path.stem, path.stem), []).extend(rest)
    return sources, held_out
