/// Reads a pattern. Groups inside one another are bounded, because reading them calls itself.
struct PatternParser {
    private let text: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private(set) var groupCount = 0
    private var groupNames: [String: Int] = [:]
    private var namedReferences: [(String)] = []
    private var highestReference = 0
    private(set) var hasBackReferences = false
    private static let depthMax = 50
    /// A count above is as good as none: no text here is so long.
    private static let repetitionMax = 1_000_000

    init(_ text: String) {
        self.text = Array(text.unicodeScalars)
        groupNames = Self.names(in: self.text)
    }

    /// The names of groups with their numbers, found before reading, because a name may be referred to before its group.
    private static func names(in text: [Unicode.Scalar]) -> [String: Int] {
        var names: [String: Int] = [:]
        var (index, count, isInClass) = (0, 0, false)
        while index < text.count {
            switch text[index] {
            case "\\": index += 1
            case "[": isInClass = true
            case "]": isInClass = false
            case "(" where !isInClass:
                let next = text[(index + 1)...].prefix(3)
                if next.first != "?" { count += 1 }
                if next.starts(with: ["?", "<"]), next.count == 3, next.last != "=", next.last != "!" {
                    count += 1
                    let name = text[(index + 3)...].prefix { $0 != ">" }
                    names[String(String.UnicodeScalarView(name))] = count
                }
            default: break
            }
            index += 1
        }
        return names
    }

    mutating func parse() throws(PatternError) -> PatternNode {
        let node = try disjunction()
        guard position == text.count else { throw PatternError(message: "has a ')' without '('") }
        guard highestReference <= groupCount else { throw PatternError(message: "refers to group \(highestReference), which is not there") }
        return node
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        let scalars = Array(word.unicodeScalars)
        guard text[position...].starts(with: scalars) else { return false }
        position += scalars.count
        return true
    }

    private mutating func disjunction() throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw PatternError(message: "has groups nested too deeply") }
        var choices = [try alternative()]
        while take("|") { choices.append(try alternative()) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func alternative() throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let (node, canRepeat) = try term()
            nodes.append(try repeated(node, canRepeat))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func term() throws(PatternError) -> (PatternNode, canRepeat: Bool) {
        guard let scalar = next else { return (.empty, false) }
        position += 1
        switch scalar {
        case "^": return (.start, false)
        case "$": return (.end, false)
        case ".": return (.set(ScalarSet.lineEnds.negated), true)
        case "(": return try group()
        case "[": return (.set(try characterClass()), true)
        case "\\": return try escape()
        case "*", "+", "?", "{": throw PatternError(message: "has '\(scalar)' with nothing before it to repeat")
        case "}", "]": throw PatternError(message: "has a '\(scalar)' that must be escaped")
        default: return (.set(.one(scalar.value)), true)
        }
    }

    private mutating func repeated(_ node: PatternNode, _ canRepeat: Bool) throws(PatternError) -> PatternNode {
        let (least, most): (Int, Int?)
        switch next {
        case "*": (least, most) = (0, nil)
        case "+": (least, most) = (1, nil)
        case "?": (least, most) = (0, 1)
        case "{":
            position += 1
            guard let first = number() else { throw PatternError(message: "has a '{' that is no count") }
            var last: Int? = first
            if take(",") { last = number() }
            guard next == "}" else { throw PatternError(message: "has a '{' that is no count") }
            if let last, last < first { throw PatternError(message: "has counts out of order") }
            (least, most) = (first, last)
        default: return node
        }
        position += 1
        guard canRepeat else { throw PatternError(message: "repeats what cannot be repeated") }
        let isLazy = take("?")
        return .repetition(node, least: least, most: most, isGreedy: !isLazy)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), Self.repetitionMax)
            position += 1
        }
        return value
    }

    private mutating func group() throws(PatternError) -> (PatternNode, canRepeat: Bool) {
        var look: (isBehind: Bool, isNegative: Bool)?
        var number: Int?
        if take("?:") {
        } else if take("?=") {
            look = (false, false)
        } else if take("?!") {
            look = (false, true)
        } else if take("?<=") {
            look = (true, false)
        } else if take("?<!") {
            look = (true, true)
        } else {
            if take("?<") { _ = try groupName() } else if next == "?" { throw PatternError(message: "has a group of an unknown kind") }
            groupCount += 1
            number = groupCount
        }
        let inner = try disjunction()
        guard take(")") else { throw PatternError(message: "has a '(' without ')'") }
        if let look { return (.look(inner, isBehind: look.isBehind, isNegative: look.isNegative), false) }
        return (number.map { .group(inner, $0) } ?? inner, true)
    }

    private mutating func groupName() throws(PatternError) -> String {
        var name = String.UnicodeScalarView()
        while let scalar = next, scalar != ">" {
            name.append(scalar)
            position += 1
        }
        guard take(">"), let first = name.first, first == "$" || first == "_" || first.properties.isIDStart,
            name.allSatisfy({ $0 == "$" || $0.properties.isIDContinue })
        else { throw PatternError(message: "has a group with an unusable name") }
        return String(name)
    }

    // MARK: Escapes

    private mutating func escape() throws(PatternError) -> (PatternNode, canRepeat: Bool) {
        guard let scalar = next else { throw PatternError(message: "ends with a '\\'") }
        switch scalar {
        case "b", "B":
            position += 1
            return (.wordBoundary(isNegative: scalar == "B"), false)
        case "1"..."9":
            let group = number() ?? 0
            highestReference = max(highestReference, group)
            hasBackReferences = true
            return (.backReference(group), true)
        case "k":
            position += 1
            guard take("<"), case let name = try groupName(), let group = groupNames[name] else {
                throw PatternError(message: "refers to a group by a name that is not there")
            }
            hasBackReferences = true
            return (.backReference(group), true)
        default:
            if let set = try classEscape() { return (.set(set), true) }
            return (.set(.one(try characterEscape(isInClass: false))), true)
        }
    }

    /// `\d`, `\p{…}` and their like; `nil` when it is another escape.
    private mutating func classEscape() throws(PatternError) -> ScalarSet? {
        guard let scalar = next else { return nil }
        let sets: [Unicode.Scalar: ScalarSet] = ["d": .digits, "w": .word, "s": .space]
        if let set = sets[scalar] ?? sets[Unicode.Scalar(scalar.value | 0x20) ?? scalar]?.negated, "dwsDWS".unicodeScalars.contains(scalar) {
            position += 1
            return set
        }
        guard scalar == "p" || scalar == "P" else { return nil }
        position += 1
        guard take("{") else { throw PatternError(message: "has a '\\p' without a property in braces") }
        let name = text[position...].prefix { $0 != "}" }
        position += name.count
        guard take("}"), let property = UnicodeProperty(String(String.UnicodeScalarView(name))) else {
            throw PatternError(message: "names a Unicode property that is not known here")
        }
        return ScalarSet(items: [scalar == "p" ? .property(property) : .not(property)])
    }

    private mutating func characterEscape(isInClass: Bool) throws(PatternError) -> UInt32 {
        guard let scalar = next else { throw PatternError(message: "ends with a '\\'") }
        position += 1
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "b" where isInClass: return 0x08
        case "0":
            if let digit = next, ("0"..."9").contains(digit) { throw PatternError(message: "has an octal escape") }
            return 0
        case "c":
            guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
                throw PatternError(message: "has a '\\c' without a letter")
            }
            position += 1
            return letter.value % 32
        case "x": return try hexadecimal(2)
        case "u": return try unicodeEscape()
        default:
            guard !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar), scalar != "_" else {
                throw PatternError(message: "has an unknown escape '\\\(scalar)'")
            }
            return scalar.value
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(PatternError) -> UInt32 {
        let digits = text[position...].prefix(count)
        guard digits.count == count, digits.allSatisfy(\.properties.isASCIIHexDigit),
            let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
        else { throw PatternError(message: "has an escape without its hexadecimal digits") }
        position += count
        return value
    }

    private mutating func unicodeEscape() throws(PatternError) -> UInt32 {
        if take("{") {
            let digits = text[position...].prefix { $0 != "}" }
            position += digits.count
            guard take("}"), !digits.isEmpty, digits.allSatisfy(\.properties.isASCIIHexDigit),
                let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 16), value <= 0x10FFFF
            else { throw PatternError(message: "has an escape that is no code point") }
            return value
        }
        let high = try hexadecimal(4)
        guard (0xD800...0xDBFF).contains(high) else { return high }
        let before = position
        if take("\\u"), let low = try? hexadecimal(4), (0xDC00...0xDFFF).contains(low) {  // else it is a lone surrogate, which matches nothing
            return 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
        }
        position = before
        return high
    }

    // MARK: Classes

    private mutating func characterClass() throws(PatternError) -> ScalarSet {
        let isNegated = take("^")
        var items: [ScalarSet.Item] = []
        while !take("]") {
            guard next != nil else { throw PatternError(message: "has a '[' without ']'") }
            let first = try classAtom()
            guard next == "-", position + 1 < text.count, text[position + 1] != "]" else {
                items += first.asItems
                continue
            }
            position += 1
            let last = try classAtom()
            guard let lower = first.single, let upper = last.single, lower <= upper else {
                throw PatternError(message: "has a range that is out of order or not of characters")
            }
            items.append(.range(lower...upper))
        }
        return ScalarSet(items: items, isNegated: isNegated)
    }

    private mutating func classAtom() throws(PatternError) -> ScalarSet {
        guard let scalar = next else { throw PatternError(message: "has a '[' without ']'") }
        position += 1
        guard scalar == "\\" else { return .one(scalar.value) }
        if let set = try classEscape() { return set }
        return .one(try characterEscape(isInClass: true))
    }
}

extension ScalarSet {
    /// The character, if the set is just one.
    fileprivate var single: UInt32? {
        guard items.count == 1, !isNegated, case .range(let range) = items[0], range.count == 1 else { return nil }
        return range.lowerBound
    }
}
