import Glibc
import SandboxKernel

/// Makes the tar archive of a root folder, piece by piece. Blocks; used by one thread.
struct RootArchive {
    /// The longest piece. Chosen: large enough that the frames round it do not count.
    private static let pieceBytes = 1 << 20

    private let listing: RootListing
    private let entry: Descriptor
    private var next = 0
    /// The file that is being read, and how much of it is left.
    private var open: (file: Descriptor, remaining: Int, size: Int)?
    /// The first name of files that have several.
    private var names: [UInt64: [UInt8]] = [:]
    private var step = Step.entry

    private enum Step {
        case entry, folders, content, end, done
    }

    /// - Parameter cageEntryPath: goes in as ``ContainerRequest/entryPath``.
    init(_ listing: RootListing, cageEntryPath: String) throws {
        self.listing = listing
        entry = try Descriptor.open(cageEntryPath, O_RDONLY)
    }

    /// Returns the next piece, or `nil` at the end.
    ///
    /// - Throws: ``SandboxError`` `system_call` if the folder is not any more what was listed.
    mutating func piece() throws -> [UInt8]? {
        var piece: [UInt8] = []
        while piece.count < Self.pieceBytes {
            switch step {
            case .entry:
                piece += try cageEntry()
                step = .folders
            case .folders:
                for name in missingFolders() { piece += folder(name).bytes }
                step = .content
            case .content:
                try addContent(to: &piece)
            case .end:
                piece += TarHeader.end
                step = .done
            case .done:
                return piece.isEmpty ? nil : piece
            }
        }
        return piece
    }

    private func cageEntry() throws -> [UInt8] {
        var bytes: [UInt8] = []
        // The program has some KiB; a file of another size than it says would break the archive, so it is read whole first.
        while let piece = try entry.read(atMost: 65536), !piece.isEmpty {
            bytes += piece
            guard bytes.count <= 1 << 20 else { throw SandboxError(.cageEntry, "The cage entry is too large to be one.") }
        }
        let header = TarHeader(
            path: Array(ContainerRequest.entryPath.utf8.dropFirst()), kind: .file, mode: 0o555, user: 0, group: 0, size: bytes.count,
            modified: 0)
        return header.bytes + bytes + TarHeader.padding(bytes.count)
    }

    /// Mount points that the root lacks.
    private func missingFolders() -> [String] {
        let present = Set(listing.entries.map(\.path))
        return ["proc", "dev", "sys", "tmp", "run"].filter { !present.contains(Array($0.utf8)) }
    }

    private func folder(_ name: String) -> TarHeader {
        TarHeader(path: Array(name.utf8), kind: .folder, mode: name == "tmp" ? 0o1777 : 0o755, user: 0, group: 0, modified: 0)
    }

    private mutating func addContent(to piece: inout [UInt8]) throws {
        if let (file, remaining, size) = open {
            guard remaining > 0 else {
                piece += TarHeader.padding(size)
                open = nil
                return
            }
            guard let bytes = try file.read(atMost: min(remaining, Self.pieceBytes)), !bytes.isEmpty else { throw Self.changed }
            piece += bytes
            open = (file, remaining - bytes.count, size)
        } else if next < listing.entries.count {
            piece += try begin(listing.entries[next])
            next += 1
        } else {
            step = .end
        }
    }

    private mutating func begin(_ entry: RootListing.Entry) throws -> [UInt8] {
        var header = TarHeader(
            path: entry.path, kind: entry.kind, mode: entry.mode, user: entry.user, group: entry.group, size: entry.size,
            modified: entry.modified, target: entry.target)
        guard entry.kind == .file else { return header.bytes }
        if let first = names[entry.node] {
            header.kind = .hardLink
            header.size = 0
            header.target = first
            return header.bytes
        }
        // Safety: the path is zero-ended and lives for the call.
        let number = try checked("open") { kernel_open(listing.absolutePath(entry.path), O_RDONLY | O_NOFOLLOW, 0) }
        let file = Descriptor(taking: number)
        var facts = stat()
        // Safety: the record lives for the call.
        guard fstat(file.number, &facts) == 0, UInt64(facts.st_ino) == entry.node, Int(facts.st_size) == entry.size else { throw Self.changed }
        if facts.st_nlink > 1 { names[entry.node] = entry.path }
        open = (file, entry.size, entry.size)
        return header.bytes
    }

    private static let changed = SandboxError(.systemCall, "The image's folder changed while it was read.")
}
