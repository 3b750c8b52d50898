/// A part of an open file: a whole blob, or one file inside a tar.
struct FileRange: Sendable {
    /// The file.
    let file: OpenFile
    /// First byte, 0-based.
    let offset: Int64
    /// Number of bytes.
    let size: Int64

    /// Calls with each piece in order, each of at most `ContentStore.chunkBytes` bytes.
    ///
    /// - Throws: `size_mismatch` when the file ends early; `SystemError`; what `body` throws.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var buffer = [UInt8](repeating: 0, count: Int(min(Int64(ContentStore.chunkBytes), max(size, 1))))
        var position: Int64 = 0
        while position < size {
            let wanted = Int(min(Int64(buffer.count), size - position))
            let count = try buffer.withUnsafeMutableBytes { raw in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: raw[..<wanted]), at: offset + position)
            }
            guard count > 0 else { throw OCIError(.sizeMismatch, "A file ended before its last byte; it was cut short.") }
            try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            position += Int64(count)
        }
    }

    /// Reads everything; the caller checked `size` against a limit.
    func readAll() throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        try forEachChunk { bytes.append(contentsOf: $0) }
        return bytes
    }
}
