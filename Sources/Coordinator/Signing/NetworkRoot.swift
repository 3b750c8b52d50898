public import JSON
import Sigstore

/// The trusted root document of a network: whom its operator believes, and the network's own log.
public struct NetworkRoot: Sendable {
    private let base: @Sendable () throws -> [UInt8]
    private let log: TransparencyLog

    /// The document of a network.
    ///
    /// - Parameter base: whom the operator believes, a trusted root document; asked for each time.
    public init(base: @escaping @Sendable () throws -> [UInt8], log: TransparencyLog) {
        self.base = base
        self.log = log
    }

    /// The document.
    ///
    /// - Parameter baseURL: the address of the network's own log, without a slash at its end.
    /// - Throws: `unavailable` (`trusted_root_unavailable`) when the operator's document cannot be read; (`log_not_begun`).
    public func document(baseURL: String) async throws -> JSONObject {
        let own = try await log.trustedRoot(baseURL: baseURL)
        guard var document = try? JSONValue(parsing: base(), limits: .init(bytesMax: Self.bytesMax, depthMax: 16)).object else {
            throw NetworkTrust.unavailable("the document of the operator cannot be read")
        }
        document["tlogs"] = .array((document["tlogs"]?.array ?? []) + (own["tlogs"]?.array ?? []))
        return document
    }

    /// Chosen: hundreds of times the public instance's.
    private static let bytesMax = 4 << 20

    /// The trust that follows from it.
    public var trust: NetworkTrust {
        NetworkTrust { [self] in try TrustedRoot(parsing: try await document(baseURL: "").bytes) }
    }
}
