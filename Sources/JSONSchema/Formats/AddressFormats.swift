/// Addresses of hosts.
enum AddressFormats {
    /// Source: RFC 2673 §3.2: four numbers up to 255, without zeros before them.
    static let isIPv4: @Sendable (String) -> Bool = { text in
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { Character.isDigit($0) } && (part == "0" || !part.hasPrefix("0"))
                    && (Int(part) ?? 256) < 256
            }
    }

    /// Source: RFC 4291 §2.2.
    static let isIPv6: @Sendable (String) -> Bool = { text in
        guard text.utf8.allSatisfy({ Character.isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }) else { return false }
        var text = text
        var groupsMax = 8
        if let colon = text.lastIndex(of: ":"), text[colon...].contains(".") {
            guard isIPv4(String(text[text.index(after: colon)...])) else { return false }
            // What is left keeps a "::" whole, but no single ":" at its end.
            text = String(text[...colon])
            if !text.hasSuffix("::") { text.removeLast() }
            groupsMax = 6
        } else if text.contains(".") {
            return false
        }
        guard !text.contains(":::") else { return false }
        let halves = split(text)
        guard halves.count <= 2 else { return false }
        let groups = halves.flatMap { $0.isEmpty ? [] : $0.split(separator: ":", omittingEmptySubsequences: false) }
        guard groups.allSatisfy({ (1...4).contains($0.utf8.count) }) else { return false }
        return halves.count == 2 ? groups.count < groupsMax : groups.count == groupsMax
    }

    /// The parts before and after each `::`.
    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = Substring(text)
        while let colon = rest.indices.first(where: { rest[$0...].hasPrefix("::") }) {
            parts.append(rest[..<colon])
            rest = rest[rest.index(colon, offsetBy: 2)...]
        }
        return parts + [rest]
    }
}

/// E-mail addresses.
enum MailFormats {
    /// Source: RFC 5321 §4.1.2, Mailbox; with Unicode RFC 6531 §3.3.
    static func isEmail(_ text: String, allowsUnicode: Bool) -> Bool {
        guard let at = text.lastIndex(of: "@") else { return false }
        let (local, domain) = (text[..<at], text[text.index(after: at)...])
        guard allowsUnicode || text.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        return isLocalPart(local) && isDomain(domain, allowsUnicode: allowsUnicode)
    }

    private static func isLocalPart(_ text: Substring) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 64 else { return false }
        if text.hasPrefix("\""), text.hasSuffix("\""), text.utf8.count >= 2 { return isQuoted(text.dropFirst().dropLast()) }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.utf8.allSatisfy { Character.isLetter($0) || Character.isDigit($0) || $0 >= 0x80 || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
        }
    }

    private static func isQuoted(_ text: Substring) -> Bool {
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                guard let next = rest.popFirst(), (0x20...0x7E).contains(next) else { return false }
            } else {
                guard byte >= 0x20, byte != 0x7F, byte != UInt8(ascii: "\"") else { return false }
            }
        }
        return true
    }

    private static func isDomain(_ text: Substring, allowsUnicode: Bool) -> Bool {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return HostFormats.isHostname(String(text), allowsUnicode: allowsUnicode) }
        let literal = text.dropFirst().dropLast()
        if literal.lowercased().hasPrefix("ipv6:") { return AddressFormats.isIPv6(String(literal.dropFirst(5))) }
        return AddressFormats.isIPv4(String(literal))
    }
}
