import JSON
import Sigstore
import Synchronization

/// Signers of the harness: let the network's log take signatures, one after the other, and note what it acknowledged.
final class ChaosLog: Sendable {
    private struct Acknowledged {
        let index: Int
        let body: [UInt8]
    }

    private struct State {
        var acknowledged: [Acknowledged] = []
        /// The newest state that the log was seen to have signed.
        var checkpoint: String?
    }

    private let network: ChaosNetwork
    private let key = SigningKey.generate()
    private let state = Mutex(State())

    init(network: ChaosNetwork) { self.network = network }

    /// How many entries were acknowledged.
    var count: Int { state.withLock(\.acknowledged.count) }

    private var address: String { network.url + "/rekor" }

    /// Signs one thing after the other until it is enough.
    func sign(_ number: Int, until isOver: () -> Bool) async throws {
        let client = try APIClient(address: network.url, key: nil)
        var signed = 0
        while !isOver() {
            let message = Array("chaos-\(number)-\(signed)".utf8)
            signed += 1
            let entry = try await logged(message)
            state.withLock { $0.acknowledged.append(Acknowledged(index: entry.logIndex, body: entry.canonicalizedBody)) }
            // Seen or not, the play goes on.
            if let note = try? await client.document("/rekor/checkpoint") { state.withLock { $0.checkpoint = String(decoding: note, as: UTF8.self) } }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Asks until the log has said that it has the entry.
    private func logged(_ message: [UInt8]) async throws -> Sigstore.Bundle.LogEntry {
        let proposed = RekorDocuments.hashedRekord(
            digest: PublicKey.HashAlgorithm.sha256.hash(message), .sha256, signature: try key.sign(message), by: .key(key.publicKey))
        while true {
            do {
                return try await SigningServices().entry(proposed, logAt: address)
            } catch is CommandFailure {
                // Dead, starting, dying, or without room: nobody knows whether it was taken, and asked again the log says so.
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// What is wrong with the log once all has come to rest.
    func faults() async throws -> [String] {
        let (acknowledged, checkpoint) = state.withLock { ($0.acknowledged, $0.checkpoint) }
        let client = try APIClient(address: network.url, key: nil)
        let root = try TrustedRoot(parsing: try await client.document("/api/v1/trusted-root.json"))
        let found = try await RemoteLog(client: client, logs: root.logs).check(since: checkpoint)
        var faults = found.faults
        if found.entries != acknowledged.count {
            faults.append("The log has \(found.entries) entries, and \(acknowledged.count) were acknowledged.")
        }
        for one in acknowledged {
            let entry = try? RekorDocuments.entry(answer: try await client.document("/rekor/api/v1/log/entries?logIndex=\(one.index)"))
            if entry?.canonicalizedBody != one.body { faults.append("Entry \(one.index) of the log is not the one that was acknowledged.") }
        }
        return faults
    }
}
