import Glibc

/// Files of a layout by their path in it: a folder, or a tar. Blocking.
protocol LayoutSource: Sendable {
    /// Finds a regular file.
    ///
    /// - Parameter path: relative, its parts without `..`.
    /// - Throws: `SystemError`.
    /// - Returns: the file's bytes, or `nil` when there is none, or something that is no regular file.
    func file(_ path: String) throws -> FileRange?
}

/// A layout in a folder. Symbolic links are not followed below it.
struct FolderLayout: LayoutSource {
    private let root: OpenFile

    init(path: String) throws(SystemError) {
        root = try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY)
    }

    func file(_ path: String) throws -> FileRange? {
        var folder = root
        // What a docker archive names may be anything, also a way out of the folder: then there is no such file.
        guard let parts = try? EntryPath.components(Array(path.utf8)), let name = parts.last, !path.utf8.contains(0) else { return nil }
        for part in parts.dropLast() {
            guard let next = try OpenFile.folder(at: folder.descriptor, name: part) else { return nil }
            folder = next
        }
        guard let status = try FolderTools.status(at: folder.descriptor, name: name), status.isRegularFile else { return nil }
        let file = try OpenFile(at: folder.descriptor, name: name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        // Asked again on the open file: only its answer counts.
        let opened = try file.status()
        guard opened.isRegularFile else { return nil }
        return FileRange(file: file, offset: 0, size: Int64(opened.st_size))
    }
}

/// A layout, or `docker save` output, in an uncompressed tar: read once for its table of contents, then by offset.
struct TarLayout: LayoutSource {
    private let file: OpenFile
    private let table: [String: Entry]

    private enum Entry: Sendable {
        case file(offset: Int64, size: Int64)
        case link(String)
    }

    /// Most entries of a layout's tar, a count. Chosen: four per layer of the largest accepted index.
    private static let entriesMax = 65_536

    /// - Throws: `hostile_layer` for a malformed tar; `malformed_document` for a compressed one or two files of one name; `SystemError`.
    init(path: String, cancellation: Cancellation) throws {
        let file = try OpenFile(path: path, flags: O_RDONLY | O_NONBLOCK)
        let status = try file.status()
        guard status.isRegularFile else { throw OCIError(.malformedDocument, "The image is neither a folder nor a regular file.") }
        let size = Int64(status.st_size)
        try Self.refuseCompressed(file, size: size)
        var limits = TarLimits()
        limits.entriesMax = Self.entriesMax
        let reader = try TarReader(
            FileSource(FileRange(file: file, offset: 0, size: size)), limits: limits, cancellation: cancellation)
        var table: [String: Entry] = [:]
        while let entry = try reader.next() {
            try cancellation.check()
            guard let name = Self.name(entry.path) else { continue }
            switch entry.kind {
            case .folder: continue
            case .file:
                guard entry.size <= size - entry.contentOffset else {
                    throw OCIError(.sizeMismatch, "The image's tar is cut short; copy it again.")
                }
                guard table.updateValue(.file(offset: entry.contentOffset, size: entry.size), forKey: name) == nil else {
                    throw OCIError(.malformedDocument, "The image's tar holds \"\(OCIError.printable(name))\" twice; that is refused.")
                }
            case .symbolicLink:
                // Old Docker versions wrote a layer that two images share once, and links to it.
                guard let target = Self.resolve(entry.linkTarget, from: name) else { continue }
                guard table.updateValue(.link(target), forKey: name) == nil else {
                    throw OCIError(.malformedDocument, "The image's tar holds \"\(OCIError.printable(name))\" twice; that is refused.")
                }
            case .hardLink, .characterDevice, .blockDevice, .fifo:
                throw OCIError(.malformedDocument, "The image's tar holds something else than files and folders; that is refused.")
            }
        }
        self.file = file
        self.table = table
    }

    func file(_ path: String) throws -> FileRange? {
        var name = path
        // One link, and not a chain: no tool writes one.
        if case .link(let target) = table[name] { name = target }
        guard case .file(let offset, let size) = table[name] else { return nil }
        return FileRange(file: file, offset: offset, size: size)
    }

    private static func refuseCompressed(_ file: OpenFile, size: Int64) throws {
        let start = try FileRange(file: file, offset: 0, size: min(size, 4)).readAll()
        if start.starts(with: [0x1f, 0x8b]) || start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
            throw OCIError(.malformedDocument, "The image's tar is compressed; uncompress it first (gunzip, zstd -d).")
        }
    }

    /// The path without `./`; `nil` for the root and for paths that leave it.
    private static func name(_ path: [UInt8]) -> String? {
        // Paths that are refused elsewhere are only left out here: nothing is written, and nothing finds them.
        guard let parts = try? EntryPath.components(path), !parts.isEmpty else { return nil }
        return String(decoding: Array(parts.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
    }

    private static func resolve(_ target: [UInt8], from name: String) -> String? {
        guard target.first != UInt8(ascii: "/") else { return nil }
        var parts = name.split(separator: "/").dropLast().map(String.init)
        for part in String(decoding: target, as: UTF8.self).split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else {
                parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }
}
