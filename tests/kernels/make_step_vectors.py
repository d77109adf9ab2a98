#!/usr/bin/env python3
"""Prints the expected values of torch_vectors_test.cpp: three steps of MoFO and of AdamW by PyTorch's own operations (2.11.0 made those in the test).

The inputs come from the integer hash below, which the test repeats. PyTorch's float square root (MKL) is not always correctly rounded, while the kernels' is;
the hashes are made with the correctly rounded root (taken in double, which rounds to the same float), the single values with PyTorch's own.
"""
import hashlib
import math

import numpy as np
import torch

LENGTHS = (1003, 4096, 33, 70001)
FILTERED = (True, True, False, True)
DECAYED = (True, True, False, True)


def hashed(seed, n):
    with np.errstate(over="ignore"):
        x = (np.arange(n, dtype=np.uint32) + np.uint32(seed * 1000003)) * np.uint32(0x9E3779B1)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0x85EBCA77)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE3D)
        x ^= x >> np.uint32(16)
    return x


def values(seed, n, exponent):
    """Floats in [-2^exponent, 2^exponent), multiples of 2^(exponent - 23)."""
    return torch.from_numpy(((hashed(seed, n) >> np.uint32(8)).astype(np.int64) - (1 << 23)).astype(np.float32) * np.float32(2.0 ** (exponent - 23)))


def run(alpha, correctly_rounded):
    lr, b1, b2, eps, decay, scale = 2e-3, 0.9, 0.999, 1e-8, 0.1, 0.37
    tensors = [{"p": values(10 * i, n, -4), "m": torch.zeros(n), "v": torch.zeros(n)} for i, n in enumerate(LENGTHS)]
    for t in (1, 2, 3):
        c1, c2 = 1 - b1 ** t, 1 - b2 ** t
        for i, n in enumerate(LENGTHS):
            p, m, v = tensors[i]["p"], tensors[i]["m"], tensors[i]["v"]
            g = values(10 * i + t, n, -7)
            g.mul_(scale)
            if DECAYED[i]:
                p.mul_(1 - lr * decay)
            m.lerp_(g, 1 - b1)
            v.mul_(b2).addcmul_(g, g, value=1 - b2)
            root = v.double().sqrt().float() if correctly_rounded else v.sqrt()
            denominator = (root / math.sqrt(c2)).add_(eps)
            move = m
            if alpha is not None and FILTERED[i]:
                k = max(1, int(n * alpha))
                threshold = m.abs().kthvalue(n - k + 1).values
                move = torch.where(m.abs() >= threshold, m, torch.zeros_like(m))
            p.addcdiv_(move, denominator, value=-lr / c1)
    return tensors


for alpha in (0.15, None):
    exact, plain = run(alpha, True), run(alpha, False)
    for name in "pmv":
        print(alpha, name, hashlib.sha256(b"".join(t[name].numpy().tobytes() for t in exact)).hexdigest())
    print("p of the first tensor:", ", ".join(float(x).hex() + "F" for x in plain[0]["p"][:12]))
    print("p of the unfiltered one:", ", ".join(float(x).hex() + "F" for x in plain[2]["p"][:4]))
    ulps = [int((a["p"].numpy().view(np.int32).astype(np.int64) - b["p"].numpy().view(np.int32)).__abs__().max()) for a, b in zip(exact, plain)]
    print("largest difference of p made by the root, in units of the last place:", ulps)
    print("share of p that differs:", [float((a["p"] != b["p"]).float().mean()) for a, b in zip(exact, plain)])
