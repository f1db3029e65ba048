"""Texts that tokenizers treat in their own ways, seeded: words of many scripts, marks, emoji, controls, odd white space, added tokens."""
import random
import unicodedata

WORDS = """the The capital of France is Paris. don't we'll I'M it's running unbelievable internationalization naïve café Ελλάς ΣΊΣΥΦΟΣ ΟΔΟΣ σοφός
İstanbul ISTANBUL ıssız straße STRASSE Ǆ ǅ ﬁne oﬃce ﬆ Ⅷ Ⓐ №5 ℡ ½ ¼ x² H₂O привет ПРИВЕТ мир Ёлка שלום עִבְרִית مرحبا مُحَمَّد لا ﷺ नमस्ते क्षत्रिय हिन्दी
বাংলা தமிழ் ไทย สวัสดี ลำ ລຳ မြန်မာ ភាសាខ្មែរ አማርኛ ქართული ᏣᎳᎩ ⴰⵣⵓⵍ 日本語 カタカナ ｶﾞ ﾊﾟ ひらがな 漢字 中文 東京 ㍿ ㌔ ㈱ ㋿ 한국어 각 한 가각 ＡＢＣ ｆｕｌｌ １２３ ～ 〜 ﹏ 𝐀𝐁 𝔘𝔫𝔦
𠮷野家 𠀀 𪛖 𫝀 𫠝 𬺡 𮯰 𰀀 㐂 﨑 豈 丽 123 1,234.56 ٣٤٥ ０１ 2024-07-15 1e-9 0x1F &amp; &lt;b&gt; &#39; &nbsp; https://x.io/?a=b&c=%20 a_b __init__ user@mail.com C++ #tag @you $5.00 €10 50%
(a) [b] {c} “quoted” ‘x’ «y» … — – ‐ · • ¡hola! ¿qué? 。 、 ！ ？ ・ 「引」 ~ ^ ` | \\ + = < > ° ™ © ¶""".split()
MARKS = "\u0301 \u0300 \u0302 \u0308 \u0323 \u0327 \u0338 \u0307 \u0345 \u034f \u0591 \u05b0 \u0651 \u093c \u094d \u09be \u0e33 \u0eb3 \u1ab0 \u20d0 \u20dd \u20e3 \u3099 \u309a \ufe0f \ufe0e \u0903 \u0bbe \U0001d165 \U000e0100".split(" ")
SPACES = [" ", " ", " ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u2003", "\u2009", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]
ODD = ["\x00", "\x01", "\x07", "\x08", "\x1b", "\x7f", "\x80", "\x8f", "\x9f", "\xad", "\u0600", "\u061c", "\u06dd", "\u070f", "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\u2060", "\u2066", "\ufeff", "\ufff9", "\ufffd", "\uffff", "\ue000", "\u0378", "\U000e0001", "\U000f0000", "\U0010ffff", "\U000110bd"]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "🇺", "❤️", "☺", "1️⃣", "#️⃣", "👨🏿‍🚒", "🫠", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"]
HANGUL = ["\u1100", "\u1161", "\u11a8", "\u1112\u1161\u11ab", "가\u11a8", "\ua960\u1161", "\U00016d63\U00016d67", "\U0001109b\U000110ba"]
ADDED = ["[MASK]", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[mask]", "[MASK", "<mask>", "<s>", "</s>", "<unk>", "<pad>", "<|endoftext|>", "[Q] ", "[D]", "▁", "##ing", "<0xE5>", "Ġ", "[unused7]", "zzword", "ＺＺ"]
BLOCKS = [(0x20, 0x7f), (0xa0, 0x180), (0x180, 0x250), (0x250, 0x370), (0x370, 0x530), (0x531, 0x700), (0x900, 0xe00), (0xe00, 0x1100), (0x1200, 0x1400), (0x1680, 0x1a20), (0x1e00, 0x2100), (0x2100, 0x2c00), (0x2e80, 0x3400), (0x3400, 0x3500), (0x4e00, 0x5000), (0xa000, 0xac00), (0xac00, 0xad00), (0xf900, 0xfb50), (0xfb50, 0xfe00), (0xfe30, 0xffe0), (0x10000, 0x10400), (0x1d100, 0x1d200), (0x1d400, 0x1d7ff), (0x1f100, 0x1f300), (0x1f300, 0x1f700), (0x20000, 0x20100), (0x2a6d0, 0x2a750), (0x2b730, 0x2b930), (0x2cea0, 0x2ceb8), (0x2f800, 0x2fa1e), (0x30000, 0x30100)]


def character(rng):
    while True:
        c = chr(rng.randrange(*rng.choice(BLOCKS)))
        if unicodedata.category(c) not in ("Cn", "Cs"):
            return c


def piece(rng):
    kind = rng.random()
    if kind < 0.36:
        word = rng.choice(WORDS)
        return rng.choice([str, str, str, str.upper, str.lower, str.title])(word)
    if kind < 0.52:
        return rng.choice(SPACES)
    if kind < 0.62:
        return "".join(rng.choice(MARKS) for _ in range(rng.choice([1, 1, 2, 3])))
    if kind < 0.66:
        return rng.choice(ODD)
    if kind < 0.71:
        return rng.choice(EMOJI)
    if kind < 0.74:
        return rng.choice(HANGUL)
    if kind < 0.80:
        return rng.choice(ADDED)
    if kind < 0.81:
        return rng.choice("aéж漢") * rng.choice([40, 99, 100, 101, 130])
    return "".join(character(rng) for _ in range(rng.choice([1, 1, 2, 3, 5])))


def texts(seed, count):
    rng = random.Random(seed)
    return ["".join(piece(rng) + rng.choice(["", "", " "]) for _ in range(rng.randrange(1, 16))) for _ in range(count)]
