/// A regular expression of ECMA-262 in Unicode mode, compiled.
///
/// Source: ECMA-262, "RegExp (Regular Expression) Objects". Beyond it, any punctuation may be escaped, as people do. Matching looks for
/// the expression anywhere in the text.
struct Pattern: Sendable {
    let program: PatternProgram
    private let stepsMax: Int

    /// Compiles a pattern.
    init(_ text: String, limits: SchemaLimits) throws(PatternError) {
        guard text.unicodeScalars.count <= limits.patternLengthMax else {
            throw PatternError(message: "is longer than \(limits.patternLengthMax) characters")
        }
        var parser = PatternParser(text)
        let node = try parser.parse()
        var compiler = PatternCompiler(instructionsMax: limits.patternInstructionsMax)
        program = try compiler.compile(node, groups: parser.groupCount, hasBackReferences: parser.hasBackReferences)
        stepsMax = limits.patternStepsMax
    }

    /// Whether the pattern is found in a text; `nil` when it takes too many steps to know.
    func matches(_ text: String) -> Bool? {
        var matcher = PatternMatcher(program, text: Array(text.unicodeScalars), stepsMax: stepsMax)
        return matcher.search()
    }
}

/// Why a text is no pattern that can be used.
struct PatternError: Error {
    let message: String
}

/// A pattern's parts.
indirect enum PatternNode: Sendable {
    case empty
    case set(ScalarSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// `isGreedy` changes nothing about whether there is a match, but about what a back reference sees.
    case repetition(PatternNode, least: Int, most: Int?, isGreedy: Bool)
    case group(PatternNode, Int)
    case look(PatternNode, isBehind: Bool, isNegative: Bool)
    case backReference(Int)
    case start, end
    case wordBoundary(isNegative: Bool)
}

/// A set of characters.
struct ScalarSet: Sendable {
    enum Item: Sendable {
        case range(ClosedRange<UInt32>)
        case property(UnicodeProperty)
        case not(UnicodeProperty)
    }

    var items: [Item]
    var isNegated = false

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let found = items.contains { item in
            switch item {
            case .range(let range): range.contains(scalar.value)
            case .property(let property): property.holds(scalar)
            case .not(let property): !property.holds(scalar)
            }
        }
        return found != isNegated
    }

    static func one(_ value: UInt32) -> ScalarSet { ScalarSet(items: [.range(value...value)]) }

    static let digits = ScalarSet(items: [.range(0x30...0x39)])
    static let word = ScalarSet(items: [.range(0x30...0x39), .range(0x41...0x5A), .range(0x5F...0x5F), .range(0x61...0x7A)])
    /// WhiteSpace and LineTerminator of ECMA-262.
    static let space = ScalarSet(items: [
        .range(0x09...0x0D), .range(0x20...0x20), .range(0xA0...0xA0), .range(0x1680...0x1680), .range(0x2000...0x200A), .range(0x2028...0x2029),
        .range(0x202F...0x202F), .range(0x205F...0x205F), .range(0x3000...0x3000), .range(0xFEFF...0xFEFF),
    ])
    /// What the dot does not match.
    static let lineEnds = ScalarSet(items: [.range(0x0A...0x0A), .range(0x0D...0x0D), .range(0x2028...0x2029)])

    var negated: ScalarSet { ScalarSet(items: items, isNegated: !isNegated) }

    /// The set as items of a larger one; only a plain negation of ranges has to be turned round.
    var asItems: [Item] {
        guard isNegated else { return items }
        var ranges = items.compactMap { item -> ClosedRange<UInt32>? in if case .range(let range) = item { range } else { nil } }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var inverse: [Item] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { inverse.append(.range(next...range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        return inverse + [.range(next...0x10FFFF)]
    }
}
