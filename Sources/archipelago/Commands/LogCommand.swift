import ArgumentParser
import Coordinator
import Foundation
import JSON
import Sigstore
import Storage

/// `archipelago log …`.
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Check the network's transparency log of signatures.", subcommands: [LogVerify.self])
}

/// `archipelago log verify`.
struct LogVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Make the log's tree anew from its entries, and compare all of it; exits 1 when it does not fit.",
        discussion: """
            Over the network every entry and tile is read, and the coordinator's word is not taken for anything. With --data-dir the files of
            a coordinator that does not run are checked, and every state that it ever signed.

            Keep the checkpoint that it prints somewhere else: with --since it tells whether anything before it was changed or taken out. The
            file has either the answer with --json, or the checkpoint's own text.

              archipelago log verify --json > seen.json
              archipelago log verify --since seen.json --trusted-root trusted_root.json
            """)

    @Option(help: ArgumentHelp("The data folder of a coordinator that does not run.", valueName: "folder")) var dataDir: String?
    @Option(help: ArgumentHelp("A checkpoint of the log that was kept: its text, or what --json printed.", valueName: "file")) var since: String?
    @Option(help: ArgumentHelp("A trusted root, a JSON file (default: the one that the coordinator gives).", valueName: "file"))
    var trustedRoot: String?
    @OptionGroup var place: AddressOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if dataDir != nil, place.url != nil || trustedRoot != nil {
            throw ValidationError("--data-dir is for files here; --url and --trusted-root are for a coordinator that runs.")
        }
        for path in [since, trustedRoot].compactMap(\.self) { try InputFile.requireExists(path) }
    }

    func run() async throws {
        let kept = try since.map(Self.kept)
        let found = if let dataDir { try await Self.stored(dataDir, kept) } else { try await remote(kept) }
        output.show(
            [
                "verified": .bool(found.faults.isEmpty), "entries": .int(found.entries), "checkpoints": .optional(found.checkpoints),
                "checkpoint": found.faults.isEmpty ? .string(found.checkpoint) : .null, "faults": .array(found.faults.map(JSONValue.string)),
            ],
            ["log          \(found.faults.isEmpty ? "intact" : "BROKEN")", "entries      \(found.entries)"]
                + (found.checkpoints.map { ["checkpoints  \($0)"] } ?? []) + found.faults
                + (found.faults.isEmpty
                    ? ["Keep this checkpoint:"]
                        + found.checkpoint.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
                    : ["Keep the checkpoint that you have."]))
        if !found.faults.isEmpty { throw ExitCode(CommandExit.failed.rawValue) }
    }

    /// The checkpoint in a file.
    private static func kept(_ path: String) throws -> String {
        let bytes = try InputFile.bytes(path)
        let text = (try? JSONValue(parsing: bytes))?["checkpoint"]?.string ?? String(decoding: bytes, as: UTF8.self)
        do throws(SignedNote.Malformed) { _ = try Checkpoint(parsing: Array(text.utf8)) } catch {
            throw CommandFailure(.usage, "'\(path)' is no checkpoint: \(error.message).")
        }
        return text
    }

    /// Checks the files of a data folder, of `serve` or of `dev`.
    private static func stored(_ folder: String, _ kept: String?) async throws -> LogFinding {
        let file = "/coordinator.sqlite"
        let places = [folder, folder + "/coordinator"]
        guard let data = places.first(where: { FileManager.default.fileExists(atPath: $0 + file) }) else {
            throw CommandFailure(.notFound, "\(folder) is no data folder of a coordinator: there is no coordinator.sqlite.")
        }
        // `dev` locks the folder that its coordinator's is in.
        let above = URL(fileURLWithPath: data).deletingLastPathComponent().path
        let lock = try FolderLock(FileManager.default.fileExists(atPath: above + "/dev.json") ? above : data)
        defer { withExtendedLifetime(lock) {} }
        guard let signer = try LogKeyFile(folder: data).existing() else {
            throw CommandFailure(.notFound, "\(data) has no log.key, so no log has begun there.")
        }
        let database = try SQLiteDatabase(path: data + file)
        let result: Result<TransparencyLog.Verification, any Error>
        do {
            result = .success(try await TransparencyLog(database: database, signer: signer, surroundings: .live).verify(since: kept))
        } catch {
            result = .failure(error)
        }
        await database.close()
        let found = try result.get()
        return LogFinding(entries: found.entries, checkpoints: found.checkpoints, checkpoint: found.checkpoint, faults: found.faults)
    }

    /// Checks the log of a coordinator that runs.
    private func remote(_ kept: String?) async throws -> LogFinding {
        let environment = ProcessInfo.processInfo.environment
        let address = try place.named ?? CredentialFile(environment)?.load()?.url ?? AddressOptions.standard
        let client = try APIClient(address: address, key: nil)
        let bytes: [UInt8]
        if let trustedRoot { bytes = try InputFile.bytes(trustedRoot) } else { bytes = try await client.document("/api/v1/trusted-root.json") }
        let root: TrustedRoot
        do throws(TrustedRoot.Malformed) { root = try TrustedRoot(parsing: bytes) } catch { throw CommandFailure(.failed, Refusal(error).message) }
        return try await RemoteLog(client: client, logs: root.logs).check(since: kept)
    }
}
