import JSON

/// Rows for people, in aligned columns.
struct Table {
    /// One column.
    struct Column {
        enum Kind {
            case left, right
            /// Left, and cut to fit where the terminal is narrower than the table.
            case clipped
        }

        let title: String
        let kind: Kind

        static func left(_ title: String) -> Column { Column(title: title, kind: .left) }
        static func right(_ title: String) -> Column { Column(title: title, kind: .right) }
        static func clipped(_ title: String) -> Column { Column(title: title, kind: .clipped) }
    }

    private let columns: [Column]
    private let rows: [[String]]

    /// Chosen: what a cut column keeps at least; a narrower terminal wraps.
    private static let clippedWidthMin = 12
    private static let gap = "  "

    /// A table. Shape of `rows`: one array a row with one text a column; missing ones are empty.
    init(_ columns: [Column], _ rows: [[String]]) {
        self.columns = columns
        self.rows = rows.map { row in columns.indices.map { $0 < row.count ? Self.oneLine(row[$0]) : "" } }
    }

    /// The heading and the rows, as wide as their content, without spaces at the end.
    ///
    /// Where the table is wider than the terminal even so, each row is a paragraph with a line for each column, so that no
    /// line wraps into the next.
    ///
    /// - Parameter widthMax: terminal cells; clipped columns give way to it. `nil` cuts nothing.
    func lines(widthMax: Int? = nil, indentation: Int = 0) -> [String] {
        let lead = String(repeating: " ", count: indentation)
        let all = [columns.map(\.title)] + rows
        let widths = fitted(
            columns.indices.map { index in all.map { Self.width($0[index]) }.max() ?? 0 }, widthMax: widthMax.map { $0 - indentation })
        if let widthMax, indentation + Self.total(widths) > widthMax { return paragraphs(indentation: indentation) }
        return all.map { row in
            let cells = columns.indices.map { Self.cell(row[$0], columns[$0].kind, width: widths[$0]) }
            return Self.trimmed(lead + cells.joined(separator: Self.gap))
        }
    }

    private func paragraphs(indentation: Int) -> [String] {
        let paragraphs = rows.map { row in
            FieldList.lines(zip(columns, row).map { ($0.title, $1.isEmpty ? nil : $1) }, indentation: indentation)
        }
        return Array(paragraphs.joined(separator: [""]))
    }

    private static func total(_ widths: [Int]) -> Int { widths.reduce(0, +) + gap.count * max(0, widths.count - 1) }

    /// The widths after clipped columns have given way, the last first.
    private func fitted(_ natural: [Int], widthMax: Int?) -> [Int] {
        guard let widthMax else { return natural }
        var widths = natural
        var excess = Self.total(natural) - widthMax
        for index in columns.indices.reversed() where columns[index].kind == .clipped && excess > 0 {
            let given = min(excess, max(0, widths[index] - Self.clippedWidthMin))
            widths[index] -= given
            excess -= given
        }
        return widths
    }

    private static func cell(_ text: String, _ kind: Column.Kind, width: Int) -> String {
        let shown = clipped(text, to: width)
        let padding = String(repeating: " ", count: max(0, width - self.width(shown)))
        return kind == .right ? padding + shown : shown + padding
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    /// The text cut to so many terminal cells, with an ellipsis where something is missing.
    static func clipped(_ text: String, to width: Int) -> String {
        guard self.width(text) > width else { return text }
        var (kept, used) = ("", 0)
        for character in text {
            let cells = self.width(of: character)
            guard used + cells < width else { break }
            kept.append(character)
            used += cells
        }
        return kept + "…"
    }

    /// White space and control characters, line ends too, as single spaces.
    static func oneLine(_ text: String) -> String {
        text.split { $0.isWhitespace || $0.isNewline || ($0.unicodeScalars.first?.value ?? 0x20) < 0x20 }.joined(separator: " ")
    }

    /// How many terminal cells a text takes.
    static func width(_ text: String) -> Int { text.reduce(0) { $0 + width(of: $1) } }

    /// Two cells for the blocks of wide characters, none for what is only a format or a combining mark, else one.
    ///
    /// Source: Unicode Standard Annex #11, "East Asian Width" (W and F), by whole blocks.
    private static func width(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        if scalar.value < 0x300 { return 1 }
        if scalar.properties.generalCategory == .format || scalar.properties.generalCategory == .nonspacingMark { return 0 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD,
    ]
}

/// Named values for people, one a line, the values aligned.
enum FieldList {
    /// Lines for the fields that have a value; further lines of a value stand below its first.
    static func lines(_ fields: [(name: String, value: String?)], indentation: Int = 2) -> [String] {
        let shown = fields.compactMap { field in field.value.map { (field.name, $0) } }
        let width = shown.map { Table.width($0.0) }.max() ?? 0
        return shown.flatMap { name, value -> [String] in
            let lead = String(repeating: " ", count: indentation)
            let gap = String(repeating: " ", count: width - Table.width(name) + 2)
            let below = String(repeating: " ", count: indentation + width + 2)
            let parts = value.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            return ["\(lead)\(name)\(gap)\(parts.first ?? "")"] + parts.dropFirst().map { below + $0 }
        }
    }
}

extension JSONValue {
    /// The value in words for people: `-` for `null`, `yes` and `no`, elements parted by commas.
    var words: String {
        switch self {
        case .null: "-"
        case .bool(let value): value ? "yes" : "no"
        case .number(let number): number.text
        case .string(let text): text.isEmpty ? "-" : text
        case .array(let elements): elements.isEmpty ? "-" : elements.map(\.words).joined(separator: ", ")
        case .object: text
        }
    }
}

extension JSONValue? {
    /// The value in words for people; `-` when it is missing.
    var words: String { self?.words ?? "-" }

    /// The value in words for people; `nil` when there is nothing to tell.
    var wordsIfAny: String? {
        let words = self.words
        return words == "-" ? nil : words
    }
}
