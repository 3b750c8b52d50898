import Glibc

/// A folder in which paths of outside are resolved as inside a chroot: nothing outside it can be reached.
///
/// Each step is one `openat` with `O_NOFOLLOW`; symbolic links are read and resolved here, absolute ones from the root. A link that
/// climbs above the root is hostile. Blocking; one thread at a time.
final class RootedTree {
    /// A resolved folder.
    struct Place {
        /// The folder, open.
        let folder: OpenFile
        /// Names from the root, without links.
        let canonical: [[UInt8]]
    }

    /// The root, open.
    let root: OpenFile
    private let depthMax: Int
    private let ownerOfNewFolders: UInt32?
    private var cached: (components: [[UInt8]], place: Place)?

    /// Most links followed for one path. Source: Linux `MAXSYMLINKS`.
    static let linksMax = 40

    /// - Parameters:
    ///   - root: the open folder.
    ///   - depthMax: deepest folder, a count of names.
    ///   - ownerOfNewFolders: host number that owns folders made on the way; `nil` leaves them to the process.
    init(root: OpenFile, depthMax: Int, ownerOfNewFolders: UInt32?) {
        self.root = root
        self.depthMax = depthMax
        self.ownerOfNewFolders = ownerOfNewFolders
    }

    /// Resolves a folder.
    ///
    /// - Parameters:
    ///   - components: names from the root; `..` only comes from links.
    ///   - creating: whether missing folders are made (mode 0755).
    /// - Throws: `hostile_layer` when the way leads above the root or through a file or too many links; `limit_exceeded`; `SystemError`.
    /// - Returns: the folder, or `nil` when it is missing and not made.
    func place(_ components: [[UInt8]], creating: Bool) throws -> Place? {
        if let cached, cached.components == components { return cached.place }
        var pending = Array(components.reversed())
        var canonical: [[UInt8]] = []
        var current = root
        var links = 0
        while let name = pending.popLast() {
            if name.isEmpty || name == EntryPath.dot { continue }
            if name == EntryPath.dotDot {
                guard canonical.popLast() != nil else { throw EntryPath.hostile("a symbolic link leads above the root") }
                current = try reopen(canonical)
                continue
            }
            if let next = try OpenFile.folder(at: current.descriptor, name: name) {
                canonical.append(name)
                current = next
            } else if let status = try FolderTools.status(at: current.descriptor, name: name) {
                guard status.isSymbolicLink else { throw EntryPath.hostile("a path leads through a file") }
                links += 1
                guard links <= Self.linksMax else { throw EntryPath.hostile("a path leads through too many symbolic links") }
                let target = try readLink(name, in: current)
                if target.first == UInt8(ascii: "/") {
                    canonical = []
                    current = root
                }
                pending.append(contentsOf: target.split(separator: UInt8(ascii: "/")).map(Array.init).reversed())
            } else if creating {
                current = try makeFolder(name, in: current)
                canonical.append(name)
            } else {
                return nil
            }
            guard canonical.count <= depthMax else {
                throw OCIError(.limitExceeded, "A layer has folders more than \(depthMax) deep.")
            }
        }
        let place = Place(folder: current, canonical: canonical)
        cached = (components, place)
        return place
    }

    /// Removes a name in a resolved folder with everything in it.
    func remove(_ name: [UInt8], in place: Place) throws {
        cached = nil
        try FolderTools.removeTree(at: place.folder.descriptor, name: name)
    }

    private func reopen(_ canonical: [[UInt8]]) throws -> OpenFile {
        var current = root
        for name in canonical {
            guard let next = try OpenFile.folder(at: current.descriptor, name: name) else { throw SystemError(operation: "openat", code: ENOENT) }
            current = next
        }
        return current
    }

    private func makeFolder(_ name: [UInt8], in folder: OpenFile) throws -> OpenFile {
        let cName = name.cName
        // Safety: `cName` is NUL-ended and lives for the call.
        try SystemCall.check("mkdirat") { mkdirat(folder.descriptor, cName, 0o755) }
        let made = try OpenFile(at: folder.descriptor, name: name, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        // Again without the process's umask.
        try SystemCall.check("fchmod") { fchmod(made.descriptor, 0o755) }
        if let ownerOfNewFolders {
            try SystemCall.check("fchown") { fchown(made.descriptor, ownerOfNewFolders, ownerOfNewFolders) }
        }
        return made
    }

    private func readLink(_ name: [UInt8], in folder: OpenFile) throws -> [UInt8] {
        try FolderTools.linkTarget(at: folder.descriptor, name: name)
    }
}

/// Splits and judges paths of archives.
enum EntryPath {
    /// Longest name, in bytes. Source: Linux `NAME_MAX`.
    static let nameBytesMax = 255
    static let dot: [UInt8] = [UInt8(ascii: ".")]
    static let dotDot: [UInt8] = [UInt8(ascii: "."), UInt8(ascii: ".")]

    /// Names of a relative path, without empty ones and `.`.
    ///
    /// - Throws: `hostile_layer` for an absolute path or one with `..`.
    static func components(_ path: [UInt8]) throws(OCIError) -> [[UInt8]] {
        guard path.first != UInt8(ascii: "/") else { throw hostile("an entry has an absolute path") }
        let parts = path.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != dot }
        guard !parts.contains(dotDot) else { throw hostile("an entry's path goes upwards with ..") }
        guard parts.allSatisfy({ $0.count <= nameBytesMax }) else {
            throw OCIError(.limitExceeded, "A layer has a name of more than \(nameBytesMax) bytes.")
        }
        return parts
    }

    static func hostile(_ what: String) -> OCIError {
        OCIError(.hostileLayer, "A layer was refused: \(what). No image builder makes such a layer; rebuild the image.")
    }
}
