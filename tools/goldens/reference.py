"""ModernBERT, the modules of sentence-transformers and ColBERT's encoding in numpy and float64, for golden outputs only.

Written from the paper (arXiv 2412.13663) and the documented behaviour of transformers, sentence-transformers and PyLate. It shares no code with
the library, and computes one sequence at a time with a plain n x n attention matrix. check.py compares it with Hugging Face's outputs.
"""
import json
from pathlib import Path

import numpy as np

TYPES = {"U8": np.uint8, "F32": np.float32, "I32": np.int32, "F16": np.float16}


def read_safetensors(path):
    raw = Path(path).read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[start + t["data_offsets"][0] : start + t["data_offsets"][1]], TYPES[t["dtype"]]).reshape(t["shape"])
        for name, t in header.items()
    }


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        dtype = "I32" if np.issubdtype(value.dtype, np.integer) else "F32"
        part = value.astype(TYPES[dtype]).tobytes()
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data)


def erf(x):  # Taylor series, and continued fraction for |x| > 3: accurate to about 1e-13
    x = np.asarray(x, np.float64)
    small = np.clip(x, -3, 3)
    total, term = small.copy(), small.copy()
    for n in range(1, 80):
        term = -term * small * small / n
        total += term / (2 * n + 1)
    near = 2 / np.sqrt(np.pi) * total
    far = np.maximum(np.abs(x), 3)
    fraction = far.copy()
    for n in range(60, 0, -1):
        fraction = far + n / 2 / fraction
    tail = np.sign(x) * (1 - np.exp(-far * far) / np.sqrt(np.pi) / fraction)
    return np.where(np.abs(x) < 3, near, tail)


ACTIVATIONS = {
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "gelu_pytorch_tanh": lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    None: lambda x: x,
}


class Model:
    def __init__(self, folder):
        self.config = {"norm_eps": 1e-5, "global_attn_every_n_layers": 3, "local_attention": 128, "hidden_activation": "gelu",
                       "classifier_activation": "gelu", "classifier_pooling": "cls"}
        self.config |= json.loads((Path(folder) / "config.json").read_text())
        weights = read_safetensors(Path(folder) / "model.safetensors")
        self.weights = {name.removeprefix("model."): value.astype(np.float64) for name, value in weights.items()}

    def linear(self, x, name):
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0)

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + self.config["norm_eps"])
        return scaled * self.weights[f"{name}.weight"] + self.weights.get(f"{name}.bias", 0)

    def layer_kind(self, i):
        """(theta, window); window is None for full attention."""
        c = self.config
        types = c.get("layer_types")
        is_full = types[i] == "full_attention" if types else i % c["global_attn_every_n_layers"] == 0
        parameters = c.get("rope_parameters")
        if parameters:
            theta = parameters["full_attention" if is_full else "sliding_attention"]["rope_theta"]
        else:
            full = c.get("global_rope_theta", 160000.0)
            local = c.get("local_rope_theta", 10000.0)
            theta = full if is_full or local is None else local
        return theta, None if is_full else c["local_attention"] // 2

    def attention(self, x, i, keys):
        n, hidden = x.shape
        heads = self.config["num_attention_heads"]
        dim = hidden // heads
        theta, window = self.layer_kind(i)
        q, k, v = (part.reshape(n, heads, dim).transpose(1, 0, 2) for part in np.split(self.linear(x, f"layers.{i}.attn.Wqkv"), 3, -1))
        # transformers rounds both to float32, which matters at high positions
        inv_freq = (1 / np.float32(theta) ** (np.arange(0, dim, 2, dtype=np.float32) / np.float32(dim))).astype(np.float32)
        angles = (np.arange(n, dtype=np.float32)[:, None] * inv_freq).astype(np.float64)
        cos, sin = (np.concatenate([f(angles)] * 2, -1) for f in (np.cos, np.sin))
        turned = lambda t: t * cos + np.concatenate([-t[..., dim // 2 :], t[..., : dim // 2]], -1) * sin
        scores = turned(q) @ turned(k).transpose(0, 2, 1) / np.sqrt(dim)
        place = np.arange(n)
        seen = np.broadcast_to(place[None, :] < keys, (n, n)).copy()
        if window is not None:
            seen &= np.abs(place[:, None] - place[None, :]) <= window
        scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return self.linear((weights @ v).transpose(1, 0, 2).reshape(n, hidden), f"layers.{i}.attn.Wo")

    def hidden_states(self, ids, keys=None):
        """[tokens, hidden] of one sequence; tokens from `keys` on are masked."""
        keys = len(ids) if keys is None else keys
        x = self.norm(self.weights["embeddings.tok_embeddings.weight"][np.asarray(ids)], "embeddings.norm")
        for i in range(self.config["num_hidden_layers"]):
            x = x + self.attention(x if i == 0 else self.norm(x, f"layers.{i}.attn_norm"), i, keys)
            value, gate = np.split(self.linear(self.norm(x, f"layers.{i}.mlp_norm"), f"layers.{i}.mlp.Wi"), 2, -1)
            x = x + self.linear(ACTIVATIONS[self.config["hidden_activation"]](value) * gate, f"layers.{i}.mlp.Wo")
        return self.norm(x, "final_norm")

    def head(self, x):
        return self.norm(ACTIVATIONS[self.config["classifier_activation"]](self.linear(x, "head.dense")), "head.norm")

    def logits(self, hidden, task):
        if task == "mlm":
            table = self.weights["embeddings.tok_embeddings.weight"]
            return self.head(hidden) @ table.T + self.weights.get("decoder.bias", 0)
        if task == "seqcls":
            hidden = hidden[:1] if self.config["classifier_pooling"] == "cls" else hidden.mean(0, keepdims=True)
        return self.linear(self.head(hidden), "classifier")


def pool(hidden, modes):
    """sentence-transformers' Pooling of one sequence."""
    weights = np.arange(1, len(hidden) + 1)[:, None]
    by_mode = {
        "cls": hidden[0],
        "max": hidden.max(0),
        "mean": hidden.mean(0),
        "weightedmean": (hidden * weights).sum(0) / weights.sum(),
    }
    return np.concatenate([by_mode[mode] for mode in by_mode if mode in modes])


def dense(x, weight, bias, activation):
    return ACTIVATIONS[activation](x @ weight.astype(np.float64).T + (0 if bias is None else bias.astype(np.float64)))


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)
