import Glibc

/// What an unpacked root folder holds, without the bytes of its files.
struct RootListing: Sendable {
    struct Entry: Sendable {
        /// Relative to the root.
        var path: [UInt8]
        var kind: TarHeader.Kind
        var mode: Int
        var user: Int
        var group: Int
        var size: Int
        var modified: Int
        var target: [UInt8]
        /// Tells a file from every other of its file system.
        var node: UInt64
    }

    /// Folders before what is in them, names in order of their bytes.
    private(set) var entries: [Entry] = []
    /// Bytes of all files.
    private(set) var bytes = 0
    /// Changes when anything does that an image is made of: names, kinds, modes, owners, sizes, links, and for a file its node and
    /// the times of its last changes. Not its bytes: reading gigabytes before each job would take seconds. A keyed hash of this
    /// process, so nobody can make two folders that have the same.
    private(set) var fingerprint = Fingerprint(first: 0, second: 0)

    /// 128 bits of the two hashes.
    struct Fingerprint: Sendable, Hashable {
        var first: Int
        var second: Int
    }

    /// Bounds of one root folder. Chosen: ten times the largest images of languages with their libraries.
    static let entriesMax = 500_000
    static let depthMax = 128

    /// Folders whose content the container's own mounts hide.
    private static let hidden: Set<[UInt8]> = Set(["proc", "dev", "sys", "tmp", "run"].map { Array($0.utf8) })
    /// Those of them that must not be something else than a folder, or the mount would lead elsewhere.
    private static let needed: Set<[UInt8]> = Set(["proc", "dev", "sys", "tmp"].map { Array($0.utf8) })

    private let root: String
    private var hashers = (Hasher(), Hasher())

    /// Looks at a whole root folder. Blocks.
    ///
    /// Device files, pipes and sockets are left out, set-user-id bits are taken off.
    ///
    /// - Throws: ``SandboxError`` `unusable_root` if it cannot be a root or is too large; `system_call` if it is not there.
    init(of root: String, idOffset: Int) throws {
        self.root = root
        hashers.1.combine(0)
        try list([], depth: 0, idOffset: idOffset)
        fingerprint = Fingerprint(first: hashers.0.finalize(), second: hashers.1.finalize())
    }

    private mutating func list(_ folder: [UInt8], depth: Int, idOffset: Int) throws {
        guard depth < Self.depthMax else { throw SandboxError(.unusableRoot, "The image's folders lie too deep in each other.") }
        for name in try names(in: folder).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let path = folder.isEmpty ? name : folder + [0x2F] + name
            guard let entry = try entry(path, idOffset: idOffset) else { continue }
            guard !folder.isEmpty || entry.kind == .folder || !Self.needed.contains(name) else {
                throw SandboxError(.unusableRoot, "The image's /\(String(decoding: name, as: UTF8.self)) is not a folder.", cause: root)
            }
            guard path != Array(ContainerRequest.entryPath.utf8.dropFirst()) else {
                throw SandboxError(.unusableRoot, "The image has a file in the place of the cage entry.", cause: root)
            }
            guard entries.count < Self.entriesMax else { throw SandboxError(.unusableRoot, "The image has too many files.") }
            entries.append(entry)
            if entry.kind == .file { bytes += entry.size }
            if entry.kind == .folder, !Self.hidden.contains(path) { try list(path, depth: depth + 1, idOffset: idOffset) }
        }
    }

    /// The absolute path of an entry, ended by a zero.
    func absolutePath(_ path: [UInt8]) -> [CChar] { (Array(root.utf8) + [0x2F] + path + [0]).map { CChar(bitPattern: $0) } }

    private func names(in folder: [UInt8]) throws -> [[UInt8]] {
        // Safety: the path is zero-ended and lives for the call; the stream is closed below, exactly once.
        guard let stream = opendir(absolutePath(folder)) else {
            throw SandboxError.systemCall("opendir", errno, root + "/" + String(decoding: folder, as: UTF8.self))
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            // Safety: the record is the stream's own and is read before the next call.
            guard let record = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &record.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
            guard names.count <= Self.entriesMax else { throw SandboxError(.unusableRoot, "The image has too many files.") }
        }
        guard errno == 0 else { throw SandboxError.systemCall("readdir", errno, root) }
        return names
    }

    private mutating func entry(_ path: [UInt8], idOffset: Int) throws -> Entry? {
        var facts = stat()
        // Safety: path and record live for the call. A link is not followed.
        guard lstat(absolutePath(path), &facts) == 0 else { throw SandboxError.systemCall("lstat", errno, root) }
        let kind: TarHeader.Kind
        switch facts.st_mode & S_IFMT {
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .symbolicLink
        case S_IFREG: kind = .file
        default: return nil
        }
        guard kind != .file || facts.st_size <= TarHeader.fileBytesMax else {
            throw SandboxError(.unusableRoot, "The image has a file of more than 8 GiB.")
        }
        let isTemporary = kind == .folder && path == Array("tmp".utf8)
        let entry = Entry(
            path: path, kind: kind, mode: isTemporary ? 0o1777 : Int(facts.st_mode & 0o1777), user: Self.inner(facts.st_uid, idOffset),
            group: Self.inner(facts.st_gid, idOffset), size: kind == .file ? Int(facts.st_size) : 0, modified: Int(facts.st_mtim.tv_sec),
            target: kind == .symbolicLink ? try target(of: path) : [], node: UInt64(facts.st_ino))
        note(entry, facts)
        return entry
    }

    /// Adds an entry to both hashes. A folder's node and times say nothing about the image: a mount made of several layers gives
    /// new ones each time.
    private mutating func note(_ entry: Entry, _ facts: stat) {
        func add(to hasher: inout Hasher) {
            hasher.combine(entry.path)
            hasher.combine(entry.kind.rawValue)
            hasher.combine([entry.mode, entry.user, entry.group, entry.size])
            hasher.combine(entry.target)
            guard entry.kind == .file else { return }
            hasher.combine(entry.node)
            for time in [facts.st_mtim, facts.st_ctim] { hasher.combine([time.tv_sec, time.tv_nsec]) }
        }
        add(to: &hashers.0)
        add(to: &hashers.1)
    }

    private func target(of path: [UInt8]) throws -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 4096)
        // Safety: the buffer holds the count that is told. Source: PATH_MAX bounds a link.
        let count = readlink(absolutePath(path), &buffer, buffer.count)
        guard count > 0 else { throw SandboxError.systemCall("readlink", errno, root) }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    /// The number inside the image of an owner on the host; nobody for one that is not the image's.
    private static func inner(_ id: UInt32, _ offset: Int) -> Int {
        let number = Int(id)
        if (offset..<offset + RuntimeSpecification.mappedIDs).contains(number) { return number - offset }
        return number == 0 ? 0 : RuntimeSpecification.innerUser
    }
}
