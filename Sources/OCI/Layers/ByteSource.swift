/// Bytes that come in order and can be read once.
protocol ByteSource: AnyObject {
    /// Reads up to the buffer's size.
    ///
    /// - Returns: bytes read, 0 only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
    /// Passes over bytes without reading them, where that is possible.
    ///
    /// - Returns: bytes passed over, in `0...count`; 0 also when they must be read.
    func skip(_ count: Int64) -> Int64
}

extension ByteSource {
    func skip(_ count: Int64) -> Int64 { 0 }
}

/// Bytes of a file, or of a part of one.
final class FileSource: ByteSource {
    private let range: FileRange
    private var position: Int64 = 0

    init(_ range: FileRange) {
        self.range = range
    }

    func skip(_ count: Int64) -> Int64 {
        let skipped = min(count, range.size - position)
        position += skipped
        return skipped
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(Int64(buffer.count), range.size - position))
        guard wanted > 0 else { return 0 }
        let count = try range.file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: range.offset + position)
        guard count > 0 else { throw OCIError(.sizeMismatch, "A file ended before its last byte; it was cut short.") }
        position += Int64(count)
        return count
    }
}

/// Passes bytes on while hashing and counting them, and ends with `limit_exceeded` when there are too many.
final class HashingSource: ByteSource {
    private let upstream: any ByteSource
    private let bytesMax: Int64
    private let cancellation: Cancellation
    private var hasher: DigestHasher
    /// Bytes so far.
    private(set) var count: Int64 = 0

    /// - Parameters:
    ///   - upstream: where the bytes come from.
    ///   - algorithm: the hash function.
    ///   - bytesMax: most bytes accepted.
    ///   - cancellation: asked at each read.
    init(_ upstream: any ByteSource, algorithm: Digest.Algorithm, bytesMax: Int64, cancellation: Cancellation) {
        self.upstream = upstream
        self.bytesMax = bytesMax
        self.cancellation = cancellation
        hasher = DigestHasher(algorithm: algorithm)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try cancellation.check()
        let read = try upstream.read(into: buffer)
        count += Int64(read)
        guard count <= bytesMax else {
            throw OCIError(
                .limitExceeded, "A layer has more than \(bytesMax) bytes when uncompressed; make the image smaller.")
        }
        hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
        return read
    }

    /// Reads to the end and returns the digest of all bytes.
    func digestOfAll() throws -> Digest {
        var buffer = [UInt8](repeating: 0, count: ContentStore.chunkBytes)
        while try buffer.withUnsafeMutableBytes({ try read(into: $0) }) > 0 {}
        return hasher.finalize()
    }
}
