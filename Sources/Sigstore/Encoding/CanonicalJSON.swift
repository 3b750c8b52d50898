public import JSON

/// The JSON Canonicalization Scheme: one text for each value, so that it can be signed and hashed.
///
/// Source: RFC 8785.
public enum CanonicalJSON {
    /// A number that no double holds, which the scheme has no text for.
    public struct Unrepresentable: Error, Sendable, Hashable {
        /// The number as it was written.
        public let number: String
    }

    /// The canonical text in UTF-8.
    public static func bytes(_ value: JSONValue) throws(Unrepresentable) -> [UInt8] {
        var bytes: [UInt8] = []
        try write(value, to: &bytes)
        return bytes
    }

    private static func write(_ value: JSONValue, to bytes: inout [UInt8]) throws(Unrepresentable) {
        switch value {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let number): bytes += try text(number).utf8
        case .string(let text): write(text, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try write(value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            // By UTF-16 code units (RFC 8785 §3.2.3), which is neither Swift's order nor that of UTF-8.
            let members = object.members.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try write(member.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += "\\\"".utf8
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case 0x08: bytes += "\\b".utf8
            case 0x09: bytes += "\\t".utf8
            case 0x0A: bytes += "\\n".utf8
            case 0x0C: bytes += "\\f".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0..<0x20: bytes += "\\u00\(Hexadecimal.text([byte]))".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A number as ECMAScript writes it. Source: ECMA-262 §6.1.6.1.20, Number::toString.
    private static func text(_ number: JSONNumber) throws(Unrepresentable) -> String {
        guard let value = number.double else { throw Unrepresentable(number: number.text) }
        if value == 0 { return "0" }
        // Swift finds the same shortest digits; only where the point stands differs.
        let parts = "\(value.magnitude)".split(separator: "e")
        let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = halves.count > 1 && halves[1] != "0" ? String(halves[1]) : ""
        var digits = String(halves[0]) + fraction
        // The value is 0.digits × 10^point.
        var point = halves[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        let zeros = digits.prefix { $0 == "0" }.count
        digits.removeFirst(zeros)
        point -= zeros
        while digits.hasSuffix("0") { digits.removeLast() }
        let count = digits.count
        let text: String
        switch point {
        case count...21: text = digits + String(repeating: "0", count: point - count)
        case 1...21: text = digits.prefix(point) + "." + digits.dropFirst(point)
        case -5...0: text = "0." + String(repeating: "0", count: -point) + digits
        default:
            let exponent = point - 1
            text = digits.prefix(1) + (count > 1 ? "." + digits.dropFirst() : "") + "e" + (exponent < 0 ? "-" : "+") + "\(exponent.magnitude)"
        }
        return (value < 0 ? "-" : "") + text
    }
}
