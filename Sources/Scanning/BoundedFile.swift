internal import SystemPackage

/// Reads whole files, up to a bound. Blocks.
enum BoundedFile {
    /// Why a file could not be read.
    enum Problem: Error, Sendable, Hashable {
        case missing
        case tooLarge(bytesMax: Int)
        case unreadable(errno: Int32)

        var text: String {
            switch self {
            case .missing: "no such file"
            case .tooLarge(let bytesMax): "larger than \(bytesMax) bytes"
            case .unreadable(let errno): Errno(rawValue: errno).description
            }
        }
    }

    /// Returns the bytes of a file.
    ///
    /// Never waits for the other end of a pipe.
    ///
    /// - Parameter followsLinks: whether a symbolic link in the last part of the path is followed; elsewhere in the path
    ///   links always are.
    static func read(_ path: FilePath, bytesMax: Int, followsLinks: Bool = false) throws(Problem) -> [UInt8] {
        do {
            var options: FileDescriptor.OpenOptions = [.closeOnExec, .nonBlocking]
            if !followsLinks { options.insert(.noFollow) }
            let file = try FileDescriptor.open(path, .readOnly, options: options)
            return try file.closeAfter { try readAll(file, bytesMax: bytesMax) }
        } catch let problem as Problem {
            throw problem
        } catch let error as Errno {
            throw error == .noSuchFileOrDirectory ? .missing : .unreadable(errno: error.rawValue)
        } catch {
            throw .unreadable(errno: Errno.ioError.rawValue)
        }
    }

    /// Bytes asked for in one read. Chosen: few calls for a report of some megabytes, little memory for a small file.
    private static let chunkBytes = 256 * 1024

    private static func readAll(_ file: FileDescriptor, bytesMax: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            // Safety: the buffer is `chunk`'s own storage for the call only, and the call writes at most its count.
            let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            guard bytes.count + count <= bytesMax else { throw Problem.tooLarge(bytesMax: bytesMax) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}
