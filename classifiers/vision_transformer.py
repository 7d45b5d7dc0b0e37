"""A small vision transformer on the first stages of a ResNet.

Dosovitskiy et al. 2021 (arXiv 2010.11929): class token, learned positions, pre-norm blocks. The convolutional stem is
what the early layers of a transformer learn worst from few films (Xiao et al. 2021, arXiv 2106.14881). Weights have
torchvision's names in the stem and timm's behind it; ``cells``, feature maps before the last block, has none.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from classifiers.networks import CELL, ResNet18Stem

SIDE = 224
WIDTH, HEADS, DEPTH = 192, 3, 3


class SelfAttention(nn.Module):
    """Multi-head self-attention over tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, T, W) to (N, T, W)."""
        count, tokens, width = x.shape
        qkv = self.qkv(x).reshape(count, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(count, tokens, width))


class TransformerBlock(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer norm and beside a shortcut."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, T, W) to (N, T, W)."""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ChestVit(ResNet18Stem):
    """Films (N, 1, 224, 224) to logits (N, C): a ResNet-18 up to its third stage, then three transformer blocks."""

    def __init__(self, n_findings: int) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(256, WIDTH, kernel_size=1)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, 1 + (SIDE // CELL) ** 2, WIDTH))
        self.blocks = nn.Sequential(*(TransformerBlock(WIDTH, HEADS) for _ in range(DEPTH)))
        self.cells = nn.Identity()
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.head = nn.Linear(WIDTH, n_findings)

    def tokens(self, films: torch.Tensor) -> torch.Tensor:
        """Map films (N, 1, 224, 224) to normalised tokens (N, 197, W): the class token, then the cells row by row."""
        x = self.patch_embed(self.stem(films)).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed
        *early, last = self.blocks
        for block in early:
            x = block(x)
        # Behind the last attention the head reads nothing of the cells: this is where class-activation maps look.
        cells = self.cells(x[:, 1:].transpose(1, 2).unflatten(2, (SIDE // CELL, SIDE // CELL)))
        x = torch.cat([x[:, :1], cells.flatten(2).transpose(1, 2)], dim=1)
        return self.norm(last(x))

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Map films (N, 1, 224, 224) to logits (N, C)."""
        return self.head(self.tokens(films)[:, 0])
