import Domain
import Testing

@testable import Scanning

/// Real models, against what the onnx package says of them.
struct ONNXInspectionTests {
    /// One fixture has no operator set, and is no model for it.
    static let names = ArtifactFixtures.expected.onnx.keys.filter { $0 != "no_opset" }.sorted()

    @Test(arguments: names)
    func factsAreWhatONNXSays(name: String) throws {
        let expected = try #require(ArtifactFixtures.expected.onnx[name])
        let report = try ArtifactFixtures.report(.onnx, name)
        #expect(report.number("ir version") == expected.ir_version)
        #expect(report.values("operator set") == expected.opsets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })
        #expect(report.values("producer") == [expected.producer.joined(separator: " ")])
        #expect(report.components == [ArtifactComponent(role: "producer", name: expected.producer[0], version: expected.producer[1])])
        #expect(report.number("nodes") == expected.nodes)
        #expect(report.number("functions") == expected.functions)
        #expect(report.number("distinct operators") == expected.operators.count)
        #expect(Set(report.values("operator")) == Set(expected.operators.map { "\($0.key), \($0.value) times" }))
        #expect(report.number("initializers") == expected.initializers)
        #expect(report.number("parameters") == expected.parameters)
        #expect(report.number("tensors") == expected.tensors)
        #expect(report.number("tensor bytes") == expected.tensor_bytes)
        #expect(report.values("input") == expected.inputs)
        #expect(report.values("output") == expected.outputs)
        #expect(report.bytesTotal == expected.bytes)
        #expect(report.bytesInspected == expected.inspected)
    }

    @Test(arguments: names)
    func operatorsThatONNXDoesNotKnowAreFound(name: String) throws {
        let expected = try #require(ArtifactFixtures.expected.onnx[name])
        // A newer operator set than the newest is a finding of its own.
        let found = try ArtifactFixtures.report(.onnx, name).things(.onnxOperator)
        #expect(found.count == expected.unknown.count)
        for unknown in expected.unknown { #expect(found.contains { $0.hasPrefix("model.onnx: operator \(unknown): ") }, "\(found)") }
    }

    @Test(arguments: names)
    func tensorsInOtherFilesAreFound(name: String) throws {
        let expected = try #require(ArtifactFixtures.expected.onnx[name])
        let found = try ArtifactFixtures.report(.onnx, name).things(.onnxExternalData)
        #expect(
            Set(found)
                == Set(expected.external.map { "model.onnx: tensor \($0[0] ?? "") in \($0[1] ?? "a file that is not named")" }))
    }

    @Test(arguments: [
        ("plain", []), ("branches", []), ("function", []), ("ml", []), ("sparse", []), ("training", []), ("opset_newest", []),
        ("operator_new_enough", []), ("operator_not_yet_withdrawn", []), ("functions_20_deep", []),
        ("custom_operator", ["ARCHIPELAGO-ONNX-OPERATOR"]), ("unknown_operator", ["ARCHIPELAGO-ONNX-OPERATOR"]),
        ("operator_too_new", ["ARCHIPELAGO-ONNX-OPERATOR"]), ("operator_withdrawn", ["ARCHIPELAGO-ONNX-OPERATOR"]),
        ("domain_not_imported", ["ARCHIPELAGO-ONNX-OPERATOR"]), ("function_of_foreign", ["ARCHIPELAGO-ONNX-OPERATOR"]),
        ("opset_too_new", ["ARCHIPELAGO-ONNX-OPSET"]), ("format_too_new", ["ARCHIPELAGO-ONNX-FORMAT"]),
        ("external_plain", ["ARCHIPELAGO-ONNX-EXTERNAL-DATA"]), ("external_parent", ["ARCHIPELAGO-ONNX-EXTERNAL-DATA"]),
        ("external_absolute", ["ARCHIPELAGO-ONNX-EXTERNAL-DATA"]), ("external_in_attribute", ["ARCHIPELAGO-ONNX-EXTERNAL-DATA"]),
        ("external_in_sparse", ["ARCHIPELAGO-ONNX-EXTERNAL-DATA"]),
        ("functions_21_deep", ["ARCHIPELAGO-ONNX-FUNCTION"]), ("function_cycle", ["ARCHIPELAGO-ONNX-FUNCTION"]),
    ])
    func findingsAreWhatTheModelWasMadeFor(name: String, rules: [String]) throws {
        let report = try ArtifactFixtures.report(.onnx, name)
        #expect(report.rules == rules)
        #expect(report.findings.allSatisfy { $0.severity == .high })
    }

    @Test func aModelWithoutAnOperatorSetIsNone() throws {
        let bytes = try ArtifactFixtures.bytes(.onnx, "no_opset")[0].bytes
        let failure = try refusal(.onnx, bytes)
        #expect(failure.code == .malformedArtifact)
        #expect(failure.message.contains("opset_import"))
    }

    /// Every operator of both domains in every operator set, against onnx's own look-up.
    @Test(arguments: ["ai.onnx", "ai.onnx.ml"])
    func theTableIsONNXsOwn(domain: String) throws {
        let expected = try #require(ArtifactFixtures.expected.onnx_operators[domain])
        let newest = try #require(ArtifactFixtures.expected.onnx_newest[domain])
        let key = domain == "ai.onnx" ? "" : domain
        #expect(ONNXOperators.known.newest(domain: key) == newest)
        for (name, ranges) in expected {
            for version in 1...newest {
                let exists = ranges.contains { $0[0] <= version && version <= $0[1] }
                #expect(ONNXOperators.known.contains(name, domain: key, opset: version) == exists, "\(name) \(version)")
            }
        }
        let lines = ONNXOperatorTable.text.split(separator: "\n").count
        #expect(lines == 2 + ArtifactFixtures.expected.onnx_operators.values.reduce(0) { $0 + $1.count })
        #expect(ONNXOperatorTable.newestFormat == ArtifactFixtures.expected.onnx_ir)
    }

    /// `String` takes the sign for kelvin as a K.
    @Test func aLookalikeIsNotTheOperator() throws {
        let model = ProtobufBuilder.onnx(ProtobufBuilder().message(1, .node("Top\u{212A}")).message(1, .node("TopK")))
        #expect(try inspect(.onnx, model.bytes).things(.onnxOperator).count == 1)
        // Nor is a function of that name the one that is called.
        let function = ProtobufBuilder().text(1, "\u{212A}").text(10, "d")
        let called = ProtobufBuilder.onnx(ProtobufBuilder().message(1, .node("K", "d"))).message(25, function)
        let lookalike = ProtobufBuilder.onnx(ProtobufBuilder().message(1, .node("\u{212A}", "d"))).message(25, function)
        #expect(try inspect(.onnx, lookalike.bytes).things(.onnxOperator).count == 1)
        #expect(try inspect(.onnx, called.bytes).things(.onnxOperator).count == 1)
    }

    @Test func bothNamesOfONNXsDomainAreOne() throws {
        let model = ProtobufBuilder().number(1, 9).message(8, .opset(18, "ai.onnx")).message(7, ProtobufBuilder().message(1, .node("Add")))
        #expect(try inspect(.onnx, model.bytes).findings.isEmpty)
        let both = model.message(8, .opset(18))
        #expect(try refusal(.onnx, both.bytes).message.contains("operator set once"))
    }
}
