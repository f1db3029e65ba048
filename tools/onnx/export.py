"""Makes an ONNX graph of a small checkpoint, whose weights stay in its model.safetensors, so that transformers.js can run it.

    python3 tools/onnx/export.py CHECKPOINT_FOLDER OUT.onnx

Needs torch, transformers 5, onnx and onnxscript (made with torch 2.13.0, transformers 5.24.0, onnx 1.23.2 and onnxscript 0.7.2). The graphs
of src/transformers/fixtures are those of the checkpoints in src/reference/fixtures by their names:

    for name in NAMES; do python3 tools/onnx/export.py src/reference/fixtures/$name src/transformers/fixtures/$name.onnx; done
"""

import sys

import torch
import transformers
from slim import write

OUTPUTS = ("logits", "start_logits", "end_logits", "last_hidden_state")


class Named(torch.nn.Module):
    """The model's outputs that a pipeline reads, as a tuple."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, **types)
        return tuple(output[name] for name in OUTPUTS if name in output)


def export(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    model = getattr(transformers, config.architectures[0]).from_pretrained(folder, attn_implementation="eager", dtype="float32").eval()
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if getattr(config, "type_vocab_size", 0) > 1 else [])]
    inputs = {name: torch.ones(2, 24, dtype=torch.long) for name in names}
    inputs["attention_mask"][1, 20:] = 0
    with torch.no_grad():
        output = model(**inputs)
    # Dimensions of 0 and 1 would be taken for constants.
    batch = torch.export.Dim("batch", min=1, max=4096)
    length = torch.export.Dim("length", min=2, max=config.max_position_embeddings)
    program = torch.onnx.export(
        Named(model),
        tuple(inputs.values()),
        dynamo=True,
        input_names=names,
        output_names=[name for name in OUTPUTS if name in output],
        dynamic_shapes={name: {0: batch, 1: length} for name in names},
        opset_version=18,
    )
    return program.model_proto


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    write(export(sys.argv[1]), *sys.argv[1:])
