#!/usr/bin/env python3
"""Writes the inspector's data tables from the real packages: field numbers of ONNX's and Core ML's messages, ONNX's operators.

Needs the packages named in README.md. Usage: make_tables.py SOURCES_FOLDER (the folder `Sources/Scanning/Artifacts`).
"""
import pathlib
import re
import sys
import textwrap

import coremltools
import onnx
from coremltools.proto import Model_pb2
from google.protobuf.descriptor import FieldDescriptor as F
from onnx import onnx_ml_pb2

VARINT = {F.TYPE_BOOL, F.TYPE_INT32, F.TYPE_INT64, F.TYPE_UINT32, F.TYPE_UINT64, F.TYPE_ENUM, F.TYPE_SINT32, F.TYPE_SINT64}
FIXED32 = {F.TYPE_FLOAT, F.TYPE_FIXED32, F.TYPE_SFIXED32}
FIXED64 = {F.TYPE_DOUBLE, F.TYPE_FIXED64, F.TYPE_SFIXED64}
# Texts for people, which may be long; every other text is a name.
PROSE = re.compile(
    r"\.(doc_string|docString|shortDescription|license|author)$|StringStringEntryProto\.value$|UserDefinedEntry\.value$"
    r"|^Custom(LayerParams|Model)\.description$|RepeatedStrings\.values$")
# Numbers that a model computes with.
WEIGHTS = re.compile(
    r"^TensorProto\.(float|int32|int64|double|uint64|raw|string)_?data$"
    r"|^WeightParams\.(floatValue|float16Value|rawValue|int8RawValue)$|RepeatedBytes\.values$")


def closure(root):
    found, queue = {}, [root]
    while queue:
        message = queue.pop(0)
        if message.full_name in found:
            continue
        found[message.full_name] = message
        queue += [field.message_type for field in message.fields if field.message_type]
    return found


def short(full_name):
    return re.sub(r"^(onnx|CoreML\.Specification)\.", "", full_name)


def kind(message, field):
    name = f"{short(message.full_name)}.{field.name}"
    weights = "w" if WEIGHTS.search(name) else ""
    if field.type in VARINT:
        return "v" + weights
    if field.type in FIXED32:
        return "4" + weights
    if field.type in FIXED64:
        return "8" + weights
    if field.type == F.TYPE_STRING:
        return "p" if PROSE.search(name) else "s"
    if field.type == F.TYPE_BYTES:
        return "b" + weights
    return "m" + short(field.message_type.full_name)


def schema_lines(root):
    for message in closure(root).values():
        fields = [
            f"{field.number}{'*' if field.is_repeated else ''}{kind(message, field)}"
            for field in sorted(message.fields, key=lambda field: field.number)]
        yield " ".join([short(message.full_name), *fields])


def operator_lines(domain):
    history = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == domain:
            history.setdefault(schema.name, {})[schema.since_version] = schema.deprecated
    for name, versions in sorted(history.items()):
        turns, exists = [], None
        for version, deprecated in sorted(versions.items()):
            if exists is None or exists == deprecated:
                turns.append(f"{'!' if deprecated else ''}{version}")
                exists = not deprecated
        yield " ".join([name, *turns])


def literal(lines, separator):
    """A multi-line text whose lines are at most 140 columns; a line that goes on ends in a backslash."""
    out = []
    for line in lines:
        parts = textwrap.wrap(line + separator, 118, break_long_words=False, break_on_hyphens=False)
        out += [part + " \\" for part in parts[:-1]] + parts[-1:]
    return "\n".join("        " + line for line in out)


def write(path, head, name, comment, lines, extra=""):
    text = f'''{head}enum {name} {{
{comment}
    static let text = """
{literal(lines, "")}
        """
{extra}}}
'''
    pathlib.Path(path).write_text(text, encoding="utf-8")
    print(path, len(text))


def main():
    sources = pathlib.Path(sys.argv[1])
    write(
        sources / "ONNX/ONNXSchema.swift",
        "/// The messages of ONNX's open specification, as far as a walk needs them.\n///\n"
        f"/// Source: `onnx-ml.proto` of onnx {onnx.__version__}, written by `Tests/Fixtures/artifacts/make_tables.py`.\n",
        "ONNXSchema", "    /// Shape: as ``ProtobufSchema`` reads it.", schema_lines(onnx_ml_pb2.ModelProto.DESCRIPTOR))
    write(
        sources / "CoreML/CoreMLSchema.swift",
        "/// The messages of Core ML's open specification, as far as a walk needs them.\n///\n"
        f"/// Source: the message definitions in coremltools {coremltools.__version__}, written by"
        " `Tests/Fixtures/artifacts/make_tables.py`.\n",
        "CoreMLSchema", "    /// Shape: as ``ProtobufSchema`` reads it.", schema_lines(Model_pb2.Model.DESCRIPTOR))
    ranges = onnx.defs.C.schema_version_map()
    write(
        sources / "ONNX/ONNXOperatorTable.swift",
        "/// The operators of ONNX's own domains, and the operator sets in which they exist.\n///\n"
        f"/// Source: `onnx.defs.get_all_schemas_with_history()` of onnx {onnx.__version__}, written by\n"
        "/// `Tests/Fixtures/artifacts/make_tables.py`.\n",
        "ONNXOperatorTable",
        "    /// Shape: a line for each operator, below a line with its domain in brackets: the name, then the operator set from which it\n"
        "    /// exists, then, after `!`, the one from which it is withdrawn, and so on.",
        ["[ai.onnx]", *operator_lines(""), "[ai.onnx.ml]", *operator_lines("ai.onnx.ml")],
        f"""
    /// The newest operator set of `ai.onnx` in the table.
    static let newestMain = {ranges[""][1]}
    /// The newest operator set of `ai.onnx.ml` in the table.
    static let newestMachineLearning = {ranges["ai.onnx.ml"][1]}
    /// The newest version of the format itself that goes with them.
    static let newestFormat = {onnx.IR_VERSION}
""")


main()
