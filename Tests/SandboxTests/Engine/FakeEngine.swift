import Foundation
import Glibc
import Testing

@testable import Sandbox

/// A socket on which something answers that is no engine, or a broken one.
final class FakeEngine: Sendable {
    /// What happens on a connection after its request was read up to the end of its head.
    enum Reply: Sendable {
        /// Writes this and hangs up.
        case text(String)
        /// Writes this and holds the connection open.
        case silence(String)
        /// Writes the first, then the second without end.
        case endless(String, String)
    }

    let folder: TemporaryFolder
    let socketPath: String
    private let listener: Descriptor

    init(_ answer: @escaping @Sendable (_ head: String) -> Reply) throws {
        folder = try TemporaryFolder()
        socketPath = folder.path + "/fake.sock"
        let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        try #require(number >= 0)
        listener = Descriptor(taking: number)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(socketPath.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, size) } }
        try #require(bound == 0 && listen(number, 16) == 0)
        let listener = listener
        try BlockingThread.start {
            var held: [Descriptor] = []
            while true {
                let end = accept(listener.number, nil, nil)
                guard end >= 0 else { return }
                let connection = Descriptor(taking: end)
                if FakeEngine.serve(connection, answer) { held.append(connection) }
            }
        }
    }

    deinit { shutdown(listener.number, CInt(SHUT_RDWR)) }

    var client: EngineClient { EngineClient(socketPath: socketPath, requestTimeout: .milliseconds(500)) }

    private static func serve(_ connection: Descriptor, _ answer: (String) -> Reply) -> Bool {
        var head: [UInt8] = []
        while !head.contains(0x0A), let bytes = try? connection.read(atMost: 4096), !bytes.isEmpty { head += bytes }
        func write(_ text: String) -> Bool { ((try? connection.write(Array(text.utf8)[...])) ?? nil) != nil }
        switch answer(String(decoding: head, as: UTF8.self)) {
        case .text(let text):
            _ = write(text)
            return false
        case .silence(let text):
            _ = write(text)
            return true
        case .endless(let first, let next):
            if write(first) { while write(next) {} }
            return false
        }
    }
}
