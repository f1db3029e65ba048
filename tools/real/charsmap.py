"""SentencePiece's normalization rules: read from a compiled map, and compiled into one."""

import io
import struct
import tempfile

import numpy
import sentencepiece

CORPUS = ["abc def ghi", "the quick brown fox", "hello world again"] * 10


def field(message: bytes, wanted: int) -> bytes:
    """The bytes of a field of a protocol buffer whose fields are varints, 32-bit numbers and bytes."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 128:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        if key & 7 == 2:
            size, at = varint(at)
            if key >> 3 == wanted:
                return message[at : at + size]
            at += size
        elif key & 7 == 5:
            at += 4
        else:
            _, at = varint(at)
    raise ValueError(f"no field {wanted}")


def compiled(**rules: str) -> bytes:
    """The charsmap that a SentencePiece model has with these rules: of a model that is trained on a few words."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=out, vocab_size=32, hard_vocab_limit=False, minloglevel=2, **rules
    )
    return field(field(out.getvalue(), 3), 2)  # ModelProto.normalizer_spec.precompiled_charsmap


def rules_of(charsmap: bytes) -> dict[str, str]:
    """Every replacement in a charsmap: u32 bytes of the trie, a double array as darts-clone writes it, then texts that end in a 0."""
    (size,) = struct.unpack_from("<I", charsmap)
    units = numpy.frombuffer(charsmap, "<u4", size // 4, 4).astype(numpy.int64)
    texts = charsmap[4 + size :]
    bytes_ = numpy.arange(1, 256)
    offsets = (units >> 10) << ((units & 512) >> 6)
    found: dict[str, str] = {}
    waiting = [(b"", int(offsets[0]))]
    while waiting:
        key, base = waiting.pop()
        children = base ^ bytes_
        children = children[(children < len(units))]
        for at in children[(units[children] & 0x800000FF) == (children ^ base)]:
            here, below = key + bytes([int(at) ^ base]), int(at ^ offsets[at])
            if units[at] & 256:
                start = int(units[below] & 0x7FFFFFFF)
                found[here.decode()] = texts[start : texts.index(b"\0", start)].decode()
            waiting.append((here, below))
    return found


def charsmap_with(single: dict[str, str]) -> bytes:
    """nmt_nfkc, with exactly these replacements of single characters; those of several (e and U+0301) as SentencePiece has them now."""
    rules = {key: to for key, to in rules_of(compiled(normalization_rule_name="nmt_nfkc")).items() if len(key) > 1}
    rules.update(single)
    codes = lambda text: " ".join(f"{ord(character):X}" for character in text)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.write("".join(f"{codes(key)}\t{codes(to)}\n" for key, to in sorted(rules.items())))
        file.flush()
        charsmap = compiled(normalization_rule_tsv=file.name)
    if rules_of(charsmap) != rules:
        raise ValueError("the compiled charsmap has not the rules that were given")
    return charsmap
