import Domain
import Foundation
import Glibc
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// Ways out of a cage, all of which must be shut.
    @Suite(.enabled(if: !SandboxKind.here.isEmpty, "needs root and runc, podman or dockerd"))
    struct EscapeTests {
        /// What a Cargo must not reach, there for the length of a test: a process, a port of the loopback device, a file, a nameless socket.
        private final class Host: Sendable {
            let folder: TemporaryFolder
            let arguments: [String]
            private let sockets: [CInt]

            init() throws {
                folder = try TemporaryFolder()
                try folder.write("/secret", "a secret of the host")
                chmod(folder.path + "/secret", 0o644)
                let tcp = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                // Safety: the address and its length live for the calls, and are of the kind that the socket takes.
                let port = try withUnsafeMutablePointer(to: &address) { pointer in
                    try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                        try #require(bind(tcp, pointer, length) == 0 && listen(tcp, 8) == 0 && getsockname(tcp, pointer, &length) == 0)
                    }
                    return UInt16(bigEndian: pointer.pointee.sin_port)
                }
                let local = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
                var name = sockaddr_un()
                name.sun_family = sa_family_t(AF_UNIX)
                let text = Array("archipelago-escapes-\(getpid())".utf8)
                withUnsafeMutableBytes(of: &name.sun_path) { $0[1...].copyBytes(from: text) }
                let size = socklen_t(MemoryLayout<sa_family_t>.size + 1 + text.count)
                // Safety: as above.
                try withUnsafePointer(to: &name) { pointer in
                    try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        try #require(bind(local, $0, size) == 0 && listen(local, 8) == 0)
                    }
                }
                sockets = [tcp, local]
                arguments = ["\(getpid())", "\(port)", folder.path + "/secret"]
            }

            deinit { for socket in sockets { close(socket) } }
        }

        /// The image, with a program in it that would make its caller the owner of everything in its cage.
        private static func prepare(_ host: SandboxHost) throws {
            let root = try host.image("escapes")
            try FileManager.default.copyItem(atPath: root + "/cargo", toPath: root + "/setuid")
            chown(root + "/setuid", 100_000, 100_000)
            chmod(root + "/setuid", 0o4755)
        }

        private static func lines(_ output: [UInt8]) -> [Substring] { String(decoding: output, as: UTF8.self).split(separator: "\n") }

        /// Whether the attempts are any good: where nothing holds them, most work.
        @Test func mostWorkOutsideOfACage() throws {
            let unsafe = [
                "account", "swap", "kexec", "module", "sysrq", "write-", "host-name", "remount-root", "unmount-proc", "pivot-root", "clock",
                "spare-me",
                "cgroup-write", "make-device",
            ]
            let program = try Programs.path("escapes")
            let outside = try Host()
            func output(_ words: [String]) throws -> String {
                let (process, pipe) = (Process(), Pipe())
                process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
                process.arguments = ["--mount", "--uts", "--pid", "--fork", "--mount-proc", program] + words
                process.standardOutput = pipe
                try process.run()
                let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
                process.waitUntilExit()
                return String(decoding: bytes, as: UTF8.self)
            }
            var escaped = 0
            for name in try output(["--list"]).split(separator: "\n") where !unsafe.contains(where: { name.hasPrefix($0) }) {
                if try output([String(name)] + outside.arguments).hasSuffix("escaped\n") { escaped += 1 }
            }
            #expect(escaped > 40, "\(escaped)")
        }

        @Test(arguments: SandboxKind.here, [TrustLevel.basic, .verified])
        func noneWorksWithProcessesAndFiles(kind: SandboxKind, level: TrustLevel) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                try Self.prepare(host)
                let outside = try Host()
                let job = try host.job("escapes", level: level, command: ["/cargo", "--all"] + outside.arguments)
                let (end, output) = try await host.run(job)
                #expect(end.cause == .exited(code: 0), "\(String(decoding: end.standardError, as: UTF8.self))")
                let lines = Self.lines(output)
                #expect(lines.count > 80)
                // gVisor's own kernel lets a process choose who goes first when that kernel has no memory; the host's is not asked.
                let harmless = kind == .runsc ? ["spare-me escaped"] : []
                for line in lines where !line.contains(" refused ") && !harmless.contains(String(line)) {
                    #expect(line.hasSuffix(" killed 31"), "\(line)")
                }
            }
        }

        /// Level 0 has no processes: each attempt has a cage to itself.
        @Test func noneWorksAtLevel0() async throws {
            try await SandboxHost.with(.runc) { (host) async throws -> Void in
                try Self.prepare(host)
                let outside = try Host()
                let names = Self.lines(try await host.run(host.job("escapes", command: ["/cargo", "--list"])).output)
                #expect(names.count > 80)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (number, name) in names.enumerated() {
                        if number >= 4 { try await group.next() }
                        group.addTask {
                            let job = try host.job("escapes", command: ["/cargo", String(name)] + outside.arguments)
                            let (end, output) = try await host.run(job)
                            if case .forbiddenSyscall = end.cause { return }
                            #expect(
                                end.cause == .exited(code: 0) && Self.lines(output).allSatisfy { $0.contains(" refused ") }, "\(name): \(end.cause)")
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}
