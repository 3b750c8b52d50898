import CArchive
import Glibc

/// Reads a tar entry by entry through libarchive: v7, ustar, GNU long names, pax; nothing else, and no compression. Blocking; one thread
/// at a time.
///
/// libarchive gets its bytes from `source` through a callback, so a hashing and counting source sees every one of them, those behind the
/// end mark too. `TarHeaderCheck` looks at the same header bytes and refuses those that other readers read differently.
final class TarReader {
    private let source: any ByteSource
    private let limits: TarLimits
    private let cancellation: Cancellation
    private let archive: OpaquePointer
    private let locale: locale_t
    private let buffer: UnsafeMutableRawBufferPointer
    private var bufferCount = 0
    /// Offset of the buffer's first byte in the archive.
    private var bufferOffset: Int64 = 0
    /// Offset of the headers being read; `nil` while content is read.
    private var headerStart: Int64?
    /// Bytes of the headers being read that were in earlier fillings of the buffer.
    private var held: [UInt8] = []
    /// What the source threw inside a callback.
    private var failure: (any Error)?
    /// Offset behind the current entry's last block.
    private var contentEnd: Int64 = 0
    private var phase = Phase.unopened
    private var entries = 0

    private enum Phase {
        case unopened, inEntry, ended
    }

    /// Bytes asked of the source at once. Chosen: as `ContentStore.chunkBytes`, and whole tar blocks.
    private static let bufferBytes = 128 << 10

    /// - Parameters:
    ///   - source: the uncompressed archive.
    ///   - limits: bounds of headers.
    ///   - cancellation: asked at each read.
    /// - Throws: `storage_failure` without memory.
    init(_ source: any ByteSource, limits: TarLimits = TarLimits(), cancellation: Cancellation = Cancellation()) throws(OCIError) {
        // libarchive converts pax names from UTF-8 to the locale's characters and keeps the bytes as they are where that fails. In the
        // "C" locale only ASCII converts, to itself, so every name stays the bytes it is, whatever the process's locale.
        // Safety: the string lives for the call; the locale is freed once in deinit.
        guard let locale = newlocale(1 << LC_CTYPE, "C", nil) else { throw Self.noMemory() }
        // Safety: a fresh archive object, owned by this instance and freed once in deinit.
        guard let archive = archive_read_new() else {
            freelocale(locale)
            throw Self.noMemory()
        }
        self.source = source
        self.limits = limits
        self.cancellation = cancellation
        self.archive = archive
        self.locale = locale
        // Safety: freed once in deinit, after the archive that may point into it.
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 16)
    }

    deinit {
        // Safety: each is freed once; nothing uses it afterwards. Freeing the archive calls neither callback.
        archive_read_free(archive)
        freelocale(locale)
        buffer.deallocate()
    }

    /// Goes to the next entry, skipping what is left of the last one's content. At the end, reads the source to its end.
    ///
    /// - Throws: `hostile_layer` when the archive is malformed, cut short, of a kind that is refused or goes on behind its end;
    ///   `limit_exceeded`; what the source throws; `CancellationError`. After an error only `deinit` may follow.
    /// - Returns: the entry, or `nil` at the end of the archive.
    func next() throws -> TarEntry? {
        held.removeAll(keepingCapacity: true)
        switch phase {
        case .ended: return nil
        case .unopened: guard try open() else { return nil }
        case .inEntry:
            // Safety: `archive` is live and inside an entry.
            try check(archive_read_data_skip(archive))
            guard position == contentEnd else { throw TarHeaderCheck.twoReadings() }
            headerStart = position
        }
        let start = headerStart ?? 0
        guard start >= bufferOffset || !held.isEmpty else { throw TarHeaderCheck.malformed("its headers overlap") }
        var handle: OpaquePointer?
        // Safety: `handle` belongs to `archive` and stays valid until the next header is read.
        let result = inPlainLocale { archive_read_next_header(archive, &handle) }
        if let failure { throw failure }
        let length = Int(position - start)
        if result == ARCHIVE_EOF {
            try readEnd(length: length)
            return nil
        }
        // A warning is a name that is not ASCII, or an attribute that is not used here; what matters is compared by `entry`.
        guard let handle, result == ARCHIVE_OK || result == ARCHIVE_WARN else {
            // Says more than libarchive when a header is at fault.
            _ = try TarHeaderCheck(headerBytes(.max), limits: limits)
            throw damaged()
        }
        let header = try TarHeaderCheck(headerBytes(length), limits: limits)
        guard header.length == length else { throw TarHeaderCheck.twoReadings() }
        headerStart = nil
        phase = .inEntry
        return try inPlainLocale { try entry(handle, header: header) }
    }

    /// Reads the current entry's content in pieces.
    ///
    /// - Throws: `hostile_layer` when the archive ends before; what the source or `body` throws; `CancellationError`.
    func readContent(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        while true {
            var start: UnsafeRawPointer?
            var (count, offset): (Int, Int64) = (0, 0)
            // Safety: `archive` is live and inside an entry; it sets the three, and the bytes stay valid until the next call on it.
            let result = archive_read_data_block(archive, &start, &count, &offset)
            if result == ARCHIVE_EOF { return }
            try check(result)
            try body(UnsafeRawBufferPointer(start: start, count: count))
        }
    }

    // MARK: Entries

    /// libarchive's reading of an entry, compared with the strict one.
    private func entry(_ handle: OpaquePointer, header: TarHeaderCheck) throws -> TarEntry {
        entries += 1
        guard entries <= limits.entriesMax else {
            throw OCIError(.limitExceeded, "A layer has more than \(limits.entriesMax) entries; make the image smaller.")
        }
        // Safety: `handle` is live; the strings belong to it and are copied at once.
        let path = Self.bytes(archive_entry_pathname(handle))
        let hardLink = archive_entry_hardlink(handle).map { Self.bytes($0) }
        let link = hardLink ?? Self.bytes(archive_entry_symlink(handle))
        guard !path.isEmpty else { throw TarHeaderCheck.malformed("an empty name") }
        guard path.count <= limits.pathBytesMax, link.count <= limits.pathBytesMax else {
            throw OCIError(.limitExceeded, "A layer has a path of more than \(limits.pathBytesMax) bytes.")
        }
        // Safety: `handle` is live; each only reads a field of it.
        let kind = hardLink == nil ? Self.kind(archive_entry_filetype(handle), path: path) : .hardLink
        guard let kind else { throw TarHeaderCheck.twoReadings() }
        let entry = TarEntry(
            kind: kind, path: path, linkTarget: link, size: archive_entry_size(handle), mode: UInt32(archive_entry_perm(handle) & 0o7777),
            userID: archive_entry_uid(handle), groupID: archive_entry_gid(handle), modifiedSeconds: Int64(archive_entry_mtime(handle)),
            contentOffset: position)
        try header.compare(with: entry)
        contentEnd = entry.contentOffset + (entry.size + 511) / 512 * 512
        return entry
    }

    private static func kind(_ type: mode_t, path: [UInt8]) -> TarEntry.Kind? {
        switch type & S_IFMT {
        // An old (v7) archive marks a folder by a slash at its end only.
        case S_IFREG: path.last == UInt8(ascii: "/") ? .folder : .file
        case S_IFDIR: .folder
        case S_IFLNK: .symbolicLink
        case S_IFCHR: .characterDevice
        case S_IFBLK: .blockDevice
        case S_IFIFO: .fifo
        default: nil
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8] {
        // Safety: libarchive's strings end with NUL.
        text.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? []
    }

    // MARK: The end

    /// Checks the end mark and reads what is behind it, which must be zeros: other bytes are read differently by different programs.
    private func readEnd(length: Int) throws {
        phase = .ended
        let read = headerBytes(.max)
        // libarchive takes any second block for the end mark's.
        guard read.allSatisfy({ $0 == 0 }) else { throw TarHeaderCheck.malformed("an entry behind the end, or a header without one") }
        headerStart = nil
        var rest = read.count - length
        while try refill() > 0 {
            guard buffer[..<bufferCount].allSatisfy({ $0 == 0 }) else { throw TarHeaderCheck.malformed("something behind the end") }
            rest += bufferCount
        }
        // One block of zeros, or the bare end of the bytes at a block border, is taken too, as other readers do.
        guard rest == 0 || length == 1024 else { throw TarHeaderCheck.malformed("the archive is cut short") }
    }

    // MARK: Bytes for libarchive

    /// Bytes libarchive has taken; after a header, the offset of the content.
    private var position: Int64 {
        // Safety: `archive` is live; 0 is the filter next to the tar reader.
        archive_filter_bytes(archive, 0)
    }

    /// - Returns: whether there is an archive: no byte at all is one without entries.
    private func open() throws -> Bool {
        headerStart = 0
        // Safety: `archive` is live and new. The context is this instance, which outlives `archive`; only calls made by this instance call
        // back, on its thread. What the read callback hands out is `buffer`, unchanged until the next call back.
        archive_read_support_format_tar(archive)
        archive_read_set_callback_data(archive, Unmanaged.passUnretained(self).toOpaque())
        archive_read_set_read_callback(archive) { _, context, bytes in
            guard let context, let bytes else { return Int(ARCHIVE_FATAL) }
            return Unmanaged<TarReader>.fromOpaque(context).takeUnretainedValue().provide(bytes)
        }
        archive_read_set_skip_callback(archive) { _, context, count in
            guard let context else { return 0 }
            return Unmanaged<TarReader>.fromOpaque(context).takeUnretainedValue().skip(count)
        }
        let result = inPlainLocale { archive_read_open1(archive) }
        if result != ARCHIVE_OK, failure == nil, bufferOffset + Int64(bufferCount) == 0 {
            phase = .ended
            return false
        }
        try check(result)
        return true
    }

    private func provide(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
        do {
            if let headerStart {
                held += UnsafeRawBufferPointer(rebasing: buffer[max(0, Int(headerStart - bufferOffset))..<bufferCount])
                // Bounds the memory; libarchive's own bounds are wider.
                guard held.count <= (limits.extendedHeadersMax + 1) * (limits.extendedHeaderBytesMax + 1024) + buffer.count else {
                    throw TarHeaderCheck.extendedTooLarge(limits)
                }
            }
            let count = try refill()
            bytes.pointee = UnsafeRawPointer(buffer.baseAddress)
            return count
        } catch {
            failure = error
            return Int(ARCHIVE_FATAL)
        }
    }

    private func refill() throws -> Int {
        try cancellation.check()
        bufferOffset += Int64(bufferCount)
        bufferCount = 0
        bufferCount = try source.read(into: buffer)
        return bufferCount
    }

    /// Called when the buffer is used up.
    private func skip(_ count: Int64) -> Int64 {
        guard headerStart == nil else { return 0 }
        let skipped = source.skip(count)
        if skipped > 0 {
            bufferOffset += Int64(bufferCount) + skipped
            bufferCount = 0
        }
        return skipped
    }

    /// The first bytes from the start of the headers on, as far as they were read.
    private func headerBytes(_ count: Int) -> [UInt8] {
        guard let headerStart else { return [] }
        let start = max(0, Int(headerStart - bufferOffset))
        guard start <= bufferCount else { return held }
        return Array(held.prefix(count)) + UnsafeRawBufferPointer(rebasing: buffer[start..<bufferCount].prefix(max(0, count - held.count)))
    }

    // MARK: Calls

    /// Runs with the thread's locale set to "C". Nothing in it suspends, so it is the same thread afterwards.
    private func inPlainLocale<Result>(_ body: () throws -> Result) rethrows -> Result {
        // Safety: `locale` is live until deinit; the thread gets back what it had before.
        let previous = uselocale(locale)
        defer { _ = uselocale(previous) }
        return try body()
    }

    private func check(_ result: Int32) throws {
        if let failure { throw failure }
        guard result == ARCHIVE_OK || result == ARCHIVE_WARN else { throw damaged() }
    }

    private func damaged() -> OCIError {
        // Safety: the string belongs to `archive` and is copied at once.
        let text = archive_error_string(archive).map { String(cString: $0) }
        let error = TarHeaderCheck.malformed("it is damaged or cut short")
        return OCIError(error.code, error.message, cause: text.map { OCIError.printable($0) })
    }

    private static func noMemory() -> OCIError { OCIError(.storageFailure, "There is not enough memory to read an archive.") }
}
