/// Names of hosts. Source: RFC 1123 §2.1 and RFC 5890–5892 for internationalised ones.
enum HostFormats {
    static func isHostname(_ text: String, allowsUnicode: Bool) -> Bool {
        let dots: Set<Character> = allowsUnicode ? [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"] : ["."]
        var labels: [[Unicode.Scalar]] = []
        var length = -1
        for part in text.split(omittingEmptySubsequences: false, whereSeparator: { dots.contains($0) }) {
            guard let label = label(part, allowsUnicode: allowsUnicode), label.length <= 63 else { return false }
            labels.append(label.scalars)
            length += label.length + 1
        }
        return length <= 253 && BidirectionalRule.allows(labels)
    }

    /// The label's characters and its length in ASCII; `nil` for none that may be.
    private static func label(_ label: Substring, allowsUnicode: Bool) -> (scalars: [Unicode.Scalar], length: Int)? {
        guard !label.isEmpty else { return nil }
        let scalars = Array(label.unicodeScalars)
        guard scalars.allSatisfy(\.isASCII) else {
            guard allowsUnicode, isUnicodeLabel(scalars), let encoded = Punycode.encoded(scalars) else { return nil }
            return (scalars, 4 + encoded.utf8.count)
        }
        guard label.utf8.allSatisfy({ Character.isLetter($0) || Character.isDigit($0) || $0 == UInt8(ascii: "-") }), !label.hasPrefix("-"),
            !label.hasSuffix("-")
        else { return nil }
        guard scalars.count >= 4, scalars[2] == "-", scalars[3] == "-" else { return (scalars, scalars.count) }
        let lower = label.lowercased()
        guard lower.hasPrefix("xn--"), let decoded = Punycode.decoded(String(lower.dropFirst(4))), decoded.contains(where: { !$0.isASCII }),
            isUnicodeLabel(decoded), Punycode.encoded(decoded) == String(lower.dropFirst(4))
        else { return nil }
        return (decoded, scalars.count)
    }

    /// Source: RFC 5891 §4.2.3 and RFC 5892 appendix A.
    private static func isUnicodeLabel(_ label: [Unicode.Scalar]) -> Bool {
        guard let first = label.first, first != "-", label.last != "-", first.properties.canonicalCombiningClass == .notReordered,
            ![.nonspacingMark, .spacingMark, .enclosingMark].contains(first.properties.generalCategory)
        else { return false }
        if label.count >= 4, label[2] == "-", label[3] == "-" { return false }
        return label.indices.allSatisfy { isAllowed(label, at: $0) }
    }

    private static func isAllowed(_ label: [Unicode.Scalar], at index: Int) -> Bool {
        let scalar = label[index]
        let (before, after) = (index > 0 ? label[index - 1] : nil, index + 1 < label.count ? label[index + 1] : nil)
        switch scalar.value {
        case 0x2D, 0x30...0x39, 0x61...0x7A: return true
        // Middle dot: between two l's.
        case 0xB7: return before == "l" && after == "l"
        // Greek keraia: before a Greek character.
        case 0x375: return after.map(isGreek) ?? false
        // Hebrew geresh and gershayim: after a Hebrew character.
        case 0x5F3, 0x5F4: return before.map { (0x590...0x5FF).contains($0.value) } ?? false
        // Katakana middle dot: with at least one Hiragana, Katakana or Han character.
        case 0x30FB: return label.contains { (0x3041...0x3096).contains($0.value) || (0x30A1...0x30FA).contains($0.value) || isHan($0) }
        // Arabic-Indic digits and extended ones do not mix.
        case 0x660...0x669: return !label.contains { (0x6F0...0x6F9).contains($0.value) }
        case 0x6F0...0x6F9: return !label.contains { (0x660...0x669).contains($0.value) }
        // Zero width joiner and non-joiner: after a virama; the non-joiner also between joining letters.
        case 0x200D: return before?.properties.canonicalCombiningClass == .virama
        case 0x200C: return before?.properties.canonicalCombiningClass == .virama || isBetweenJoining(label, index)
        default: return isProtocolValid(scalar)
        }
    }

    /// Roughly RFC 5892 §3: letters, digits and marks that stay the same under case folding and NFKC, and its exceptions.
    private static func isProtocolValid(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: return true
        case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .modifierLetter, .otherLetter, .nonspacingMark, .spacingMark, .decimalNumber:
            // Compatibility forms and old Hangul letters are out.
            let isCompatibility =
                (0xFB00...0xFDFF).contains(scalar.value) || (0xFE70...0xFEFF).contains(scalar.value)
                || (0xFF00...0xFFEF).contains(scalar.value) || (0x1100...0x11FF).contains(scalar.value)
            return !isCompatibility && scalar.properties.lowercaseMapping == String(scalar)
        default: return false
        }
    }

    private static func isGreek(_ scalar: Unicode.Scalar) -> Bool {
        (0x370...0x3FF).contains(scalar.value) || (0x1F00...0x1FFF).contains(scalar.value)
    }

    private static func isHan(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isIdeographic || scalar.value == 0x3005 }

    /// Arabic and its neighbours join; which letter joins to which side is taken from their blocks.
    private static func isBetweenJoining(_ label: [Unicode.Scalar], _ index: Int) -> Bool {
        func joins(_ scalar: Unicode.Scalar) -> Bool {
            (0x620...0x64A).contains(scalar.value) || (0x66E...0x6D3).contains(scalar.value) || (0x6FA...0x77F).contains(scalar.value)
                || (0x7CA...0x7EA).contains(scalar.value) || (0x1820...0x18AA).contains(scalar.value)
        }
        let before = label[..<index].last { $0.properties.generalCategory != .nonspacingMark }
        let after = label[(index + 1)...].first { $0.properties.generalCategory != .nonspacingMark }
        return before.map(joins) == true && after.map(joins) == true
    }
}
