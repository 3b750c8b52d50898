import Foundation
import JSON
import Sigstore

/// Whom an Island believes when its owner names nobody: what its coordinator said at the first start, and from then on that, whatever it says later.
enum KeptTrustedRoot {
    /// The root in an Island's folder; at the first start it is asked of the coordinator and kept.
    ///
    /// - Returns: `nil` while there is none and the coordinator does not answer.
    /// - Throws: a failure when the file, or what the coordinator says, cannot be used.
    static func load(folder: String, coordinator: String) async throws -> TrustedRoot? {
        let path = folder + "/trusted-root.json"
        if FileManager.default.fileExists(atPath: path) { return try TrustedRoot(file: path) }
        // A coordinator that is not up yet costs this Island the levels that need a signature, until it starts again.
        guard let client = try? APIClient(address: coordinator, key: nil), let document = try? await client.call(.get, "/trusted-root.json") else {
            return nil
        }
        let root: TrustedRoot
        do throws(TrustedRoot.Malformed) { root = try TrustedRoot(parsing: document.bytes) } catch {
            throw CommandFailure(.failed, "The coordinator's trusted root cannot be used at \"\(error.pointer)\": \(error.message).")
        }
        try Data(document.bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        return root
    }
}
