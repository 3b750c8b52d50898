/// A package URL (purl), as far as it tells which package is meant.
///
/// Source: the purl specification (ECMA-427): `pkg:type/namespace/name@version?qualifiers#subpath`.
public struct PackageURL: Sendable, Hashable {
    /// The same text for every way in which scanners write one package: without qualifiers and subpath, percent escapes undone, the
    /// type in lower case, the epoch in the version.
    ///
    /// Debian's and Red Hat's packages have an epoch before the version, which one scanner writes as a qualifier and another as a part
    /// of the version; 0 is the same as none. PyPI's names do not tell case, `_` and `-` apart.
    public let canonical: String

    /// Reads a package URL; `nil` when the text is none.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax, text.hasPrefix("pkg:") else { return nil }
        let withoutSubpath = text.dropFirst("pkg:".count).prefix { $0 != "#" }
        let parts = withoutSubpath.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = Self.unescaped(parts[0].drop { $0 == "/" })
        guard let slash = path.firstIndex(of: "/"), slash != path.startIndex, !path.hasSuffix("/") else { return nil }
        let type = path[..<slash].lowercased()
        var rest = String(path[path.index(after: slash)...])
        guard !rest.isEmpty else { return nil }
        if type == "pypi" { rest = String(rest.lowercased().map { $0 == "_" ? "-" : $0 }) }
        let epoch = parts.count == 2 ? Self.qualifier("epoch", in: parts[1]) : nil
        canonical = "pkg:\(type)/" + Self.withEpoch(rest, epoch)
    }

    /// Chosen: far longer than any real one.
    private static let bytesMax = 2048

    /// Moves an epoch into the version.
    private static func withEpoch(_ package: String, _ epoch: String?) -> String {
        // The last `@`: a namespace may have one, such as npm's scopes.
        guard let at = package.lastIndex(of: "@"), at != package.startIndex else { return package }
        let name = package[..<at]
        var version = package[package.index(after: at)...]
        if version.hasPrefix("0:") { version = version.dropFirst(2) }
        if let epoch, epoch != "0", !epoch.isEmpty, !version.hasPrefix(epoch + ":") { return "\(name)@\(epoch):\(version)" }
        return "\(name)@\(version)"
    }

    private static func qualifier(_ name: String, in text: Substring) -> String? {
        for pair in text.split(separator: "&") where pair.hasPrefix(name + "=") { return unescaped(pair.dropFirst(name.count + 1)) }
        return nil
    }

    /// Undoes percent escapes; a broken one stays as it is.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first, let low = rest.dropFirst().first,
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
