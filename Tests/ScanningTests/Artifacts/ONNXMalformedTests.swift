import Domain
import Testing

@testable import Scanning

/// Models that are not what they say.
struct ONNXMalformedTests {
    private static let empty = ProtobufBuilder()
    private static let graph = ProtobufBuilder().message(1, .node("Add"))
    private static let valid = ProtobufBuilder.onnx(graph)
    private static func tensor(_ tensor: ProtobufBuilder) -> ProtobufBuilder { .onnx(ProtobufBuilder().message(5, tensor)) }

    /// The bytes and a part of the refusal.
    static let refused: [(bytes: [UInt8], expected: String)] = [
        ([], "byte 0 of the.onnx: expected an ONNX model with an ir_version"),
        (Array("this is no model".utf8), "expected"),
        ([0x00], "byte 0 of the.onnx: expected a field's number in 1"),
        ([0x03], "byte 0 of the.onnx: expected a field's number in 1"),
        ([0x0B], "byte 0 of the.onnx: expected a wire type 0, 1, 2 or 5, not 3"),
        ([0x0E], "wire type 0, 1, 2 or 5, not 6"),
        ([0x08], "byte 1 of the.onnx: expected a number, not the end"),
        ([0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], "byte 1 of the.onnx: expected a number of at most 64 bits"),
        ([0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], "at most 10 bytes"),
        ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "field's number in 1...536870911"),
        ([0x12, 5, 0x61], "byte 1 of the.onnx: expected a name of 5 bytes, not 1"),
        ([0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "18446744073709551615 bytes"),
        ([0x12, 2, 0xC3, 0x28], "byte 2 of the.onnx: expected a name in UTF-8"),
        ([0x32, 2, 0xC3, 0x28], "byte 2 of the.onnx: expected a text in UTF-8"),
        ([0x0A, 0], "byte 0 of the.onnx: expected field 1 of ModelProto as its type is written, not as wire type 2"),
        ([0x10, 0], "field 2 of ModelProto as its type is written"),
        ([0x38, 0], "field 7 of ModelProto as its type is written"),
        ([0x08, 9, 0x08, 9], "byte 2 of the.onnx: expected field 1 of ModelProto once"),
        ([0x3A, 0, 0x3A, 0], "field 7 of ModelProto once"),
        (empty.number(1, 0).message(8, .opset(18)).message(7, graph).bytes, "ir_version"),
        (empty.number(1, .max).message(8, .opset(18)).message(7, graph).bytes, "ir_version"),
        (empty.number(1, 9).message(8, .opset(18)).bytes, "a graph"),
        (empty.number(1, 9).message(7, graph).bytes, "opset_import"),
        (empty.number(1, 9).message(7, graph).message(8, .opset(0)).bytes, "version of at least 1"),
        (empty.number(1, 9).message(7, graph).message(8, .opset(.max)).bytes, "version of at least 1"),
        (empty.number(1, 9).message(7, graph).message(8, empty).bytes, "version of at least 1"),
        (valid.message(8, .opset(17)).bytes, "every domain's operator set once"),
        (valid.message(25, empty.text(10, "d")).bytes, "every function with a name of its own"),
        (valid.message(25, empty.text(1, "f")).message(25, empty.text(1, "f")).bytes, "every function with a name of its own"),
        (ProtobufBuilder.onnx(empty.message(1, empty)).bytes, "a node's operator"),
        (tensor(empty.number(1, 1 << 62).number(1, 2)).bytes, "fewer than 2^63 elements"),
        (tensor(empty.number(1, .max)).bytes, "dimensions of at least 0"),
        (tensor(empty.number(14, 2)).bytes, "data location of 0 or 1"),
        (tensor(empty.data(4, [1, 2, 3])).bytes, "packed numbers of 4 bytes each"),
        (tensor(empty.data(10, [1, 2, 3, 4])).bytes, "packed numbers of 8 bytes each"),
        (tensor(empty.data(1, [0x80])).bytes, "a number, not the end"),
    ]

    @Test(arguments: refused.indices)
    func theRefusalNamesTheByteAndWhatWasExpected(index: Int) throws {
        let failure = try refusal(.onnx, Self.refused[index].bytes)
        #expect(failure.code == .malformedArtifact)
        #expect(failure.message.contains(Self.refused[index].expected), "\(failure.message)")
    }

    @Test func theSmallestModelIsOne() throws {
        let report = try inspect(.onnx, Self.valid.bytes)
        #expect(report.findings.isEmpty)
        #expect(report.inspectedShare == 1)
    }

    @Test func everyPrefixOfARealModelIsRefusedOrShorter() throws {
        for name in ["branches", "function"] {
            let bytes = try ArtifactFixtures.bytes(.onnx, name)[0].bytes
            for count in 0..<bytes.count {
                do throws(ScanFailure) {
                    #expect(try inspect(.onnx, Array(bytes[..<count])).bytesTotal == count)
                } catch {
                    #expect(error.code == .malformedArtifact)
                }
            }
        }
    }

    @Test(arguments: [(64 * 1024, 0), (64 * 1024 + 1, 1)])
    func manyUnknownFieldsNeedAReviewer(bytes: Int, findings: Int) throws {
        // Two bytes of tag and three of length count too.
        let model = Self.valid.data(999, Array(repeating: 0, count: bytes - 5))
        let report = try inspect(.onnx, model.bytes)
        #expect(report.number("bytes of unexplained not inspected") == bytes)
        #expect(report.things(.opaqueBytes).count == findings)
        #expect(ScanVerdict(findings: report.findings) == (findings == 0 ? .clean : .flagged))
    }

    @Test func aLongTextIsUnexplainedAndALongNameRefused() throws {
        let text = Array(repeating: UInt8(ascii: "a"), count: 64 * 1024)
        #expect(try inspect(.onnx, Self.valid.data(6, text).bytes).number("bytes of unexplained not inspected") == nil)
        #expect(try inspect(.onnx, Self.valid.data(6, text + [0x61]).bytes).number("bytes of unexplained not inspected") == 64 * 1024 + 1)
        #expect(try refusal(.onnx, Self.valid.data(4, text).bytes).message.contains("a name of at most 4096 bytes"))
    }

    /// Bytes that are a text are as good as one; others explain nothing.
    @Test func bytesOfAttributesAreTextsOrUnexplained() throws {
        func model(_ bytes: [UInt8]) -> [UInt8] {
            ProtobufBuilder.onnx(ProtobufBuilder().message(1, ProtobufBuilder.node("Add").message(5, ProtobufBuilder().data(4, bytes)))).bytes
        }
        #expect(try inspect(.onnx, model(Array("linear".utf8))).inspectedShare == 1)
        #expect(try inspect(.onnx, model([0xFF, 0xFE])).number("bytes of unexplained not inspected") == 2)
    }
}

/// Each bound one below, at it, and one above.
struct ONNXLimitTests {
    private static func accepts(_ model: ProtobufBuilder, _ change: (inout ArtifactInspectionLimits) -> Void) throws -> Bool {
        var limits = ArtifactInspectionLimits()
        change(&limits)
        do throws(ScanFailure) {
            _ = try inspect(.onnx, model.bytes, limits: limits)
            return true
        } catch {
            #expect(error.code == .malformedArtifact)
            #expect(error.message.contains("at most"), "\(error.message)")
            return false
        }
    }

    @Test(arguments: [(-1, false), (0, true), (1, true)])
    func countsAreBounded(more: Int, fits: Bool) throws {
        let three = ProtobufBuilder.onnx(
            ProtobufBuilder().message(1, .node("Add")).message(1, .node("Add")).message(1, .node("Sub")))
        #expect(try Self.accepts(three) { $0.onnx.nodesMax = 3 + more } == fits)
        #expect(try Self.accepts(three) { $0.onnx.operatorsMax = 2 + more } == fits)
        #expect(try Self.accepts(three.message(8, .opset(1, "a"))) { $0.onnx.opsetsMax = 2 + more } == fits)
        let functions = three.message(25, ProtobufBuilder().text(1, "f")).message(25, ProtobufBuilder().text(1, "g"))
        #expect(try Self.accepts(functions) { $0.onnx.functionsMax = 2 + more } == fits)
        let tensor = ProtobufBuilder.onnx(ProtobufBuilder().message(5, ProtobufBuilder().number(1, 2).number(1, 2)))
        #expect(try Self.accepts(tensor) { $0.onnx.dimensionsMax = 2 + more } == fits)
        let packed = ProtobufBuilder.onnx(ProtobufBuilder().message(5, ProtobufBuilder().data(1, [1, 1, 1])))
        #expect(try Self.accepts(packed) { $0.onnx.dimensionsMax = 3 + more } == fits)
        #expect(try Self.accepts(packed) { $0.protobuf.packedBytesMax = 3 + more } == fits)
        // ir_version, opset_import and its two fields, graph, three nodes and their two fields each.
        #expect(try Self.accepts(three) { $0.protobuf.fieldsMax = 14 + more } == fits)
        // The model, the graph, the node.
        #expect(try Self.accepts(three) { $0.protobuf.nestingMax = 3 + more } == fits)
        #expect(try Self.accepts(three.text(2, "seven77")) { $0.protobuf.nameBytesMax = 7 + more } == fits)
    }

    @Test(arguments: [(-1, 1), (0, 0), (1, 0)])
    func expansionIsBounded(more: Int, findings: Int) throws {
        var limits = ArtifactInspectionLimits()
        limits.onnx.expandedNodesMax = (1 << 19) + more
        let files = try ArtifactFixtures.bytes(.onnx, "functions_20_deep")
        #expect(try inspect(.onnx, files, limits: limits).things(.onnxFunction).count == findings)
    }

    /// Attributes in nodes in graphs in attributes, far deeper than any parser goes.
    @Test func deepNestingEndsSoon() throws {
        var graph = ProtobufBuilder().message(1, .node("Add"))
        for _ in 0..<2000 { graph = ProtobufBuilder().message(1, ProtobufBuilder.node("If").message(5, ProtobufBuilder().message(6, graph))) }
        #expect(try refusal(.onnx, ProtobufBuilder.onnx(graph).bytes).message.contains("at most 100 messages inside one another"))
    }

    /// A function that calls a hundred of the next, ten deep: 10²⁰ nodes, counted without counting.
    @Test func hugeExpansionsAreCountedAtOnce() throws {
        var model = ProtobufBuilder.onnx(ProtobufBuilder().message(1, .node("f0", "d"))).message(8, .opset(1, "d"))
        for level in 0..<10 {
            let calls = ProtobufBuilder().messages(7, .node("f\(level + 1)", "d"), times: 100)
            model = model.message(25, calls.text(1, "f\(level)").text(10, "d"))
        }
        let last = ProtobufBuilder().text(1, "f10").text(10, "d").message(9, .opset(18)).message(7, .node("Add"))
        let report = try inspect(.onnx, model.message(25, last).bytes)
        #expect(report.things(.onnxFunction) == ["the.onnx: 2000000 nodes with every function put in place, more than 1000000"])
    }
}
