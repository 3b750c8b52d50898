import Domain
import Foundation
import Glibc
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// A level is offered only where every limit really holds: runtimes that ignore limits, and what the Island says of them.
    @Suite struct LevelChecksTests {
        /// A runtime that changes the container's description before the real runc sees it.
        private static func stub(_ change: String, version: String = "1.3.4") throws -> (path: String, folder: TemporaryFolder) {
            let folder = try TemporaryFolder()
            let program = """
                #!/usr/bin/env python3
                import json, os, sys
                if "--version" in sys.argv:
                    print("runc version \(version)")
                    sys.exit(0)
                if "create" in sys.argv:
                    path = sys.argv[sys.argv.index("--bundle") + 1] + "/config.json"
                    spec = json.load(open(path))
                    \(change)
                    json.dump(spec, open(path, "w"))
                os.execv("/usr/sbin/runc", ["runc"] + sys.argv[1:])
                """
            try folder.write("/runc", program)
            chmod(folder.path + "/runc", 0o755)
            return (folder.path + "/runc", folder)
        }

        private static func reports(_ change: String, version: String = "1.3.4") async throws -> [LevelReport] {
            let (path, folder) = try stub(change, version: version)
            let host = try LiveHost(runc: path)
            let reports = await host.sandbox.enforceableLevels()
            await host.sandbox.shutdown()
            withExtendedLifetime(folder) {}
            return reports
        }

        @Test func anHonestRuntimeKeepsItsLevels() async throws {
            #expect(try await Self.reports("pass").prefix(3).allSatisfy(\.isEnforceable))
        }

        @Test(arguments: ["1.1.11", "1.0.3", "0.1.1", "none"]) func aRuntimeWithAKnownHoleLosesEveryLevel(version: String) async throws {
            let reports = try await Self.reports("pass", version: version)
            #expect(reports.allSatisfy { !$0.isEnforceable })
            let problem = reports[0].obstacles[0]
            #expect(
                problem.problem.contains(version == "none" ? "does not say" : "CVE-2024-21626") && problem.remedy.contains("upgrade"), "\(problem)")
        }

        /// A runtime that is replaced while the Island runs is tried before it runs another job.
        @Test func aHostThatChangesIsTriedAgain() async throws {
            let (path, folder) = try Self.stub("pass")
            let host = try LiveHost(runc: path)
            #expect(await host.sandbox.enforceableLevels()[1].isEnforceable)
            #expect(try await host.run(host.job("ignores-input", level: .basic)).end.cause == .exited(code: 0))
            let (worse, other) = try Self.stub("del spec['linux']['seccomp']")
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: worse, toPath: path)
            // Several at once, and the trial is made once.
            for error in try await withThrowingTaskGroup(
                of: SandboxError?.self, returning: [SandboxError?].self,
                body: { group in
                    for _ in 0..<3 {
                        group.addTask {
                            do { _ = try await host.run(host.job("ignores-input", level: .basic)) } catch let error as SandboxError { return error }
                            return nil
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                })
            {
                #expect(error?.code == .levelNotEnforced && error?.fault == .island, "\(String(describing: error))")
            }
            // Level 0 has a filter of its own, and still holds.
            #expect(try await host.run(host.job("ignores-input")).end.cause == .exited(code: 0))
            await host.sandbox.shutdown()
            withExtendedLifetime((folder, other)) {}
        }

        /// The packet filter of this host; empty where it has no program for it.
        private static func firewall() throws -> String {
            try ["iptables-save", "ip6tables-save"].compactMap(ShortCommand.find).map { program in
                try ShortCommand.capture([program], atMost: .seconds(10)).text.split(separator: "\n").filter {
                    !$0.hasPrefix("#") && !$0.hasPrefix(":")
                }
                .joined(separator: "\n")
            }.joined()
        }

        private static let userNamespaces = "/proc/sys/user/max_user_namespaces"
        private static let canSwitchUserNamespaces = {
            guard let now = try? SmallFiles.read(userNamespaces) else { return false }
            return (try? SmallFiles.write(Array(now.utf8), to: userNamespaces, create: false)) != nil
        }()

        /// Without user namespaces no level holds, and a job that comes after they were switched off is refused.
        @Test(.enabled(if: canSwitchUserNamespaces, "needs the right to change user.max_user_namespaces"))
        func withoutUserNamespacesNothingRuns() async throws {
            let setting = Self.userNamespaces
            let before = try SmallFiles.read(setting)
            let host = try LiveHost()
            #expect(await host.sandbox.enforceableLevels()[0].isEnforceable)
            try SmallFiles.write(Array("0".utf8), to: setting, create: false)
            defer { try? SmallFiles.write(Array(before.utf8), to: setting, create: false) }
            let error = await #expect(throws: SandboxError.self) { _ = try await host.run(host.job("ignores-input")) }
            #expect(error?.code == .levelNotEnforced)
            let reports = await host.sandbox.enforceableLevels()
            #expect(reports.allSatisfy { $0.obstacles.contains { $0.problem.contains("user namespaces") && $0.remedy.contains("sysctl") } })
            try SmallFiles.write(Array(before.utf8), to: setting, create: false)
            // And is over when they are back.
            #expect(try await host.run(host.job("ignores-input")).end.cause == .exited(code: 0))
            await host.sandbox.shutdown()
        }

        /// What is taken away, whether level 0 is lost, and a word of the reason at level 1.
        @Test(
            arguments: [
                ("del spec['linux']['resources']['memory']", true, "memory"), ("spec['linux']['resources']['memory']['limit'] <<= 4", true, "memory"),
                ("del spec['linux']['resources']['pids']", false, "processes"),
                ("del spec['linux']['resources']['cpu']", false, "processor time"), ("del spec['linux']['seccomp']", false, "forbidden system call"),
                ("spec['linux']['seccomp']['defaultAction'] = 'SCMP_ACT_ALLOW'", false, "vsock"),
                ("spec['root']['readonly'] = False", false, "root-written"),
                ("spec['process']['user'] = {'uid': 0, 'gid': 0}", false, "user-0"),
                ("spec['linux']['namespaces'] = [n for n in spec['linux']['namespaces'] if n['type'] != 'network']", false, "network"),
                ("for m in spec['mounts']: m['options'] = [o for o in m['options'] if not o.startswith('size=')]", false, "tmp-size"),
            ] as [(String, Bool, String)])
        func aRuntimeThatIgnoresALimitLosesTheLevel(change: String, losesLevel0: Bool, word: String) async throws {
            let firewall = try Self.firewall()
            let reports = try await Self.reports(change)
            // Whatever the runtime does, nothing of the host is changed for it.
            #expect(try Self.firewall() == firewall)
            #expect(!reports[3].isEnforceable)
            #expect(reports[0].isEnforceable != losesLevel0, "\(reports[0].obstacles)")
            #expect(!reports[1].isEnforceable)
            #expect(reports[1].obstacles.contains { $0.problem.contains(word) && !$0.remedy.isEmpty }, "\(reports[1].obstacles)")
            #expect(reports[2].obstacles == reports[1].obstacles)
        }
    }
}
