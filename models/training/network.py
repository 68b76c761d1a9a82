"""The network in PyTorch: BERT with a token head and a sequence head, named as Hugging Face names BERT's tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

TOKEN_LABELS = ("name", "address", "organisation", "birth_date", "handle", "title", "secret", "medical")
SEQUENCE_LABELS = ("source_code", "contract", "financial", "hr", "customer", "strategy", "meeting", "legal", "medical")
TAGS = 1 + 2 * len(TOKEN_LABELS)
WINDOW = 128
PAD = 1


@dataclass(frozen=True)
class Sizes:
    """The shape of an encoder."""

    layers: int
    hidden: int = 384
    heads: int = 12
    intermediate: int = 1536
    vocabulary: int = 32_000
    positions: int = WINDOW
    epsilon: float = 1e-12


class SelfAttention(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.query = nn.Linear(sizes.hidden, sizes.hidden)
        self.key = nn.Linear(sizes.hidden, sizes.hidden)
        self.value = nn.Linear(sizes.hidden, sizes.hidden)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        rows, length, hidden = states.shape
        query, key, value = (part(states).view(rows, length, self.heads, -1).transpose(1, 2) for part in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return mixed.transpose(1, 2).reshape(rows, length, hidden)


class Sublayer(nn.Module):
    """A projection, dropout, the residual sum and the normalisation after it."""

    def __init__(self, width: int, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, sizes.hidden)
        self.LayerNorm = nn.LayerNorm(sizes.hidden, eps=sizes.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(states)) + residual)


class Layer(nn.Module):
    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({"self": SelfAttention(sizes), "output": Sublayer(sizes.hidden, sizes, dropout)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(sizes.hidden, sizes.intermediate)})
        self.output = Sublayer(sizes.intermediate, sizes, dropout)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        attended = self.attention["output"](self.attention["self"](states, mask), states)
        return self.output(F.gelu(self.intermediate["dense"](attended)), attended)


class Embeddings(nn.Module):
    """Word and position vectors; the token-type row 0 is already part of the positions."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(sizes.vocabulary, sizes.hidden)
        self.position_embeddings = nn.Embedding(sizes.positions, sizes.hidden)
        self.LayerNorm = nn.LayerNorm(sizes.hidden, eps=sizes.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor) -> Tensor:
        positions = self.position_embeddings.weight[: ids.shape[1]]
        return self.dropout(self.LayerNorm(self.word_embeddings(ids) + positions))


class Reader(nn.Module):
    """Token ids [rows, length] -> tag logits [rows, length, TAGS] and category logits [rows, len(SEQUENCE_LABELS)]."""

    def __init__(self, sizes: Sizes, dropout: float = 0.1) -> None:
        super().__init__()
        self.sizes = sizes
        self.embeddings = Embeddings(sizes, dropout)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer(sizes, dropout) for _ in range(sizes.layers))})
        self.token_head = nn.Linear(sizes.hidden, TAGS)
        self.sequence_head = nn.ModuleDict(
            {"dense": nn.Linear(sizes.hidden, sizes.hidden), "out": nn.Linear(sizes.hidden, len(SEQUENCE_LABELS))}
        )

    @classmethod
    def from_base(cls, directory: Path, layers: tuple[int, ...], dropout: float = 0.1) -> Reader:
        """The given layers of the base with new heads."""
        config = json.loads((directory / "config.json").read_text())
        base = load_file(directory / "model.safetensors")
        sizes = Sizes(
            layers=len(layers),
            hidden=config["hidden_size"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            vocabulary=config["vocab_size"],
            epsilon=config["layer_norm_eps"],
        )
        model = cls(sizes, dropout)
        state = {name: values for name, values in base.items() if name.startswith("embeddings.") and "position" not in name and "token_type" not in name}
        positions = base["embeddings.position_embeddings.weight"][: sizes.positions]
        state["embeddings.position_embeddings.weight"] = positions + base["embeddings.token_type_embeddings.weight"][0]
        for new, old in enumerate(layers):
            prefix = f"encoder.layer.{old}."
            state |= {f"encoder.layer.{new}." + name.removeprefix(prefix): values for name, values in base.items() if name.startswith(prefix)}
        missing, unexpected = model.load_state_dict(state, strict=False)
        if unexpected or any("head" not in name for name in missing):
            raise ValueError(f"base does not fit: missing {missing}, unexpected {unexpected}")
        return model

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        real = ids != PAD
        mask = torch.zeros(real.shape, dtype=torch.float32).masked_fill(~real, float("-inf"))[:, None, None, :]
        states = self.embeddings(ids)
        for layer in self.encoder["layer"]:
            states = layer(states, mask.to(states.dtype))
        weight = real[:, :, None].to(states.dtype)
        pooled = (states * weight).sum(1) / weight.sum(1)
        categories = self.sequence_head["out"](torch.tanh(self.sequence_head["dense"](pooled)))
        return self.token_head(states), categories
