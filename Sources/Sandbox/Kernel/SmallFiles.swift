import Glibc
import SandboxKernel

/// Files that are read or written in one go: configuration, process ids, the kernel's counters.
enum SmallFiles {
    /// Most that is read. Chosen: the largest, mountinfo of a busy host, has some hundred KiB.
    static let bytesMax = 4 << 20

    static func read(_ path: String) throws -> String {
        let file = try Descriptor.open(path, O_RDONLY)
        var bytes: [UInt8] = []
        while bytes.count < bytesMax, let piece = try file.read(atMost: 65536), !piece.isEmpty { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    static func write(_ bytes: [UInt8], to path: String, create: Bool) throws {
        let file = try Descriptor.open(path, O_WRONLY | (create ? O_CREAT | O_TRUNC : 0), mode: 0o600)
        var remaining = bytes[...]
        while !remaining.isEmpty {
            guard let count = try file.write(remaining), count > 0 else { throw SandboxError.systemCall("write", ENOSPC, path) }
            remaining = remaining.dropFirst(count)
        }
    }
}
