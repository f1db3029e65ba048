"""Makes the cases heads-*, splade-bert and mv-bert of fixtures/ (README.md) with transformers 5.24, sentence-transformers 6.2 and torch 2.13:
python make_families.py FOLDER [NAME ...].

A case has a folder per checkpoint: an encoder of the family with a head, random weights, and a tokenizer of a small vocabulary (family_tokenizers.py); family_calls.py has what is compared."""

import json
import shutil
import sys
from pathlib import Path

import jina_bert
import tokenizers
import torch
import transformers
from family_calls import TEXTS, Tie, answers, call, classifier, hidden, masked_lm, shortened, token_classifier
from family_edits import as_from_tensorflow, authors_config, edit_tensors, new_config, only
from family_tokenizers import llama_bpe, roberta_bpe, unigram, wordpiece
from sentence_transformers import MultiVectorEncoder, SparseEncoder, __version__ as st_version
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sparse_encoder.modules import SpladePooling

LABELS = ["O", "B-A", "I-A", "B-B", "I-B"]


def fill(model: torch.nn.Module, seed: int) -> None:
    """Weights far from those of an untrained model, so that whatever is computed otherwise shows. Tied ones stay tied."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter)
            if parameter.dim() == 1:
                parameter.copy_(noise * 0.3 + ("orm" in name and "weight" in name))
            else:
                parameter.copy_(noise * (1 if "relative_attention_bias" in name else 0.3))


def saved(folder: Path, model, tokenizer, seed: int, edit=lambda folder: None) -> None:
    fill(model.eval(), seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    edit(folder)


# Cases.

SMALL = dict(hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=28, max_position_embeddings=40)
DISTIL = dict(dim=24, n_layers=1, n_heads=2, hidden_dim=28, max_position_embeddings=40)
PADDED = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2)  # of RoBERTa and its descendants
DEBERTA = dict(
    pad_token_id=0, bos_token_id=1, eos_token_id=2, position_biased_input=False, position_buckets=8, relative_attention=True,
    pos_att_type=["p2c", "c2p"], share_att_key=True, norm_rel_ebd="layer_norm", type_vocab_size=0,
)  # fmt: skip
LABELLED = dict(id2label=dict(enumerate(LABELS)), label2id={label: i for i, label in enumerate(LABELS)})
THREE = dict(num_labels=3)
RATING = dict(num_labels=1, problem_type="regression")

RUNS = {
    "ForMaskedLM": masked_lm,
    "ForPreTraining": masked_lm,
    "ForSequenceClassification": classifier,
    "ForTokenClassification": token_classifier,
    "ForQuestionAnswering": answers,
}


def heads(about: str, prefix: str | dict, config, tokenizer, checkpoints: dict):
    """A case of a family: its folders, each with the class, changes of the configuration, and what else is special (edit, extra, run, tokenizer).
    `prefix`: of transformers' classes, or the classes."""

    def make(folder: Path) -> None:
        calls = []
        for index, (name, (kind, changes, special)) in enumerate(checkpoints.items()):
            own = special.get("tokenizer", tokenizer)()
            sizes = {**config[1], **changes, "vocab_size": len(own)}
            model = (prefix[kind] if isinstance(prefix, dict) else getattr(transformers, prefix + kind))(config[0](**sizes))
            for seed in range(10 * index, 10 * index + 10):  # the first whose results are distinct
                saved(folder / name, model, own, seed, special.get("edit", lambda folder: None))
                extra = {"extra": special["extra"]} if "extra" in special else {}
                try:
                    own_calls = special.get("run", RUNS.get(kind))(folder / name, **extra)
                    break
                except Tie:
                    continue
            calls += [{**each, "folder": name} for each in own_calls]
        write(folder, about, calls)

    return make


def write(folder: Path, about: str, calls, **versions) -> None:
    made = {"transformers": transformers.__version__, **versions, "torch": torch.__version__, "tokenizers": tokenizers.__version__}
    text = json.dumps({"about": about, "madeBy": made, "calls": calls}, ensure_ascii=False, separators=(",", ":"))
    (folder / "expected.json").write_text(text + "\n")
    print(folder.name, len(calls), "calls", sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) >> 10, "KiB")


def splade(folder: Path) -> None:
    base = folder / "base"
    saved(base, transformers.BertForMaskedLM(transformers.BertConfig(**SMALL, vocab_size=len(wordpiece()))), wordpiece(), 1)
    model = SparseEncoder(modules=[Transformer(str(base), transformer_task="fill-mask"), SpladePooling("max")], device="cpu")
    model.save(str(folder), create_model_card=False)
    shutil.rmtree(base)
    again = SparseEncoder(str(folder), device="cpu")
    values = []
    for text in TEXTS:
        row = again.encode([text], convert_to_sparse_tensor=False)[0].tolist()
        values.append({str(i): shortened(weight) for i, weight in enumerate(row) if weight > 0})
    calls = [call("embedSparse", "encode([text])", 1e-4, texts=TEXTS, options={}, values=values)]
    write(folder, "SPLADE of a BertForMaskedLM: the activations of its vocabulary.", calls, sentence_transformers=st_version)


def colbert(folder: Path) -> None:
    base = folder / "base"
    saved(base, transformers.BertModel(transformers.BertConfig(**SMALL, vocab_size=len(wordpiece()))), wordpiece(), 2)
    names = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
    dense = Dense(24, 8, bias=False, activation_function=torch.nn.Identity(), **names)
    fill(dense, 3)
    mask = MultiVectorMask(skiplist_words=[",", "."])
    model = MultiVectorEncoder(modules=[Transformer(str(base)), dense, mask, Normalize("token_embeddings")], device="cpu")
    model.save(str(folder), create_model_card=False)
    shutil.rmtree(base)
    again = MultiVectorEncoder(str(folder), device="cpu")
    calls = []
    for kind in ("query", "document"):
        values = [shortened(getattr(again, f"encode_{kind}")([text])[0].tolist()) for text in TEXTS]
        calls.append(call("embedMultiVector", f"encode_{kind}([text])", 2e-5, texts=TEXTS, options={"kind": kind}, values=values))
    write(folder, "A BertModel as a MultiVectorEncoder makes it (ColBERT).", calls, sentence_transformers=st_version)


def as_nomic(folder: Path) -> None:
    """As nomic-embed-text-v1 has them."""
    edit_tensors(lambda name: name.replace("nomic_bert.", "bert."))(folder)
    authors_config(folder)


def edited(run, edit):
    """Runs before config.json gets its authors' names, which transformers does not read."""

    def run_and_edit(folder: Path) -> list[dict]:
        calls = run(folder)
        edit(folder)
        return calls

    return run_and_edit


# Alibaba's NTK scaling by 4, of a base of 20,000 and heads of 12 numbers.
NTK = {"rope_parameters": {"rope_type": "linear", "factor": 4 ** (2 / 12), "rope_theta": 80_000.0}}

BERT_TIED = ("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight")
LM_HEAD = "lm_head.decoder.weight"
no_types = lambda: wordpiece(model_input_names=["input_ids", "attention_mask"])  # noqa: E731
typed_padding = ["The <pad>{} of <pad><pad> the {} town."]

CASES = {
    "heads-bert": heads(
        "BERT's heads, of BertForPreTraining too: names of TensorFlow (renamed), a decoder of its own, or its name alone; no token types.",
        "Bert", (transformers.BertConfig, SMALL), wordpiece,
        {
            "pretraining": ("ForPreTraining", {"hidden_act": "gelu_new", "intermediate_size": 37}, {"edit": as_from_tensorflow}),
            "mlm-untied": ("ForMaskedLM", {"tie_word_embeddings": False}, {}),
            "mlm-decoder-only": ("ForMaskedLM", {}, {"edit": only(*BERT_TIED)}),
            "regression": ("ForSequenceClassification", {**RATING, "hidden_act": "relu"}, {}),
            "no-types": ("ForSequenceClassification", THREE, {"tokenizer": no_types}),
            "tokens": ("ForTokenClassification", {**LABELLED, "type_vocab_size": 1, "num_hidden_layers": 2}, {"tokenizer": no_types}),
        },
    ),
    "heads-roberta": heads(
        "RoBERTa's heads; a padding token in the text, which has no position of its own.",
        "Roberta", (transformers.RobertaConfig, {**SMALL, **PADDED, "max_position_embeddings": 42, "type_vocab_size": 1}), roberta_bpe,
        {
            "mlm": ("ForMaskedLM", {}, {"extra": typed_padding}),
            "tokens": ("ForTokenClassification", {**LABELLED, "hidden_act": "gelu_new"}, {}),
            "answers": ("ForQuestionAnswering", {"layer_norm_eps": 1e-5}, {}),
        },
    ),
    "heads-xlm-roberta": heads(
        "XLM-RoBERTa's heads: Unigram.",
        "XLMRoberta", (transformers.XLMRobertaConfig, {**SMALL, **PADDED, "max_position_embeddings": 42, "type_vocab_size": 1}), unigram,
        {
            "mlm": ("ForMaskedLM", {}, {"edit": only("roberta.embeddings.word_embeddings.weight", LM_HEAD)}),
            "classifier": ("ForSequenceClassification", RATING, {}),
            "answers": ("ForQuestionAnswering", {}, {}),
        },
    ),
    "heads-camembert": heads(
        "CamemBERT's heads: as RoBERTa's, with Unigram.",
        "Camembert", (transformers.CamembertConfig, {**SMALL, **PADDED, "bos_token_id": 5, "eos_token_id": 6, "max_position_embeddings": 42, "type_vocab_size": 1}),
        lambda: unigram(transformers.CamembertTokenizer),
        {"mlm": ("ForMaskedLM", {}, {}), "classifier": ("ForSequenceClassification", THREE, {})},
    ),
    "heads-distilbert": heads(
        "DistilBERT's heads: no token types, a padded head_dim.",
        "DistilBert", (transformers.DistilBertConfig, DISTIL), lambda: wordpiece(transformers.DistilBertTokenizer),
        {
            "mlm-untied": ("ForMaskedLM", {"tie_word_embeddings": False, "hidden_dim": 37, "activation": "relu"}, {}),
            "classifier": ("ForSequenceClassification", {**THREE, "n_layers": 2}, {}),
            "tokens": ("ForTokenClassification", LABELLED, {}),
            "answers": ("ForQuestionAnswering", {}, {}),
        },
    ),
    "heads-electra": heads(
        "ELECTRA's heads, embeddings of the layers' width and of others; of ElectraForPreTraining the encoder.",
        "Electra", (transformers.ElectraConfig, {**SMALL, "embedding_size": 16}), lambda: wordpiece(transformers.ElectraTokenizer, lower=False),
        {
            "pretraining": ("ForPreTraining", {}, {"run": hidden}),
            "mlm": ("ForMaskedLM", {}, {}),
            "mlm-untied": ("ForMaskedLM", {"tie_word_embeddings": False, "embedding_size": 24}, {}),
            "classifier": ("ForSequenceClassification", {**THREE, "embedding_size": 24}, {}),
            "tokens": ("ForTokenClassification", {**LABELLED, "embedding_size": 40}, {}),
            "answers": ("ForQuestionAnswering", {}, {}),
        },
    ),
    "heads-mpnet": heads(
        "MPNet's heads; a padding token in the text.",
        "MPNet", (transformers.MPNetConfig, {**SMALL, **PADDED, "max_position_embeddings": 42}), lambda: wordpiece(transformers.MPNetTokenizer),
        {
            "mlm": ("ForMaskedLM", {}, {"extra": typed_padding}),
            "classifier": ("ForSequenceClassification", THREE, {}),
            "tokens": ("ForTokenClassification", {**LABELLED, "num_attention_heads": 3}, {}),
            "answers": ("ForQuestionAnswering", {"intermediate_size": 35}, {}),
        },
    ),
    "heads-nomic-bert": heads(
        "NomicBERT's heads; config.json in its authors' names (edited) and in transformers'.",
        "NomicBert", (transformers.NomicBertConfig, {**SMALL, "pad_token_id": 0}), wordpiece,
        {
            "mlm": ("ForMaskedLM", {}, {"run": edited(masked_lm, as_nomic)}),
            "mlm-untied": ("ForMaskedLM", {"tie_word_embeddings": False, "intermediate_size": 37}, {}),
            "classifier": ("ForSequenceClassification", {**THREE, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}, {}),
            "tokens": ("ForTokenClassification", {**LABELLED, "hidden_act": "gelu", "num_hidden_layers": 2}, {}),
        },
    ),
    "heads-gte": heads(
        "GTE's heads, with and without token types; in transformers' names and in its authors' (edited), with scaled RoPE too.",
        "Gte", (transformers.GteConfig, {**SMALL, "pad_token_id": 0}), wordpiece,
        {
            "mlm": ("ForMaskedLM", {"type_vocab_size": 2}, {}),
            "mlm-untied": ("ForMaskedLM", {"tie_word_embeddings": False, "intermediate_size": 37}, {"tokenizer": no_types}),
            "classifier": ("ForSequenceClassification", {**THREE, "type_vocab_size": 2}, {}),
            "tokens": ("ForTokenClassification", LABELLED, {"tokenizer": no_types}),
            "mlm-new": ("ForMaskedLM", {**NTK, "type_vocab_size": 0}, {"tokenizer": no_types, "run": edited(masked_lm, new_config)}),
            "classifier-new": ("ForSequenceClassification", {**THREE, **NTK}, {"run": edited(classifier, new_config)}),
            "classifier-linear": ("ForSequenceClassification", {**THREE, "rope_parameters": {"rope_type": "linear", "factor": 0.25, "rope_theta": 50.0}}, {}),
        },
    ),
    "heads-jina-v3": heads(
        "Jina v3's heads, as transformers has them.",
        "JinaEmbeddingsV3", (transformers.JinaEmbeddingsV3Config, {**SMALL, **PADDED}), unigram,
        {
            "mlm": ("ForMaskedLM", {}, {}),
            "classifier": ("ForSequenceClassification", THREE, {}),
            "tokens": ("ForTokenClassification", LABELLED, {}),
            "answers": ("ForQuestionAnswering", {"intermediate_size": 37}, {}),
        },
    ),
    "heads-eurobert": heads(
        "EuroBERT's heads: a tied decoder and one of its own; classifier_pooling bos, mean and late; grouped keys and values.",
        "EuroBert",
        (transformers.EuroBertConfig, {**SMALL, "num_attention_heads": 4, "num_key_value_heads": 2, "bos_token_id": 276, "eos_token_id": 277, "pad_token_id": 277}),
        llama_bpe,
        {
            "mlm": ("ForMaskedLM", {"tie_word_embeddings": False}, {}),
            "mlm-tied": ("ForMaskedLM", {"tie_word_embeddings": True, "mlp_bias": True, "attention_bias": True}, {}),
            "classifier-bos": ("ForSequenceClassification", {**THREE, "classifier_pooling": "bos"}, {}),
            "classifier-mean": ("ForSequenceClassification", {**THREE, "classifier_pooling": "mean", "num_key_value_heads": 1}, {}),
            "classifier-late": ("ForSequenceClassification", {**RATING, "classifier_pooling": "late", "intermediate_size": 37}, {}),
            "tokens": ("ForTokenClassification", {**LABELLED, "num_key_value_heads": 4}, {}),
        },
    ),
    "heads-deberta": heads(
        "DeBERTa's heads: a masked LM's of both kinds, which `legacy` tells.",
        "DebertaV2", (transformers.DebertaV2Config, {**SMALL, **DEBERTA}), lambda: unigram(transformers.DebertaV2Tokenizer),
        {
            "mlm": ("ForMaskedLM", {}, {}),
            "mlm-new": ("ForMaskedLM", {"legacy": False}, {}),
            "classifier": ("ForSequenceClassification", {**THREE, "share_att_key": False, "position_buckets": -1}, {}),
            "tokens": ("ForTokenClassification", {**LABELLED, "position_biased_input": True, "type_vocab_size": 2}, {}),
            "answers": ("ForQuestionAnswering", {"intermediate_size": 37}, {}),
        },
    ),
    "heads-jina-bert": heads(
        "JinaBERT v2 (ALiBi), bare and with heads; computed by a copy of its authors' formulas, as transformers does not have it; numbers of heads that are powers of 2 and not.",
        jina_bert.CLASSES, (jina_bert.JinaBertConfig, {**SMALL, "pad_token_id": 0}), wordpiece,
        {
            "encoder": ("Model", {"num_hidden_layers": 2}, {"run": edited(hidden, jina_bert.published)}),
            "mlm": ("ForMaskedLM", {"num_attention_heads": 3}, {"run": edited(masked_lm, jina_bert.published)}),
            "classifier": ("ForSequenceClassification", {**THREE, "num_attention_heads": 6}, {"run": edited(classifier, jina_bert.published)}),
            "tokens": ("ForTokenClassification", {**LABELLED, "num_attention_heads": 4}, {"run": edited(token_classifier, jina_bert.published)}),
            "answers": ("ForQuestionAnswering", {"intermediate_size": 37}, {"run": edited(answers, jina_bert.published)}),
        },
    ),
    "splade-bert": splade,
    "mv-bert": colbert,
}

if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    out, *names = sys.argv[1:]
    for name in names or CASES:
        folder = Path(out) / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        CASES[name](folder)
