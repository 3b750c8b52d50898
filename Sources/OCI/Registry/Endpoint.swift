import Foundation

/// Where a URL leads: scheme, host and port. Two URLs of one origin may see the same credentials.
struct Origin: Hashable, Sendable {
    let scheme: String
    let host: String
    let port: Int

    /// Whether the host is this machine, by name or number.
    var isLoopback: Bool { Origin.isLoopback(host) }

    /// Reads the origin of an absolute URL.
    ///
    /// - Returns: `nil` for another scheme than http and https, for a URL without host, and for one that carries a user name.
    init?(_ url: URL) {
        guard let scheme = url.scheme?.lowercased(), scheme == "http" || scheme == "https",
            let host = url.host(percentEncoded: true)?.lowercased(), !host.isEmpty, url.user == nil, url.password == nil
        else { return nil }
        self.scheme = scheme
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        self.port = url.port ?? (scheme == "https" ? 443 : 80)
    }

    /// `localhost` and names below it, `127.0.0.0/8`, `::1`, "any address" (which connects to this machine too), IPv4 inside IPv6,
    /// and numbers in the short, octal and hexadecimal forms that resolvers take (`127.1`, `0x7f000001`).
    static func isLoopback(_ host: String) -> Bool {
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let name = bare.hasSuffix(".") ? String(bare.dropLast()) : bare
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        var four = in_addr()
        // Safety: `four` is a whole in_addr, and Swift keeps the C string alive for the call. It takes all the short forms.
        if inet_aton(name, &four) != 0 {
            let address = UInt32(bigEndian: four.s_addr)
            return address >> 24 == 127 || address == 0
        }
        var six = in6_addr()
        // Safety: `six` is a whole in6_addr, which inet_pton fills for AF_INET6; Swift keeps the C string alive for the call.
        guard inet_pton(AF_INET6, name, &six) == 1 else { return false }
        let bytes = withUnsafeBytes(of: &six) { Array($0) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10..<12].allSatisfy { $0 == 0xff }
        if isMapped { return bytes[12] == 127 || bytes[12...].allSatisfy { $0 == 0 } }
        return bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] <= 1
    }
}

/// Which URLs a client may go to for one registry.
struct EndpointPolicy: Sendable {
    /// The registry's own origin; credentials go nowhere else.
    let origin: Origin
    /// Base of its URLs, `https://host[:port]/v2/`.
    let base: URL

    /// - Throws: `invalid_reference` when the registry makes no URL.
    init(_ reference: ImageReference, configuration: RegistryConfiguration) throws(OCIError) {
        let host = reference.registry == "docker.io" ? "registry-1.docker.io" : reference.registry
        let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
        let isPlain =
            configuration.plainHTTPRegistries.contains(reference.registry)
            || configuration.loopbackUsesPlainHTTP && Origin.isLoopback(name)
        guard let base = URL(string: "\(isPlain ? "http" : "https")://\(host)/v2/"), let origin = Origin(base) else {
            throw OCIError(.invalidReference, "The registry \"\(OCIError.printable(reference.registry))\" is no host name.")
        }
        self.base = base
        self.origin = origin
    }

    /// Judges a URL that the registry named: a redirect, an upload place or a token service.
    ///
    /// - Parameters:
    ///   - location: absolute, or relative to `current`.
    ///   - current: the URL that was asked.
    /// - Throws: `protocol_violation` for no URL, a step from https to http, plain http to another host than the registry's,
    ///   and a step from another machine to this one's loopback.
    func url(for location: String, from current: URL) throws(OCIError) -> URL {
        guard location.utf8.count <= 8192, let url = URL(string: location, relativeTo: current)?.absoluteURL, let target = Origin(url)
        else { throw OCIError(.protocolViolation, "The registry \(origin.host) answered with a place that is no web address.") }
        guard target.scheme == "https" || target == origin || (origin.scheme == "http" && origin.isLoopback && target.isLoopback) else {
            throw OCIError(.protocolViolation, "The registry \(origin.host) led to an unprotected (http) place; that is refused.")
        }
        guard origin.isLoopback || !target.isLoopback else {
            throw OCIError(.protocolViolation, "The registry \(origin.host) led to this machine's own loopback address; that is refused.")
        }
        return url
    }
}
