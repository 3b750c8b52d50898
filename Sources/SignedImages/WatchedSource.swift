import OCI
public import Sigstore
import Synchronization

extension ImageSignatures {
    /// Insists that an image of a registry has at least one signature that the policy accepts.
    ///
    /// As ``verify(digest:in:now:)``, but where the registry did not give a blob that may be the accepted signature, that is said: what could not
    /// be checked is not wrong.
    ///
    /// - Throws: `OCIError` where the registry does not answer, or not to this client; ``Refusal`` where it did and there is no such signature;
    ///   `CancellationError`.
    public func verify(digest: String, inRegistry source: any ImageSource, now: Moment) async throws -> Accepted {
        let watched = WatchedSource(source)
        do { return try await verify(digest: digest, in: watched, now: now) } catch let refusal as Refusal {
            if let outage = watched.outage { throw outage }
            throw refusal
        }
    }
}

/// Another source, whose failures are kept: a verifier takes a blob that cannot be read for one that is not there, and a registry that does
/// not answer must not count as a signature that is wrong.
final class WatchedSource: ImageSource {
    private let source: any ImageSource
    private let last = Mutex<OCIError?>(nil)

    init(_ source: any ImageSource) { self.source = source }

    /// The last failure of a registry that tells nothing of what was asked for.
    var outage: OCIError? { last.withLock { $0 } }

    func manifest(digest: String) async throws -> [UInt8]? { try await watching { try await source.manifest(digest: digest) } }
    func manifest(tag: String) async throws -> [UInt8]? { try await watching { try await source.manifest(tag: tag) } }
    func blob(digest: String, size: Int) async throws -> [UInt8]? { try await watching { try await source.blob(digest: digest, size: size) } }
    func referrers(of digest: String) async throws -> [Referrer] { try await watching { try await source.referrers(of: digest) } }

    private func watching<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as OCIError {
            // What is stored there and cannot be used, or is not there, is an answer.
            if Refusal(error) == nil, error.code != .notFound { last.withLock { $0 = error } }
            throw error
        }
    }
}
