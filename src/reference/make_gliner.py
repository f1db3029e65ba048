"""Makes the cases gliner-* of fixtures/ (README.md) with GLiNER 0.2.29, transformers 5.24 and torch 2.13: python make_gliner.py FOLDER [NAME ...].

The encoders have the tokenizer and the config of an existing case, with new random weights."""

import json
import shutil
import sys
from pathlib import Path

import gliner
import torch
import transformers
from gliner import GLiNER

HERE = Path(__file__).parent
TEXTS = [
    "Zoë Keating played in Vancouver, with 9 friends.",
    "A cat.",
    "Ångström-units 🙂 and 中文 in naïve_café — “quoted” 12.5%",
    "The harbour was closed because of the storm of 1987, said Ms Marguerite O'Neill-Smith of the harbour office on Monday.",
    " \n",
]
LABELS = ["person", "place", "date of birth"]
MANY = [*LABELS, "organisation", "person", "weather event"]
OPTIONS = [
    {},
    {"threshold": 0.3, "flat": False},
    {"threshold": 0.8},
    {"threshold": 0.1, "multiLabel": True},
    {"threshold": 0.0, "flat": False, "multiLabel": True},
]
NAMES = {"flat": "flat_ner", "multiLabel": "multi_label", "threshold": "threshold"}


def fill(module: torch.nn.Module, seed: int, scale: float) -> None:
    """Random weights; `scale`: of the head's, so that scores are neither all alike nor all 0 or 1."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3 if "encoder" in name or "bert_layer" in name else scale * parameter.shape[1] ** -0.5)
            elif "norm" in name:
                parameter.copy_(1 + 0.2 * torch.randn_like(parameter))
            else:
                parameter.normal_(0, 0.1)


def encoder(folder: Path, **changes) -> Path:
    source = HERE / "fixtures/st-mean"
    config = transformers.AutoConfig.from_pretrained(source, **changes)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(source / name, folder / name)
    return folder


def check(model, batch, options) -> None:
    """Rounding must not decide which entities there are."""
    output = model.run_batch(batch)

    def spans(noise: float):
        logits = output.logits + noise * (2 * torch.rand_like(output.logits) - 1)
        decoded = model.decode_batch(type(output)(**{**output, "logits": logits}), batch, **options)[0]
        return [(span.start, span.end, span.entity_type) for span in decoded]

    if output.logits.abs().max() > 12 or any(spans(1e-4) != spans(0) for _ in range(20)):
        raise Unstable


class Unstable(Exception):
    """Other weights make a better case."""


def utf16(text: str, at: int) -> int:
    return len(text[:at].encode("utf-16-le")) // 2


def save(folder: Path, about: str, seed: int, scale: float, labels_encoder=None, max_length=None, **config) -> None:
    base = folder.parent / "base"
    changes = {"num_hidden_layers": 2, "layer_types": ["full_attention", "sliding_attention"]}
    own = encoder(base / "text", **changes)
    if labels_encoder is not None:
        config["labels_encoder"] = str(encoder(base / "labels", **changes, **labels_encoder))
    model = GLiNER.from_config({"model_name": str(own), "name": "test", "dropout": 0.1, "max_len": 32, **config})
    fill(model.model, seed, scale)
    model.eval()
    if max_length:
        model.data_processor.transformer_tokenizer.model_max_length = max_length
    model.save_pretrained(folder, safe_serialization=True)
    path = folder / "gliner_config.json"
    saved = json.loads(path.read_text())
    for key, value in [("model_name", "text"), ("labels_encoder", "labels")]:
        if saved.get(key):
            saved[key] = value
    for key in ["encoder_config", "labels_encoder_config"]:
        if saved.get(key):
            saved[key].pop("_name_or_path", None)
    path.write_text(json.dumps(saved, indent=1))
    again = GLiNER.from_pretrained(str(folder), local_files_only=True)
    again.eval()
    calls = []
    for labels, chosen in [(LABELS, OPTIONS), (MANY, OPTIONS[1:4:2])]:
        for options in chosen:
            values, ids = [], []
            for text in TEXTS:
                found = again.predict_entities(text, labels, **{NAMES[key]: value for key, value in options.items()})
                values.append([[utf16(text, e["start"]), utf16(text, e["end"]), e["label"], e["score"]] for e in found])
                prepared = again.prepare_batch(text, labels)
                if not prepared["valid_texts"]:
                    ids.append([])
                    continue
                batch = again.collate_batch(prepared["input_x"], prepared["entity_types"])
                ids.append(batch["input_ids"][0].tolist())
                check(again, batch, {NAMES[key]: value for key, value in options.items()})
            calls.append(
                {
                    "call": "entities",
                    "python": f"predict_entities(text, labels, {options})",
                    "texts": TEXTS,
                    "labels": labels,
                    "options": options,
                    "tolerance": 2.5e-5,
                    "ids": ids,
                    "values": values,
                }
            )
    if sum(map(len, calls[0]["values"])) < 3:
        raise Unstable
    print(folder.name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()), [[len(v) for v in c["values"]] for c in calls])
    print("  scores", sorted({round(e[3], 2) for c in calls for v in c["values"] for e in v})[::6])
    versions = {"gliner": gliner.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
    text = json.dumps({"about": about, "madeBy": versions, "calls": calls}, ensure_ascii=False)
    (folder / "expected.json").write_text(text + "\n")


CASES = {
    "gliner-uni-span": lambda folder, seed: save(
        folder, "Spans by their ends (markerV0), an LSTM.", seed, 1.5, hidden_size=24, max_width=4, span_mode="markerV0"
    ),
    "gliner-uni-marker": lambda folder, seed: save(
        folder,
        "span_mode marker, the token after `<<ENT>>` for a label, tokens of a word averaged, no LSTM.",
        seed,
        1.1,
        hidden_size=36,
        max_width=3,
        span_mode="marker",
        embed_ent_token=False,
        subtoken_pooling="mean",
        num_rnn_layers=0,
    ),
    "gliner-uni-token": lambda folder, seed: save(
        folder,
        "Start, end and inside word by word, two layers of LSTM, the last token of a word.",
        seed,
        1.8,
        hidden_size=20,
        span_mode="token_level",
        subtoken_pooling="last",
        num_rnn_layers=2,
    ),
    "gliner-bi-span": lambda folder, seed: save(
        folder,
        "Labels read by an encoder of their own, of another width; the largest of a word's tokens.",
        seed,
        1.2,
        labels_encoder={"hidden_size": 16, "intermediate_size": 24},
        hidden_size=24,
        max_width=5,
        span_mode="markerV0",
        subtoken_pooling="max",
        max_len=12,
    ),
    "gliner-bi-token": lambda folder, seed: save(
        folder,
        "Labels read by an encoder of their own; start, end and inside word by word.",
        seed,
        1.3,
        labels_encoder={},
        hidden_size=28,
        span_mode="token_level",
    ),
}

if __name__ == "__main__":
    out, *names = sys.argv[1:]
    for name in names or CASES:
        folder = Path(out) / name
        shutil.rmtree(folder, ignore_errors=True)
        for seed in range(1000):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                CASES[name](folder, seed)
                break
            except Unstable:
                shutil.rmtree(folder)
