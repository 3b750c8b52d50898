extension JSONValue {
    /// The value as compact JSON text in UTF-8: no white space, members in their order, `/` not escaped.
    public var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    /// The value as compact JSON text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The value as JSON text for people: two spaces an indentation level, one member a line.
    public var indentedText: String {
        var output: [UInt8] = []
        write(to: &output, indentation: 0)
        return String(decoding: output, as: UTF8.self)
    }

    /// Appends the value as compact JSON text in UTF-8.
    public func write(to output: inout [UInt8]) { write(to: &output, indentation: nil) }

    private func write(to output: inout [UInt8], indentation: Int?) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let value): output.append(contentsOf: value.text.utf8)
        case .string(let value): Self.write(string: value, to: &output)
        case .array(let elements):
            Self.write(elements, between: (UInt8(ascii: "["), UInt8(ascii: "]")), to: &output, indentation: indentation) {
                element, output, inner in
                element.write(to: &output, indentation: inner)
            }
        case .object(let object):
            Self.write(object.members, between: (UInt8(ascii: "{"), UInt8(ascii: "}")), to: &output, indentation: indentation) {
                member, output, inner in
                Self.write(string: member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                if inner != nil { output.append(UInt8(ascii: " ")) }
                member.value.write(to: &output, indentation: inner)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], between brackets: (UInt8, UInt8), to output: inout [UInt8], indentation: Int?,
        each: (Element, inout [UInt8], Int?) -> Void
    ) {
        output.append(brackets.0)
        let inner = indentation.map { $0 + 1 }
        for (index, element) in elements.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            newLine(inner, &output)
            each(element, &output, inner)
        }
        if !elements.isEmpty { newLine(indentation, &output) }
        output.append(brackets.1)
    }

    private static func newLine(_ indentation: Int?, _ output: inout [UInt8]) {
        guard let indentation else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * indentation))
    }

    private static let hexadecimalDigits = Array("0123456789abcdef".utf8)

    private static func write(string: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        // A native string lends its bytes; another one (bridged, on Apple's systems) is copied first.
        if string.utf8.withContiguousStorageIfAvailable({ write(escaping: $0, to: &output) }) == nil {
            Array(string.utf8).withUnsafeBufferPointer { write(escaping: $0, to: &output) }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func write(escaping bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        // Safety: `bytes` is only indexed within its own bounds, and not kept.
        var start = 0
        for index in bytes.indices where needsEscape(bytes[index]) {
            output.append(contentsOf: bytes[start..<index])
            write(escape: bytes[index], to: &output)
            start = index + 1
        }
        output.append(contentsOf: bytes[start...])
    }

    /// No byte more than JSON demands, and the shortest escape for each: text that is read and written is never longer than it was, so what fits a
    /// limit where it is written fits it where it is read.
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func write(escape byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        default:
            output.append(contentsOf: "u00".utf8)
            output.append(hexadecimalDigits[Int(byte >> 4)])
            output.append(hexadecimalDigits[Int(byte & 15)])
        }
    }
}

extension JSONObject {
    /// The object as compact JSON text in UTF-8.
    public var bytes: [UInt8] { JSONValue.object(self).bytes }

    /// The object as compact JSON text.
    public var text: String { JSONValue.object(self).text }
}
