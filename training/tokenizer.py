"""ModernBERT's byte-level BPE in plain Python, for training only. test_train.py checks it against Hugging Face's ids."""
import json
import re
import unicodedata
from pathlib import Path

# GPT-2's pattern. The added tokens for runs of spaces are not needed: cleaned text has none.
WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_letters():
    """GPT-2's characters for bytes: printable ones stand for themselves, the others map to U+0100 and up."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in kept]
    return {b: chr(b) for b in kept} | {b: chr(0x100 + i) for i, b in enumerate(others)}


class Tokenizer:
    def __init__(self, folder):
        file = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
        self.vocabulary = file["model"]["vocab"]
        merges = (m if isinstance(m, list) else m.split(" ") for m in file["model"]["merges"])
        self.ranks = {tuple(m): i for i, m in enumerate(merges)}
        added = {t["content"]: t["id"] for t in file["added_tokens"]}
        self.cls, self.sep, self.mask = added["[CLS]"], added["[SEP]"], added["[MASK]"]
        self.special = sorted(t["id"] for t in file["added_tokens"] if t["special"])
        self.letters, self.known = byte_letters(), {}

    def word(self, word):
        parts = [self.letters[b] for b in word.encode()]
        while len(parts) > 1:
            rank, at = min((self.ranks.get(pair, 1 << 30), i) for i, pair in enumerate(zip(parts, parts[1:])))
            if rank == 1 << 30:
                break
            parts[at : at + 2] = ["".join(parts[at : at + 2])]
        return [self.vocabulary[p] for p in parts]

    def encode(self, text):
        """Token ids of a text, without [CLS] and [SEP]."""
        ids = []
        for word in WORDS.findall(unicodedata.normalize("NFC", text)):
            if word not in self.known:
                self.known[word] = self.word(word)
            ids += self.known[word]
        return ids
