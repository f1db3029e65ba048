"""Makes further cases of fixtures/ (README.md) with sentence-transformers 6.2, transformers 5.24 and torch 2.13: python make.py FOLDER [NAME ...].

The base is an existing case's: its tokenizer and its config, with new random weights."""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer, __version__ as st_version
from sentence_transformers.base.modules import Dense, Normalize, Router, Transformer
from sentence_transformers.cross_encoder.modules import LogitScore
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling, StaticEmbedding, WeightedLayerPooling
from tokenizers import Tokenizer

HERE = Path(__file__).parent
TEXTS = [
    "The harbour was closed because of the storm.",
    "A cat.",
    "Öffnungszeiten: 9 bis 17 Uhr, naïve café — “quoted” 🙂",
    "What is the difference between a window and a global layer, and which of them sees the whole text at once?",
    "IN CAPITALS, 12.5 % of 3,000",
]


def base(folder: Path, seed: int, auto=transformers.AutoModel, **changes) -> Path:
    """A bare encoder (or what `auto` makes) with the tokenizer of st-mean and random weights."""
    source = HERE / "fixtures/st-mean"
    config = transformers.AutoConfig.from_pretrained(source, **changes)
    torch.manual_seed(seed)
    model = auto.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(source / name, folder / name)
    return folder


def fill(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0.3, 0.4)
    return module


def rows(model, texts, run, **options):
    return [[float(x) for x in run([text], **options)[0]] for text in texts]


def write(folder: Path, about: str, expected) -> None:
    versions = {"transformers": transformers.__version__, "sentence_transformers": st_version, "torch": torch.__version__}
    text = json.dumps({"about": about, "madeBy": versions, "calls": expected}, ensure_ascii=False)
    (folder / "expected.json").write_text(text + "\n")
    print(folder.name, len(expected), "calls")


def save(model: SentenceTransformer, folder: Path, about: str, calls, edit=lambda: None) -> None:
    model.eval()
    model.save(str(folder), create_model_card=False)
    shutil.rmtree(folder / "base", ignore_errors=True)
    edit()
    again = SentenceTransformer(str(folder), device="cpu")
    expected = []
    for python, method, options, extra in calls:
        values = rows(again, TEXTS, getattr(again, method), **extra)
        expected.append(
            {"call": "embed", "python": python, "texts": TEXTS, "options": options, "tolerance": 2e-5, "values": values}
        )
    write(folder, about, expected)


ENCODE_UNIT = ("encode([text], normalize_embeddings=True)", "encode", {"normalize": True}, {"normalize_embeddings": True})
ENCODE = ("encode([text])", "encode", {}, {})
QUERY = ("encode_query([text])", "encode_query", {"kind": "query"}, {})
DOCUMENT = ("encode_document([text])", "encode_document", {"kind": "document"}, {})


def layers(folder: Path, start: int, normalize: bool) -> None:
    transformer = Transformer(str(base(folder / "base", 11, output_hidden_states=True)))
    size, depth = transformer.model.config.hidden_size, transformer.model.config.num_hidden_layers
    weighted = WeightedLayerPooling(size, num_hidden_layers=depth, layer_start=start)
    with torch.no_grad():
        weighted.layer_weights.copy_(torch.linspace(0.5, 2, depth + 1 - start))
    modules = [transformer, weighted, Pooling(size, "mean")] + ([Normalize()] if normalize else [])
    about = f"WeightedLayerPooling from layer {start} on, whose hidden states the Transformer keeps."
    call = ENCODE if normalize else ("encode([text])", "encode", {"normalize": False}, {})
    save(SentenceTransformer(modules=modules, device="cpu"), folder, about, [call])


def layer_norm(folder: Path) -> None:
    transformer = Transformer(str(base(folder / "base", 12, hidden_size=40, num_attention_heads=2)))
    modules = [transformer, Pooling(40, ["cls", "max"]), fill(LayerNorm(80), 5), fill(Dense(80, 7), 6), Normalize()]
    save(SentenceTransformer(modules=modules, device="cpu"), folder, "cls and max, LayerNorm, a Dense to 7 numbers.", [ENCODE])


def token_dense(folder: Path) -> None:
    transformer = Transformer(str(base(folder / "base", 13)))
    size = transformer.model.config.hidden_size
    dense = fill(Dense(size, 36, module_input_name="token_embeddings", use_residual=True), 7)
    modules = [transformer, dense, Normalize("token_embeddings"), Pooling(36, ["weightedmean", "max"])]
    call = ("encode([text])", "encode", {"normalize": False}, {})
    save(SentenceTransformer(modules=modules, device="cpu"), folder, "Dense and Normalize of tokens before the Pooling.", [call])


def activations(folder: Path) -> None:
    transformer = Transformer(str(base(folder / "base", 17)))
    size = transformer.model.config.hidden_size
    functions = [torch.nn.Mish(), torch.nn.LeakyReLU(), torch.nn.Sigmoid()]
    dense = [fill(Dense(size if i == 0 else 24, 24, activation_function=f), 20 + i) for i, f in enumerate(functions)]
    model = SentenceTransformer(
        modules=[transformer, Pooling(size, "mean"), *dense],
        prompts={"query": "Q: ", "passage": "P: "},
        default_prompt_name="passage",
        device="cpu",
    )

    def edit() -> None:  # as other programs write it: the library would have to add a prompt 'document', an empty one
        path = folder / "config_sentence_transformers.json"
        config = json.loads(path.read_text())
        config["prompts"].pop("document")
        path.write_text(json.dumps(config, indent=2))

    about = "Three Dense: Mish, LeakyReLU, Sigmoid. A default prompt, which encode_document does not take (edited: no prompt 'document'), nor the one called passage, which kind: 'document' stands for here."
    unprompted = (*DOCUMENT[:2], {**DOCUMENT[2], "prompt": ""}, DOCUMENT[3])
    calls = [(python, method, {**options, "normalize": False}, extra) for python, method, options, extra in (ENCODE, QUERY, unprompted)]
    save(model, folder, about, calls, edit)


def static_dense(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(HERE / "fixtures/static-normalize/tokenizer.json"))
    static = fill(StaticEmbedding(tokenizer, embedding_dim=24), 30)
    dense = [fill(Dense(24, 40, activation_function=torch.nn.GELU(), use_residual=True), 31), fill(Dense(40, 40, bias=False, use_residual=True), 32)]
    modules = [static, Normalize(), dense[0], fill(LayerNorm(40), 33), dense[1]]
    call = ("encode([text])", "encode", {"normalize": False}, {})
    about = "StaticEmbedding, Normalize, Dense with residuals (to another width by GELU, to the same by tanh), LayerNorm between them."
    save(SentenceTransformer(modules=modules, device="cpu"), folder, about, [call, ENCODE_UNIT])


def lower(folder: Path) -> None:
    transformer = Transformer(str(base(folder / "base", 14)))
    modules = [transformer, Pooling(transformer.model.config.hidden_size, "mean"), Normalize()]

    def edit() -> None:  # version 6 reads the field and does not write it
        path = folder / "sentence_bert_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "do_lower_case": True}, indent=4))

    about = "do_lower_case in sentence_bert_config.json (edited)."
    save(SentenceTransformer(modules=modules, device="cpu"), folder, about, [ENCODE], edit)


def router_mapped(folder: Path) -> None:
    transformer = Transformer(str(base(folder / "base", 15)))
    size = transformer.model.config.hidden_size
    router = Router(
        {"short": [fill(Dense(size, 16), 8)], "long": [fill(Dense(size, 16, bias=False), 9)], "text": [fill(Dense(size, 16), 10)]},
        default_route="long",
        route_mappings={("query", "text"): "short", ("document", None): "long"},
    )
    modules = [transformer, Pooling(size, "mean"), router, Normalize()]
    model = SentenceTransformer(modules=modules, prompts={"query": "Q: ", "passage": "P: "}, device="cpu")
    save(model, folder, "Router whose route_mappings name other routes; the prompts query and passage.", [ENCODE, QUERY, DOCUMENT])


def logit_score(folder: Path, about: str, **options) -> None:
    """A cross-encoder of a masked language model; as by default, one score goes through a sigmoid."""
    encoder = base(folder / "base", 16, transformers.AutoModelForMaskedLM)
    modules = [Transformer(str(encoder), transformer_task="fill-mask"), LogitScore(module_input_name="token_embeddings", **options)]
    CrossEncoder(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    shutil.rmtree(folder / "base")
    again = CrossEncoder(str(folder), device="cpu")
    query, *documents = TEXTS
    calls = []
    for raw, activation in [(False, None), (True, torch.nn.Identity())]:
        values = [float(again.predict([[query, document]], activation_fn=activation)[0]) for document in documents]
        python = f"predict([[query, document]]{', activation_fn=Identity()' if raw else ''})"
        calls.append(
            {"call": "rerank", "python": python, "query": query, "documents": documents, "options": {"raw": True} if raw else {}}
            | {"tolerance": 1e-4 if raw else 2e-5, "values": values}
        )
    write(folder, about, calls)


CASES = {
    "cross-encoder-logit-score": lambda folder: logit_score(
        folder, "LogitScore: how much likelier a masked LM finds one token than another at the end.", true_token_id=301, false_token_id=7
    ),
    "cross-encoder-logit-score-one": lambda folder: logit_score(folder, "LogitScore: the logit of one token at the end.", true_token_id=0),
    "st-layers": lambda folder: layers(folder, 1, True),
    "st-layers-all": lambda folder: layers(folder, 0, False),
    "st-layer-norm": layer_norm,
    "st-token-dense": token_dense,
    "st-activations": activations,
    "st-lower-case": lower,
    "static-dense": static_dense,
    "st-router-mapped": router_mapped,
}

if __name__ == "__main__":
    out, *names = sys.argv[1:]
    for name in names or CASES:
        folder = Path(out) / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        CASES[name](folder)
