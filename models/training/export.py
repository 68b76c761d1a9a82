"""Writes the GGUF file that the product embeds, and reads it back as PyTorch sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.quants import dequantize, quantize
from tokenizers import Tokenizer

from network import SEQUENCE_LABELS, TAGS, TOKEN_LABELS, Reader

SELF_TEST_TEXTS = (
    "Please call Margaret Okafor before Friday about the lease.",
    "李晓峰住在杭州市西湖区文三路18号，下周三来面试。",
    "Draft, do not forward: we plan to close the Leeds plant in March, 140 jobs.",
    "这份食谱需要两个鸡蛋和一杯牛奶。",
)


@dataclass(frozen=True)
class Calibration:
    """What turns logits into probabilities and decisions; see `calibrate.py`."""

    token_temperature: float = 1.0
    token_bias: list[float] = field(default_factory=lambda: [0.0] * TAGS)
    sequence_temperature: list[float] = field(default_factory=lambda: [1.0] * len(SEQUENCE_LABELS))
    sequence_threshold: list[float] = field(default_factory=lambda: [0.5] * len(SEQUENCE_LABELS))


def storage(name: str, values: np.ndarray) -> gguf.GGMLQuantizationType:
    """Word vectors keep the four bits they came with, encoder matrices take eight, the rest stays float32."""
    if name == "embeddings.word_embeddings.weight":
        return gguf.GGMLQuantizationType.Q4_0
    if name.startswith("encoder.") and values.ndim == 2:
        return gguf.GGMLQuantizationType.Q8_0
    return gguf.GGMLQuantizationType.F32


def quantised(model: Reader) -> tuple[dict[str, tuple[np.ndarray, gguf.GGMLQuantizationType]], Reader]:
    """The tensors as they are stored, and a model that computes with exactly these."""
    tensors, state = {}, {}
    for name, values in model.state_dict().items():
        array = values.detach().to(torch.float32).numpy()
        kind = storage(name, array)
        stored = array if kind == gguf.GGMLQuantizationType.F32 else quantize(array, kind)
        tensors[name] = (stored, kind)
        state[name] = torch.from_numpy(array if kind == gguf.GGMLQuantizationType.F32 else dequantize(stored, kind))
    copy = Reader(model.sizes)
    copy.load_state_dict(state)
    return tensors, copy.eval()


def self_test(model: Reader, tokenizer: Tokenizer) -> str:
    """Texts with their ids, the logits of the first three tokens and the category logits, as JSON."""
    cases = []
    with torch.no_grad():
        for text in SELF_TEST_TEXTS:
            ids = tokenizer.encode(text).ids
            tags, categories = model(torch.tensor([ids]))
            rounded = [[round(value, 5) for value in row] for row in tags[0, :3].tolist()]
            cases.append({"text": text, "ids": ids, "token_logits": rounded, "sequence_logits": [round(value, 5) for value in categories[0].tolist()]})
    return json.dumps(cases, ensure_ascii=False)


def write(path: Path, model: Reader, tokenizer: Tokenizer, version: str, calibration: Calibration) -> None:
    """Writes `path`, whole or not at all."""
    tensors, copy = quantised(model)
    partial = path.with_suffix(".partial")
    writer = gguf.GGUFWriter(partial, "bert")
    sizes = model.sizes
    writer.add_string("exeat.model.version", version)
    for name, value in (
        ("layers", sizes.layers),
        ("hidden", sizes.hidden),
        ("heads", sizes.heads),
        ("intermediate", sizes.intermediate),
        ("vocabulary", sizes.vocabulary),
        ("positions", sizes.positions),
    ):
        writer.add_uint32(f"exeat.model.{name}", value)
    writer.add_float32("exeat.model.layer_norm_eps", sizes.epsilon)
    writer.add_array("exeat.token.labels", list(TOKEN_LABELS))
    writer.add_float32("exeat.token.temperature", calibration.token_temperature)
    writer.add_array("exeat.token.bias", calibration.token_bias)
    writer.add_array("exeat.sequence.labels", list(SEQUENCE_LABELS))
    writer.add_array("exeat.sequence.temperature", calibration.sequence_temperature)
    writer.add_array("exeat.sequence.threshold", calibration.sequence_threshold)
    writer.add_string("exeat.selftest", self_test(copy, tokenizer))
    for name, (values, kind) in tensors.items():
        writer.add_tensor(name, values, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(path)


def read(path: Path) -> tuple[Reader, Calibration]:
    """The model and the calibration of a file that `write` made."""
    from network import Sizes

    reader = gguf.GGUFReader(path)

    def value(name: str) -> object:
        return reader.fields[name].contents()

    sizes = Sizes(
        layers=value("exeat.model.layers"),
        hidden=value("exeat.model.hidden"),
        heads=value("exeat.model.heads"),
        intermediate=value("exeat.model.intermediate"),
        vocabulary=value("exeat.model.vocabulary"),
        positions=value("exeat.model.positions"),
        epsilon=value("exeat.model.layer_norm_eps"),
    )
    model = Reader(sizes)
    shapes = {name: tuple(values.shape) for name, values in model.state_dict().items()}
    state = {tensor.name: torch.tensor(dequantize(tensor.data, tensor.tensor_type).reshape(shapes[tensor.name])) for tensor in reader.tensors}
    model.load_state_dict(state)
    calibration = Calibration(
        token_temperature=value("exeat.token.temperature"),
        token_bias=value("exeat.token.bias"),
        sequence_temperature=value("exeat.sequence.temperature"),
        sequence_threshold=value("exeat.sequence.threshold"),
    )
    return model.eval(), calibration
