#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What bytes that the inspection passes over are for. Everything else has been read and checked.
enum PassedBytes: String, Sendable, Hashable, CaseIterable {
    /// Function bodies: the runtime checks and confines them.
    case code
    /// Data segments, which a program finds in its memory.
    case data
    /// Numbers that a model computes with.
    case weights
    /// Debug information.
    case debug = "debug information"
    /// What no part of the format explains.
    case opaque = "unexplained"
}

/// A file's bytes, read piece by piece through a small window, so that a file of gibibytes costs no more memory than one of kibibytes.
///
/// Blocks. It also keeps count of what was passed over unread.
final class ArtifactBytes {
    /// The file's name inside the artifact.
    let name: String
    /// The file's size in bytes when it was opened.
    let count: Int
    /// Bytes passed over, by what they are for.
    private(set) var passed: [PassedBytes: Int] = [:]

    private let descriptor: Int32?
    private var window: [UInt8] = []
    private var windowStart = 0

    /// Bytes read from the file at once. Chosen: few calls for a file of gibibytes whose weights are passed over, little memory.
    static let windowBytes = 64 * 1024

    /// Opens a regular file.
    ///
    /// - Parameter bytesMax: the largest file accepted, in bytes.
    /// - Throws: `artifact_unreadable`, `artifact_too_large`.
    init(_ file: ArtifactFile, bytesMax: Int) throws(ScanFailure) {
        name = file.name
        guard file.path.hasPrefix("/"), !file.path.contains("\0") else {
            throw .unreadable(artifact: file.name, reason: "the path is not absolute")
        }
        // Never follows a link, never waits for the other end of a pipe.
        // Safety: the path is a C string for the call only.
        let opened = Self.retrying { open(file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        guard opened.result >= 0 else { throw .unreadable(artifact: file.name, reason: "errno \(opened.errno)") }
        var status = stat()
        // Safety: `status` outlives the call, which writes one `stat`; the descriptor is open.
        let described = Self.retrying { fstat(opened.result, &status) }
        guard described.result == 0, status.st_mode & S_IFMT == S_IFREG, let size = Int(exactly: status.st_size) else {
            close(opened.result)
            throw .unreadable(artifact: file.name, reason: described.result == 0 ? "not a regular file" : "errno \(described.errno)")
        }
        guard size <= bytesMax else {
            close(opened.result)
            throw .tooLarge(file.name, bytes: size, bytesMax: bytesMax)
        }
        descriptor = opened.result
        count = size
    }

    /// Bytes in memory.
    init(name: String, bytes: [UInt8]) {
        self.name = name
        count = bytes.count
        descriptor = nil
        window = bytes
    }

    deinit {
        if let descriptor { close(descriptor) }
    }

    /// Returns one byte; the offset is within the file.
    func byte(at offset: Int) throws(ScanFailure) -> UInt8 {
        if offset < windowStart || offset >= windowStart + window.count { try moveWindow(to: offset) }
        return window[offset - windowStart]
    }

    /// Returns some bytes; the range is within the file, and its length bounded by the caller.
    func bytes(_ range: Range<Int>) throws(ScanFailure) -> [UInt8] {
        var result: [UInt8] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            if offset < windowStart || offset >= windowStart + window.count { try moveWindow(to: offset) }
            let piece = offset - windowStart..<min(range.upperBound - windowStart, window.count)
            result.append(contentsOf: window[piece])
            offset += piece.count
        }
        return result
    }

    /// Notes bytes as passed over.
    func note(_ count: Int, as use: PassedBytes) {
        precondition(count >= 0, "nothing is passed over backwards")
        if count > 0 { passed[use, default: 0] += count }
    }

    /// How many bytes were passed over, of any use.
    var passedBytes: Int { passed.values.reduce(0, +) }

    private func moveWindow(to offset: Int) throws(ScanFailure) {
        precondition(offset >= 0 && offset < count, "cursors stay within the file")
        // Bytes in memory are one window, which this offset is within.
        guard let descriptor else { preconditionFailure("bytes in memory are one window") }
        var buffer = [UInt8](repeating: 0, count: min(Self.windowBytes, count - offset))
        let size = buffer.count
        // Safety: the buffer is the array's own storage for the call only, and the call writes at most its count.
        let read = Self.retrying { buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, size, off_t(offset)) } }
        guard read.result > 0 else {
            throw .unreadable(artifact: name, reason: read.result == 0 ? "it became shorter while it was read" : "errno \(read.errno)")
        }
        buffer.removeLast(size - read.result)
        window = buffer
        windowStart = offset
    }

    /// Makes a system call again while signals interrupt it.
    private static func retrying<Result: SignedInteger>(_ call: () -> Result) -> (result: Result, errno: Int32) {
        while true {
            let (result, code) = (call(), errno)
            if result != -1 || code != EINTR { return (result, code) }
        }
    }
}
