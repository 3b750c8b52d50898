import Foundation
import Glibc

/// Records that are too large for a row, each in a file of its own beside the database: `FOLDER/JOB/SEQ`.
///
/// A row that speaks of a file is committed only once the file is on disk. A file without a row is nobody's: the next record with its number takes
/// its place, and it goes with its job.
public struct RecordFolder: Sendable {
    private let path: String

    /// Longest record that stays in its row, in bytes. Chosen: up to there a second fsync costs more than writing the bytes twice, into SQLite's
    /// log and then into its file.
    public static let rowBytesMax = 256 << 10

    /// Makes the folder if it is missing.
    ///
    /// - Throws: ``StorageError`` `unavailable`, also for one that cannot be written to: large records would be refused for ever.
    init(path: String) throws {
        self.path = path
        guard access(path, F_OK) != 0 else {
            guard access(path + "/.", W_OK | X_OK) == 0 else { throw Self.failure("write to the folder", path) }
            return
        }
        guard mkdir(path, 0o700) == 0 else { throw Self.failure("make the folder", path) }
        try Self.sync(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    private func folder(_ jobID: String) -> String { "\(path)/\(jobID)" }

    /// Writes records of a job to disk.
    ///
    /// - Throws: ``StorageError`` `unavailable`.
    func store(_ records: [RecordRow], jobID: String) throws {
        let folder = folder(jobID)
        if access(folder, F_OK) != 0 {
            guard mkdir(folder, 0o700) == 0 else { throw Self.failure("make the folder", folder) }
            do { try Self.sync(path) } catch {
                // Or the next record would find a folder that may not be on disk.
                rmdir(folder)
                throw error
            }
        }
        for record in records {
            let file = "\(folder)/\(record.seq)"
            try Self.write(record.body, file + ".new")
            guard rename(file + ".new", file) == 0 else { throw Self.failure("rename", file) }
        }
        try Self.sync(folder)
    }

    private static func write(_ bytes: [UInt8], _ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open", path) }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: written), bytes.count - written) }
            guard count > 0 || errno == EINTR else { throw failure("write", path) }
            written += max(0, count)
        }
        guard fsync(file) == 0 else { throw failure("write", path) }
    }

    private static func sync(_ folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("write", folder) }
    }

    private static func failure(_ what: String, _ path: String) -> StorageError {
        StorageError(.unavailable, "cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }

    /// Reads a record.
    ///
    /// - Parameter count: how many bytes its row says it has.
    /// - Throws: ``StorageError`` `unavailable` for a file that is not there, or of another length.
    func bytes(jobID: String, seq: Int, count: Int) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: "\(folder(jobID))/\(seq)"), data.count == count else {
            throw StorageError(.unavailable, "record \(seq) of job \(jobID) is not in its file, or not whole")
        }
        return Array(data)
    }

    /// Whether anything of a job is here.
    func hasAny(of jobID: String) -> Bool { access(folder(jobID), F_OK) == 0 }

    /// Removes all of a job; one that is not here is no mistake.
    ///
    /// - Throws: ``StorageError`` `unavailable`.
    public func remove(_ jobID: String) throws {
        guard hasAny(of: jobID) else { return }
        do { try FileManager.default.removeItem(atPath: folder(jobID)) } catch {
            throw StorageError(.unavailable, "cannot remove \(folder(jobID)): \(error)")
        }
    }
}
