/// The formats of JSON Schema 2020-12, validation §7.3, by name.
enum Formats {
    /// The check of a format; `nil` for one that is not known, which then asserts nothing.
    static func check(_ name: String) -> (@Sendable (String) -> Bool)? { checks[name] }

    private static let checks: [String: @Sendable (String) -> Bool] = [
        "date-time": DateFormats.isDateTime, "date": DateFormats.isDate, "time": DateFormats.isTime, "duration": DateFormats.isDuration,
        "email": { MailFormats.isEmail($0, allowsUnicode: false) }, "idn-email": { MailFormats.isEmail($0, allowsUnicode: true) },
        "hostname": { HostFormats.isHostname($0, allowsUnicode: false) }, "idn-hostname": { HostFormats.isHostname($0, allowsUnicode: true) },
        "ipv4": AddressFormats.isIPv4, "ipv6": AddressFormats.isIPv6, "uri": { URIFormats.isURI($0, allowsUnicode: false) },
        "uri-reference": { URIFormats.isReference($0, allowsUnicode: false) }, "iri": { URIFormats.isURI($0, allowsUnicode: true) },
        "iri-reference": { URIFormats.isReference($0, allowsUnicode: true) }, "uri-template": URIFormats.isTemplate, "uuid": isUUID,
        "json-pointer": isJSONPointer, "relative-json-pointer": isRelativeJSONPointer,
        "regex": { text in (try? Pattern(text, limits: SchemaLimits())) != nil },  // why it is none does not matter here
    ]

    /// Source: RFC 4122 §3: 8-4-4-4-12 hexadecimal digits.
    private static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.joined().utf8.allSatisfy { Character.isHexadecimal($0) }
    }

    /// Source: RFC 6901 §3.
    private static func isJSONPointer(_ text: String) -> Bool {
        guard text.isEmpty || text.hasPrefix("/") else { return false }
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            if scalar == "~" { guard let code = rest.popFirst(), code == "0" || code == "1" else { return false } }
        }
        return true
    }

    /// Source: draft-bhutton-relative-json-pointer-00 §3.
    private static func isRelativeJSONPointer(_ text: String) -> Bool {
        let digits = text.utf8.prefix { Character.isDigit($0) }
        guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0") else { return false }
        let rest = String(text.dropFirst(digits.count))
        return rest == "#" || isJSONPointer(rest)
    }
}

extension Character {
    /// Of a byte of ASCII.
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }

    static func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20) }
}
