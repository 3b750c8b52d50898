/// A `WWW-Authenticate` header, as far as registries use it. Source: RFC 9110, section 11.6.1; distribution, "Token Authentication".
enum Challenge: Hashable, Sendable {
    /// A token is to be had at `realm` for `service`.
    case bearer(realm: String, service: String?)
    /// Name and password are wanted.
    case basic

    /// Longest header looked at, in bytes. Chosen: real ones have under 300.
    private static let bytesMax = 4096

    /// Finds the first challenge that is understood, Bearer before Basic.
    ///
    /// - Parameter headers: the values of all `WWW-Authenticate` headers.
    /// - Returns: `nil` when there is none.
    static func parse(_ headers: [String]) -> Challenge? {
        var sawBasic = false
        for header in headers where header.utf8.count <= bytesMax {
            let scheme = header.prefix { $0 != " " }.lowercased()
            if scheme == "basic" { sawBasic = true }
            guard scheme == "bearer" else { continue }
            let parameters = parameters(header.dropFirst(scheme.count))
            if let realm = parameters["realm"] { return .bearer(realm: realm, service: parameters["service"]) }
        }
        return sawBasic ? .basic : nil
    }

    /// `name=value` or `name="value"`, parted by commas. What does not fit ends the reading.
    private static func parameters(_ text: Substring) -> [String: String] {
        var found: [String: String] = [:]
        var rest = Array(text.unicodeScalars)[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "," || $0 == "\t" }
            let name = rest.prefix { $0 != "=" }
            rest = rest.dropFirst(name.count)
            guard !name.isEmpty, rest.popFirst() == "=" else { return found }
            var value = String.UnicodeScalarView()
            if rest.first == "\"" {
                rest.removeFirst()
                while let next = rest.popFirst(), next != "\"" {
                    if next == "\\", let escaped = rest.popFirst() { value.append(escaped) } else { value.append(next) }
                }
            } else {
                let plain = rest.prefix { $0 != "," && $0 != " " }
                value.append(contentsOf: plain)
                rest = rest.dropFirst(plain.count)
            }
            var key = String.UnicodeScalarView()
            key.append(contentsOf: name)
            found[String(key).lowercased()] = String(value)
        }
    }
}
