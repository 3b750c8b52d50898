import Glibc
import Synchronization

/// Blobs in a folder, each under its digest: `blobs/<algorithm>/<hex>`, the inside of an OCI layout.
///
/// A blob that is there was hashed on its way in and made durable before it got its name. Safe for many tasks, many stores and many
/// processes on one folder. Blobs are never changed, only added and removed.
public final class ContentStore: Sendable {
    /// Absolute or relative path of the folder, as given.
    public let root: String
    let queue: BlockingQueue
    private let counter = Atomic<UInt64>(0)

    /// Bytes moved in one step, a count. Chosen: larger steps were not faster.
    static let chunkBytes = 256 << 10
    /// Names tried for a temporary file, a count. Chosen: more than files that a crash of a busy process leaves.
    private static let namesTriedMax = 100_000

    /// Opens a store, making its folders where they are missing and removing temporary files of crashed writers.
    ///
    /// Blocks for a few system calls. Temporary files of living writers, in this process or another, are left alone.
    ///
    /// - Parameter root: the folder's path.
    /// - Throws: `storage_failure`.
    public init(root: String) throws(OCIError) {
        self.root = FolderTools.trimmingEndSlashes(root)
        queue = BlockingQueue(label: "oci.store")
        do {
            for algorithm in Digest.Algorithm.allCases {
                try FolderTools.makeFolders("\(self.root)/blobs/\(algorithm.rawValue)")
            }
            try FolderTools.makeFolders("\(self.root)/ingest", mode: 0o700)
            try removeLeftovers()
        } catch {
            throw error.storageFailure("the image store")
        }
    }

    /// Path where a blob is, or would be. Whoever opens it does not write to it.
    public func path(of digest: Digest) -> String {
        "\(root)/blobs/\(digest.algorithm.rawValue)/\(digest.hex)"
    }

    /// Whether the blob is there. One system call.
    public func contains(_ digest: Digest) -> Bool {
        size(of: digest) != nil
    }

    /// Size of a blob in bytes, or `nil` when it is not there. One system call.
    public func size(of digest: Digest) -> Int64? {
        // A status that cannot be had counts as absent: the blob is then fetched again, or reported missing.
        guard let status = try? FolderTools.status(of: path(of: digest)), status.isRegularFile else { return nil }
        return Int64(status.st_size)
    }

    /// Reads a small blob and checks its digest again.
    ///
    /// - Parameters:
    ///   - digest: the blob.
    ///   - max: most bytes read.
    /// - Throws: `missing_blob`, `limit_exceeded`, `digest_mismatch` (the disk or somebody changed it), `storage_failure`.
    /// - Returns: the whole blob, at most `max` bytes.
    public func read(_ digest: Digest, max: Int) async throws -> [UInt8] {
        try await queue.run { _ in try self.readBlocking(digest, max: max) }
    }

    /// Stores bytes that are in memory.
    ///
    /// - Parameter bytes: the blob.
    /// - Throws: `storage_failure`, `CancellationError`.
    /// - Returns: its digest (SHA-256).
    @discardableResult
    public func store(_ bytes: [UInt8]) async throws -> Digest {
        try await queue.run { _ in
            let writer = try BlobWriter(store: self, expected: nil, bytesMax: Int64(bytes.count))
            try writer.append(bytes)
            return try writer.commit().digest
        }
    }

    /// Stores a blob that arrives in pieces, each hashed and counted as it comes.
    ///
    /// Refuses at the first byte too many. After any failure or cancellation nothing is left behind. Already there: nothing is read.
    ///
    /// - Parameters:
    ///   - descriptor: digest and size that the bytes must have.
    ///   - pieces: the bytes in order, in pieces of any size.
    /// - Throws: `size_mismatch`, `digest_mismatch`, `storage_failure`, `CancellationError`, and what `pieces` throws.
    public func ingest<Pieces: AsyncSequence & Sendable>(_ descriptor: Descriptor, from pieces: Pieces) async throws
    where Pieces.Element == [UInt8] {
        if size(of: descriptor.digest) == descriptor.size { return }
        let ingest = try await BlobIngest(store: self, descriptor: descriptor, bytesMax: descriptor.size)
        do {
            for try await piece in pieces { try await ingest.append(piece) }
            try await ingest.commit()
        } catch {
            await ingest.abandon()
            throw error
        }
    }

    /// Stores a file's bytes.
    ///
    /// - Parameters:
    ///   - path: a regular file; a symbolic link is refused.
    ///   - descriptor: digest and size that the bytes must have.
    /// - Throws: `missing_blob` when there is no such file, `size_mismatch`, `digest_mismatch`, `storage_failure`, `CancellationError`.
    public func ingest(_ descriptor: Descriptor, fileAt path: String) async throws {
        if size(of: descriptor.digest) == descriptor.size { return }
        try await queue.run { cancellation in
            let file = try OpenFile.open(
                path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
                orMissing: OCIError(.missingBlob, "The blob \(descriptor.digest) is not there."))
            let size = Int64(try file.status().st_size)
            let range = FileRange(file: file, offset: 0, size: size)
            try self.copyBlocking(range, as: descriptor, cancellation: cancellation)
        }
    }

    /// Hashes a stored blob again.
    ///
    /// - Throws: `missing_blob`, `size_mismatch`, `digest_mismatch`, `storage_failure`, `CancellationError`.
    public func verify(_ descriptor: Descriptor) async throws {
        try await queue.run { try self.verifyBlocking(descriptor, cancellation: $0) }
    }

    /// Removes a blob; nothing there is fine. The caller knows that no image needs it.
    ///
    /// - Throws: `storage_failure`.
    public func remove(_ digest: Digest) async throws {
        try await queue.run { _ in try FolderTools.removeTree(self.path(of: digest)) }
    }

    /// All blobs there are, in no order.
    ///
    /// - Throws: `storage_failure`.
    public func digests() async throws -> [Digest] {
        try await queue.run { _ in
            var all: [Digest] = []
            for algorithm in Digest.Algorithm.allCases {
                let folder = try OpenFile(path: "\(self.root)/blobs/\(algorithm.rawValue)", flags: O_RDONLY | O_DIRECTORY)
                for name in try FolderTools.names(in: folder.descriptor) {
                    // A name that is no digest is no blob of ours, so it is left out.
                    if let digest = try? Digest("\(algorithm.rawValue):\(String(decoding: name, as: UTF8.self))") { all.append(digest) }
                }
            }
            return all
        }
    }
}

extension ContentStore {
    /// Opens a blob for reading and checks its size.
    func openBlocking(_ descriptor: Descriptor) throws -> OpenFile {
        let file = try openBlocking(descriptor.digest)
        let size = Int64(try file.status().st_size)
        guard size == descriptor.size else {
            throw OCIError(.sizeMismatch, "The blob \(descriptor.digest) has \(size) bytes instead of \(descriptor.size).")
        }
        return file
    }

    func readBlocking(_ digest: Digest, max: Int) throws -> [UInt8] {
        let file = try openBlocking(digest)
        let size = Int64(try file.status().st_size)
        guard size <= Int64(max) else {
            throw OCIError(.limitExceeded, "The blob \(digest) has \(size) bytes; at most \(max) are read here.")
        }
        let bytes = try FileRange(file: file, offset: 0, size: size).readAll()
        var hasher = DigestHasher(algorithm: digest.algorithm)
        hasher.update(bytes)
        guard hasher.finalize() == digest else {
            throw OCIError(.digestMismatch, "The stored blob \(digest) was changed on disk; remove it and fetch the image again.")
        }
        return bytes
    }

    func verifyBlocking(_ descriptor: Descriptor, cancellation: Cancellation) throws {
        let range = FileRange(file: try openBlocking(descriptor), offset: 0, size: descriptor.size)
        var hasher = DigestHasher(algorithm: descriptor.digest.algorithm)
        try range.forEachChunk { bytes in
            try cancellation.check()
            hasher.update(bytes)
        }
        guard hasher.finalize() == descriptor.digest else {
            throw OCIError(
                .digestMismatch, "The stored blob \(descriptor.digest) was changed on disk; remove it and fetch the image again.")
        }
    }

    func copyBlocking(_ range: FileRange, as descriptor: Descriptor, cancellation: Cancellation) throws {
        guard range.size == descriptor.size else {
            throw OCIError(
                .sizeMismatch, "The blob \(descriptor.digest) has \(range.size) bytes instead of \(descriptor.size).")
        }
        let writer = try BlobWriter(
            store: self, expected: (descriptor.digest, descriptor.size), bytesMax: descriptor.size)
        try range.forEachChunk { bytes in
            try cancellation.check()
            try writer.append(bytes)
        }
        _ = try writer.commit()
    }

    /// Makes a temporary file that is locked as long as it is open.
    func makeTemporaryFile() throws(SystemError) -> (OpenFile, String) {
        for _ in 0..<Self.namesTriedMax {
            let path = "\(root)/ingest/\(getpid())-\(counter.wrappingAdd(1, ordering: .relaxed).oldValue)"
            let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            // Safety: Swift keeps the C string alive for the call.
            guard let opened = try SystemCall.check("open", tolerating: [EEXIST], { open(path, flags, 0o600) }) else { continue }
            let file = OpenFile(owning: opened)
            // A store that starts right now may have seen the file before its lock: then it is locked or gone, and we take the next.
            let isLocked = flock(file.descriptor, LOCK_EX | LOCK_NB) == 0
            if isLocked, try file.status().st_nlink > 0 { return (file, path) }
        }
        throw SystemError(operation: "open", code: EEXIST)
    }

    /// Gives a finished temporary file its final name.
    func adopt(temporaryPath: String, as digest: Digest) throws(SystemError) {
        let final = path(of: digest)
        // Safety: Swift keeps both C strings alive for the call.
        try SystemCall.check("rename") { rename(temporaryPath, final) }
        try FolderTools.syncParent(of: final)
    }

    private func openBlocking(_ digest: Digest) throws -> OpenFile {
        try OpenFile.open(
            path(of: digest), flags: O_RDONLY | O_NOFOLLOW,
            orMissing: OCIError(.missingBlob, "The blob \(digest) is not in the store; fetch the image again."))
    }

    private func removeLeftovers() throws(SystemError) {
        let folder = try OpenFile(path: "\(root)/ingest", flags: O_RDONLY | O_DIRECTORY)
        for name in try FolderTools.names(in: folder.descriptor) {
            // One that vanishes meanwhile belongs to another store that starts or writes; nothing to do then.
            guard let file = try? OpenFile(at: folder.descriptor, name: name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { continue }
            guard flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
            // Safety: the C name is NUL-ended and lives for the call. A failure is harmless: the next start tries again.
            _ = unlinkat(folder.descriptor, name.cName, 0)
        }
    }
}
