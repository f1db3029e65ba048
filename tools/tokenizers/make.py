"""What Hugging Face's tokenizers make of generated texts, into src/tokenizer/fixtures/rust.json.gz:

    python3 tools/tokenizers/make.py FOLDER

FOLDER: checkpoints, one a folder, whose tokenizer.json are tried too (each different one once). Needs tokenizers 0.23 and sentencepiece 0.2.
Ids and offsets are in the file as hashes. Offsets are by the rules of src/tokenizer/types.ts, where those follow from Rust's.
"""
import base64
import gzip
import json
import re
import struct
import sys
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer

import kinds
from texts import texts

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "src/tokenizer/fixtures"
TEXTS = texts(2026, 500)
# Rust's offsets of what Replace and Precompiled rewrite and of marks that NFC combines are those of a part only; some trim them away.
WITHOUT_OFFSETS = re.compile(r"nf|charsmap|albert|replace|metaspace-x|prepend|deberta|gte|modernbert|pylate|roberta|classify|cross|^unigram|^bpe-(fused|dropped|some|whole)")
SPACES = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def hashes(rows):
    """FNV-1a of 32 bits of every row of numbers, in base64; 0 for no row."""
    out = []
    for row in rows:
        if row is None:
            out.append(0)
            continue
        value = 0x811C9DC5
        for number in row:
            value = ((value ^ number) * 0x01000193) & 0xFFFFFFFF
        out.append(value)
    return base64.b64encode(struct.pack(f"<{len(out)}I", *out)).decode()


def spans(text, encoding, is_byte_level):
    """Offsets in UTF-16 units, without white space at the ends; of a space that was added, empty. None if NFD moves a mark with a width."""
    if any(unicodedata.category(c) == "Mc" and unicodedata.combining(c) for c in text):
        return None
    units = [0]
    for character in text:
        units.append(units[-1] + (2 if ord(character) > 0xFFFF else 1))
    row = []
    for token, (start, end) in zip(encoding.tokens, encoding.offsets):
        covered = text[start:end]
        if token == ("Ġ" if is_byte_level else "▁") and covered not in (" ", "" if is_byte_level else token):
            end = start
            covered = ""
        if covered.strip(SPACES):
            start += len(covered) - len(covered.lstrip(SPACES))
            end -= len(covered) - len(covered.rstrip(SPACES))
        row += [units[start], units[end]]
    return row


def record(name, file, has_pairs):
    written = json.dumps(file)
    tokenizer = Tokenizer.from_str(written)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    encodings = [tokenizer.encode(text) for text in TEXTS]
    kind = {"name": name, "ids": hashes(encoding.ids for encoding in encodings)}
    if not WITHOUT_OFFSETS.search(name):
        kind["offsets"] = hashes(spans(text, encoding, "ByteLevel" in written) for text, encoding in zip(TEXTS, encodings))
    if has_pairs:
        kind["pairs"] = hashes(tokenizer.encode(a, b).ids for a, b in zip(TEXTS, TEXTS[1:]))
    return kind


def ranges(characters):
    found = []
    for c in characters:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def characters():
    """Which characters each part treats how, of those that Python's Unicode (14) knows."""
    N, P, bert = kinds.N, kinds.P, kinds.bert
    every = [c for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]

    def of(change, expected):
        return ranges(c for c in every if change(chr(c)) == expected(chr(c)))

    def words(pre_tokenizer):
        return lambda c: [word for word, _ in pre_tokenizer.pre_tokenize_str(f"a{c}a")]

    nothing, space, alone, gone = lambda c: "", lambda c: " ", lambda c: ["a", c, "a"], lambda c: ["a", "a"]
    return {
        "known": ranges(every),
        "cleaned": of(bert(clean_text=True).normalize_str, nothing),
        "spaces": of(bert(clean_text=True).normalize_str, space),
        "ideographs": of(bert(handle_chinese_chars=True).normalize_str, lambda c: f" {c} "),
        "accents": of(bert(strip_accents=True).normalize_str, nothing),
        "marks": of(N.StripAccents().normalize_str, nothing),
        "punctuation": of(words(P.Punctuation()), alone),
        "numbers": of(words(P.Digits(individual_digits=True)), alone),
        "white": of(words(P.WhitespaceSplit()), gone),
        "words": of(words(P.Whitespace()), lambda c: [f"a{c}a"]),
        "NFKC": ranges(c for c in every if N.NFKC().normalize_str(chr(c)) == chr(c)),
        "NFKD": ranges(c for c in every if N.NFKD().normalize_str(chr(c)) == chr(c)),
    }


def main():
    charsmaps = kinds.sentencepiece_charsmaps()
    parts = kinds.part_kinds(charsmaps)
    used = set("▁Ġ")
    for normalizer, pre_tokenizer in parts.values():
        for text in TEXTS:
            normalized = normalizer.normalize_str(text) if normalizer else text
            words = [word for word, _ in pre_tokenizer.pre_tokenize_str(normalized)] if pre_tokenizer else [normalized]
            used.update("".join(words))
    used = sorted(used)
    recorded = []
    for name, (normalizer, pre_tokenizer) in parts.items():
        file = kinds.characters_file(normalizer, pre_tokenizer, used)
        added = file["added_tokens"]  # the same of each
        recorded.append({**record(name, file, False), "parts": {part: file[part] for part in ("normalizer", "pre_tokenizer")}})
    for name, file in kinds.model_kinds(texts(5, 1500)).items():
        recorded.append({**record(name, file, False), "file": file})
    files = {"modernbert": json.load(gzip.open(FIXTURES / "modernbert-tokenizer.json.gz"))}
    for path in sorted(Path(sys.argv[1]).glob("*/tokenizer.json")):
        file = json.loads(path.read_text())
        if file not in files.values():
            files[path.parent.name] = file
    for name, file in files.items():
        kind = record(name, file, True)
        recorded.append(kind if name == "modernbert" else {**kind, "file": file})
    # Each charsmap is in the file once; the normalizers name it.
    for kind in recorded:
        written = json.dumps(kind)
        for name, charsmap in charsmaps.items():
            written = written.replace(f'"{charsmap}"', f'"{name}"')
        kind.update(json.loads(written))
    value = {"charsmaps": charsmaps, "texts": TEXTS, "characters": "".join(used), "added": added, "kinds": recorded, "classes": characters()}
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    (FIXTURES / "rust.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))


main()
