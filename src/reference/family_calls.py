"""What transformers computes from a saved folder, as calls of expected.json (README.md), each text alone."""

from pathlib import Path

import torch
import transformers

TEXTS = ["The harbour was closed.", "A cat crosses the naïve river, doesn't it?"]
PAIRS = [["Which river?", "The river of the town."], ["Who left?", "The boats, before the storm."]]
MASKED = ["The harbour was {}.", "{} is made of {} and salt."]


def shortened(values):
    """Numbers with the digits that a float32 has."""
    return [shortened(value) for value in values] if isinstance(values, list) else float(f"{values:.7g}")


def encoded(model, tokenizer, inputs) -> dict:
    """ids and, of models and tokenizers that have them, token types of each input alone."""
    rows = [tokenizer(*([each] if isinstance(each, str) else each)) for each in inputs]
    has_types = "token_type_ids" in rows[0] and getattr(model.config, "type_vocab_size", 0) > 1
    types = {"typeIds": [row["token_type_ids"] for row in rows]} if has_types else {}
    return {"ids": [row["input_ids"] for row in rows], **types}


def run(model, encoding: dict):
    """The model's outputs of each sequence alone."""
    outputs = []
    for i, ids in enumerate(encoding["ids"]):
        types = {"token_type_ids": torch.tensor([encoding["typeIds"][i]])} if "typeIds" in encoding else {}
        with torch.no_grad():
            outputs.append(model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), **types))
    return outputs


class Tie(Exception):
    """Rounding could decide an order."""


def distinct(scores: torch.Tensor, least: float) -> None:
    if (scores[:-1] - scores[1:]).min() <= least:
        raise Tie


def loaded(auto, folder: Path):
    model, info = auto.from_pretrained(folder, output_loading_info=True)
    missing = [name for name in info["missing_keys"] if "position_ids" not in name]
    assert not missing and not info["mismatched_keys"], (folder, missing)
    return model.eval(), transformers.AutoTokenizer.from_pretrained(folder)


def call(name: str, python: str, tolerance: float, **fields) -> dict:
    return {"call": name, "python": python, "tolerance": tolerance, **fields}


def hidden(folder: Path, extra=()) -> list[dict]:
    model, tokenizer = loaded(transformers.AutoModel, folder)
    encoding = encoded(model, tokenizer, [*TEXTS, PAIRS[0], *extra])
    values = [shortened(out.last_hidden_state[0].tolist()) for out in run(model, encoding)]
    rows = [list(range(len(ids))) for ids in encoding["ids"]]
    fields = {"output": "last_hidden_state", **encoding, "rows": rows, "values": values}
    return [call("forward", "model(**tokenizer(*texts)).last_hidden_state", 2e-5, **fields)]


def masked_lm(folder: Path, extra=()) -> list[dict]:
    model, tokenizer = loaded(transformers.AutoModelForMaskedLM, folder)
    texts = [text.replace("{}", tokenizer.mask_token) for text in [*MASKED, *extra]]
    encoding = encoded(model, tokenizer, texts)
    rows = [[i for i, id in enumerate(ids) if id == tokenizer.mask_token_id] for ids in encoding["ids"]]
    logits = [out.logits[0][own] for out, own in zip(run(model, encoding), rows)]
    fills = []
    for each in logits:
        best = torch.topk(torch.softmax(each, -1), 6)
        for scores in best.values:
            distinct(scores, 1e-4)
        fills.append([list(map(list, zip(ids[:5].tolist(), shortened(p[:5].tolist())))) for ids, p in zip(best.indices, best.values)])
    values = [shortened(each.tolist()) for each in logits]
    return [
        call("tokenize", "tokenizer(text)", 0, texts=texts, **encoding),
        call("forward", "model(**tokenizer(text)).logits", 1e-4, output="logits", **encoding, rows=rows, values=values),
        call("fillMask", "softmax(logits) at every mask, the best 5", 2e-5, texts=texts, values=fills),
    ]


def classifier(folder: Path) -> list[dict]:
    model, tokenizer = loaded(transformers.AutoModelForSequenceClassification, folder)
    texts = [[text] for text in TEXTS] + PAIRS
    encoding = encoded(model, tokenizer, texts)
    logits = [out.logits[0] for out in run(model, encoding)]
    raw = [shortened(each.tolist()) for each in logits]
    calls = [
        call("tokenize", "tokenizer(*texts)", 0, texts=PAIRS, **{key: rows[len(TEXTS) :] for key, rows in encoding.items()}),
        call("classify", "model(**tokenizer(*texts)).logits", 1e-4, texts=texts, options={"raw": True}, values=raw),
    ]
    if model.config.problem_type == "regression":
        return [*calls, {**calls[-1], "options": {}}]
    soft = [shortened(torch.softmax(each, -1).tolist()) for each in logits]
    return [*calls, call("classify", "softmax(logits)", 2e-5, texts=texts, options={}, values=soft)]


def token_classifier(folder: Path) -> list[dict]:
    model, tokenizer = loaded(transformers.AutoModelForTokenClassification, folder)
    encoding = encoded(model, tokenizer, TEXTS)
    logits = [out.logits[0] for out in run(model, encoding)]
    found = []
    for text, each in zip(TEXTS, logits):
        special = tokenizer(text, return_special_tokens_mask=True)["special_tokens_mask"]  # [UNK] is not one
        kept = torch.softmax(each, -1)[[i for i, is_special in enumerate(special) if not is_special]]
        for scores in kept.sort(-1, descending=True).values:
            distinct(scores[:2], 1e-4)
        best = kept.max(-1)
        found.append([[model.config.id2label[i], shortened(p)] for i, p in zip(best.indices.tolist(), best.values.tolist())])
    rows = [list(range(len(ids))) for ids in encoding["ids"]]
    values = [shortened(each.tolist()) for each in logits]
    return [
        call("forward", "model(**tokenizer(text)).logits", 1e-4, output="logits", **encoding, rows=rows, values=values),
        call("classifyTokens", "softmax(logits), the best label of every token but the special ones", 2e-5, texts=TEXTS, values=found),
    ]


def answers(folder: Path) -> list[dict]:
    model, tokenizer = loaded(transformers.AutoModelForQuestionAnswering, folder)
    encoding = encoded(model, tokenizer, PAIRS)
    outputs = run(model, encoding)
    start, end = ([shortened(out[key][0].tolist()) for out in outputs] for key in ("start_logits", "end_logits"))
    python = "model(**tokenizer(question, context)).start_logits and .end_logits"
    return [call("answer", python, 1e-4, texts=PAIRS, **encoding, start=start, end=end)]
