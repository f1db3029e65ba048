"""Teacher's vectors of a corpus, cached: nice python3 teach.py --teacher FOLDER --student FOLDER --text FOLDER --out FOLDER [options]

Draws pairs of texts (pairs.py) from every source, in the student's tokens, and embeds them with a teacher that has those tokens too (student.py)
and pools by the mean. Writes per source NAME.PART.json (token ids of texts, pairs of their indices, each text's document), NAME.PART.npy,
float16 [texts, dim], and NAME.PART.tokens.npy, float16 [tokens, hidden of the student]: the teacher's last hidden states in the directions that
hold most of its vectors (basis.npy [dim, hidden]: PCA without subtracting the mean, so that cosines stay; most first, as Matryoshka sizes ask).
Sources that are there are skipped, so an interrupted run goes on, and a higher --part draws further pairs. Texts that share WORDS words in a row
with a text of the evaluation are left out.
"""
import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel

from checkpoint import read_config
from data import documents, split
from held_out import HERE, PASSAGE, QUERY, cut
from pairs import pairs
from tokenizer import Tokenizer

SHORTEST = 24  # characters of a passage: glosses and answers are short
WORDS = 12
SAMPLE = 150  # texts of each source for the basis
BATCH = 8192  # tokens


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--teacher", required=True)
    p.add_argument("--student", required=True, help="folder with the student's tokenizer.json and config.json")
    p.add_argument("--text", required=True, help="folder of text files, as fetch.py writes them")
    p.add_argument("--out", required=True)
    p.add_argument("--pairs", type=float, default=1e5, help="about this many in all")
    p.add_argument("--length", type=int, default=128, help="tokens of a text, at most")
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


class Teacher:
    def __init__(self, folder, student):
        self.model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval()
        own, theirs = Tokenizer(folder).library.get_vocab(), student.library.get_vocab()
        missing = theirs.keys() - own.keys()
        if missing:
            raise SystemExit(f"{folder} lacks {len(missing)} of the student's tokens, for example {min(missing)!r}: make the student with student.py")
        self.own = np.zeros(max(theirs.values()) + 1, np.int64)
        for name, i in theirs.items():
            self.own[i] = own[name]

    @torch.inference_mode()
    def hidden_states(self, texts):
        """Yields (index of a text, its last hidden states, float32 [tokens, dim]), for token ids of the student; texts of like length together."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        while order:
            length = len(texts[order[-1]])
            chosen, order = order[-max(1, BATCH // length) :], order[: -max(1, BATCH // length)]
            ids = torch.zeros(len(chosen), length, dtype=torch.long)
            attended = torch.zeros(len(chosen), length, dtype=torch.long)
            for row, i in enumerate(chosen):
                ids[row, : len(texts[i])] = torch.from_numpy(self.own[texts[i]])
                attended[row, : len(texts[i])] = 1
            hidden = self.model(input_ids=ids, attention_mask=attended).last_hidden_state.float()
            for row, i in enumerate(chosen):
                yield i, hidden[row, : len(texts[i])]


def directions(teacher, paths, tokenizer, a, forbidden, size):
    """[dim, size]: those that hold most of the vectors of SAMPLE texts of each source."""
    texts = [text for path in paths for text in drawn(path, 0, SAMPLE, forbidden)["texts"][:SAMPLE]]
    means = [hidden.mean(0) for _, hidden in teacher.hidden_states(tokenizer.encode_all(texts, a.length))]
    vectors = torch.nn.functional.normalize(torch.stack(means), dim=-1).double()
    return torch.linalg.eigh(vectors.T @ vectors)[1].flip(-1)[:, :size].float()


def main():
    a = arguments()
    torch.set_num_threads(a.threads)
    tokenizer, out = Tokenizer(a.student), Path(a.out)
    teacher, forbidden = Teacher(a.teacher, tokenizer), evaluation_runs()
    out.mkdir(parents=True, exist_ok=True)
    paths = sorted(Path(a.text).glob("*.txt"))
    if not (out / "basis.npy").exists():
        np.save(out / "basis.npy", directions(teacher, paths, tokenizer, a, forbidden, read_config(a.student)["hidden_size"]).numpy())
    basis = torch.from_numpy(np.load(out / "basis.npy"))
    sizes = np.array([path.stat().st_size for path in paths]) ** a.temperature
    for path, share in zip(paths, sizes / sizes.sum()):
        file = out / f"{path.stem}.{a.part}.json"
        if file.exists():
            continue
        started = time.time()
        found = drawn(path, a.part, int(a.pairs * share), forbidden)
        if not found["pairs"]:
            continue
        found["ids"] = tokenizer.encode_all(found.pop("texts"), a.length)
        start = np.cumsum([0, *map(len, found["ids"])])
        vectors = np.zeros((len(found["ids"]), len(basis)), np.float16)
        tokens = np.zeros((start[-1], basis.shape[1]), np.float16)
        for i, hidden in teacher.hidden_states(found["ids"]):
            vectors[i] = torch.nn.functional.normalize(hidden.mean(0), dim=-1).numpy()
            tokens[start[i] : start[i + 1]] = (hidden @ basis).numpy()
        np.save(file.with_suffix(".npy"), vectors)
        np.save(file.with_suffix(".tokens.npy"), tokens)
        file.write_text(json.dumps(found))
        print(f"{path.stem}: {len(found['pairs'])} pairs, {len(vectors)} texts, {len(tokens)} tokens, {len(tokens) / (time.time() - started):.0f} "
              "tokens/s", flush=True)


if __name__ == "__main__":
    main()
