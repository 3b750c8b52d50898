#!/usr/bin/env python3
"""Makes the ONNX fixtures in onnx/. Needs the packages named in README.md."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUT = pathlib.Path(__file__).parent / "onnx"
OUT.mkdir(exist_ok=True)
FLOAT = TensorProto.FLOAT


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(graph, opsets=(("", 18),), **more):
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid(*one) for one in opsets], producer_name="fixtures", **more)
    made.producer_version = "1.0"
    made.ir_version = more.get("ir_version", 9)
    return made


def save(name, made, check=True):
    if check:
        onnx.checker.check_model(made)
    (OUT / f"{name}.onnx").write_bytes(made.SerializeToString())


def weights(name, *shape):
    return numpy_helper.from_array(np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 7, name)


def plain():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="multiply"), helper.make_node("Add", ["h", "b"], ["a"]),
        helper.make_node("Relu", ["a"], ["y"])]
    return helper.make_graph(
        nodes, "plain", [value("x", ["batch", 8])], [value("y", ["batch", 16])],
        [weights("w", 8, 16), helper.make_tensor("b", FLOAT, [16], [0.5] * 16)], doc_string="A small layer.")


def branches():
    """An If with a Loop inside one of its branches."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["still"]), helper.make_node("Add", ["v", "v"], ["v2"])], "body",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("v", [2])],
        [value("still", [], TensorProto.BOOL), value("v2", [2])])
    yes = helper.make_graph(
        [helper.make_node("Constant", [], ["n"], value=helper.make_tensor("n", TensorProto.INT64, [], [3])),
         helper.make_node("Loop", ["n", "", "x"], ["out1"], body=body)], "yes", [], [value("out1", [2])])
    no = helper.make_graph([helper.make_node("Neg", ["x"], ["out2"])], "no", [], [value("out2", [2])])
    return helper.make_graph(
        [helper.make_node("If", ["c"], ["y"], then_branch=yes, else_branch=no)], "branches",
        [value("c", [], TensorProto.BOOL), value("x", [2])], [value("y", [2])])


def function(name, nodes, domain="local", opsets=(("", 18),)):
    return helper.make_function(domain, name, ["a"], ["b"], nodes, [helper.make_opsetid(*one) for one in opsets])


def calling(op, domain="local", times=1):
    names = ["x"] + [f"t{i}" for i in range(times - 1)] + ["y"]
    nodes = [helper.make_node(op, [names[i]], [names[i + 1]], domain=domain) for i in range(times)]
    return helper.make_graph(nodes, "calling", [value("x", [2])], [value("y", [2])])


def one_node(op, opset, domain="", **attributes):
    node = helper.make_node(op, ["x"], ["y"], domain=domain, **attributes)
    opsets = [("", 18), (domain, opset)] if domain else [("", opset)]
    return model(helper.make_graph([node], op, [value("x", [1, 2])], [value("y", [1, 2])]), opsets)


def external(location):
    made = model(plain())
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in [("location", location), ("offset", "0"), ("length", "512")]:
        entry = tensor.external_data.add()
        entry.key, entry.value = key, text
    return made


def trained():
    step = helper.make_graph([helper.make_node("Sub", ["w", "w"], ["w2"])], "step", [], [value("w2", [8, 16])])
    made = model(plain())
    info = helper.make_training_info(step, [("w", "w2")], None, None)
    made.training_info.append(info)
    return made


def doubling(levels):
    """Functions that each call the one before twice."""
    functions = [function("f0", [helper.make_node("Neg", ["a"], ["b"])])]
    for level in range(1, levels):
        call = f"f{level - 1}"
        functions.append(function(
            f"f{level}", [helper.make_node(call, ["a"], ["m"], domain="local"), helper.make_node(call, ["m"], ["b"], domain="local")],
            opsets=(("", 18), ("local", 1))))
    return model(calling(f"f{levels - 1}"), [("", 18), ("local", 1)], functions=functions)


def main():
    save("plain", model(plain()))
    save("branches", model(branches()))
    twice = function("Twice", [helper.make_node("Add", ["a", "a"], ["b"])])
    save("function", model(calling("Twice", times=2), [("", 18), ("local", 1)], functions=[twice]))
    ml = helper.make_graph(
        [helper.make_node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.0, 1.0], scale=[1.0, 2.0]),
         helper.make_node("Normalizer", ["s"], ["y"], domain="ai.onnx.ml", norm="L2")],
        "ml", [value("x", [1, 2])], [value("y", [1, 2])])
    save("ml", model(ml, [("", 18), ("ai.onnx.ml", 3)]))
    save("custom_operator", one_node("Run", 1, "com.example"), check=False)
    save("unknown_operator", one_node("Frobnicate", 18), check=False)
    save("operator_too_new", one_node("Gelu", 19), check=False)
    save("operator_new_enough", one_node("Gelu", 20))
    save("operator_withdrawn", one_node("Upsample", 10), check=False)
    save("operator_not_yet_withdrawn", model(helper.make_graph(
        [helper.make_node("Upsample", ["x", "s"], ["y"])], "Upsample", [value("x", [1, 1, 2, 2])], [value("y", [1, 1, 2, 2])],
        [helper.make_tensor("s", FLOAT, [4], [1, 1, 2, 2])]), [("", 9)]), check=False)
    save("domain_not_imported", model(helper.make_graph(
        [helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml")], "g", [value("x", [1])], [value("y", [1])])), check=False)
    save("opset_too_new", model(plain(), [("", onnx.defs.onnx_opset_version() + 1)]), check=False)
    save("opset_newest", model(plain(), [("", onnx.defs.onnx_opset_version())], ir_version=onnx.IR_VERSION), check=True)
    save("format_too_new", model(plain(), ir_version=onnx.IR_VERSION + 1), check=False)
    save("external_plain", external("weights.bin"), check=False)
    save("external_parent", external("../../etc/passwd"), check=False)
    save("external_absolute", external("/etc/shadow"), check=False)
    hidden = model(branches())
    constant = hidden.graph.node[0].attribute[1].g.node[0] if hidden.graph.node[0].attribute[1].name == "then_branch" \
        else hidden.graph.node[0].attribute[0].g.node[0]
    tensor = constant.attribute[0].t
    tensor.data_location = TensorProto.EXTERNAL
    save("external_in_attribute", hidden, check=False)
    sparse = model(plain())
    values, indices = helper.make_tensor("sv", FLOAT, [1], [2.0]), helper.make_tensor("si", TensorProto.INT64, [1], [3])
    sparse.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [8]))
    save("sparse", sparse)
    sparse.graph.sparse_initializer[0].values.data_location = TensorProto.EXTERNAL
    save("external_in_sparse", sparse, check=False)
    save("training", trained())
    save("functions_20_deep", doubling(20))
    save("functions_21_deep", doubling(21))
    loop = [function("A", [helper.make_node("B", ["a"], ["b"], domain="local")], opsets=(("local", 1),)),
            function("B", [helper.make_node("A", ["a"], ["b"], domain="local")], opsets=(("local", 1),))]
    save("function_cycle", model(calling("A"), [("", 18), ("local", 1)], functions=loop), check=False)
    save("function_of_foreign", model(
        calling("Outer"), [("", 18), ("local", 1)],
        functions=[function("Outer", [helper.make_node("Evil", ["a"], ["b"], domain="com.example")], opsets=(("com.example", 1),))]),
        check=False)
    missing = model(plain())
    missing.ClearField("opset_import")
    save("no_opset", missing, check=False)
    for path in sorted(OUT.iterdir()):
        print(path.name, path.stat().st_size)


main()
