"""ModernBERT in PyTorch, for training and golden outputs; written from the paper (arXiv 2412.13663), shares nothing with the library.

A batch is `rows` rows of `length` tokens without padding: every row is filled with sequences, the last one cut to fit. Linear layers process one
stream of rows · length tokens; a token attends to the tokens of its own sequence in its row.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from checkpoint import read_config, read_tensors


class Norm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config["hidden_size"]))
        self.eps = config["norm_eps"]

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, None, self.eps)


def rotation(position, theta, head_dim):
    """cos and sin, each [rows, length, 1, head_dim]; angles are rounded to float32 as in the published implementation."""
    inv_freq = 1 / theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32, device=position.device) / head_dim)
    angles = position[..., None].float() * inv_freq
    angles = torch.cat([angles, angles], -1)[..., None, :]
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


def attend(q, k, v, seen):
    """q, k, v: [batch, heads, tokens, head_dim]; seen: [batch, queries, keys]."""
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))
    scores = scores.masked_fill_(~seen[:, None], float("-inf"))
    return torch.matmul(scores.softmax(-1), v)


def attend_in_blocks(q, k, v, sequence, window):
    """Window attention in blocks of `window` queries that see three blocks of keys: linear in the length of the row."""
    rows, heads, length, dim = q.shape
    block = window
    count = -(-length // block)
    pad = count * block - length
    q = F.pad(q, (0, 0, 0, pad)).reshape(rows, heads, count, block, dim)
    sequence_q = F.pad(sequence, (0, pad), value=-1).reshape(rows, count, block)
    k, v = (F.pad(t, (0, 0, block, block + pad)).unfold(2, 3 * block, block).transpose(-1, -2) for t in (k, v))
    sequence_k = F.pad(sequence, (block, block + pad), value=-2).unfold(1, 3 * block, block)
    key, query = (torch.arange(n, device=q.device) for n in (3 * block, block))
    distance = key[None, :] - block - query[:, None]
    seen = (sequence_q[..., None] == sequence_k[..., None, :]) & (distance.abs() <= window)
    seen = seen | ((sequence_q == -1)[..., None] & (distance == 0))  # a padded query must see something
    merge = lambda t: t.permute(0, 2, 1, 3, 4).reshape(rows * count, heads, *t.shape[3:])
    out = attend(merge(q), merge(k), merge(v), seen.reshape(rows * count, block, 3 * block))
    return out.reshape(rows, count, heads, block, dim).permute(0, 2, 1, 3, 4).reshape(rows, heads, count * block, dim)[:, :, :length]


class Attention(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        is_global = layer % config["global_attn_every_n_layers"] == 0
        self.kind = "global" if is_global else "local"
        self.Wqkv = nn.Linear(hidden, 3 * hidden, bias=False)
        self.Wo = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x, context):
        rows, length, hidden = x.shape
        q, k, v = self.Wqkv(x).reshape(rows, length, 3, self.heads, -1).unbind(2)
        cos, sin = context["rotation"][self.kind]
        q, k, v = (t.transpose(1, 2) for t in (rotate(q, cos, sin), rotate(k, cos, sin), v))
        if self.kind == "local" and context["in_blocks"]:
            out = attend_in_blocks(q, k, v, context["sequence"], context["window"])
        else:
            out = attend(q, k, v, context["seen"][self.kind])
        return self.Wo(out.transpose(1, 2).reshape(rows, length, hidden))


class Mlp(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.Wi = nn.Linear(config["hidden_size"], 2 * config["intermediate_size"], bias=False)
        self.Wo = nn.Linear(config["intermediate_size"], config["hidden_size"], bias=False)

    def forward(self, x):
        value, gate = self.Wi(x).chunk(2, -1)
        return self.Wo(F.gelu(value) * gate)


class Layer(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        self.attn_norm = Norm(config) if layer > 0 else nn.Identity()
        self.attn = Attention(config, layer)
        self.mlp_norm = Norm(config)
        self.mlp = Mlp(config)

    def forward(self, x, context):
        x = x + self.attn(self.attn_norm(x), context)
        return x + self.mlp(self.mlp_norm(x))


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embeddings = nn.ModuleDict({"tok_embeddings": nn.Embedding(config["vocab_size"], config["hidden_size"]), "norm": Norm(config)})
        self.layers = nn.ModuleList(Layer(config, i) for i in range(config["num_hidden_layers"]))
        self.final_norm = Norm(config)

    def forward(self, ids, sequence, position):
        """All [rows, length] → hidden states [rows, length, hidden]. `sequence` numbers the sequences of a row."""
        c = self.config
        head_dim = c["hidden_size"] // c["num_attention_heads"]
        window, length = c["local_attention"] // 2, ids.shape[1]
        in_blocks = length > 8 * window
        seen = {"global": sequence[:, :, None] == sequence[:, None, :]}
        if not in_blocks:
            place = torch.arange(length, device=ids.device)
            seen["local"] = seen["global"] & ((place[:, None] - place[None, :]).abs() <= window)
        context = {
            "rotation": {kind: rotation(position, c[f"{kind}_rope_theta"], head_dim) for kind in ("global", "local")},
            "seen": seen, "sequence": sequence, "window": window, "in_blocks": in_blocks,
        }
        x = self.embeddings["norm"](self.embeddings["tok_embeddings"](ids))
        for layer in self.layers:
            x = layer(x, context)
        return self.final_norm(x)


class Head(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["hidden_size"], bias=False)
        self.norm = Norm(config)

    def forward(self, x):
        return self.norm(F.gelu(self.dense(x)))


class MaskedLm(nn.Module):
    """Parameters have the names of the checkpoint files."""

    def __init__(self, config):
        super().__init__()
        self.model = Encoder(config)
        self.head = Head(config)
        self.decoder = nn.ParameterDict({"bias": nn.Parameter(torch.zeros(config["vocab_size"]))})

    def logits(self, hidden):
        return F.linear(self.head(hidden), self.model.embeddings["tok_embeddings"].weight, self.decoder["bias"])


def load(folder):
    """Loads a checkpoint folder: a MaskedLm, or an Encoder (names without "model.") if the file has no head."""
    config, tensors = read_config(folder), read_tensors(f"{folder}/model.safetensors")
    model = MaskedLm(config) if "head.dense.weight" in tensors else Encoder(config)
    missing = set(model.state_dict()) ^ set(tensors)
    if missing:
        raise ValueError(f"{folder}/model.safetensors: missing or unknown tensors: {', '.join(sorted(missing))}")
    model.load_state_dict(tensors)
    return model


def one_sequence(ids):
    """Arguments of Encoder.forward for one sequence of token ids."""
    ids = torch.as_tensor(ids, dtype=torch.long)[None]
    return ids, torch.zeros_like(ids), torch.arange(ids.shape[1])[None]
