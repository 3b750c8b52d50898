import Foundation
import JSON
import Testing

extension Live {
    /// A host that cannot hold a limit loses the level, whatever the reason; nothing runs with less.
    @Suite struct DoctorTests {
        private static func doctor(_ prepare: String, _ more: [String] = []) async throws -> CommandResult {
            try Machine.requireReady()
            let script = prepare + "\nexec \"$@\""
            return try await ChildProcess.run(
                "/usr/bin/unshare",
                ["--mount", "--propagation", "private", "/bin/sh", "-ec", script, "doctor", try Machine.executable(), "island", "doctor", "--json"]
                    + more)
        }

        private static func levels(_ result: CommandResult) throws -> [JSONValue] { try result.json().array ?? [] }

        @Test func anOrdinaryHostEnforcesEveryLevel() async throws {
            let result = try await Self.doctor("")
            #expect(result.exit == 0, "\(result)")
            #expect(try Self.levels(result).map { $0["enforceable"]?.bool } == [true, true, true, true], "\(result)")
        }

        /// What is done to the host, as the command sees it, and a word of what it says.
        @Test(arguments: [
            (
                "control groups are read-only",
                "for m in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts); do mount -o remount,bind,ro \"$m\"; done", ""
            ),
            ("there are no control groups", "for m in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts); do umount -l \"$m\"; done", "control group"),
            ("the runtime is missing", "mount --bind /dev/null /usr/sbin/runc", "does not start"),
        ])
        func aHostThatCannotHoldALimitLosesItsLevels(what: String, prepare: String, word: String) async throws {
            let result = try await Self.doctor(prepare)
            #expect(result.exit == 5, "\(what): \(result)")
            for level in try Self.levels(result) {
                #expect(level["enforceable"]?.bool == false)
                let obstacles = level["obstacles"]?.array ?? []
                #expect(!obstacles.isEmpty && obstacles.allSatisfy { $0["remedy"]?.string?.isEmpty == false }, "\(what): \(result)")
                #expect(obstacles.contains { $0["problem"]?.string?.contains(word) == true } || word.isEmpty, "\(what): \(result)")
            }
        }

        /// In a user namespace of its own the command may switch off those below it, on every host.
        @Test func withoutUserNamespacesNoLevelIsOffered() async throws {
            try Machine.requireReady()
            let script = "echo 0 > /proc/sys/user/max_user_namespaces\nexec \"$@\""
            let apart = ["-Urpf", "--mount-proc", "/bin/sh", "-ec", script, "test", try Machine.executable()]
            let doctor = try await ChildProcess.run("/usr/bin/unshare", apart + ["island", "doctor", "--json"])
            #expect(doctor.exit == 5, "\(doctor)")
            for level in try Self.levels(doctor) {
                #expect(level["enforceable"]?.bool == false)
                #expect(level["obstacles"]?[0]?["problem"]?.string?.contains("user namespaces switched off") == true, "\(doctor)")
            }
        }

        /// A job is refused with the reason where its limits do not hold.
        @Test func nothingRunsWithLess() async throws {
            try Machine.requireReady()
            let script = """
                for m in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts); do mount -o remount,bind,ro "$m"; done
                exec "$@"
                """
            let result = try await ChildProcess.run(
                "/usr/bin/unshare",
                [
                    "--mount", "--propagation", "private", "/bin/sh", "-ec", script, "test", try Machine.executable(), "cargo", "test",
                    "\(Machine.scanFixtures)/images/clean.tar", "--input", "{}",
                ])
            #expect(result.exit == 1, "\(result)")
            #expect(!result.stdout.contains("exit 0"), "\(result)")
        }

        @Test func gVisorOffersTheLevelsWithoutANetwork() async throws {
            try Machine.requireReady()
            let result = try await ChildProcess.run(try Machine.executable(), ["island", "doctor", "--runtime", "runsc", "--json"])
            #expect(try Self.levels(result).map { $0["enforceable"]?.bool } == [true, true, true, false], "\(result)")
        }

        @Test(arguments: [["--runtime", "podman"], ["--allow-range", "10.0.0.1/8"], ["--name-server", "x"], ["--engine", ""], ["--gpu", "x"]])
        func wrongOptionsAreToldSo(options: [String]) async throws {
            let result = try await ChildProcess.run(try Machine.executable(), ["island", "doctor"] + options)
            #expect(result.exit == 2, "\(result)")
            #expect(result.stderr.contains(options[1].isEmpty ? "socket" : options[1]), "\(result)")
        }

        @Test func aGPUWithoutADescriptionIsNamed() async throws {
            let result = try await ChildProcess.run(try Machine.executable(), ["island", "doctor", "--gpu", "nvidia.com/gpu=77"])
            #expect(result.exit == 3, "\(result)")
            #expect(result.stderr.contains("nvidia-ctk cdi generate"), "\(result)")
        }
    }
}
