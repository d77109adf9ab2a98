#!/usr/bin/env python3
"""Makes the tiny tokenizers of this folder and what Hugging Face's tokenizers make of some texts (offsets in bytes).

    make_tiny_tokenizers.py FOLDER        (needs the package `tokenizers`; the files here are of version 0.23.3)
"""
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")
CORPUS = ["Natalia sold 48 clips to her friends in April, and then she sold half as many clips in May. How many did she sell?",
          "She'd said it's 24, so they're right: 48 + 24 = 72 clips. The answer is: 72", "  def f(x):\n    return x ** 2\n\n\n",
          "Ünïcödé 日本語テキスト, кириллица, ελληνικά", "I'll go; we've been there, DON'T go."] * 4
BOS, EOS = "<|begin_of_text|>", "<|im_end|>"


def byte_level(use_regex=True, add_prefix_space=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)


def split(pattern, *args):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), *args), byte_level(False)])


def build(name):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.pre_tokenizer = {
        "llama3": split(LLAMA3, "isolated"), "qwen2_nfc": split(LLAMA3.replace("{1,3}", ""), "isolated"), "cl100k": split(CL100K, "removed", True),
        "gpt2_prefix": byte_level(add_prefix_space=True),
        "smollm_gaps": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()])}[name]
    if name == "qwen2_nfc":
        tokenizer.normalizer = normalizers.NFC()
    alphabet = [] if name == "smollm_gaps" else pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=420, initial_alphabet=sorted(alphabet), special_tokens=[BOS, EOS], show_progress=False))
    if name == "llama3":
        # A word of the vocabulary that no merge makes: taken whole all the same.
        state = json.loads(tokenizer.to_str())
        state["model"]["vocab"]["\u0120zebra"] = len(state["model"]["vocab"])
        tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_tokens([AddedToken("<|im_start|>", special=True, normalized=False)])
    if name == "qwen2_nfc":
        tokenizer.add_tokens([AddedToken("<L>", lstrip=True, normalized=False, special=True), AddedToken("<R>", rstrip=True, normalized=False),
                              AddedToken("<LR>", lstrip=True, rstrip=True, normalized=False), AddedToken("word", single_word=True, normalized=False),
                              AddedToken("<R>x", normalized=False), AddedToken("caf\u00e9", normalized=True), AddedToken("   ", normalized=False)])
    if name == "llama3":
        bos = tokenizer.token_to_id(BOS)
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True, add_prefix_space=True),
                                                        processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1", special_tokens=[(BOS, bos)])])
    elif name == "gpt2_prefix":
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=True)
    return tokenizer


def texts():
    fixed = ["", " ", "\n", "a", "Natalia sold 48 clips", " zebra zebra", "it's IT'S '\u017f 'RE", "1234567 12 \u0661\u0662\u0663\u00b2", "   \n\n  x  ", "\r\n\r\nx\t\ty ", "x   ", BOS + "hi" + EOS,
             "<|im_start|>user\nhi<|im_end|>\n", "a <L> b <R> c <LR> d", "word sword words word.", "<R>x<R> x", "cafe\u0301 caf\u00e9", "e\u0301 a\u0323\u0307 \u1100\u1161\u11a8 \u212b \u0344",
             "\u00a0\u3000x\u180e\u2028y", "日本語のテキスト", "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467", "\x00\x04\x1f\x7f", "<|im_end", "\u03b0\u0390\u1fe3", "\ufeffx", "\U000f0000\U0010ffff"]
    random.seed(7)
    pool = [chr(c) for a, b in ((32, 127), (0x80, 0x250), (0x300, 0x310), (0x3b0, 0x3d0), (0x4e00, 0x4e10), (0xac00, 0xac20), (0x1f600, 0x1f610)) for c in range(a, b)]
    pool += [" ", " ", "\n", "'s", "12", BOS, EOS, "<L>", "<R>", "word", "   "] * 8
    return fixed + ["".join(random.choice(pool) for _ in range(random.randint(1, 24))) for _ in range(60)]


def main(folder):
    for name in ("llama3", "qwen2_nfc", "cl100k", "gpt2_prefix", "smollm_gaps"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        path = os.path.join(folder, name, "tokenizer.json")
        state = json.loads(build(name).to_str())
        with open(path, "w", encoding="utf-8") as f:
            json.dump(state, f, ensure_ascii=False)
        tokenizer = Tokenizer.from_file(path)
        cases = []
        for text in texts():
            encoding = tokenizer.encode(text)
            bytes_before = [len(text[:i].encode()) for i in range(len(text) + 1)]
            cases.append({"text": text, "ids": encoding.ids, "begin": [bytes_before[a] for a, _ in encoding.offsets], "end": [bytes_before[b] for _, b in encoding.offsets],
                          "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False), "plain": tokenizer.decode(encoding.ids, skip_special_tokens=True)})
        with open(os.path.join(folder, name, "expected.json"), "w", encoding="utf-8") as f:
            f.write("[\n" + ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main(sys.argv[1])
