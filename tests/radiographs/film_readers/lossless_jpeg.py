"""A small encoder of lossless JPEG (T.81 process 14), for tests: one fixed code of five bits a category."""

import numpy as np


def encode_lossless(pixels, bits, selection=1, modulus=65536):
    """(H, W) integers as lossless JPEG of so many bits; differences are wrapped by ``modulus``."""
    height, width = pixels.shape
    differences = pixels.astype(np.int64) - _predicted(pixels.astype(np.int64), selection, bits)
    half = modulus // 2
    differences = (differences + half) % modulus - half
    differences[differences == -32768] = 32768
    code = "".join(_code(int(value)) for value in differences.ravel())
    code += "1" * (-len(code) % 8)
    data = int(code, 2).to_bytes(len(code) // 8, "big").replace(b"\xff", b"\xff\x00")
    table = b"\xff\xc4\x00\x24\x00" + bytes([0, 0, 0, 0, 17] + [0] * 11) + bytes(range(17))
    frame = b"\xff\xc3\x00\x0b" + bytes([bits]) + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\1\1\x11\0"
    scan = b"\xff\xda\x00\x08\1\1\0" + bytes([selection, 0, 0])
    return b"\xff\xd8" + table + frame + scan + data + b"\xff\xd9"


def _predicted(x, selection, bits):
    left, above, corner = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    left[:, 1:], above[1:], corner[1:, 1:] = x[:, :-1], x[:-1], x[:-1, :-1]
    predicted = {
        1: left,
        2: above,
        3: corner,
        4: left + above - corner,
        5: left + ((above - corner) >> 1),
        6: above + ((left - corner) >> 1),
        7: (left + above) >> 1,
    }[selection].copy()
    predicted[0, :], predicted[:, 0] = left[0, :], above[:, 0]
    predicted[0, 0] = 1 << (bits - 1)
    return predicted


def _code(value):
    size = abs(value).bit_length()
    extra = "" if size in (0, 16) else format(value if value > 0 else value + (1 << size) - 1, f"0{size}b")
    return format(size, "05b") + extra
