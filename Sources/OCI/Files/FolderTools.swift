import Glibc

/// Small file system steps on paths that our own side chose.
enum FolderTools {
    /// Makes a folder and those above it; folders that are there are fine.
    static func makeFolders(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
        var built = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            built += (built.isEmpty || built.hasSuffix("/") ? "" : "/") + part
            // Safety: Swift keeps the C string alive for the call. There already: if it is no folder, the next step fails.
            try SystemCall.check("mkdir", tolerating: [EEXIST, EISDIR, EROFS]) { mkdir(built, mode) }
        }
    }

    /// Status of a path without following a last symbolic link; `nil` when there is nothing.
    static func status(of path: String) throws(SystemError) -> stat? {
        var result = stat()
        // Safety: `result` is a whole `stat`, and Swift keeps the C string alive for the call.
        let found = try SystemCall.check("lstat", tolerating: [ENOENT, ENOTDIR]) { lstat(path, &result) }
        return found == nil ? nil : result
    }

    /// Status of a name below a folder without following a symbolic link; `nil` when there is nothing.
    static func status(at folder: Int32, name: [UInt8]) throws(SystemError) -> stat? {
        var result = stat()
        let cName = name.cName
        // Safety: `cName` is NUL-ended and `result` a whole `stat`; both live for the call.
        let found = try SystemCall.check("fstatat", tolerating: [ENOENT, ENOTDIR]) {
            fstatat(folder, cName, &result, AT_SYMLINK_NOFOLLOW)
        }
        return found == nil ? nil : result
    }

    /// Target of a symbolic link, as written in it.
    static func linkTarget(at folder: Int32, name: [UInt8]) throws(SystemError) -> [UInt8] {
        var target = [CChar](repeating: 0, count: 4096)
        let cName = name.cName
        // Safety: `cName` is NUL-ended, the buffer is valid for its count, which bounds the write; both live for the call.
        let count = try SystemCall.check("readlinkat") { readlinkat(folder, cName, &target, 4096) }
        return target[..<count].map { UInt8(bitPattern: $0) }
    }

    /// Names in an open folder, without `.` and `..`, in no order.
    ///
    /// - Parameters:
    ///   - folder: an open folder's descriptor; its read position is not used.
    static func names(in folder: Int32) throws(SystemError) -> [[UInt8]] {
        let own = try SystemCall.check("openat") { openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        // Safety: `own` is open and handed over to the stream; closed here when that fails.
        guard let stream = fdopendir(own) else {
            let code = errno
            _ = close(own)
            throw SystemError(operation: "fdopendir", code: code)
        }
        // Safety: `stream` came from fdopendir and is closed once, here.
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            // Safety: the entry stays valid until the next readdir on this stream, which only this loop calls.
            guard let entry = readdir(stream) else {
                let code = errno
                if code != 0 { throw SystemError(operation: "readdir", code: code) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in Array(raw.prefix { $0 != 0 }) }
            if name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] { names.append(name) }
        }
    }

    /// Removes a name below a folder with everything in it, never following a symbolic link; nothing there is fine.
    ///
    /// Goes through the tree with a stack of its own, so that depth cannot exhaust the thread's stack; holds one descriptor per level.
    static func removeTree(at folder: Int32, name: [UInt8]) throws(SystemError) {
        guard let status = try status(at: folder, name: name) else { return }
        guard status.isFolder else { return try unlinkName(at: folder, name: name, flags: 0) }
        var levels: [(parent: Int32, name: [UInt8], own: OpenFile, left: [[UInt8]])] = []
        func enter(_ parent: Int32, _ name: [UInt8]) throws(SystemError) {
            let own = try openFolder(at: parent, name: name)
            levels.append((parent, name, own, try names(in: own.descriptor)))
        }
        try enter(folder, name)
        while let index = levels.indices.last {
            guard let child = levels[index].left.popLast() else {
                let done = levels.removeLast()
                try unlinkName(at: done.parent, name: done.name, flags: AT_REMOVEDIR)
                continue
            }
            let parent = levels[index].own.descriptor
            if let status = try Self.status(at: parent, name: child), status.isFolder {
                try enter(parent, child)
            } else {
                try unlinkName(at: parent, name: child, flags: 0)
            }
        }
    }

    /// Removes a path with everything in it; nothing there is fine.
    static func removeTree(_ path: String) throws(SystemError) {
        try removeTree(at: AT_FDCWD, name: Array(path.utf8))
    }

    /// Syncs the folder that holds a path, so that a rename or link in it lasts.
    static func syncParent(of path: String) throws(SystemError) {
        try OpenFile(path: parent(of: path), flags: O_RDONLY | O_DIRECTORY).sync()
    }

    /// The path without its last part; `.` for a bare name.
    static func parent(of path: String) -> String {
        let trimmed = trimmingEndSlashes(path)
        guard let slash = trimmed.lastIndex(of: "/") else { return "." }
        let parent = trimmed[..<slash]
        return parent.isEmpty ? "/" : String(parent)
    }

    /// The path without slashes at its end.
    static func trimmingEndSlashes(_ path: String) -> String {
        var trimmed = Substring(path)
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
        return String(trimmed)
    }

    private static func openFolder(at parent: Int32, name: [UInt8]) throws(SystemError) -> OpenFile {
        let cName = name.cName
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        // Safety: `cName` is NUL-ended and lives for the calls.
        if let opened = try SystemCall.check("openat", tolerating: [EACCES], { openat(parent, cName, flags) }) {
            return OpenFile(owning: opened)
        }
        // A folder that its owner may not read: give us the right first. It was just seen to be a folder, in a tree that only we change.
        try SystemCall.check("fchmodat") { fchmodat(parent, cName, 0o700, 0) }
        return try OpenFile(at: parent, name: name, flags: flags)
    }

    private static func unlinkName(at folder: Int32, name: [UInt8], flags: Int32) throws(SystemError) {
        let cName = name.cName
        // Safety: `cName` is NUL-ended and lives for the call.
        try SystemCall.check("unlinkat", tolerating: [ENOENT]) { unlinkat(folder, cName, flags) }
    }
}
