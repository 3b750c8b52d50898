import Foundation
import JSON
import Logging
import Sigstore

/// Whom an Island believes when its owner names nobody: what its coordinator said at the first start, and from then on that, whatever it says later.
enum KeptTrustedRoot {
    /// The root in an Island's folder; at the first start it is asked of the coordinator and kept.
    ///
    /// A coordinator that does not answer yet is waited for: without it there is nothing to do, and an Island that went on without a root could offer no
    /// level that needs a signature.
    ///
    /// - Throws: a failure when the file, or what the coordinator says, cannot be used.
    static func load(folder: String, coordinator: String, logger: Logger) async throws -> TrustedRoot {
        let path = folder + "/trusted-root.json"
        if FileManager.default.fileExists(atPath: path) { return try TrustedRoot(file: path) }
        let document = try await whenItAnswers(try APIClient(address: coordinator, key: nil), logger)
        let root: TrustedRoot
        do throws(TrustedRoot.Malformed) { root = try TrustedRoot(parsing: document.bytes) } catch {
            throw CommandFailure(.failed, "The coordinator's trusted root cannot be used at \"\(error.pointer)\": \(error.message).")
        }
        try Data(document.bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        return root
    }

    /// Chosen: an Island and a coordinator that start together meet within seconds, and one question in that time is no burden.
    private static let pause: Duration = .seconds(2)

    private static func whenItAnswers(_ client: APIClient, _ logger: Logger) async throws -> JSONValue {
        while true {
            do {
                return try await client.call(.get, "/trusted-root.json")
            } catch let failure as CommandFailure where failure.exit == .unavailable {
                logger.warning("waiting for the coordinator, to be told whom to believe", metadata: ["error": "\(failure.message)"])
                try await Task.sleep(for: failure.retryAfter ?? pause)
            }
        }
    }
}
