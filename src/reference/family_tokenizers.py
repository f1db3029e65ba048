"""Tokenizers of each kind, as their families' classes make them of a small vocabulary. Vocabularies are the same every time: only BPE's trainer
is so; the others' depends on the order of a hash table."""

import json
import math
import re
from collections import Counter

import tokenizers
import transformers
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors, trainers

TRAINING = [
    "The harbour was closed because of the storm, and the boats stayed there.",
    "Which boats left the harbour before the storm? Those of the fishers did.",
    "Bread is made of flour, water and salt; a cat needs none of these.",
    "A naïve question: where does the river cross the town, and who crosses it?",
]
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
MOST = 40  # tokens


def pieces(lower: bool) -> tuple[Counter, Counter, Counter]:
    """Words, endings of three words or more, and characters, with how often each comes."""
    text = " ".join(TRAINING)
    words = Counter(re.findall(r"\w+", text.lower() if lower else text))
    endings = Counter(word[-size:] for word in words for size in (2, 3) if len(word) > size)
    long = Counter({word: count for word, count in words.items() if len(word) > 1})
    common = Counter({ending: count for ending, count in endings.items() if count > 2})
    return long, common, Counter("".join(sorted(words.elements())) + "".join(re.findall(r"[^\w\s]", text)))


def wordpiece(kind=transformers.BertTokenizer, lower=True, **options):
    """With the special tokens of BERT, or of MPNet."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    if kind is transformers.MPNetTokenizer:
        special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    words, endings, characters = map(sorted, pieces(lower))
    parts = [f"##{part}" for part in [*filter(str.isalpha, characters), *endings]]
    vocab = {token: i for i, token in enumerate([*special, *characters, *words, *parts])}
    return kind(vocab=vocab, do_lower_case=lower, model_max_length=MOST, **options)


def byte_level(special) -> dict:
    trainer = trainers.BpeTrainer(vocab_size=276, special_tokens=special, initial_alphabet=BYTES, show_progress=False)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    return json.loads(tokenizer.to_str())["model"]


def roberta_bpe():
    model = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    merges = [tuple(merge) for merge in model["merges"]]
    mask = AddedToken("<mask>", lstrip=True, special=True)  # as in roberta-base
    return transformers.RobertaTokenizer(vocab=model["vocab"], merges=merges, mask_token=mask, model_max_length=MOST)


def llama_bpe():
    """EuroBERT's: the special tokens last."""
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|mask|>"]
    model = byte_level([])
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = Tokenizer(models.BPE(model["vocab"], merges, ignore_merges=True))
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    split = pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.add_special_tokens(special)
    begin, end, mask = special
    ids = [(token, tokenizer.token_to_id(token)) for token in (begin, end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", pair=f"{begin} $A {end} $B {end}", special_tokens=ids
    )
    names = dict(bos_token=begin, eos_token=end, mask_token=mask, pad_token=end, model_max_length=MOST)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=["input_ids", "attention_mask"], **names
    )


def unigram(kind=transformers.XLMRobertaTokenizer):
    """With XLM-RoBERTa's special tokens, or CamemBERT's or DeBERTa's, in their order. No two scores are the same."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    if kind is transformers.CamembertTokenizer:
        special = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"]
    if kind is transformers.DebertaV2Tokenizer:
        special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    words, endings, characters = pieces(lower=False)
    counts = {**{f"\u2581{word}": count for word, count in words.items()}, **endings, **characters, "\u2581": 60}
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    scored = [(piece, round(math.log(count / total) - i / 1000, 4)) for i, (piece, count) in enumerate(ordered)]
    mask, unknown = ("[MASK]", {"unk_id": 3}) if "[UNK]" in special else ("<mask>", {})
    return kind(vocab=[*((token, 0.0) for token in special), *scored, (mask, 0.0)], model_max_length=MOST, **unknown)
