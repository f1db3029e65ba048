"""JinaBERT as its authors' code computes it (jina-bert-implementation/modeling_bert.py): transformers does not have it. Written anew on transformers'
BERT, of which only the embeddings of words and types, the pooler and the heads are used; one text alone, so no mask."""

import json
import math
from pathlib import Path

import torch
import transformers
from family_edits import edit_tensors
from torch import nn
from transformers.modeling_outputs import BaseModelOutputWithPoolingAndCrossAttentions as Outputs


class JinaBertConfig(transformers.BertConfig):
    model_type = "jina_bert"


def slopes(heads: int) -> list[float]:
    """get_slopes of ALiBi (Press et al. 2022)."""
    if math.log2(heads).is_integer():
        start = 2 ** (-(2 ** -(math.log2(heads) - 3)))
        return [start * start**i for i in range(heads)]
    closest = 2 ** math.floor(math.log2(heads))
    return slopes(closest) + slopes(2 * closest)[0::2][: heads - closest]


class JinaBertLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, i = c.hidden_size, c.intermediate_size
        self.heads = c.num_attention_heads
        norm = lambda: nn.LayerNorm(h, eps=c.layer_norm_eps)  # noqa: E731
        own = nn.ModuleDict({name: nn.Linear(h, h) for name in ("query", "key", "value")})
        self.attention = nn.ModuleDict({"self": own, "output": nn.ModuleDict({"dense": nn.Linear(h, h), "LayerNorm": norm()})})
        self.mlp = nn.ModuleDict({"gated_layers": nn.Linear(h, 2 * i, bias=False), "wo": nn.Linear(i, h), "layernorm": norm()})

    def forward(self, x):
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # noqa: E731
        q, k, v = (split(self.attention["self"][name](x)) for name in ("query", "key", "value"))
        place = torch.arange(x.shape[1])
        alibi = -torch.tensor(slopes(self.heads))[:, None, None] * (place[None, :] - place[:, None]).abs()
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + alibi
        context = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        output = self.attention["output"]
        x = output["LayerNorm"](output["dense"](context) + x)
        gated, other = self.mlp["gated_layers"](x).chunk(2, -1)
        return self.mlp["layernorm"](self.mlp["wo"](nn.functional.gelu(gated) * other) + x)


class JinaBertModel(transformers.BertModel):
    config_class = JinaBertConfig

    def __init__(self, config, add_pooling_layer=True):
        super().__init__(config, add_pooling_layer=add_pooling_layer)
        self.encoder.layer = nn.ModuleList(JinaBertLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, input_ids, token_type_ids=None, **_):
        e = self.embeddings
        types = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        x = e.LayerNorm(e.word_embeddings(input_ids) + e.token_type_embeddings(types))
        for layer in self.encoder.layer:
            x = layer(x)
        return Outputs(last_hidden_state=x, pooler_output=self.pooler(x) if self.pooler else None)


def with_head(base, auto, pooler: bool):
    """A class of transformers around this encoder."""

    def init(self, config):
        base.__init__(self, config)
        self.bert = JinaBertModel(config, add_pooling_layer=pooler)
        self.post_init()

    made = type(base.__name__.replace("Bert", "JinaBert"), (base,), {"__init__": init, "config_class": JinaBertConfig})
    auto.register(JinaBertConfig, made)
    return made


transformers.AutoConfig.register("jina_bert", JinaBertConfig)
transformers.AutoModel.register(JinaBertConfig, JinaBertModel)
CLASSES = {
    "Model": JinaBertModel,
    "ForMaskedLM": with_head(transformers.BertForMaskedLM, transformers.AutoModelForMaskedLM, False),
    "ForSequenceClassification": with_head(transformers.BertForSequenceClassification, transformers.AutoModelForSequenceClassification, True),
    "ForTokenClassification": with_head(transformers.BertForTokenClassification, transformers.AutoModelForTokenClassification, False),
    "ForQuestionAnswering": with_head(transformers.BertForQuestionAnswering, transformers.AutoModelForQuestionAnswering, False),
}


def published(folder: Path) -> None:
    """config.json and tensors as jinaai's files have them."""
    edit_tensors(lambda name: name, drop=lambda name: "position_embeddings" in name)(folder)
    file = folder / "config.json"
    config = json.loads(file.read_text())
    own = {"model_type": "bert", "position_embedding_type": "alibi", "feed_forward_type": "geglu", "emb_pooler": "mean", "attn_implementation": "torch"}
    auto_map = {"auto_map": {"AutoConfig": "jinaai/jina-bert-implementation--configuration_bert.JinaBertConfig"}}
    file.write_text(json.dumps({**config, **own, **auto_map}, indent=2) + "\n")
