import CArchive

/// Compresses bytes with gzip into a `BlobWriter`, through libarchive. Equal bytes give equal blobs with one version of zlib.
///
/// Blocking; one thread at a time.
final class GzipWriter {
    private let archive: OpaquePointer
    private let output: Output
    private var isOpen = false

    /// What the C callback reaches: the blob, and the first error of writing it.
    private final class Output {
        let blob: BlobWriter
        var failure: (any Error)?

        init(blob: BlobWriter) {
            self.blob = blob
        }
    }

    /// - Parameter blob: takes the compressed bytes; the caller commits it after `finish`.
    init(_ blob: BlobWriter) throws {
        // Safety: a fresh archive object, owned by this instance and freed once in deinit.
        guard let archive = archive_write_new() else { throw OCIError(.storageFailure, "There is not enough memory to build a layer.") }
        self.archive = archive
        output = Output(blob: blob)
        // Safety: `archive` is live until deinit. One byte in the last block: no padding after the compressed bytes. No time stamp inside.
        archive_write_set_format_raw(archive)
        archive_write_set_bytes_in_last_block(archive, 1)
        guard archive_write_add_filter_gzip(archive) == ARCHIVE_OK,
            archive_write_set_filter_option(archive, "gzip", "timestamp", nil) == ARCHIVE_OK
        else { throw OCIError(.storageFailure, "This system's libarchive cannot write gzip; install a complete one.") }
        // Safety: the pointer stays valid as long as `output`, which this instance holds until after the archive is freed.
        let context = Unmanaged.passUnretained(output).toOpaque()
        let result = archive_write_open(
            archive, context, nil,
            { _, context, bytes, count in
                guard let context, let bytes else { return -1 }
                // Safety: `context` is the live `Output` given to archive_write_open; `bytes` is valid for `count` during the call.
                let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                do {
                    try output.blob.append(UnsafeRawBufferPointer(start: bytes, count: count))
                    return count
                } catch {
                    output.failure = output.failure ?? error
                    return -1
                }
            }, nil)
        guard result == ARCHIVE_OK else { throw failure() }
        isOpen = true
        // Safety: a fresh entry, freed here; libarchive copies what it needs from it.
        guard let entry = archive_entry_new() else { throw OCIError(.storageFailure, "There is not enough memory to build a layer.") }
        defer { archive_entry_free(entry) }
        archive_entry_set_filetype(entry, UInt32(regularFileType))
        guard archive_write_header(archive, entry) == ARCHIVE_OK else { throw failure() }
    }

    deinit {
        // Safety: freed once; nothing uses it afterwards.
        archive_write_free(archive)
    }

    /// Adds bytes.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            // Safety: `rest` lies within `bytes`, valid for this call; its count bounds the read.
            let count = archive_write_data(archive, rest.baseAddress, rest.count)
            guard count > 0 else { throw failure() }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes what is still held back.
    func finish() throws {
        // Safety: `archive` is live; closing twice is harmless.
        guard archive_write_close(archive) == ARCHIVE_OK else { throw failure() }
        if let failure = output.failure { throw failure }
    }

    private func failure() -> any Error {
        if let failure = output.failure { return failure }
        // Safety: the string belongs to `archive` and is copied at once.
        let text = archive_error_string(archive).map { String(cString: $0) }
        return OCIError(.storageFailure, "A layer could not be compressed.", cause: text.map { OCIError.printable($0) })
    }
}

/// `AE_IFREG`, which Swift does not import because it is a cast in a macro. Source: archive_entry.h.
private let regularFileType = 0o100000
