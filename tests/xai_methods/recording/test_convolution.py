"""The transpose of a convolution is the gradient of its outputs' weighted sum."""

import pytest
import torch
import torch.nn.functional as F

from xai_methods.recording.convolution import transposed_convolution

SHAPES = {
    "stem of one channel": ((2, 1, 23, 20), (5, 1, 7, 7), (2, 2), (3, 3), (1, 1), 1),
    "three channels, uneven": ((1, 3, 17, 19), (4, 3, 3, 5), (3, 2), (0, 4), (1, 1), 1),
    "stride beyond the kernel": ((2, 2, 21, 22), (3, 2, 2, 1), (4, 3), (1, 0), (1, 1), 1),
    "one channel with holes": ((1, 1, 15, 15), (4, 1, 3, 3), (1, 1), (2, 2), (2, 2), 1),
    "many channels": ((3, 8, 14, 13), (6, 8, 3, 3), (2, 1), (1, 1), (1, 1), 1),
    "groups": ((2, 8, 11, 11), (8, 2, 3, 3), (1, 1), (1, 1), (1, 1), 4),
    "depthwise": ((2, 3, 11, 11), (3, 1, 3, 3), (2, 2), (1, 1), (1, 1), 3),
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", SHAPES)
def test_equals_the_gradient(name, layout):
    shape, kernel, stride, padding, dilation, groups = SHAPES[name]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(kernel, generator=generator, dtype=torch.float64)
    x = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    output = F.conv2d(x, weight, **options)
    upper = torch.randn(output.shape, generator=generator, dtype=torch.float64).contiguous(memory_format=layout)
    (expected,) = torch.autograd.grad(output, x, upper)
    torch.testing.assert_close(transposed_convolution(x.shape, weight, upper, options), expected)


def test_sums_of_bfloat16_keep_the_digits_of_float32():
    upper = torch.ones((1, 1, 40, 40), dtype=torch.bfloat16)
    weight = torch.full((1, 1, 7, 7), 1 / 512, dtype=torch.bfloat16)
    weight[0, 0, 3, 3] = 1.0
    found = transposed_convolution(torch.Size((1, 1, 40, 40)), weight, upper,
                                   {"stride": (1, 1), "padding": (3, 3), "dilation": (1, 1), "groups": 1})  # fmt: skip
    # In bfloat16 throughout, 1 + 1/512 would still be 1, 48 times over.
    assert float(found[0, 0, 20, 20]) == 1 + 48 / 512
