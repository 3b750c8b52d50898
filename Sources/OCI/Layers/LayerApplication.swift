import Glibc

/// Applies the layers of one image to one folder, lowest first. Blocking; one thread at a time.
///
/// Source: OCI image specification 1.1, layer.md. Whiteouts hide only what lower layers brought, in whatever order a layer writes them.
final class LayerApplication {
    private let tree: RootedTree
    private let options: UnpackOptions
    private let isRoot: Bool
    private var entriesLeft: Int
    private var bytesLeft: Int64
    /// Canonical paths of what the current layer made, and the folders above them.
    private var ownPaths: Set<[UInt8]> = []
    /// Times of folders, set when nothing changes in them any more.
    private var folderTimes: [[UInt8]: Int64] = [:]

    private static let whiteoutPrefix = Array(".wh.".utf8)
    private static let metadataPrefix = Array(".wh..wh.".utf8)
    private static let opaqueName = Array(".wh..wh..opq".utf8)
    private static let deviceFolder = Array("dev".utf8)

    /// - Parameters:
    ///   - root: the open, empty folder.
    ///   - options: limits and owners.
    /// - Throws: `storage_failure` when owners shall be shifted and the process is not root.
    init(root: OpenFile, options: UnpackOptions) throws {
        isRoot = geteuid() == 0
        guard isRoot || options.idOffset == 0 else {
            throw OCIError(.storageFailure, "Shifting the owners of files needs root; run as root or set no offset.")
        }
        let (_, overflows) = options.idOffset.addingReportingOverflow(options.ownerIDMax)
        guard !overflows else { throw OCIError(.limitExceeded, "The owner offset and the highest owner number exceed 32 bits together.") }
        tree = RootedTree(root: root, depthMax: options.depthMax, ownerOfNewFolders: isRoot ? options.idOffset : nil)
        self.options = options
        entriesLeft = options.entriesMax
        bytesLeft = options.totalBytesMax
        try SystemCall.check("fchmod") { fchmod(root.descriptor, 0o755) }
        if isRoot { try SystemCall.check("fchown") { fchown(root.descriptor, options.idOffset, options.idOffset) } }
    }

    /// Applies one layer.
    ///
    /// - Parameters:
    ///   - source: its uncompressed bytes.
    ///   - diffID: the digest they must have; `nil` when that was checked already.
    ///   - cancellation: asked at each read.
    /// - Throws: `hostile_layer`, `limit_exceeded`, `diff_id_mismatch`; `SystemError`; `CancellationError`.
    func apply(_ source: any ByteSource, layer: Descriptor, diffID: Digest?, cancellation: Cancellation) throws {
        ownPaths.removeAll(keepingCapacity: true)
        let hashing = HashingSource(
            source, algorithm: diffID?.algorithm ?? .sha256, bytesMax: bytesLeft, cancellation: cancellation)
        var limits = TarLimits()
        limits.pathBytesMax = options.pathBytesMax
        limits.entriesMax = entriesLeft
        let reader = try TarReader(hashing, limits: limits, cancellation: cancellation)
        while let entry = try reader.next() {
            entriesLeft -= 1
            try apply(entry, from: reader)
        }
        let digest = try hashing.digestOfAll()
        if let diffID, digest != diffID { throw LayerReading.mismatch(layer) }
        bytesLeft -= hashing.count
    }

    /// What of the bounds is used up.
    var use: LayerUnpacker.Use {
        LayerUnpacker.Use(entries: options.entriesMax - entriesLeft, bytes: options.totalBytesMax - bytesLeft)
    }

    /// Makes the folders that every container needs as mount points, and sets the times of folders.
    func finish() throws {
        for (name, mode) in [("proc", 0o755), ("dev", 0o755), ("sys", 0o755), ("tmp", 0o1777)] as [(String, mode_t)] {
            try ensureFolder(Array(name.utf8), mode: mode)
        }
        try ensureResolverFile()
        for (path, seconds) in folderTimes {
            let components = path.split(separator: UInt8(ascii: "/")).map(Array.init)
            guard let place = try existingPlace(components) else { continue }
            try setTime(seconds, of: place.folder)
        }
    }

    private func apply(_ entry: TarEntry, from reader: TarReader) throws {
        let components = try EntryPath.components(entry.path)
        guard let name = components.last else {
            guard entry.kind == .folder else { throw EntryPath.hostile("its root is no folder") }
            return try setAttributes(of: tree.root, entry: entry)
        }
        let parents = Array(components.dropLast())
        guard !parents.contains(where: { $0.starts(with: Self.whiteoutPrefix) }) else {
            throw EntryPath.hostile("a path leads through a whiteout")
        }
        if name.starts(with: Self.whiteoutPrefix) { return try applyWhiteout(name, parents: parents) }
        switch entry.kind {
        case .characterDevice, .blockDevice, .fifo:
            // The sandbox mounts its own /dev, so old base images with a static one still work without it.
            guard components.first == Self.deviceFolder, components.count > 1 else {
                throw EntryPath.hostile("it holds a device or a pipe outside /dev")
            }
            return
        case .file, .folder, .symbolicLink, .hardLink: break
        }
        guard let place = try tree.place(parents, creating: true) else { throw SystemError(operation: "openat", code: ENOENT) }
        try clearWay(for: entry.kind, name: name, in: place)
        markOwn(place.canonical + [name])
        switch entry.kind {
        case .file: try makeFile(entry, name: name, in: place, from: reader)
        case .folder: try makeFolder(entry, name: name, in: place)
        case .symbolicLink: try makeSymbolicLink(entry, name: name, in: place)
        case .hardLink: try makeHardLink(entry, name: name, in: place)
        case .characterDevice, .blockDevice, .fifo: return
        }
    }

    // MARK: Whiteouts

    private func applyWhiteout(_ name: [UInt8], parents: [[UInt8]]) throws {
        guard let place = try existingPlace(parents) else { return }
        if name == Self.opaqueName {
            for child in try FolderTools.names(in: place.folder.descriptor) { try removeLower(child, in: place) }
            return
        }
        // Other names of this form were aufs's own bookkeeping; they hide nothing.
        if name.starts(with: Self.metadataPrefix) { return }
        let hidden = Array(name.dropFirst(Self.whiteoutPrefix.count))
        guard !hidden.isEmpty, hidden != EntryPath.dot, hidden != EntryPath.dotDot else {
            throw EntryPath.hostile("a whiteout names no file")
        }
        try removeLower(hidden, in: place)
    }

    /// Removes what lower layers brought and leaves what this layer made.
    private func removeLower(_ name: [UInt8], in place: RootedTree.Place) throws {
        let path = place.canonical + [name]
        guard ownPaths.contains(Self.joined(path)) else { return try tree.remove(name, in: place) }
        guard let status = try FolderTools.status(at: place.folder.descriptor, name: name), status.isFolder else { return }
        let folder = try OpenFile(at: place.folder.descriptor, name: name, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let inner = RootedTree.Place(folder: folder, canonical: path)
        for child in try FolderTools.names(in: folder.descriptor) { try removeLower(child, in: inner) }
    }

    private func existingPlace(_ components: [[UInt8]]) throws -> RootedTree.Place? {
        do {
            return try tree.place(components, creating: false)
        } catch let error as OCIError where error.code == .hostileLayer {
            // A whiteout or a time for something that a file has replaced: nothing is there to change.
            return nil
        }
    }

    // MARK: Entries

    /// Removes what stands where an entry goes; a folder stays for a folder.
    private func clearWay(for kind: TarEntry.Kind, name: [UInt8], in place: RootedTree.Place) throws {
        guard let status = try FolderTools.status(at: place.folder.descriptor, name: name) else { return }
        if kind == .folder, status.isFolder { return }
        try tree.remove(name, in: place)
    }

    private func makeFile(_ entry: TarEntry, name: [UInt8], in place: RootedTree.Place, from reader: TarReader) throws {
        guard entry.size <= options.fileBytesMax else {
            throw OCIError(.limitExceeded, "A layer has a file of \(entry.size) bytes; at most \(options.fileBytesMax) are accepted.")
        }
        let file = try OpenFile(
            at: place.folder.descriptor, name: name, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try reader.readContent { try file.write($0) }
        try setAttributes(of: file, entry: entry)
        try setTime(entry.modifiedSeconds, of: file)
    }

    private func makeFolder(_ entry: TarEntry, name: [UInt8], in place: RootedTree.Place) throws {
        let cName = name.cName
        // Safety: `cName` is NUL-ended and lives for the call. Where a lower layer brought the folder, only its attributes change.
        try SystemCall.check("mkdirat", tolerating: [EEXIST]) { mkdirat(place.folder.descriptor, cName, 0o700) }
        let folder = try OpenFile(at: place.folder.descriptor, name: name, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try setAttributes(of: folder, entry: entry)
        folderTimes[Self.joined(place.canonical + [name])] = entry.modifiedSeconds
    }

    private func makeSymbolicLink(_ entry: TarEntry, name: [UInt8], in place: RootedTree.Place) throws {
        guard !entry.linkTarget.isEmpty else { throw EntryPath.hostile("a symbolic link leads nowhere") }
        let owner = try owner(of: entry)
        let times = Self.times(entry.modifiedSeconds)
        let (folder, cName, target) = (place.folder.descriptor, name.cName, entry.linkTarget.cName)
        // Safety: both names are NUL-ended and live for the calls; `times` has the two values that utimensat reads.
        // The target is only text here; whoever resolves it does so inside the root.
        try SystemCall.check("symlinkat") { symlinkat(target, folder, cName) }
        if let owner {
            try SystemCall.check("fchownat") { fchownat(folder, cName, owner.user, owner.group, AT_SYMLINK_NOFOLLOW) }
        }
        try SystemCall.check("utimensat") { utimensat(folder, cName, times, AT_SYMLINK_NOFOLLOW) }
    }

    private func makeHardLink(_ entry: TarEntry, name: [UInt8], in place: RootedTree.Place) throws {
        let components = try EntryPath.components(entry.linkTarget)
        guard let targetName = components.last else { throw EntryPath.hostile("a hard link leads nowhere") }
        guard let targetPlace = try tree.place(Array(components.dropLast()), creating: false),
            let status = try FolderTools.status(at: targetPlace.folder.descriptor, name: targetName),
            status.isRegularFile || status.isSymbolicLink
        else { throw EntryPath.hostile("a hard link leads to no file of the image") }
        let (target, cName) = (targetName.cName, name.cName)
        // Safety: both names are NUL-ended and live for the call. Flags 0: a symbolic link itself is linked, not followed.
        try SystemCall.check("linkat") { linkat(targetPlace.folder.descriptor, target, place.folder.descriptor, cName, 0) }
    }

    private func ensureFolder(_ name: [UInt8], mode: mode_t) throws {
        let place = RootedTree.Place(folder: tree.root, canonical: [])
        // A link or file of that name would send a later mount elsewhere.
        if let status = try FolderTools.status(at: tree.root.descriptor, name: name), !status.isFolder { try tree.remove(name, in: place) }
        guard let made = try tree.place([name], creating: true) else { throw SystemError(operation: "mkdirat", code: ENOENT) }
        try SystemCall.check("fchmod") { fchmod(made.folder.descriptor, mode) }
    }

    /// A file that a container with a network has its own over; nothing can be mounted where nothing is, and the root is read-only then. What the
    /// image has there stays.
    private func ensureResolverFile() throws {
        let (folder, name) = (Array("etc".utf8), Array("resolv.conf".utf8))
        let root = RootedTree.Place(folder: tree.root, canonical: [])
        if let status = try FolderTools.status(at: root.folder.descriptor, name: folder), !status.isFolder { return }
        guard let place = try tree.place([folder], creating: true) else { throw SystemError(operation: "mkdirat", code: ENOENT) }
        guard try FolderTools.status(at: place.folder.descriptor, name: name) == nil else { return }
        let file = try OpenFile(at: place.folder.descriptor, name: name, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
        if isRoot { try SystemCall.check("fchown") { fchown(file.descriptor, options.idOffset, options.idOffset) } }
        try SystemCall.check("fchmod") { fchmod(file.descriptor, 0o644) }
        try setTime(0, of: file)
    }

    // MARK: Attributes

    /// Sets owner and permissions. Setuid and setgid are dropped; sticky stays on folders. Extended attributes, and so capabilities, are never set.
    private func setAttributes(of file: OpenFile, entry: TarEntry) throws {
        if let owner = try owner(of: entry) {
            try SystemCall.check("fchown") { fchown(file.descriptor, owner.user, owner.group) }
        }
        var mode = mode_t(entry.mode) & (entry.kind == .folder ? 0o1777 : 0o777)
        // Another user than root could not go on in a folder without these.
        if !isRoot, entry.kind == .folder { mode |= 0o700 }
        try SystemCall.check("fchmod") { fchmod(file.descriptor, mode) }
    }

    private func owner(of entry: TarEntry) throws(OCIError) -> (user: uid_t, group: gid_t)? {
        guard isRoot else { return nil }
        guard entry.userID <= Int64(options.ownerIDMax), entry.groupID <= Int64(options.ownerIDMax) else {
            throw OCIError(
                .limitExceeded, "A layer has a file of an owner above \(options.ownerIDMax); build the image with ordinary owners.")
        }
        return (UInt32(entry.userID) + options.idOffset, UInt32(entry.groupID) + options.idOffset)
    }

    private func setTime(_ seconds: Int64, of file: OpenFile) throws {
        let times = Self.times(seconds)
        // Safety: `times` has the two values that futimens reads.
        try SystemCall.check("futimens") { futimens(file.descriptor, times) }
    }

    /// Access and change time alike; what the kernel's clock cannot hold becomes 0.
    private static func times(_ seconds: Int64) -> [timespec] {
        let kept = (0...0xffff_ffff).contains(seconds) ? Int(seconds) : 0
        return [timespec(tv_sec: kept, tv_nsec: 0), timespec(tv_sec: kept, tv_nsec: 0)]
    }

    private func markOwn(_ canonical: [[UInt8]]) {
        for length in stride(from: canonical.count, to: 0, by: -1) {
            guard ownPaths.insert(Self.joined(Array(canonical.prefix(length)))).inserted else { return }
        }
    }

    private static func joined(_ canonical: [[UInt8]]) -> [UInt8] { Array(canonical.joined(separator: [UInt8(ascii: "/")])) }
}
