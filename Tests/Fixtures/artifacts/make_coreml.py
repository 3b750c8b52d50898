#!/usr/bin/env python3
"""Makes the Core ML fixtures in coreml/. Needs the packages named in README.md; runs on Linux, where models can be made but not run."""
import json
import pathlib
import shutil

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder as mb
from coremltools.models import datatypes
from coremltools.models.neural_network import NeuralNetworkBuilder
from coremltools.proto import MIL_pb2, Model_pb2

OUT = pathlib.Path(__file__).parent / "coreml"
VECTOR = datatypes.Array(4)


def network(custom=None):
    builder = NeuralNetworkBuilder([("x", VECTOR)], [("y", VECTOR)], disable_rank5_shape_mapping=True)
    weights = np.arange(16, dtype=np.float32).reshape(4, 4) / 3
    builder.add_inner_product("dense", weights, np.ones(4, dtype=np.float32), 4, 4, True, "x", "h" if custom else "y")
    if custom:
        layer = builder.nn_spec.layers.add()
        layer.name = "special"
        layer.input.append("h")
        layer.output.append("y")
        layer.custom.className = custom
        layer.custom.description = "Runs a class of the host's."
    spec = builder.spec
    spec.description.metadata.author = "The fixtures"
    spec.description.metadata.versionString = "1.2.3"
    return spec


def bare(**more):
    spec = Model_pb2.Model(specificationVersion=4, **more)
    for features, name in [(spec.description.input, "x"), (spec.description.output, "y")]:
        feature = features.add()
        feature.name = name
        feature.type.multiArrayType.shape.append(4)
        feature.type.multiArrayType.dataType = 65568
    return spec


def pipeline(*inner):
    spec = bare()
    for index, model in enumerate(inner):
        spec.pipeline.models.add().CopyFrom(model)
        spec.pipeline.names.append(f"stage{index}")
    return spec


def save(name, spec):
    (OUT / f"{name}.mlmodel").write_bytes(spec.SerializeToString())


def package(name, change=None):
    """A program whose weights are large enough to be kept in a file of their own."""
    weights = np.arange(64 * 16, dtype=np.float32).reshape(64, 16) / 11

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 16))], opset_version=ct.target.iOS15)
    def program(x):
        return mb.relu(x=mb.linear(x=x, weight=weights, bias=np.arange(64, dtype=np.float32)))

    model = ct.convert(
        program, convert_to="mlprogram", compute_precision=ct.precision.FLOAT32, minimum_deployment_target=ct.target.iOS15)
    folder = OUT / f"{name}.mlpackage"
    shutil.rmtree(folder, ignore_errors=True)
    model.save(str(folder))
    # The package's random identifiers are made the same each time.
    manifest = json.loads((folder / "Manifest.json").read_text())
    items, root = {}, manifest["rootModelIdentifier"]
    for number, (key, item) in enumerate(sorted(manifest["itemInfoEntries"].items(), key=lambda one: one[1]["path"])):
        identifier = f"00000000-0000-4000-8000-{number:012d}"
        items[identifier] = item
        if key == root:
            manifest["rootModelIdentifier"] = identifier
    manifest["itemInfoEntries"] = items
    (folder / "Manifest.json").write_text(json.dumps(manifest, indent=4))
    # Maps are written in a fixed order, and the fixtures are the same each time.
    path = folder / "Data/com.apple.CoreML/model.mlmodel"
    spec = Model_pb2.Model.FromString(path.read_bytes())
    if change:
        change(spec)
    path.write_bytes(spec.SerializeToString(deterministic=True))


def blobs(message):
    """Every value that is kept in a file of weights, at any depth."""
    if isinstance(message, MIL_pb2.Value.BlobFileValue):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.is_repeated and field.message_type.GetOptions().map_entry:
            values = [one for one in value.values() if hasattr(one, "ListFields")]
        else:
            values = value if field.is_repeated else [value]
        for one in values:
            yield from blobs(one)


def elsewhere(spec):
    next(blobs(spec)).fileName = "/etc/passwd"


def outside(spec):
    next(blobs(spec)).fileName = "@model_path/../weights/weight.bin"


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    save("network", network())
    save("custom_layer", network(custom="EvilLayer"))
    custom = bare()
    custom.customModel.className = "EvilModel"
    custom.customModel.parameters["path"].stringValue = "/bin/sh"
    save("custom_model", custom)
    linked = bare()
    linked.linkedModel.linkedModelFile.linkedModelFileName.defaultValue = "other.mlmodelc"
    linked.linkedModel.linkedModelFile.linkedModelSearchPath.defaultValue = "/tmp"
    save("linked_model", linked)
    serialized = bare()
    serialized.serializedModel.identifier = "com.example.blob"
    serialized.serializedModel.model = bytes(range(256))
    save("serialized_model", serialized)
    identity = bare()
    identity.identity.SetInParent()
    save("identity", identity)
    save("pipeline", pipeline(network(), identity))
    save("pipeline_in_pipeline", pipeline(network(), pipeline(network(custom="EvilLayer"), custom)))
    newest = bare()
    newest.specificationVersion = 10
    newest.identity.SetInParent()
    save("specification_10", newest)
    newest.specificationVersion = 11
    save("specification_11", newest)
    updatable = bare(isUpdatable=True)
    updatable.identity.SetInParent()
    save("updatable", updatable)
    save("no_type", bare())
    versionless = bare()
    versionless.specificationVersion = 0
    versionless.identity.SetInParent()
    save("no_version", versionless)
    scaler = bare()
    scaler.scaler.shiftValue.extend([1.0, 2.0])
    save("scaler", scaler)
    package("program")
    package("program_elsewhere", elsewhere)
    package("program_outside", outside)
    for path in sorted(OUT.rglob("*")):
        if path.is_file():
            print(path.relative_to(OUT), path.stat().st_size)


main()
