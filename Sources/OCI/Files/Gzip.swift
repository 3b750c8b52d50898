import CArchive

/// gzip for documents that are held in memory, through libarchive. Blocking.
public enum Gzip {
    /// Compresses bytes. Equal bytes give equal results with one version of zlib.
    public static func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
        // Safety: a fresh archive object, used by this call only and freed once.
        guard let archive = archive_write_new() else { throw failure("There is not enough memory to compress a document.", nil) }
        defer { archive_write_free(archive) }
        // gzip never grows data by more than this: 5 bytes for each stored block of at most 65,535, and its frame.
        var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 16_000 * 5 + 1024)
        var used = 0
        guard let entry = archive_entry_new() else { throw failure("There is not enough memory to compress a document.", nil) }
        // Safety: freed once; libarchive copies what it needs from it.
        defer { archive_entry_free(entry) }
        archive_entry_set_filetype(entry, 0o100000)
        archive_write_set_format_raw(archive)
        archive_write_set_bytes_in_last_block(archive, 1)
        // Safety: `output` and `used` stay where they are until the archive is closed, inside these calls.
        let result = output.withUnsafeMutableBytes { buffer in
            withUnsafeMutablePointer(to: &used) { used in
                bytes.withUnsafeBytes { input -> CInt in
                    guard archive_write_add_filter_gzip(archive) == ARCHIVE_OK,
                        archive_write_set_filter_option(archive, "gzip", "timestamp", nil) == ARCHIVE_OK,
                        archive_write_open_memory(archive, buffer.baseAddress, buffer.count, used) == ARCHIVE_OK,
                        archive_write_header(archive, entry) == ARCHIVE_OK,
                        input.isEmpty || archive_write_data(archive, input.baseAddress, input.count) == input.count
                    else { return ARCHIVE_FATAL }
                    return archive_write_close(archive)
                }
            }
        }
        guard result == ARCHIVE_OK else { throw failure("A document could not be compressed.", archive) }
        return Array(output[..<used])
    }

    /// Undoes the compression. A changed byte inside is not always noticed: libarchive does not compare gzip's checksum.
    ///
    /// - Parameter bytesMax: the most bytes of the result; more is an error.
    public static func decompressed(_ bytes: [UInt8], bytesMax: Int) throws -> [UInt8] {
        // libarchive hands on what it does not know as it is. Source: RFC 1952, 2.3.1: the two identifying bytes, and method 8.
        guard bytes.starts(with: [0x1F, 0x8B, 8]) else { throw failure("A stored document is damaged.", nil) }
        // Safety: a fresh archive object, used by this call only and freed once.
        guard let archive = archive_read_new() else { throw failure("There is not enough memory to read a document.", nil) }
        defer { archive_read_free(archive) }
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        archive_read_support_filter_gzip(archive)
        // Safety: `bytes` stays valid while the archive reads from it, inside this call.
        return try bytes.withUnsafeBytes { input in
            var entry: OpaquePointer?
            guard archive_read_open_memory(archive, input.baseAddress, input.count) == ARCHIVE_OK else {
                throw failure("A stored document is damaged.", archive)
            }
            let header = archive_read_next_header(archive, &entry)
            if header == ARCHIVE_EOF { return [] }
            guard header == ARCHIVE_OK else { throw failure("A stored document is damaged.", archive) }
            var result: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 256 * 1024)
            while true {
                // Safety: the chunk is valid for its count, which bounds the write.
                let count = archive_read_data(archive, &chunk, chunk.count)
                guard count >= 0 else { throw failure("A stored document is damaged.", archive) }
                if count == 0 { return result }
                guard result.count + count <= bytesMax else { throw failure("A stored document is larger than it should be.", nil) }
                result += chunk[..<count]
            }
        }
    }

    private static func failure(_ message: String, _ archive: OpaquePointer?) -> OCIError {
        // Safety: the string belongs to `archive` and is copied at once.
        let text = archive.flatMap { archive_error_string($0) }.map { String(cString: $0) }
        return OCIError(.storageFailure, message, cause: text.map { OCIError.printable($0) })
    }
}
