/// Writes protocol buffers by hand, well formed or not.
struct ProtobufBuilder {
    var bytes: [UInt8] = []

    static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    static func tag(_ field: Int, _ wire: UInt64) -> [UInt8] { varint(UInt64(field) << 3 | wire) }

    func number(_ field: Int, _ value: UInt64) -> ProtobufBuilder {
        ProtobufBuilder(bytes: bytes + Self.tag(field, 0) + Self.varint(value))
    }

    func data(_ field: Int, _ value: [UInt8]) -> ProtobufBuilder {
        ProtobufBuilder(bytes: bytes + Self.tag(field, 2) + Self.varint(UInt64(value.count)) + value)
    }

    func text(_ field: Int, _ value: String) -> ProtobufBuilder { data(field, Array(value.utf8)) }

    func message(_ field: Int, _ value: ProtobufBuilder) -> ProtobufBuilder { data(field, value.bytes) }

    /// The same message so many times.
    func messages(_ field: Int, _ value: ProtobufBuilder, times: Int) -> ProtobufBuilder {
        (0..<times).reduce(self) { made, _ in made.message(field, value) }
    }

    /// Bytes as they are.
    func raw(_ value: [UInt8]) -> ProtobufBuilder { ProtobufBuilder(bytes: bytes + value) }

    // MARK: ONNX. Source of the numbers: onnx-ml.proto.

    static func opset(_ version: UInt64, _ domain: String = "") -> ProtobufBuilder { ProtobufBuilder().text(1, domain).number(2, version) }
    static func node(_ name: String, _ domain: String = "") -> ProtobufBuilder { ProtobufBuilder().text(4, name).text(7, domain) }
    /// A model of format 9 and operator set 18 around a graph.
    static func onnx(_ graph: ProtobufBuilder) -> ProtobufBuilder { ProtobufBuilder().number(1, 9).message(8, opset(18)).message(7, graph) }

    // MARK: Core ML. Source of the numbers: Model.proto.

    /// A model of specification 4 with a type's message.
    static func coreml(_ type: Int, _ content: ProtobufBuilder = ProtobufBuilder()) -> ProtobufBuilder {
        ProtobufBuilder().number(1, 4).message(type, content)
    }
}
