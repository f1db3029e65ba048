"""Makes fixtures/peft-lora-variants (README.md) with peft 0.21, transformers 5.24 and torch 2.13: python make_lora.py FOLDER.

A masked language model with biases and random weights, and adapters of it with other options of LoraConfig each."""

import json
import sys
from pathlib import Path

import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification

IDS = [[1, 5, 9, 33, 12, 2], [1, 40, 41, 3, 7, 9, 22, 23, 60, 61, 2]]
ENCODER, TOKENS, TEXTS = AutoModel, AutoModelForTokenClassification, AutoModelForSequenceClassification
PATTERNS = {
    "use_rslora": True,
    "rank_pattern": {r"layers\.\d+\.attn\.Wo": 2, "mlp.Wo": 3},
    "alpha_pattern": {"attn.Wqkv": 9, "^layers.1.mlp.Wi": 5},
}
CASES = {
    "dora": (ENCODER, dict(r=4, target_modules=["Wqkv", "Wo"], use_dora=True)),
    "patterns": (ENCODER, dict(r=4, target_modules=["Wqkv", "Wo", "Wi"], **PATTERNS)),
    "bias-all": (ENCODER, dict(r=3, target_modules="all-linear", bias="all")),
    "bias-lora-only": (
        ENCODER,
        dict(r=3, target_modules=["Wqkv", "Wi"], bias="lora_only", exclude_modules=["layers.0.mlp.Wi"]),
    ),
    "lora-bias": (ENCODER, dict(r=3, target_modules=["Wqkv", "Wo"], lora_bias=True)),
    "embeddings": (ENCODER, dict(r=3, target_modules=["tok_embeddings", "Wi"])),
    "saved-norm": (TOKENS, dict(r=3, target_modules=["Wqkv"], modules_to_save=["final_norm", "head"])),
    "classifier": (
        TEXTS,
        dict(r=3, target_modules=["Wqkv", "Wo"], layers_to_transform=[1], modules_to_save=["classifier"]),
    ),
}
TASKS = {ENCODER: "FEATURE_EXTRACTION", TOKENS: "TOKEN_CLS", TEXTS: "SEQ_CLS"}


def save_base(folder: Path) -> None:
    torch.manual_seed(1)
    config = transformers.ModernBertConfig(
        vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, local_attention=8, layer_types=["full_attention", "sliding_attention"],
        attention_bias=True, mlp_bias=True, norm_bias=True,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
    )
    model = transformers.ModernBertForMaskedLM(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = 0.3 if parameter.dim() == 1 else 0.08
            parameter.copy_(torch.randn_like(parameter) * scale + ("norm.weight" in name))
    model.save_pretrained(folder)


def fill(model: torch.nn.Module) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            noise = torch.randn_like(parameter)
            if "magnitude" in name:
                parameter.mul_(1 + 0.3 * noise)
            elif parameter.dim() == 1:
                parameter.add_(0.2 * noise)
            else:
                parameter.copy_(0.15 * noise)


def main(folder: Path) -> None:
    save_base(folder / "base")
    calls = []
    for seed, (name, (kind, options)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        labels = {} if kind is ENCODER else {"num_labels": 5}
        base = lambda: kind.from_pretrained(folder / "base", **labels)
        model = get_peft_model(base(), LoraConfig(lora_alpha=6, task_type=TASKS[kind], **options))
        fill(model)
        model.save_pretrained(folder / name)
        (folder / name / "README.md").unlink(missing_ok=True)
        file = folder / name / "adapter_config.json"
        config = json.loads(file.read_text()) | {"base_model_name_or_path": "base"}
        file.write_text(json.dumps(config, indent=1))

        model = PeftModel.from_pretrained(base(), folder / name).eval()
        values, rows = [], []
        for ids in IDS:
            with torch.no_grad():
                output = model(input_ids=torch.tensor([ids]))
            last = output.logits if kind is TEXTS else output[0][0, -1:]
            values.append(last.tolist())
            rows.append([0 if kind is TEXTS else len(ids) - 1])
        calls.append({
            "call": "forward",
            "python": f"{kind.__name__} with {name}",
            "output": "last_hidden_state" if kind is ENCODER else "logits",
            "folder": name,
            "tolerance": 2e-5 if kind is ENCODER else 1e-4,
            "ids": IDS,
            **({} if kind is TEXTS else {"rows": rows}),
            "values": values,
        })
    made = {"transformers": transformers.__version__, "torch": torch.__version__, "peft": peft.__version__}
    about = "peft: a masked language model with biases (base/), and adapters of other options each: DoRA, patterns, biases, tables, whole modules."
    (folder / "expected.json").write_text(json.dumps({"about": about, "madeBy": made, "calls": calls}))


main(Path(sys.argv[1]))
