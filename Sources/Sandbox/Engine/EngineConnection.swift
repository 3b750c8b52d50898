import Glibc
import SandboxKernel

/// One connection to an engine's socket. Used by one thread; every wait ends at a deadline.
final class EngineConnection {
    /// The longest piece that is read at once. Source: a pipe's capacity, pipe(7).
    static let pieceBytesMax = 65536
    /// How long to wait before the socket is tried again that has too many callers. Chosen: an engine accepts within microseconds.
    private static let busyMilliseconds: CInt = 10

    let descriptor: Descriptor
    /// Bytes that came behind an answer.
    private(set) var surplus: [UInt8] = []

    init(to path: String, deadline: ContinuousClock.Instant) throws {
        while true {
            // Safety: the string is a zero-ended copy that lives for the call.
            let result = kernel_connect_local(path)
            if result >= 0 {
                descriptor = Descriptor(taking: result)
                return
            }
            guard result == -EAGAIN, ContinuousClock.now < deadline else {
                let error = SandboxError.systemCall("connect", -result, path)
                throw SandboxError(.runtime, "The container engine cannot be reached.", cause: error.cause)
            }
            // Safety: an empty list; the call only waits.
            kernel_poll(nil, 0, Self.busyMilliseconds)
        }
    }

    /// Writes as much as fits without blocking. `nil` if the engine does not read any more.
    func writeSome(_ bytes: ArraySlice<UInt8>) throws -> Int? {
        // Safety: the buffer lives for the length of the call and is only read.
        let result = bytes.withUnsafeBytes { kernel_send(descriptor.number, $0.baseAddress, $0.count) }
        if result >= 0 { return result }
        if result == -Int(EAGAIN) { return 0 }
        if result == -Int(EPIPE) || result == -Int(ECONNRESET) { return nil }
        throw SandboxError.systemCall("send", CInt(-result))
    }

    /// Writes a whole piece.
    ///
    /// - Returns: whether the engine took all of it; it may answer, or hang up, before it has.
    func write(_ bytes: [UInt8], deadline: ContinuousClock.Instant) throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = try writeSome(rest) else { return false }
            rest = rest.dropFirst(count)
            if rest.isEmpty { return true }
            if count == 0, try wait(for: POLLOUT | POLLIN, deadline: deadline) & Int16(POLLIN) != 0 { return false }
        }
        return true
    }

    /// Whether something can be read, now.
    func hasInput() throws -> Bool { try wait(for: POLLIN, deadline: .now, isTimeUpAnError: false) != 0 }

    /// Reads an answer.
    ///
    /// - Parameter bodyBytesMax: a longer body is an error.
    func readResponse(bodyBytesMax: Int, deadline: ContinuousClock.Instant) throws -> EngineResponse {
        var response = EngineResponse(bodyBytesMax: bodyBytesMax)
        do {
            while !response.isComplete {
                guard let bytes = try descriptor.read(atMost: Self.pieceBytesMax) else {
                    try wait(for: POLLIN, deadline: deadline)
                    continue
                }
                if bytes.isEmpty { try response.end() } else { surplus = Array(try response.take(bytes)) }
                // A body without an end, sent in drops, is never waited for.
                guard ContinuousClock.now < deadline || response.isComplete else { throw Self.timeUp }
            }
        } catch let error as EngineResponse.Malformed {
            throw SandboxError(.runtime, "The container engine's answer cannot be read.", cause: "\(error)")
        }
        return response
    }

    /// Takes the bytes that came behind the answer.
    func takeSurplus() -> [UInt8] {
        defer { surplus = [] }
        return surplus
    }

    private static let timeUp = SandboxError(.runtime, "The container engine did not answer.")

    @discardableResult
    private func wait(for events: Int32, deadline: ContinuousClock.Instant, isTimeUpAnError: Bool = true) throws -> Int16 {
        while true {
            var entries = [pollfd(fd: descriptor.number, events: Int16(events), revents: 0)]
            let remaining = ContinuousClock.now.duration(to: deadline)
            // Safety: the array holds the one entry that is announced, for the length of the call.
            if try checked("poll", "", { kernel_poll(&entries, 1, remaining.pollMilliseconds) }) > 0 { return entries[0].revents }
            if remaining <= .zero {
                if isTimeUpAnError { throw Self.timeUp }
                return 0
            }
        }
    }
}
