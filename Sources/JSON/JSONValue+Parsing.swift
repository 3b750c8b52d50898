/// Why a text is no acceptable JSON, and at which byte.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of mistake it is.
    public enum Code: String, Sendable, Hashable {
        /// A byte that cannot stand where it is.
        case unexpectedByte = "unexpected_byte"
        /// The text ends too early.
        case unexpectedEnd = "unexpected_end"
        /// Something follows the value.
        case trailingBytes = "trailing_bytes"
        /// A string that is not UTF-8, or has a control character, a bad escape or a lone surrogate.
        case invalidString = "invalid_string"
        /// A number outside the grammar, or of more than 64 bytes.
        case invalidNumber = "invalid_number"
        /// A member name is repeated.
        case duplicateName = "duplicate_name"
        /// Arrays and objects are nested too deep.
        case tooDeep = "too_deep"
        /// The text is too long, or has too many values.
        case tooLarge = "too_large"
    }

    /// What kind of mistake it is.
    public let code: Code
    /// Where it is: a count of bytes from the beginning, 0 for the first.
    public let offset: Int
    /// The mistake in words; safe to show.
    public let message: String

    /// The message with its place.
    public var description: String { "\(message) at byte \(offset)" }
}

extension JSONValue {
    /// How much JSON is taken from outside.
    public struct Limits: Sendable, Hashable {
        /// The longest text, in bytes.
        public var bytesMax: Int
        /// The deepest nesting of arrays and objects; 1 is a flat object.
        public var depthMax: Int
        /// The most values, counting every array, object, string, number, boolean and null.
        public var valuesMax: Int

        /// Chosen: 16 MiB and 64 levels, more than any document of this network needs; the length bounds the values.
        public init(bytesMax: Int = 16 << 20, depthMax: Int = 64, valuesMax: Int = .max) {
            self.bytesMax = bytesMax
            self.depthMax = depthMax
            self.valuesMax = valuesMax
        }
    }

    /// Reads one JSON text (RFC 8259), UTF-8.
    ///
    /// Stricter than the standard where leniency would let two readers see two documents: a repeated member name,
    /// invalid UTF-8, a lone surrogate escape and a number of more than 64 bytes are errors.
    ///
    /// - Throws: ``JSONError`` with the byte at which reading stopped.
    public init(parsing text: String, limits: Limits = Limits()) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    /// Reads one JSON text (RFC 8259) from UTF-8 bytes; see ``init(parsing:limits:)-(String,_)``.
    public init(parsing bytes: some Collection<UInt8>, limits: Limits = Limits()) throws(JSONError) {
        guard bytes.count <= limits.bytesMax else {
            throw JSONError(code: .tooLarge, offset: limits.bytesMax, message: "more than \(limits.bytesMax) bytes")
        }
        var parser = JSONParser(bytes: Array(bytes), limits: limits)
        self = try parser.parseDocument()
    }
}

struct JSONParser {
    let bytes: [UInt8]
    let depthMax: Int
    private var position = 0
    private var valuesLeft: Int
    private let valuesMax: Int

    /// Chosen: the longest number in real documents is far shorter, and a longer one only costs time to convert.
    private static let numberBytesMax = 64
    /// Up to this many members a linear search for a repeated name is faster than a set.
    private static let linearSearchMax = 16

    /// Room made for an object's members at first. Chosen: most frames have two to four, and growing costs time.
    private static let membersExpected = 4

    init(bytes: [UInt8], limits: JSONValue.Limits) {
        self.bytes = bytes
        depthMax = limits.depthMax
        valuesMax = limits.valuesMax
        valuesLeft = limits.valuesMax
    }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error(.trailingBytes, "more text after the value") }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func error(_ code: JSONError.Code, _ message: String) -> JSONError {
        JSONError(code: code, offset: position, message: message)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func parseValue(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard let byte = next else { throw error(.unexpectedEnd, "the text ends where a value was expected") }
        guard valuesLeft > 0 else { throw error(.tooLarge, "more than \(valuesMax) values") }
        valuesLeft -= 1
        switch byte {
        case UInt8(ascii: "{"): return .object(try parseObject(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try parseArray(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parse(literal: "true", as: .bool(true))
        case UInt8(ascii: "f"): return try parse(literal: "false", as: .bool(false))
        case UInt8(ascii: "n"): return try parse(literal: "null", as: .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        default: throw error(.unexpectedByte, "a value cannot begin with \(Self.name(of: byte))")
        }
    }

    private static func name(of byte: UInt8) -> String {
        (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
    }

    private mutating func parse(literal: StaticString, as value: JSONValue) throws(JSONError) -> JSONValue {
        for expected in literal.description.utf8 {
            guard let byte = next else { throw error(.unexpectedEnd, "the text ends inside \(literal)") }
            guard byte == expected else { throw error(.unexpectedByte, "expected \(literal)") }
            position += 1
        }
        return value
    }

    private mutating func parseArray(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= depthMax else { throw error(.tooDeep, "nested deeper than \(depthMax)") }
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try parseValue(depth: depth))
            if try endOfList(UInt8(ascii: "]")) { return elements }
        }
    }

    private mutating func parseObject(depth: Int) throws(JSONError) -> JSONObject {
        guard depth <= depthMax else { throw error(.tooDeep, "nested deeper than \(depthMax)") }
        position += 1
        var members: [JSONObject.Member] = []
        var names: Set<ExactText> = []
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return JSONObject(uncheckedMembers: members)
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else {
                throw next == nil
                    ? error(.unexpectedEnd, "the text ends inside an object")
                    : error(.unexpectedByte, "expected a member name in quotes")
            }
            let name = try parseString()
            guard !isKnown(name, members, &names) else { throw error(.duplicateName, "the name \"\(name.prefix(64))\" is repeated") }
            skipSpace()
            guard next == UInt8(ascii: ":") else {
                throw error(next == nil ? .unexpectedEnd : .unexpectedByte, "expected ':' after a member name")
            }
            position += 1
            let value = try parseValue(depth: depth)
            if members.isEmpty { members.reserveCapacity(Self.membersExpected) }
            members.append(.init(name: name, value: value))
            if try endOfList(UInt8(ascii: "}")) { return JSONObject(uncheckedMembers: members) }
        }
    }

    private func isKnown(_ name: String, _ members: [JSONObject.Member], _ names: inout Set<ExactText>) -> Bool {
        if members.count < Self.linearSearchMax {
            for member in members where member.name.isSameText(as: name) { return true }
            return false
        }
        if names.isEmpty { names.formUnion(members.map { ExactText($0.name) }) }
        return !names.insert(ExactText(name)).inserted
    }

    /// Reads `,` (false) or the closing bracket (true).
    private mutating func endOfList(_ close: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard let byte = next else { throw error(.unexpectedEnd, "the text ends inside a list") }
        guard byte == close || byte == UInt8(ascii: ",") else {
            throw error(.unexpectedByte, "expected ',' or \(Self.name(of: close))")
        }
        position += 1
        return byte == close
    }

    private mutating func parseNumber() throws(JSONError) -> JSONNumber {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") { position += 1 } else { try skipDigits() }
        if next == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        guard position - start <= Self.numberBytesMax else {
            throw error(.invalidNumber, "a number of more than \(Self.numberBytesMax) bytes")
        }
        return JSONNumber(uncheckedText: String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func skipDigits() throws(JSONError) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else {
            throw next == nil ? error(.unexpectedEnd, "the text ends inside a number") : error(.invalidNumber, "expected a digit")
        }
    }

    private mutating func parseString() throws(JSONError) -> String {
        position += 1
        let start = position
        var isASCII = skipPlain()
        if next == UInt8(ascii: "\"") {  // the usual case: nothing to unescape
            let slice = bytes[start..<position]
            position += 1
            return try decode(slice, isASCII: isASCII)
        }
        var unescaped = Array(bytes[start..<position])
        while true {
            guard let byte = next else { throw error(.unexpectedEnd, "the text ends inside a string") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try decode(unescaped[...], isASCII: isASCII)
            case UInt8(ascii: "\\"):
                let count = unescaped.count
                try parseEscape(into: &unescaped)
                isASCII = isASCII && unescaped[count] < 0x80
            case 0..<0x20: throw error(.invalidString, "a control character in a string must be escaped")
            default:
                let start = position
                isASCII = skipPlain() && isASCII
                unescaped.append(contentsOf: bytes[start..<position])
            }
        }
    }

    /// Skips what stands in a string as it is.
    ///
    /// - Returns: whether all of it was ASCII.
    private mutating func skipPlain() -> Bool {
        var bits: UInt8 = 0
        position = bytes.withUnsafeBufferPointer { bytes in
            var end = position
            while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\"), bytes[end] >= 0x20 {
                bits |= bytes[end]
                end += 1
            }
            return end
        }
        return bits < 0x80
    }

    private func decode(_ slice: ArraySlice<UInt8>, isASCII: Bool) throws(JSONError) -> String {
        // ASCII cannot be invalid, and this way is several times as fast for short strings.
        if isASCII { return String(decoding: slice, as: UTF8.self) }
        guard let text = String(validating: slice, as: UTF8.self) else { throw error(.invalidString, "a string is not UTF-8") }
        return text
    }

    private mutating func parseEscape(into output: inout [UInt8]) throws(JSONError) {
        position += 1
        guard let byte = next else { throw error(.unexpectedEnd, "the text ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"): output.append(contentsOf: String(Character(try parseUnicodeEscape())).utf8)
        default: throw error(.invalidString, "unknown escape in a string")
        }
    }

    private mutating func parseUnicodeEscape() throws(JSONError) -> UnicodeScalar {
        let first = try parseFourDigits()
        if let scalar = UnicodeScalar(UInt32(first)) { return scalar }
        guard UTF16.isLeadSurrogate(first), next == UInt8(ascii: "\\") else { throw error(.invalidString, "a lone surrogate in a string") }
        position += 1
        guard next == UInt8(ascii: "u") else { throw error(.invalidString, "a lone surrogate in a string") }
        position += 1
        let second = try parseFourDigits()
        let value = 0x10000 + (UInt32(first & 0x3FF) << 10) + UInt32(second & 0x3FF)
        guard UTF16.isTrailSurrogate(second), let scalar = UnicodeScalar(value) else {
            throw error(.invalidString, "a lone surrogate in a string")
        }
        return scalar
    }

    private mutating func parseFourDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next else { throw error(.unexpectedEnd, "the text ends inside a string") }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: throw error(.invalidString, "expected four hexadecimal digits")
            }
            position += 1
        }
        return value
    }
}
