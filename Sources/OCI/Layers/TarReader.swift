/// Reads a tar entry by entry: ustar, GNU long names, pax. Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual.
///
/// Why our own and not libarchive's: names stay the bytes they are (libarchive converts pax names through the process's locale), every
/// bound is ours, and it is memory-safe. Sparse files and multi-volume archives, which image builders do not write, are refused.
final class TarReader {
    private let source: any ByteSource
    private let limits: TarLimits
    private var buffer: [UInt8]
    private var bufferStart = 0
    private var bufferEnd = 0
    private var position: Int64 = 0
    private var contentLeft: Int64 = 0
    private var paddingLeft: Int64 = 0
    private var entries = 0

    static let blockBytes = 512

    /// - Parameters:
    ///   - source: the uncompressed archive.
    ///   - limits: bounds of headers.
    init(_ source: any ByteSource, limits: TarLimits = TarLimits()) {
        self.source = source
        self.limits = limits
        buffer = [UInt8](repeating: 0, count: 128 << 10)
    }

    /// Goes to the next entry, skipping what is left of the last one's content.
    ///
    /// - Throws: `hostile_layer` when the archive is malformed, cut short or of a kind that is refused; `limit_exceeded`; what the source throws.
    /// - Returns: the entry, or `nil` at the end of the archive.
    func next() throws -> TarEntry? {
        try skipContent()
        var overrides: [PaxKey: [UInt8]] = [:]
        var longPath: [UInt8]?
        var longLink: [UInt8]?
        var extendedHeaders = 0
        while true {
            guard let header = try readHeader() else {
                guard extendedHeaders == 0 else { throw malformed("an extended header without its entry") }
                return nil
            }
            guard "xgLK".utf8.contains(header.type) else {
                return try finish(header, overrides: overrides, longPath: longPath, longLink: longLink)
            }
            extendedHeaders += 1
            guard extendedHeaders <= limits.extendedHeadersMax else { throw malformed("too many extended headers before one entry") }
            let content = try readExtended(header.size)
            switch header.type {
            case UInt8(ascii: "x"): try PaxRecords.parse(content) { overrides[$0] = $1 }
            case UInt8(ascii: "g"):
                // Readers differ in whether a global header counts (Go's, and so scanners', ignores it). Comments are fine.
                var isMeaningful = false
                try PaxRecords.parse(content) { _, _ in isMeaningful = true }
                guard !isMeaningful else { throw malformed("a global header that changes entries") }
            case UInt8(ascii: "L"): longPath = Array(content.prefix { $0 != 0 })
            default: longLink = Array(content.prefix { $0 != 0 })
            }
        }
    }

    /// Reads the current entry's content in pieces.
    ///
    /// - Throws: `hostile_layer` when the archive ends before; what the source or `body` throws.
    func readContent(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        while contentLeft > 0 {
            try fill()
            let count = Int(min(Int64(bufferEnd - bufferStart), contentLeft))
            try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[bufferStart..<bufferStart + count])) }
            advance(count)
            contentLeft -= Int64(count)
        }
    }

    private func finish(
        _ header: TarHeader, overrides: [PaxKey: [UInt8]], longPath: [UInt8]?, longLink: [UInt8]?
    ) throws -> TarEntry {
        entries += 1
        guard entries <= limits.entriesMax else {
            throw OCIError(.limitExceeded, "A layer has more than \(limits.entriesMax) entries; make the image smaller.")
        }
        if overrides[.sparse] != nil { throw malformed("a sparse file") }
        // Readers differ in which one wins, so a scanner could see another name than we unpack.
        guard longPath == nil || overrides[.path] == nil, longLink == nil || overrides[.linkPath] == nil else {
            throw malformed("an entry with two long names")
        }
        let path = overrides[.path] ?? longPath ?? header.path
        let link = overrides[.linkPath] ?? longLink ?? header.linkTarget
        guard !path.isEmpty, !path.contains(0), !link.contains(0) else { throw malformed("an empty name or one with a NUL") }
        guard path.count <= limits.pathBytesMax, link.count <= limits.pathBytesMax else {
            throw OCIError(.limitExceeded, "A layer has a path of more than \(limits.pathBytesMax) bytes.")
        }
        let kind = try kind(of: header.type, path: path)
        let size = try overrides[.size].map { try PaxRecords.number($0) } ?? header.size
        // As Go and libarchive do: other kinds carry no content, whatever their size field says, but for old hard links none is written.
        let contentSize = kind == .file ? size : 0
        if header.type != 0, kind == .folder, header.type != UInt8(ascii: "5"), size > 0 {
            throw malformed("a file whose name ends as a folder's")
        }
        guard size >= 0, contentSize <= Int64.max - 1024 else { throw malformed("a size out of range") }
        contentLeft = contentSize
        paddingLeft = (512 - contentSize % 512) % 512
        return TarEntry(
            kind: kind, path: path, linkTarget: kind == .symbolicLink || kind == .hardLink ? link : [], size: contentSize,
            mode: UInt32(truncatingIfNeeded: header.mode & 0o7777),
            userID: try overrides[.userID].map { try PaxRecords.number($0) } ?? header.userID,
            groupID: try overrides[.groupID].map { try PaxRecords.number($0) } ?? header.groupID,
            modifiedSeconds: try overrides[.modified].map { try PaxRecords.seconds($0) } ?? header.modified,
            contentOffset: position)
    }

    private func kind(of type: UInt8, path: [UInt8]) throws -> TarEntry.Kind {
        switch type {
        // An old (v7) archive marks a folder by a slash at its end only.
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): path.last == UInt8(ascii: "/") ? .folder : .file
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .folder
        case UInt8(ascii: "6"): .fifo
        default: throw malformed("an entry of unknown type")
        }
    }

    private func readHeader() throws -> TarHeader? {
        // The end is two blocks of zeros; one, or the bare end of the bytes at a block border, is taken too, as other readers do.
        // Zeros and then something else is read differently by different programs.
        guard let block = try readBlock() else { return nil }
        if block.contains(where: { $0 != 0 }) { return try TarHeader(block) }
        if let second = try readBlock(), second.contains(where: { $0 != 0 }) { throw malformed("an entry behind the end") }
        return nil
    }

    private func readBlock() throws -> [UInt8]? {
        var block: [UInt8] = []
        block.reserveCapacity(Self.blockBytes)
        while block.count < Self.blockBytes {
            guard try fillIfPossible() else {
                if block.isEmpty { return nil }
                throw malformed("the archive is cut short")
            }
            let count = min(bufferEnd - bufferStart, Self.blockBytes - block.count)
            block.append(contentsOf: buffer[bufferStart..<bufferStart + count])
            advance(count)
        }
        return block
    }

    private func readExtended(_ size: Int64) throws -> [UInt8] {
        guard size >= 0, size <= Int64(limits.extendedHeaderBytesMax) else {
            throw OCIError(.limitExceeded, "A layer has an extended header of more than \(limits.extendedHeaderBytesMax) bytes.")
        }
        contentLeft = size
        paddingLeft = (512 - size % 512) % 512
        var content: [UInt8] = []
        try readContent { content.append(contentsOf: $0) }
        try skipContent()
        return content
    }

    private func skipContent() throws {
        let buffered = Int(min(Int64(bufferEnd - bufferStart), contentLeft))
        advance(buffered)
        contentLeft -= Int64(buffered)
        if contentLeft > 0 {
            let skipped = source.skip(contentLeft)
            position += skipped
            contentLeft -= skipped
        }
        try readContent { _ in }
        contentLeft = paddingLeft
        paddingLeft = 0
        try readContent { _ in }
    }

    private func fill() throws {
        guard try fillIfPossible() else { throw malformed("the archive is cut short") }
    }

    private func fillIfPossible() throws -> Bool {
        if bufferStart < bufferEnd { return true }
        bufferStart = 0
        bufferEnd = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
        return bufferEnd > 0
    }

    private func advance(_ count: Int) {
        bufferStart += count
        position += Int64(count)
    }

    private func malformed(_ what: String) -> OCIError { TarHeader.malformed(what) }
}
