import Domain
public import Sigstore

/// Whom the network believes in signatures: the logs, authorities and clocks of its trusted root.
///
/// The root is asked for each time, since keys of a log or authority may change while the coordinator runs.
public struct NetworkTrust: Sendable {
    private let load: @Sendable () async throws -> TrustedRoot

    /// The trust of a network.
    ///
    /// - Parameter load: gives the trusted root as it is now; what it throws is told as an outage.
    public init(_ load: @escaping @Sendable () async throws -> TrustedRoot) { self.load = load }

    /// The trusted root.
    ///
    /// - Throws: `unavailable` (`trusted_root_unavailable`).
    func root() async throws -> TrustedRoot {
        do { return try await load() } catch let error as CancellationError { throw error } catch { throw Self.unavailable("\(error)") }
    }

    /// A verifier for a root.
    ///
    /// - Throws: `unavailable` (`trusted_root_unavailable`) when an authority of it is broken.
    static func verifier(_ root: TrustedRoot) throws -> Verifier {
        do throws(TrustedRoot.Malformed) { return try Verifier(root) } catch { throw unavailable(Refusal(error).message) }
    }

    static func unavailable(_ cause: String) -> ServiceError {
        ServiceError(
            .unavailable, code: "trusted_root_unavailable",
            "The network's trusted root cannot be read now, so no signature can be verified. Try again later.", cause: cause)
    }
}
