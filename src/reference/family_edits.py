"""Edits of saved checkpoints: names and fields that files of others have."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def edit_tensors(rename, extra={}, drop=lambda name: False):
    """Names of tensors, further tensors, and which are left out."""

    def edit(folder: Path) -> None:
        file = folder / "model.safetensors"
        with safe_open(file, "pt") as opened:
            tensors = {rename(name): opened.get_tensor(name).clone() for name in opened.keys() if not drop(name)}
        save_file({**tensors, **extra}, file, metadata={"format": "pt"})

    return edit


def tensorflow_names(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def only(name: str, other: str):
    """Of a tied matrix, the file has the second name."""
    return edit_tensors(lambda each: other if each == name else each)


def as_from_tensorflow(folder: Path) -> None:
    """With the names of norms, and the numbers of positions, that files of that time have."""
    edit_tensors(tensorflow_names, {"bert.embeddings.position_ids": torch.arange(40)[None]})(folder)


NOMIC_NAMES = {
    "vocab_size": "vocab_size", "hidden_size": "n_embd", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer",
    "intermediate_size": "n_inner", "layer_norm_eps": "layer_norm_epsilon", "max_position_embeddings": "n_positions",
}  # fmt: skip


def authors_config(folder: Path) -> None:
    """config.json as nomic-embed-text-v1 has it."""
    file = folder / "config.json"
    config = json.loads(file.read_text())
    kept = {key: config[key] for key in ["architectures", "model_type", "type_vocab_size", "pad_token_id", "transformers_version"]}
    own = {name: config[key] for key, name in NOMIC_NAMES.items()}
    own |= {"activation_function": "swiglu", "rotary_emb_base": config["rope_parameters"]["rope_theta"], "rotary_emb_fraction": 1.0}
    own |= dict.fromkeys(["qkv_proj_bias", "mlp_fc1_bias", "mlp_fc2_bias", "prenorm", "parallel_block", "use_rms_norm"], False)
    own |= {"rotary_emb_interleaved": False, "rotary_scaling_factor": None, "rotary_emb_scale_base": None, "pad_vocab_size_multiple": 1}
    file.write_text(json.dumps({**kept, **own}, indent=2) + "\n")


def new_config(folder: Path) -> None:
    """config.json and names as Alibaba-NLP's files have them (model_type `new`). Their NTK scaling is what transformers calls linear, of a larger base."""
    edit_tensors(lambda name: name.replace("gte.", "new.", 1) if name.startswith("gte.") else name)(folder)
    file = folder / "config.json"
    config = json.loads(file.read_text())
    rope = config.pop("rope_parameters")
    head_dim = config["hidden_size"] // config["num_attention_heads"]
    factor = round(rope["factor"] ** (head_dim / 2))
    own = {"rope_theta": round(rope["rope_theta"] / factor), "rope_scaling": {"type": "ntk", "factor": factor}, "position_embedding_type": "rope"}
    own |= {"model_type": "new", "architectures": ["New" + config["architectures"][0].removeprefix("Gte")], "pack_qkv": True}
    own |= {"layer_norm_type": "layer_norm", "logn_attention_scale": False, "logn_attention_clip1": False, "unpad_inputs": False}
    own |= {"auto_map": {"AutoConfig": "Alibaba-NLP/new-impl--configuration.NewConfig"}}
    file.write_text(json.dumps({**config, **own}, indent=2) + "\n")
