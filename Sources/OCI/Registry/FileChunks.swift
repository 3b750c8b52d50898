import NIOCore

/// A part of a file as a sequence of buffers, read on the store's threads as the connection takes them.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let range: FileRange
    let queue: BlockingQueue

    struct Iterator: AsyncIteratorProtocol {
        let range: FileRange
        let queue: BlockingQueue
        var position: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            let size = Swift.min(Int64(ContentStore.chunkBytes), range.size - position)
            guard size > 0 else { return nil }
            let piece = FileRange(file: range.file, offset: range.offset + position, size: size)
            let bytes = try await queue.run { _ in try piece.readAll() }
            position += size
            return ByteBuffer(bytes: bytes)
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(range: range, queue: queue) }
}
