/// A `BlobWriter` for asynchronous callers: gathers small pieces and writes them on the store's threads.
///
/// An actor, so that one piece is written at a time; used by one task.
actor BlobIngest {
    // Safety: the writer is touched only inside `queue.run`, and this actor's single caller waits for each run to end.
    private struct Box: @unchecked Sendable {
        let writer: BlobWriter
    }

    private let store: ContentStore
    private let box: Box
    private var pending: [UInt8] = []
    /// Bytes taken in so far, also those not written yet.
    private(set) var count: Int64 = 0

    /// Opens a temporary file in the store.
    init(store: ContentStore, descriptor: Descriptor, bytesMax: Int64) async throws {
        self.store = store
        box = try await store.queue.run { _ in
            Box(writer: try BlobWriter(store: store, expected: (descriptor.digest, descriptor.size), bytesMax: bytesMax))
        }
    }

    /// Takes a piece; writes when enough has gathered. Throws as `BlobWriter.append`.
    func append(_ piece: [UInt8]) async throws {
        pending.append(contentsOf: piece)
        count += Int64(piece.count)
        if pending.count >= ContentStore.chunkBytes { try await flush() }
    }

    /// Starts again from the first byte.
    func restart() async throws {
        pending.removeAll(keepingCapacity: true)
        count = 0
        try await store.queue.run { [box] _ in try box.writer.restart() }
    }

    /// Writes the rest, checks size and digest and puts the blob under its digest.
    func commit() async throws {
        try await flush()
        _ = try await store.queue.run { [box] _ in try box.writer.commit() }
    }

    /// Removes what was written; does nothing after `commit`.
    func abandon() async {
        // The writer is dropped with this actor and removes its file then; a failure here changes nothing.
        _ = try? await store.queue.run { [box] _ in box.writer.abandon() }
    }

    private func flush() async throws {
        guard !pending.isEmpty else { return }
        let bytes = pending
        pending = []
        try await store.queue.run { [box] _ in try box.writer.append(bytes) }
    }
}
