import Domain
import Foundation
import Glibc
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// A program of the Island's in the cage of a Cargo, with the Cargo's file mounted: how kinds other than containers run.
    @Suite(.enabled(if: access("/bin/busybox", X_OK) == 0, "needs busybox as a static program")) struct RunnerTests {
        private static func job(_ host: LiveHost, _ script: String, level: TrustLevel = .basic, name: String = "job-1") throws -> CagedJob {
            let root = host.folder.path + "/runner-root"
            mkdir(root, 0o755)
            try host.folder.write("/module", "the module")
            return try CagedJob(
                id: ContainerID(name), rootFolder: root, command: ["/runner/busybox", "sh", "-c", script], level: level,
                mounts: [
                    ReadOnlyMount(source: "/bin/busybox", destination: "/runner/busybox", isExecutable: true),
                    ReadOnlyMount(source: host.folder.path + "/module", destination: "/work/module"),
                ], input: Array("input".utf8))
        }

        @Test func theRunnerSeesTheFileAndCannotChangeIt() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                chmod(host.folder.path + "/module", 0o777)
                let script = """
                    b=/runner/busybox; $b cat /work/module; echo; $b cat; echo
                    echo x 2>/dev/null > /work/module && echo written; $b rm -f /runner/busybox 2>/dev/null && echo removed
                    /work/module 2>/dev/null && echo started; $b mount -o remount,rw /work/module 2>/dev/null && echo remounted; echo end
                    """
                let (end, output) = try await host.run(Self.job(host, script))
                // Trying to mount ends the program that tries.
                #expect(output == "the module\ninput\nend\n", "\(end.cause) \(String(decoding: end.standardError, as: UTF8.self))")
                #expect(try String(contentsOfFile: host.folder.path + "/module", encoding: .utf8) == "the module")
            }
        }

        /// The level's limits are the runner's too.
        @Test func theRunnerIsHeldToItsLevel() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let (end, _) = try await host.run(Self.job(host, "x=x; while :; do x=$x$x; done", name: "job-2"))
                #expect(end.cause == .outOfMemory, "\(end)")
                let strict = try await host.run(Self.job(host, "/runner/busybox id", level: .untrusted, name: "job-3")).end
                if case .forbiddenSyscall = strict.cause { return }
                #expect(strict.cause != .exited(code: 0), "\(strict)")
            }
        }

        /// A link of the image must not send a mount elsewhere.
        @Test(arguments: ["/link/module", "/link", "/file/module"]) func aPlaceThatIsSomethingElseIsRefused(destination: String) async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let root = try host.image("echo")
                try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "/tmp")
                try Data().write(to: URL(fileURLWithPath: root + "/file"))
                let job = try CagedJob(
                    id: ContainerID("job-5"), rootFolder: root, command: ["/cargo"], level: .basic,
                    mounts: [ReadOnlyMount(source: "/etc/hostname", destination: destination)], input: [])
                let error = await #expect(throws: SandboxError.self) { _ = try await host.run(job) }
                #expect(error?.code == .unusableRoot)
                #expect(access("/tmp/module", F_OK) != 0)
            }
        }

        @Test func aFileThatIsNotThereIsTheIslandsFault() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let job = try CagedJob(
                    id: ContainerID("job-4"), rootFolder: host.image("echo"), command: ["/cargo"], level: .basic,
                    mounts: [ReadOnlyMount(source: "/nowhere/at/all", destination: "/module")], input: [])
                let error = await #expect(throws: SandboxError.self) { _ = try await host.run(job) }
                #expect(error?.fault == .island)
            }
        }
    }
}
