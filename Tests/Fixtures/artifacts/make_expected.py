#!/usr/bin/env python3
"""Writes expected.json: what other tools say of the fixtures. Nothing in it comes from the program that is tested.

WebAssembly: wabt's wasm-objdump, LLVM's obj2yaml, wasi-libc's header. ONNX: the onnx package. Core ML: coremltools' messages.
"""
import json
import math
import os
import pathlib
import re
import subprocess

import coremltools
import onnx
from coremltools.proto import MIL_pb2, Model_pb2, NeuralNetwork_pb2
from google.protobuf.descriptor import FieldDescriptor as F

HERE = pathlib.Path(__file__).parent
WASI_HEADER = pathlib.Path(os.environ.get("WASI_HEADER", "/usr/include/wasm32-wasi/wasi/api.h"))
OBJ2YAML = os.environ.get("OBJ2YAML", "obj2yaml-14")
KINDS = {"func": "function", "table": "table", "memory": "memory", "global": "global", "tag": "tag"}
SECTIONS = {"Elem": "element", "DataCount": "data count"}
READ = {"name", "producers", "target_features"}


# WebAssembly

def wasm(path):
    text = subprocess.run(["wasm-objdump", "-h", "-x", path], check=True, capture_output=True, text=True).stdout
    head, details = text.split("Section Details:")
    sections, custom = [], []
    for kind, size, name in re.findall(r'^ *(\w+) start=\w+ end=\w+ \(size=(\w+)\) ?(?:"(.*)"|.*)$', head, re.M):
        if kind == "Custom":
            custom.append([name, int(size, 16)])
        else:
            sections.append(SECTIONS.get(kind, kind.lower()))
    content = lambda wanted: sum(size - len(name) - 1 for name, size in custom if wanted(name))
    debug = content(lambda name: name.startswith(".debug_"))
    opaque = content(lambda name: not name.startswith(".debug_") and name not in READ)
    code = sum(int(size) for size in re.findall(r"^ - func\[\d+\] size=(\d+)", details, re.M))
    data = sum(int(size) for size in re.findall(r"^ - segment\[\d+\] .*(?<=\s)size=(\d+)", details, re.M))
    defined = re.search(r"^Function\[(\d+)\]", details, re.M)
    bytes_total = path.stat().st_size
    return {
        "bytes": bytes_total, "inspected": bytes_total - code - data - debug - opaque,
        "code": code, "data": data, "debug": debug, "opaque": opaque,
        "sections": sections, "custom": custom, "functions": int(defined[1]) if defined else 0,
        "imports": [f"{name} {KINDS[kind]}" for kind, name in re.findall(r"^ - (\w+)\[\d+\].* <- (\S+)$", details, re.M)],
        "exports": [f"{name} {KINDS[kind]}" for kind, name in re.findall(r'^ - (\w+)\[\d+\].* -> "(.*)"$', details, re.M)],
        "memories": [[int(low), int(high) if high else None] for low, high in re.findall(
            r"^ - memory\[\d+\] pages: initial=(\d+)(?: max=(\d+))?", details, re.M)],
        **conventions(path),
    }


def conventions(path):
    """What obj2yaml says of the producers and target features; it does not read every module."""
    run = subprocess.run([OBJ2YAML, path], capture_output=True, text=True)
    if run.returncode:
        return {"producers": None, "features": None}
    def pairs(title, first, second):
        block = re.search(rf"^    {title}:\s*\n((?:      .*\n)*)", run.stdout, re.M)
        return re.findall(rf"- {first}: +(.*)\n +{second}: +(.*)", block[1]) if block else []
    prefixes = {"USED": "+", "REQUIRED": "=", "DISALLOWED": "-"}
    return {
        "producers": [["language", name, version.strip("'")] for name, version in pairs("Languages", "Name", "Version")]
        + [["processed-by", name, version.strip("'")] for name, version in pairs("Tools", "Name", "Version")],
        "features": [prefixes[prefix] + name for prefix, name in pairs("Features", "Prefix", "Name")],
    }


# ONNX

def graphs_of(node):
    for attribute in node.attribute:
        yield from ([attribute.g] if attribute.HasField("g") else [])
        yield from attribute.graphs


def nodes_of(nodes):
    for node in nodes:
        yield node
        for graph in graphs_of(node):
            yield from nodes_of(graph.node)


def graphs_within(graph):
    yield graph
    for node in graph.node:
        for inner in graphs_of(node):
            yield from graphs_within(inner)


def within(message):
    """Every message inside another, at any depth."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.is_repeated and field.message_type.GetOptions().map_entry:
            values = [one for one in value.values() if hasattr(one, "ListFields")]
        else:
            values = value if field.is_repeated else [value]
        for one in values:
            yield one
            yield from within(one)


def find(message, kind):
    return (one for one in within(message) if isinstance(one, kind))


def missing(scope_nodes, opsets, functions):
    """The operators that onnx itself does not know for the operator sets imported."""
    for node in nodes_of(scope_nodes):
        domain = "" if node.domain == "ai.onnx" else node.domain
        if (domain, node.op_type) in functions:
            continue
        name = f"{domain}.{node.op_type}" if domain else node.op_type
        if domain not in ("", "ai.onnx.ml") or domain not in opsets:
            yield name
            continue
        try:
            if onnx.defs.get_schema(node.op_type, opsets[domain], domain).deprecated:
                yield name
        except onnx.defs.SchemaError:
            yield name


def tensor_bytes(tensor):
    sizes = {"raw_data": lambda v: len(v), "float_data": lambda v: 4 * len(v), "double_data": lambda v: 8 * len(v)}
    for name in ("int32_data", "int64_data", "uint64_data"):
        sizes[name] = lambda v: sum(max(1, -(-(one % 2**64).bit_length() // 7)) for one in v)
    return sum(size(getattr(tensor, name)) for name, size in sizes.items())


def onnx_file(path):
    model = onnx.ModelProto.FromString(path.read_bytes())
    scopes = [(list(model.graph.node), model.opset_import)]
    for info in model.training_info:
        scopes.append((list(info.initialization.node) + list(info.algorithm.node), model.opset_import))
    scopes += [(list(function.node), function.opset_import) for function in model.functions]
    functions = {(function.domain, function.name) for function in model.functions}
    uses, unknown = {}, set()
    for nodes, imported in scopes:
        opsets = {"" if one.domain == "ai.onnx" else one.domain: one.version for one in imported}
        for node in nodes_of(nodes):
            name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            uses[name] = uses.get(name, 0) + 1
        unknown |= set(missing(nodes, opsets, functions))
    tensors = list(find(model, onnx.TensorProto))
    graphs = list(graphs_within(model.graph))
    size, numbers = path.stat().st_size, sum(map(tensor_bytes, tensors))
    return {
        "bytes": size, "inspected": size - numbers, "ir_version": model.ir_version,
        "opsets": {one.domain or "ai.onnx": one.version for one in model.opset_import},
        "producer": [model.producer_name, model.producer_version],
        "nodes": sum(uses.values()), "operators": uses, "unknown": sorted(unknown), "functions": len(model.functions),
        "initializers": sum(len(graph.initializer) for graph in graphs),
        "parameters": sum(math.prod(one.dims) for graph in graphs for one in graph.initializer),
        "tensors": len(tensors), "tensor_bytes": numbers,
        "inputs": [one.name for one in model.graph.input], "outputs": [one.name for one in model.graph.output],
        "external": [[one.name, next((e.value for e in one.external_data if e.key == "location"), None)]
                     for one in tensors if one.data_location == onnx.TensorProto.EXTERNAL],
    }


def ranges(numbers):
    out = []
    for number in sorted(numbers):
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return out


def operator_ranges(domain, newest):
    names = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == domain}
    def exists(name, version):
        try:
            return not onnx.defs.get_schema(name, version, domain).deprecated
        except onnx.defs.SchemaError:
            return False
    return {name: ranges(version for version in range(1, newest + 1) if exists(name, version)) for name in sorted(names)}


# Core ML

def numbers_of(message):
    """The bytes of packed numbers of fixed size, and of weights written as bytes."""
    total = 0
    for field, value in message.ListFields():
        size = {F.TYPE_FLOAT: 4, F.TYPE_DOUBLE: 8}.get(field.type)
        if field.is_repeated and size:
            total += size * len(value)
        elif field.type == F.TYPE_BYTES and isinstance(message, (NeuralNetwork_pb2.WeightParams, MIL_pb2.TensorValue.RepeatedBytes)):
            total += sum(map(len, value)) if field.is_repeated else len(value)
    return total


def coreml_model(data):
    model = Model_pb2.Model.FromString(data)
    everything = [model, *within(model)]
    uses = {}
    for operation in find(model, MIL_pb2.Operation):
        uses[operation.type] = uses.get(operation.type, 0) + 1
    blobs = list(find(model, MIL_pb2.Value.BlobFileValue))
    custom = [one.className for one in everything if type(one).__name__ in ("CustomModel", "CustomLayerParams")]
    return {
        "specification": model.specificationVersion, "type": model.WhichOneof("Type"), "updatable": model.isUpdatable,
        "inner": sorted([one.WhichOneof("Type"), one.specificationVersion] for one in find(model, Model_pb2.Model)),
        "layers": sum(1 for _ in find(model, NeuralNetwork_pb2.NeuralNetworkLayer)), "operations": uses, "custom": sorted(custom),
        "blobs": sorted({(one.fileName, one.offset) for one in blobs}), "weight_bytes": sum(map(numbers_of, everything)),
        "serialized_bytes": sum(len(one.model) for one in everything if type(one).__name__ == "SerializedModel"),
        "inputs": [one.name for one in model.description.input], "outputs": [one.name for one in model.description.output],
        "metadata": [model.description.metadata.versionString, model.description.metadata.author],
        "tool": model.description.metadata.userDefined.get("com.github.apple.coremltools.version"),
    }


def coreml(path):
    if path.is_file():
        made = coreml_model(path.read_bytes())
        return {**made, "bytes": path.stat().st_size, "inspected": path.stat().st_size - made["weight_bytes"] - made["serialized_bytes"]}
    files = sorted(one for one in path.rglob("*") if one.is_file())
    made = coreml_model((path / "Data/com.apple.CoreML/model.mlmodel").read_bytes())
    return {**made, "bytes": sum(one.stat().st_size for one in files), "files": [str(one.relative_to(path)) for one in files]}


def main():
    functions = re.findall(r"__wasi_(\w+)\($", WASI_HEADER.read_text(), re.M)
    newest = {"ai.onnx": onnx.defs.onnx_opset_version(), "ai.onnx.ml": onnx.defs.C.schema_version_map()["ai.onnx.ml"][1]}
    expected = {
        "wasi": sorted(functions),
        "wasm": {path.stem: wasm(path) for path in sorted((HERE / "wasm").glob("*.wasm"))},
        "onnx_newest": newest, "onnx_ir": onnx.IR_VERSION,
        "onnx_operators": {"ai.onnx": operator_ranges("", newest["ai.onnx"]), "ai.onnx.ml": operator_ranges("ai.onnx.ml", newest["ai.onnx.ml"])},
        "onnx": {path.stem: onnx_file(path) for path in sorted((HERE / "onnx").glob("*.onnx"))},
        "coreml_types": {str(field.number): field.name for field in Model_pb2.Model.DESCRIPTOR.oneofs_by_name["Type"].fields},
        "coreml_newest": coremltools._SPECIFICATION_VERSION_IOS_26,
        "coreml": {path.stem: coreml(path) for path in sorted((HERE / "coreml").iterdir())},
    }
    text = json.dumps(expected, indent=1, sort_keys=True)
    # Short lists on one line each.
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda match: "[" + re.sub(r"\s*\n\s*", " ", match[1]) + "]", text)
    text = re.sub(r"\[\s+(\[[^{}]*?\])\s+\](?=,?\n)", lambda match: "[" + re.sub(r"\s*\n\s*", " ", match[1]) + "]", text)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(expected))


main()
