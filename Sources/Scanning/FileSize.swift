internal import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Looks at files without reading them whole. Blocks.
enum FileSize {
    /// Returns the size in bytes of a regular file, or of the one that a link leads to; `nil` when there is none.
    static func ofRegularFile(_ path: FilePath) -> Int? {
        var status = stat()
        // Safety: `status` outlives the call, which writes one `stat`; the path is a C string for the call only.
        guard stat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Returns at most `count` bytes from the start of a file; fewer when it is shorter.
    static func firstBytes(of path: FilePath, count: Int) throws(BoundedFile.Problem) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            return try file.closeAfter {
                var bytes = [UInt8](repeating: 0, count: count)
                // Safety: the buffer is the array's own storage for the call only, and the call writes at most its count.
                let read = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
                return Array(bytes[..<read])
            }
        } catch let error as Errno {
            throw error == .noSuchFileOrDirectory ? .missing : .unreadable(errno: error.rawValue)
        } catch {
            throw .unreadable(errno: Errno.ioError.rawValue)
        }
    }
}
