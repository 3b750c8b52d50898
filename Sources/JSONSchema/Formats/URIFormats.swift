/// URIs, IRIs and templates of them.
enum URIFormats {
    /// Source: RFC 3986 §3; with Unicode RFC 3987 §2.2.
    static func isURI(_ text: String, allowsUnicode: Bool) -> Bool {
        URIReference(text).scheme != nil && isReference(text, allowsUnicode: allowsUnicode)
    }

    static func isReference(_ text: String, allowsUnicode: Bool) -> Bool {
        let parts = URIReference(text)
        guard fits(parts.path, "/:@", allowsUnicode), fits(parts.query ?? "", "/?:@", allowsUnicode, allowsPrivate: true),
            fits(parts.fragment ?? "", "/?:@", allowsUnicode)
        else { return false }
        // Without a scheme, what stands before the first slash must hold no colon, or it would be one.
        if parts.scheme == nil, parts.authority == nil, parts.path.prefix(while: { $0 != "/" }).contains(":") { return false }
        return parts.authority.map { isAuthority($0, allowsUnicode) } ?? true
    }

    private static func isAuthority(_ text: String, _ allowsUnicode: Bool) -> Bool {
        var host = Substring(text)
        if let at = text.lastIndex(of: "@") {
            guard fits(String(text[..<at]), ":", allowsUnicode) else { return false }
            host = text[text.index(after: at)...]
        }
        if host.hasPrefix("[") {
            guard let end = host.lastIndex(of: "]") else { return false }
            let literal = host[host.index(after: host.startIndex)..<end]
            let port = host[host.index(after: end)...]
            let isFuture = literal.lowercased().hasPrefix("v") && fits(String(literal), ":", false)
            return (AddressFormats.isIPv6(String(literal)) || isFuture) && isPort(port)
        }
        if let colon = host.lastIndex(of: ":") {
            guard isPort(host[colon...]) else { return false }
            host = host[..<colon]
        }
        return fits(String(host), "", allowsUnicode)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.hasPrefix(":") && text.dropFirst().utf8.allSatisfy { Character.isDigit($0) })
    }

    /// Whether a text is of unreserved characters, sub-delimiters, percent escapes and some more.
    private static func fits(_ text: String, _ more: String, _ allowsUnicode: Bool, allowsPrivate: Bool = false) -> Bool {
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            if scalar == "%" {
                guard rest.prefix(2).count == 2, rest.prefix(2).allSatisfy(\.properties.isASCIIHexDigit) else { return false }
                rest = rest.dropFirst(2)
            } else if scalar.isASCII {
                let byte = UInt8(scalar.value)
                guard Character.isLetter(byte) || Character.isDigit(byte) || "-._~!$&'()*+,;=".utf8.contains(byte) || more.utf8.contains(byte) else {
                    return false
                }
            } else {
                let category = scalar.properties.generalCategory
                guard allowsUnicode, ![.control, .surrogate, .unassigned].contains(category), allowsPrivate || category != .privateUse else {
                    return false
                }
            }
        }
        return true
    }

    /// Source: RFC 6570 §2.
    static let isTemplate: @Sendable (String) -> Bool = { text in
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            if scalar == "{" {
                let expression = rest.prefix { $0 != "}" && $0 != "{" }
                rest = rest.dropFirst(expression.count)
                guard rest.popFirst() == "}", isExpression(String(expression)) else { return false }
            } else if scalar == "%" {
                guard rest.prefix(2).count == 2, rest.prefix(2).allSatisfy(\.properties.isASCIIHexDigit) else { return false }
            } else if scalar.value < 0x21 || scalar.value == 0x7F || "\"<>\\^`|}".unicodeScalars.contains(scalar) {
                return false
            }
        }
        return true
    }

    private static func isExpression(_ text: String) -> Bool {
        var text = Substring(text)
        if let first = text.first, "+#./;?&=,!@|".contains(first) { text = text.dropFirst() }
        return text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { variable in
            var name = variable
            if name.hasSuffix("*") {
                name = name.dropLast()
            } else if let colon = name.firstIndex(of: ":") {
                let digits = name[name.index(after: colon)...]
                guard let length = Int(digits), (1..<10_000).contains(length), digits == "\(length)" else { return false }
                name = name[..<colon]
            }
            return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
                && name.utf8.allSatisfy { Character.isLetter($0) || Character.isDigit($0) || "_.%".utf8.contains($0) }
        }
    }
}
