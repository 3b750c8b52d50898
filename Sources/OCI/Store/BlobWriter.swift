import Glibc

/// Writes one blob into a temporary file, hashing and counting each byte as it arrives; `commit` puts it under its digest.
///
/// Blocking; used by one thread at a time. Whoever drops it without `commit` leaves nothing behind: the file goes with `abandon` or
/// with the last reference, and after a crash with the next start of the store (its lock tells that nobody writes any more).
final class BlobWriter {
    private let store: ContentStore
    private let file: OpenFile
    private let temporaryPath: String
    private let expected: (digest: Digest, size: Int64?)?
    private let bytesMax: Int64
    private var hasher: DigestHasher
    private var isOver = false
    /// Bytes so far.
    private(set) var count: Int64 = 0

    /// Opens a temporary file.
    ///
    /// - Parameters:
    ///   - store: where the blob goes.
    ///   - expected: digest and size the bytes must have; a size of `nil` means any up to `bytesMax`; `nil` means any bytes.
    ///   - bytesMax: most bytes accepted, also when the expected size is larger.
    init(store: ContentStore, expected: (digest: Digest, size: Int64?)?, bytesMax: Int64) throws {
        if let size = expected?.size, size > bytesMax {
            throw OCIError(.limitExceeded, "A blob of \(size) bytes is larger than the limit of \(bytesMax) bytes.")
        }
        self.store = store
        self.expected = expected
        self.bytesMax = bytesMax
        hasher = DigestHasher(algorithm: expected?.digest.algorithm ?? .sha256)
        (file, temporaryPath) = try store.makeTemporaryFile()
    }

    deinit {
        if !isOver { abandon() }
    }

    /// Adds bytes.
    ///
    /// - Throws: `size_mismatch` as soon as there are more than expected, `limit_exceeded` above `bytesMax`; `SystemError`.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        let total = count + Int64(bytes.count)
        if let size = expected?.size, total > size {
            throw OCIError(.sizeMismatch, "\(place) has more than the \(size) bytes it should have.")
        }
        guard total <= bytesMax else { throw OCIError(.limitExceeded, "\(place) has more than \(bytesMax) bytes.") }
        try file.write(bytes)
        hasher.update(bytes)
        count = total
    }

    /// Adds bytes; throws as the other `append`.
    func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try append($0) }
    }

    /// Forgets everything written, to start again from the first byte.
    func restart() throws {
        try SystemCall.check("ftruncate") { ftruncate(file.descriptor, 0) }
        try SystemCall.check("lseek") { lseek(file.descriptor, 0, SEEK_SET) }
        hasher = DigestHasher(algorithm: expected?.digest.algorithm ?? .sha256)
        count = 0
    }

    /// Checks size and digest, makes the bytes durable and puts them under their digest.
    ///
    /// A blob that is there already stays; both are equal by their digest.
    ///
    /// - Throws: `size_mismatch`, `digest_mismatch`; `SystemError`. The temporary file is gone then.
    /// - Returns: digest and size.
    func commit() throws -> (digest: Digest, size: Int64) {
        precondition(!isOver, "a blob is committed once")
        defer { if !isOver { abandon() } }
        if let size = expected?.size, count != size {
            throw OCIError(.sizeMismatch, "\(place) has \(count) bytes instead of \(size).")
        }
        let digest = hasher.finalize()
        if let expected, digest != expected.digest {
            throw OCIError(
                .digestMismatch, "\(place) does not have its digest; it was altered or damaged on the way. Push the image again.",
                cause: "got \(digest)")
        }
        try SystemCall.check("fchmod") { fchmod(file.descriptor, 0o444) }
        try file.sync()
        try store.adopt(temporaryPath: temporaryPath, as: digest)
        isOver = true
        return (digest, count)
    }

    /// Removes the temporary file.
    func abandon() {
        isOver = true
        // A failure is lost on purpose: the store removes leftovers at its next start.
        // Safety: Swift keeps the C string alive for the call.
        _ = unlink(temporaryPath)
    }

    private var place: String { expected.map { "The blob \($0.digest)" } ?? "A blob" }
}
