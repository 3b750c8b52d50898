import Foundation
import Glibc
import Synchronization

/// A Consumer who takes a byte a second of a job's stream.
final class SlowReader: Sendable {
    private let socket: CInt
    private let isOver = Mutex(false)

    /// Opens the stream; reads it on a thread of its own.
    init(_ network: BenchNetwork, _ job: String) throws {
        socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var room = CInt(4096)
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(URL(string: network.url)?.port ?? 0).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            // Safety: an IPv4 address is what the call expects behind the general type, in this length.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        let request = [
            "GET /api/v1/jobs/\(job)/ws HTTP/1.1", "Host: 127.0.0.1", "Authorization: Bearer \(network.consumerKey)", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
        ].joined(separator: "\r\n")
        guard status == 0, write(socket, request, request.utf8.count) == request.utf8.count else {
            throw CommandFailure(.failed, "The slow reader cannot connect.")
        }
        Thread { [self] in
            var byte = UInt8(0)
            while !isOver.withLock(\.self), read(socket, &byte, 1) == 1 { sleep(1) }
            close(socket)
        }.start()
    }

    /// Ends it within a second.
    func stop() {
        isOver.withLock { $0 = true }
        shutdown(socket, CInt(SHUT_RDWR))
    }
}

/// What this process holds in memory, in bytes. Source: proc(5), `/proc/self/status`.
enum ResidentMemory {
    static var now: Int { value("VmRSS:") }
    /// The most since the process began.
    static var peak: Int { value("VmHWM:") }

    private static func value(_ name: String) -> Int {
        let lines = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.split(separator: "\n") ?? []
        let words = lines.first { $0.hasPrefix(name) }?.split(separator: " ", omittingEmptySubsequences: true) ?? []
        return words.compactMap { Int($0) }.first.map { $0 << 10 } ?? 0
    }
}
