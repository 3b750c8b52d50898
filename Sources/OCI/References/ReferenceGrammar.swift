/// The rules of reference texts, one predicate per production. Source: github.com/distribution/reference, `reference.go` and `regexp.go`.
enum ReferenceGrammar {
    /// Whether the part before the first `/` is meant as a registry: it has a dot or a port, or is `localhost`.
    static func looksLikeRegistry(_ text: String) -> Bool {
        text == "localhost" || text.contains(".") || text.contains(":")
    }

    /// `host[:port]`, where the host is a DNS name, an IPv4 address or an IPv6 address in brackets.
    static func isRegistry(_ text: String) -> Bool {
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<close]
            return isIPv6(address) && isPortSuffix(text[text.index(after: close)...])
        }
        let host = text.prefix { $0 != ":" }
        guard host.utf8.count <= 253, isPortSuffix(text[host.endIndex...]) else { return false }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isDomainComponent)
    }

    /// Path components parted by `/`, at most 255 characters in all.
    static func isRepository(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= ImageReference.repositoryLengthMax else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isPathComponent)
    }

    /// `[\w][\w.-]{0,127}`.
    static func isTag(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= ImageReference.tagLengthMax, isWord(first) else { return false }
        return bytes.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
    private static func isPathComponent(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        var sawAlphanumeric = false
        for byte in text.utf8 {
            if isLowerAlphanumeric(byte) {
                guard isSeparator(separator) else { return false }
                separator = []
                sawAlphanumeric = true
            } else {
                guard sawAlphanumeric else { return false }
                separator.append(byte)
            }
        }
        return sawAlphanumeric && separator.isEmpty
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        switch bytes {
        case [], [UInt8(ascii: ".")], [UInt8(ascii: "_")], [UInt8(ascii: "_"), UInt8(ascii: "_")]: true
        default: bytes.allSatisfy { $0 == UInt8(ascii: "-") }
        }
    }

    private static func isDomainComponent(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
        return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
            && bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isIPv6(_ text: Substring) -> Bool {
        let isHexOrColon = text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: ":")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        return isHexOrColon && text.contains(":") && (2...39).contains(text.utf8.count)
    }

    private static func isPortSuffix(_ text: Substring) -> Bool {
        if text.isEmpty { return true }
        let digits = text.dropFirst()
        guard text.first == ":", (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(digits)
        else { return false }
        return (1...65_535).contains(port)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || byte == UInt8(ascii: "_") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
