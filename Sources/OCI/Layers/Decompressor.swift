import CArchive

/// Undoes exactly one gzip or zstd compression, through libarchive. Blocking; used by one thread at a time.
///
/// The tar inside is read by `TarReader`, through another libarchive object, so that the bytes between can be hashed and bounded.
final class Decompressor: ByteSource {
    private let file: OpenFile
    private let archive: OpaquePointer
    private var isAtEnd = false

    /// Bytes libarchive reads from the file at once. Chosen: as `ContentStore.chunkBytes`.
    private static let blockBytes = ContentStore.chunkBytes

    /// Starts at the file's current position.
    ///
    /// - Throws: `hostile_layer` when the bytes are not compressed in this way, once and not twice; `storage_failure`.
    init(file: OpenFile, compression: LayerCompression) throws {
        precondition(compression != .none, "nothing to undo")
        self.file = file
        // Safety: a fresh archive object, owned by this instance and freed once in deinit.
        guard let archive = archive_read_new() else { throw OCIError(.storageFailure, "There is not enough memory to read a layer.") }
        self.archive = archive
        let filterCode = compression == .gzip ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD
        // Safety: `archive` is live until deinit. Raw: the content is handed on as bytes. Empty: no content at all is fine.
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        let supported = compression == .gzip ? archive_read_support_filter_gzip(archive) : archive_read_support_filter_zstd(archive)
        guard supported == ARCHIVE_OK else {
            throw OCIError(.storageFailure, "This system's libarchive cannot read \(compression.rawValue) itself; install a complete one.")
        }
        // Safety: the descriptor stays open as long as `file`, which this instance holds.
        guard archive_read_open_fd(archive, file.descriptor, Self.blockBytes) == ARCHIVE_OK else { throw damaged() }
        // Two filters are the compression and the plain file below it; more would be a compression inside a compression.
        guard archive_filter_count(archive) == 2, archive_filter_code(archive, 0) == filterCode else {
            throw OCIError(
                .hostileLayer, "A layer is not \(compression.rawValue)-compressed once, as its media type says; rebuild the image.")
        }
        var entry: OpaquePointer?
        // Safety: `entry` belongs to `archive` and is not used.
        let result = archive_read_next_header(archive, &entry)
        if result == ARCHIVE_EOF {
            isAtEnd = true
        } else if result != ARCHIVE_OK {
            throw damaged()
        }
    }

    deinit {
        // Safety: freed once; nothing uses it afterwards.
        archive_read_free(archive)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if isAtEnd { return 0 }
        // Safety: the buffer is valid for its count, which bounds the write.
        let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
        guard count >= 0 else { throw damaged() }
        if count == 0 { isAtEnd = true }
        return count
    }

    private func damaged() -> OCIError {
        // Safety: the string belongs to `archive` and is copied at once.
        let text = archive_error_string(archive).map { String(cString: $0) }
        return OCIError(
            .hostileLayer, "A layer's compressed data is damaged; push the image again.", cause: text.map { OCIError.printable($0) })
    }
}
