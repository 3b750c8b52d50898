/// Which messages there are and what their fields hold, as far as a walk over a file needs it.
///
/// **Shape** of its text: a line for each message, the outermost first: the name, then its fields, parted by spaces. A field is its number,
/// `*` when it may occur several times, and what it holds: `v` a varint, `4` or `8` a number of so many bytes, `s` a name, `p` a text for
/// people, `b` bytes, `m` and a name a message; a `w` behind `v`, `4`, `8` or `b` says that these are numbers to compute with.
struct ProtobufSchema: Sendable {
    enum Content: Sendable, Hashable {
        case varint, fixed32, fixed64, name, prose, bytes
        case message(Int)
    }

    struct Field: Sendable, Hashable {
        let content: Content
        let isRepeated: Bool
        let isWeights: Bool
    }

    struct Message: Sendable {
        let name: String
        let fields: [Int: Field]
    }

    let messages: [Message]

    /// Reads a table of this program's own; a mistake in it is the program's.
    init(_ text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        let indices = Dictionary(uniqueKeysWithValues: lines.enumerated().map { (String($1[0]), $0) })
        messages = lines.map { line in
            Message(
                name: String(line[0]),
                fields: Dictionary(uniqueKeysWithValues: line.dropFirst().map { Self.field($0, indices) }))
        }
    }

    private static func field(_ text: Substring, _ indices: [String: Int]) -> (Int, Field) {
        var rest = text.drop { $0.isNumber && $0.isASCII }
        // `4` and `8` say what a field holds, so the number ends before the last digit where nothing else follows it.
        var digits = text.prefix(text.count - rest.count)
        if rest.isEmpty || rest == "w" {
            rest = text.suffix(rest.count + 1)
            digits = digits.dropLast()
        }
        let isRepeated = rest.first == "*"
        if isRepeated { rest = rest.dropFirst() }
        guard let number = Int(digits), let letter = rest.first else { preconditionFailure("a field of the table: \(text)") }
        let name = String(rest.dropFirst())
        return (number, Field(content: content(letter, name, indices), isRepeated: isRepeated, isWeights: letter != "m" && name == "w"))
    }

    private static func content(_ letter: Character, _ name: String, _ indices: [String: Int]) -> Content {
        switch letter {
        case "v": return .varint
        case "4": return .fixed32
        case "8": return .fixed64
        case "s": return .name
        case "p": return .prose
        case "b": return .bytes
        default:
            guard letter == "m", let index = indices[name] else { preconditionFailure("a message of the table: \(name)") }
            return .message(index)
        }
    }

    /// The number of a message by its name, which is in the table.
    func index(of name: String) -> Int {
        guard let index = messages.firstIndex(where: { $0.name == name }) else { preconditionFailure("a message of the table: \(name)") }
        return index
    }
}
