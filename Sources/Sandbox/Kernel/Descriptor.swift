import Glibc
import SandboxKernel

/// An open file, pipe or socket of this process, closed when the last reference to it is gone.
final class Descriptor: Sendable {
    let number: CInt

    init(taking number: CInt) { self.number = number }

    deinit {
        // Safety: this object alone owns the number. An error cannot be acted on: Linux has released the number by then.
        _ = kernel_close(number)
    }

    /// - Parameter flags: as for open(2); close-on-exec is added.
    static func open(_ path: String, _ flags: CInt, mode: mode_t = 0) throws -> Descriptor {
        // Safety: the string is a zero-ended copy that lives for the call.
        Descriptor(taking: try checked("open", path) { kernel_open(path, flags, mode) })
    }

    /// Reads what is there, at most `count` bytes. Empty at the end; `nil` if nothing is there yet.
    func read(atMost count: Int) throws -> [UInt8]? {
        var wouldBlock = false
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // Safety: the buffer holds `count` bytes for the length of the call.
            let result = kernel_read(number, buffer.baseAddress, count)
            if result == -Int(EAGAIN) {
                wouldBlock = true
            } else if result == -Int(ECONNRESET) {
                initialized = 0  // the other side of a socket left without reading all: an end like any other
            } else if result < 0 {
                throw SandboxError.systemCall("read", CInt(-result))
            } else {
                initialized = result
            }
        }
        return wouldBlock ? nil : bytes
    }

    /// Writes as much as fits without blocking. `nil` if nobody can read it any more.
    func write(_ bytes: ArraySlice<UInt8>) throws -> Int? {
        // Safety: the buffer lives for the length of the call and is only read.
        let result = bytes.withUnsafeBytes { kernel_write(number, $0.baseAddress, $0.count) }
        if result >= 0 { return result }
        if result == -Int(EAGAIN) { return 0 }
        if result == -Int(EPIPE) || result == -Int(ECONNRESET) { return nil }
        throw SandboxError.systemCall("write", CInt(-result))
    }

    /// Ends the stream towards the other side of a socket.
    func endWriting() throws { try checked("shutdown") { kernel_end_writing(number) } }

    func setNonblocking() throws { try checked("fcntl") { kernel_set_nonblocking(number) } }
}

/// Two connected descriptors.
struct DescriptorPair {
    /// The end that reads, or either end of a socket pair.
    let first: Descriptor
    /// The end that writes.
    let second: Descriptor

    static func pipe() throws -> DescriptorPair { try make("pipe2", kernel_pipe) }
    static func sockets() throws -> DescriptorPair { try make("socketpair", kernel_socket_pair) }

    private static func make(_ name: String, _ call: (UnsafeMutablePointer<CInt>?) -> CInt) throws -> DescriptorPair {
        var ends: [CInt] = [-1, -1]
        // Safety: the array holds the two numbers that the call writes, and lives for its length.
        try checked(name) { call(&ends) }
        return DescriptorPair(first: Descriptor(taking: ends[0]), second: Descriptor(taking: ends[1]))
    }
}

/// Calls the kernel and turns a negative errno into an error.
@discardableResult
func checked(_ name: String, _ detail: String = "", _ call: () -> CInt) throws -> CInt {
    let result = call()
    if result < 0 { throw SandboxError.systemCall(name, -result, detail) }
    return result
}

extension SandboxError {
    static func systemCall(_ name: String, _ errorNumber: CInt, _ detail: String = "") -> SandboxError {
        // Safety: strerror answers a static or thread-local text, copied here at once.
        let text = strerror(errorNumber).map { String(cString: $0) } ?? "error \(errorNumber)"
        return SandboxError(.systemCall, "The host refused a step of the sandbox.", cause: "\(name) \(detail): \(text)")
    }
}
