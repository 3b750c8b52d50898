import JSON
import TestSupport

@testable import Sigstore

/// Damages files in ways that parsers stumble over; the same seed and number give the same bytes.
struct Mutator: Sendable {
    /// What a file is, for damage that keeps its outer form.
    enum Format: Sendable {
        case json, der, pem, text
    }

    let format: Format
    let corpus: [[UInt8]]
    /// The corpus as values; `nil` where a file is no JSON.
    private let values: [JSONValue?]

    /// Chosen: many times what the files have, and small enough that a quick parser stays quick.
    static let bytesMax = 256 << 10

    init(_ format: Format, _ corpus: [[UInt8]]) {
        self.format = format
        self.corpus = corpus
        values = format == .json ? corpus.map { try? JSONValue(parsing: $0) } : corpus.map { _ in nil }
    }

    /// A damaged file of the corpus.
    func bytes(seed: UInt64, number: Int) -> [UInt8] {
        // An odd factor, so that every number has a state of its own.
        var chance = Chance(state: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95)
        guard !corpus.isEmpty else { return [] }
        let chosen = chance.below(corpus.count)
        var bytes = corpus[chosen]
        let keepsForm = format != .text && chance.below(2) == 0
        if keepsForm {
            switch format {
            case .json: if let value = values[chosen] { bytes = JSONDamage.damaged(value, &chance) }
            case .der: bytes = DERDamage.damaged(bytes, &chance)
            case .pem: bytes = Self.damagedInside(bytes, &chance)
            case .text: break
            }
        }
        // Now and then both.
        guard !keepsForm || chance.below(4) == 0 else { return Array(bytes.prefix(Self.bytesMax)) }
        for _ in 0...chance.below(4) { bytes = ByteDamage.damaged(bytes, beside: corpus, &chance) }
        return Array(bytes.prefix(Self.bytesMax))
    }

    /// A text whose first PEM document is damaged inside.
    private static func damagedInside(_ bytes: [UInt8], _ chance: inout Chance) -> [UInt8] {
        guard let document = try? PEM.all(in: String(decoding: bytes, as: UTF8.self)).first else { return bytes }
        return Array(PEM(label: document.label, bytes: DERDamage.damaged(document.bytes, &chance)).text.utf8)
    }
}

/// Numbers by chance.
struct Chance {
    private var random: SplitMix64

    init(state: UInt64) { random = SplitMix64(state: state) }

    mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(max(1, bound))) }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }

    mutating func range(in count: Int, max: Int) -> Range<Int> {
        let start = below(count + 1)
        return start..<min(count, start + below(max))
    }
}

/// Damage to bytes, whatever they are.
enum ByteDamage {
    /// Signs of JSON, PEM, base64, notes and DER, and the ends of ranges.
    private static let interesting: [UInt8] = [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0D, 0x20, 0x22, 0x2B, 0x2D, 0x30, 0x31, 0x39, 0x3D, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x7F,
        0x80, 0x81, 0x84, 0x88, 0xA0, 0xA3, 0xC0, 0xE2, 0xED, 0xF4, 0xFE, 0xFF,
    ]
    private static let runs = [
        "\n\n", "\r\n", "\u{2014} ", "-----BEGIN ", "-----END ", "-----", "====", "\\u0000", "\\ud800", "null", "18446744073709551616", "-1",
        "1e999999999",
    ].map { Array($0.utf8) }

    static func damaged(_ bytes: [UInt8], beside corpus: [[UInt8]], _ chance: inout Chance) -> [UInt8] {
        var bytes = bytes
        let place = chance.below(bytes.count)
        switch chance.below(8) {
        case 0: if !bytes.isEmpty { bytes[place] ^= 1 << chance.below(8) }
        case 1: if !bytes.isEmpty { bytes[place] = chance.one(of: interesting) }
        case 2: bytes.removeSubrange(chance.range(in: bytes.count, max: 64))
        case 3:
            let run = chance.below(2) == 0 ? chance.one(of: runs) : (0...chance.below(16)).map { _ in UInt8(chance.below(256)) }
            bytes.insert(contentsOf: run, at: place)
        case 4: bytes.insert(contentsOf: Array(bytes[chance.range(in: bytes.count, max: 256)]), at: place)
        case 5:
            let other = chance.one(of: corpus)
            bytes = Array(bytes.prefix(place) + other.dropFirst(chance.below(other.count + 1)))
        case 6: bytes.removeSubrange(place...)
        default: bytes.insert(contentsOf: [UInt8](repeating: chance.one(of: interesting), count: 1 << chance.below(14)), at: place)
        }
        return bytes
    }
}

/// Damage to a document that leaves it JSON, or nearly.
enum JSONDamage {
    private static let numbers = [
        "0", "-0", "-1", "1.0", "1.5", "1e2", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
        "18446744073709551616", "1e400", "-1e400", "1e-400", "5e-324", "1.7976931348623157e308", "1e999999999999999999", "1e-999999999999999999",
        "0.00000000000000000000000000000000000000000000000000000000000001", "123456789012345678901234567890123456789012345678901234567890",
    ].compactMap { try? JSONValue(parsing: $0) }
    private static let texts = [
        "", " ", "\n", "\r\n", "\u{0}", "é", "e\u{301}", "😀", "\u{FFFD}", "=", "====", "AA==", "A", "-1", "007", "9223372036854775808", "0x10",
        "sha256:", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-02-29T00:00:00Z",
    ]
    private static let mark = "the place of the nesting"

    static func damaged(_ value: JSONValue, _ chance: inout Chance) -> [UInt8] {
        var left = chance.below(count(value))
        let kind = chance.below(8)
        guard kind == 0 else { return edited(value, &left) { changed($0, &chance) }.bytes }
        let nested = edited(value, &left) { _ in .string(mark) }.text
        let depth = chance.one(of: [8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 20_000])
        let (open, close) = chance.below(2) == 0 ? ("[", "]") : (#"{"a":"#, "}")
        let parts = nested.split(separator: "\"\(mark)\"", maxSplits: 1, omittingEmptySubsequences: false)
        let inside = String(repeating: open, count: depth) + "1" + String(repeating: close, count: chance.below(4) == 0 ? 0 : depth)
        return Array((parts.first ?? "").utf8) + Array(inside.utf8) + Array((parts.count > 1 ? parts[1] : "").utf8)
    }

    private static func count(_ value: JSONValue) -> Int {
        switch value {
        case .array(let elements): 1 + elements.reduce(0) { $0 + count($1) }
        case .object(let object): 1 + object.members.reduce(0) { $0 + count($1.value) }
        case .null, .bool, .number, .string: 1
        }
    }

    /// Changes one value, by its number in the order written.
    private static func edited(_ value: JSONValue, _ left: inout Int, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        defer { left -= 1 }
        if left == 0 { return change(value) }
        switch value {
        case .array(let elements):
            return .array(
                elements.map { element in
                    left -= 1
                    defer { left += 1 }
                    return left < 0 ? element : edited(element, &left, change)
                })
        case .object(let object):
            var changed: JSONObject = [:]
            for member in object.members {
                left -= 1
                defer { left += 1 }
                changed[member.name] = left < 0 ? member.value : edited(member.value, &left, change)
            }
            return .object(changed)
        case .null, .bool, .number, .string: return value
        }
    }

    private static func changed(_ value: JSONValue, _ chance: inout Chance) -> JSONValue {
        if case .string(let text) = value, chance.below(4) > 0 {
            // What is inside is a file of its own as a rule: DER, PEM or JSON.
            if let bytes = Base64.bytes(text), bytes.count >= 8 {
                return .string(Base64.text(inner(bytes, &chance)))
            }
            if let bytes = Hexadecimal.bytes(text), bytes.count >= 8 {
                return .string(Hexadecimal.text(ByteDamage.damaged(bytes, beside: [bytes], &chance)))
            }
            return .string(String(decoding: ByteDamage.damaged(Array(text.utf8), beside: [Array(text.utf8)], &chance), as: UTF8.self))
        }
        switch chance.below(8) {
        case 0: return .null
        case 1: return .bool(true)
        case 2: return chance.one(of: [.array([]), .object([:]), .array([.null]), .object(["": .null])])
        case 3: return .string(String(repeating: "A", count: 1 << chance.below(14)))
        case 4: return .string(chance.one(of: texts))
        case 5:
            let count = chance.one(of: [2, 17, 33, 65, 300])
            if let one = value.array?.first { return .array(Array(repeating: one, count: count)) }
            return .array(Array(repeating: .null, count: count))
        case 6:
            guard var object = value.object, !object.members.isEmpty else { return .string(chance.one(of: texts)) }
            object[chance.one(of: object.members).name] = nil
            return .object(object)
        default: return chance.one(of: numbers)
        }
    }

    private static func inner(_ bytes: [UInt8], _ chance: inout Chance) -> [UInt8] {
        if bytes.first == 0x30 { return DERDamage.damaged(bytes, &chance) }
        if bytes.first == UInt8(ascii: "{"), let value = try? JSONValue(parsing: bytes) { return damaged(value, &chance) }
        return ByteDamage.damaged(bytes, beside: [bytes], &chance)
    }
}

/// Damage to DER that leaves the lengths around it right, or makes one wrong.
enum DERDamage {
    private indirect enum Node {
        case primitive(UInt8, [UInt8])
        case constructed(UInt8, [Node])

        var bytes: [UInt8] {
            switch self {
            case .primitive(let tag, let content): DERWriter.wrapped(tag, content)
            case .constructed(let tag, let parts): DERWriter.wrapped(tag, parts.flatMap(\.bytes))
            }
        }

        var count: Int { if case .constructed(_, let parts) = self { parts.reduce(1) { $0 + $1.count } } else { 1 } }
    }

    static func damaged(_ bytes: [UInt8], _ chance: inout Chance) -> [UInt8] {
        guard let nodes = nodes(bytes[...]), !nodes.isEmpty else { return ByteDamage.damaged(bytes, beside: [bytes], &chance) }
        var left = chance.below(nodes.reduce(0) { $0 + $1.count })
        return nodes.flatMap { edited($0, &left) { changed($0, &chance) } }
    }

    /// The elements that bytes are; `nil` for any others. Identifiers of more than one byte are none here.
    private static func nodes(_ bytes: ArraySlice<UInt8>) -> [Node]? {
        var (nodes, rest): ([Node], ArraySlice<UInt8>) = ([], bytes)
        while let tag = rest.popFirst() {
            guard tag & 0x1F != 0x1F, let first = rest.popFirst() else { return nil }
            var length = Int(first)
            if first >= 0x80 {
                guard (0x81...0x83).contains(first), rest.count >= Int(first & 0x7F) else { return nil }
                length = rest.prefix(Int(first & 0x7F)).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(Int(first & 0x7F))
            }
            guard length <= rest.count else { return nil }
            let content = rest.prefix(length)
            rest = rest.dropFirst(length)
            if tag & 0x20 != 0, let parts = Self.nodes(content) {
                nodes.append(.constructed(tag, parts))
            } else {
                nodes.append(.primitive(tag, Array(content)))
            }
        }
        return nodes
    }

    /// The bytes of an element, in which one is changed, by its number in the order written.
    private static func edited(_ node: Node, _ left: inout Int, _ change: (Node) -> [UInt8]) -> [UInt8] {
        defer { left -= 1 }
        if left == 0 { return change(node) }
        guard left > 0, left < node.count, case .constructed(let tag, let parts) = node else {
            left -= node.count - 1
            return node.bytes
        }
        left -= 1
        defer { left += 1 }
        var content: [UInt8] = []
        for part in parts { content += edited(part, &left, change) }
        return DERWriter.wrapped(tag, content)
    }

    /// Lengths: indefinite, none, of the most bytes, and not the shortest form.
    private static let lengths: [[UInt8]] = [
        [0x80], [0xFF], [0x84, 0xFF, 0xFF, 0xFF, 0xFF], [0x84, 0x7F, 0xFF, 0xFF, 0xFF], [0x88] + [UInt8](repeating: 0xFF, count: 8),
        [0x88, 0x7F] + [UInt8](repeating: 0xFF, count: 7), [0x89, 0x01] + [UInt8](repeating: 0, count: 8), [0x81, 0x00], [0x82, 0x00, 0x01], [0x00],
        [0x7F], [0x82, 0xFF, 0xFF], [0xFE] + [UInt8](repeating: 0xFF, count: 126),
    ]
    private static let tags: [UInt8] = [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x1F, 0x30, 0x31, 0x3F, 0x80, 0x82, 0xA0, 0xA1, 0xA3, 0xFF,
    ]

    private static func changed(_ node: Node, _ chance: inout Chance) -> [UInt8] {
        let bytes = node.bytes
        let (tag, content): (UInt8, [UInt8]) =
            switch node {
            case .primitive(let tag, let content): (tag, content)
            case .constructed(let tag, let parts): (tag, parts.flatMap(\.bytes))
            }
        switch chance.below(9) {
        case 0: return [tag] + chance.one(of: lengths) + content
        case 1: return [UInt8(chance.one(of: tags))] + bytes.dropFirst()
        case 2: return []
        case 3: return Array([[UInt8]](repeating: bytes, count: chance.one(of: [2, 3, 17, 70])).joined())
        case 4: return nested(bytes, chance.one(of: [1, 10, 49, 51, 100, 1000, 4000]), chance.one(of: [0x30, 0x31, 0xA0]))
        case 5: return DERWriter.wrapped(tag, [])
        case 6: return DERWriter.wrapped(tag, [UInt8](repeating: UInt8(chance.below(256)), count: 1 << chance.below(13)))
        case 7: return DERWriter.wrapped(tag, ByteDamage.damaged(content, beside: [content], &chance))
        default: return DERWriter.wrapped(tag, content + chance.one(of: [[0], [0xFF], [0x05, 0x00], [0x30, 0x80], content]))
        }
    }

    /// Wrapped many times over; written from the inside out, which takes as long as it is.
    private static func nested(_ bytes: [UInt8], _ depth: Int, _ tag: UInt8) -> [UInt8] {
        var heads: [UInt8] = []
        var length = bytes.count
        for _ in 0..<depth {
            let head = DERWriter.wrapped(tag, [UInt8](repeating: 0, count: length)).dropLast(length)
            heads.insert(contentsOf: head, at: 0)
            length += head.count
        }
        return heads + bytes
    }
}
