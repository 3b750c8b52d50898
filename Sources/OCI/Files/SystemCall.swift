import Glibc

/// A failed system call.
struct SystemError: Error, Hashable {
    /// The call's name.
    let operation: String
    /// The value of `errno`.
    let code: Int32

    /// The failure as the module's error.
    ///
    /// - Parameter place: what was being done, for the message.
    func storageFailure(_ place: String = "the local store") -> OCIError {
        let hint =
            switch code {
            case ENOSPC, EDQUOT: "there is no space left; free some and try again"
            case EACCES, EPERM, EROFS: "the permissions do not allow it"
            case EMFILE, ENFILE: "too many files are open"
            case ENOENT: "a file or folder is not there"
            case EEXIST: "a file or folder is there already"
            default: "the file system refused"
            }
        return OCIError(.storageFailure, "Working on \(place) failed: \(hint).", cause: "\(operation): errno \(code)")
    }
}

/// The one way to system calls: retries `EINTR`, takes `errno` right after the call.
enum SystemCall {
    /// Calls and throws when the result is negative.
    ///
    /// - Parameters:
    ///   - operation: the call's name.
    ///   - body: the call.
    /// - Returns: the call's result, at least 0.
    @discardableResult
    static func check<Result: SignedInteger>(_ operation: String, _ body: () -> Result) throws(SystemError) -> Result {
        while true {
            let (result, code) = (body(), errno)
            if result >= 0 { return result }
            if code != EINTR { throw SystemError(operation: operation, code: code) }
        }
    }

    /// Calls, and lets some failures be answers.
    ///
    /// - Parameters:
    ///   - operation: the call's name.
    ///   - tolerated: values of `errno` that are answers.
    ///   - body: the call.
    /// - Returns: the call's result, or `nil` for a tolerated failure.
    @discardableResult
    static func check<Result: SignedInteger>(
        _ operation: String, tolerating tolerated: [Int32], _ body: () -> Result
    ) throws(SystemError) -> Result? {
        while true {
            let (result, code) = (body(), errno)
            if result >= 0 { return result }
            if tolerated.contains(code) { return nil }
            if code != EINTR { throw SystemError(operation: operation, code: code) }
        }
    }
}

/// An open file descriptor that is closed with its last reference.
final class OpenFile: Sendable {
    /// The descriptor, valid as long as this object lives.
    let descriptor: Int32

    /// Takes over an open descriptor.
    init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        // The result is lost on purpose: what must be on disk was synced before, and a descriptor is gone after close either way.
        _ = close(descriptor)
    }

    /// Opens a path.
    ///
    /// - Parameters:
    ///   - path: the file's path.
    ///   - flags: flags of `open`; `O_CLOEXEC` is added.
    ///   - mode: permissions of a new file.
    convenience init(path: String, flags: Int32, mode: mode_t = 0) throws(SystemError) {
        // Safety: Swift keeps the C string alive for the call.
        self.init(owning: try SystemCall.check("open") { Glibc.open(path, flags | O_CLOEXEC, mode) })
    }

    /// Opens a name below a folder.
    convenience init(at folder: Int32, name: [UInt8], flags: Int32, mode: mode_t = 0) throws(SystemError) {
        let cName = name.cName
        // Safety: `cName` is NUL-ended and lives for the call; `folder` is held open by the caller.
        self.init(owning: try SystemCall.check("openat") { openat(folder, cName, flags | O_CLOEXEC, mode) })
    }

    /// Opens a real folder below a folder.
    ///
    /// - Returns: `nil` when the name is missing or something else, also a symbolic link.
    static func folder(at parent: Int32, name: [UInt8]) throws(SystemError) -> OpenFile? {
        let cName = name.cName
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        // Safety: `cName` is NUL-ended and lives for the call; `parent` is held open by the caller.
        let opened = try SystemCall.check("openat", tolerating: [ENOENT, ENOTDIR, ELOOP]) { openat(parent, cName, flags) }
        guard let opened else { return nil }
        return OpenFile(owning: opened)
    }

    /// Opens a path; what is not there becomes the caller's error.
    static func open(_ path: String, flags: Int32, orMissing missing: @autoclosure () -> OCIError) throws -> OpenFile {
        // Safety: Swift keeps the C string alive for the call.
        let opened = try SystemCall.check("open", tolerating: [ENOENT, ENOTDIR]) { Glibc.open(path, flags | O_CLOEXEC) }
        guard let opened else { throw missing() }
        return OpenFile(owning: opened)
    }

    /// Reads up to a buffer's size at an offset; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
        // Safety: the buffer is valid for its count, which bounds the read.
        try SystemCall.check("pread") { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Writes all bytes at the current position.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            // Safety: `rest` lies within `bytes`, which the caller keeps valid; its count bounds the write.
            let count = try SystemCall.check("write") { Glibc.write(descriptor, rest.baseAddress, rest.count) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Type, permissions and size of the open file.
    func status() throws(SystemError) -> stat {
        var status = stat()
        // Safety: `status` is a whole `stat` that outlives the call.
        try SystemCall.check("fstat") { fstat(descriptor, &status) }
        return status
    }

    /// Waits until the file, or the folder's entries, are on disk.
    func sync() throws(SystemError) {
        try SystemCall.check("fsync") { fsync(descriptor) }
    }
}

extension stat {
    /// Whether it is a regular file.
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
    /// Whether it is a folder.
    var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
    /// Whether it is a symbolic link.
    var isSymbolicLink: Bool { st_mode & S_IFMT == S_IFLNK }
}

extension [UInt8] {
    /// The bytes as a NUL-ended C string; they hold no NUL themselves.
    var cName: [CChar] {
        var ended: [CChar] = []
        ended.reserveCapacity(count + 1)
        for byte in self { ended.append(CChar(bitPattern: byte)) }
        ended.append(0)
        return ended
    }
}
