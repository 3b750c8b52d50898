import Domain
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// What only a container engine's sandbox has.
    @Suite(.enabled(if: !SandboxKind.enginesHere.isEmpty, "needs root and podman or dockerd"))
    struct EngineSandboxTests {
        @Test(arguments: SandboxKind.enginesHere)
        func levels0To2AreOfferedAndLevel3IsNot(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let reports = await host.sandbox.enforceableLevels()
                #expect(reports.map(\.level) == TrustLevel.allCases)
                #expect(reports.map(\.isEnforceable) == [true, true, true, false], "\(reports)")
                let job = try host.job("ignores-input", level: .official)
                #expect(await #expect(throws: SandboxError.self) { try await host.run(job) }?.code == .levelNotEnforced)
            }
        }

        @Test func anEngineThatIsNotThereOffersNothing() async throws {
            let folder = try TemporaryFolder()
            let sandbox = try EngineSandbox(
                configuration: EngineConfiguration(socketPath: "/nowhere/engine.sock", cageEntryPath: "/bin/sh", stateFolder: folder.path + "/state"))
            let problems = await sandbox.enforceableLevels()[0].obstacles.map(\.problem)
            #expect(problems.count == 2)
            #expect(problems.last?.hasPrefix("No container engine can be used at /nowhere/engine.sock.") == true)
            await sandbox.shutdown()
        }

        private typealias Change = @Sendable (inout ContainerRequest) -> Void

        private static let noticedByEngine: [(String, Change)] = [
            ("memory", { $0.HostConfig.Memory += 1 }), ("swap", { $0.HostConfig.MemorySwap += 1 }), ("cpus", { $0.HostConfig.NanoCpus += 1 }),
            ("pids", { $0.HostConfig.PidsLimit += 1 }), ("network", { $0.HostConfig.NetworkMode = "other" }), ("user", { $0.User = "1:1" }),
            ("shared memory", { $0.HostConfig.ShmSize += 1 }), ("mounts", { $0.HostConfig.Binds.append("/a:/a") }),
            ("security options", { $0.HostConfig.SecurityOpt.append("other") }), ("tmpfs /tmp", { $0.HostConfig.Tmpfs["/tmp"] = "size=1" }),
            ("tmpfs /new", { $0.HostConfig.Tmpfs["/new"] = "ro" }), ("ulimit nofile", { $0.HostConfig.Ulimits[0].Hard = 1 }),
            ("user namespace", { $0.HostConfig.UsernsMode = "auto" }), ("log", { $0.HostConfig.LogConfig.type = "other" }),
        ]

        private static let noticedByKernel: [(String, Change)] = [
            ("kernel: memory", { $0.HostConfig.Memory += 4096 }), ("kernel: cpus", { $0.HostConfig.NanoCpus = 5 }),
            ("kernel: pids", { $0.HostConfig.PidsLimit += 1 }), ("kernel: /tmp", { $0.HostConfig.Tmpfs["/tmp"] = "size=4096" }),
            ("kernel: /dev/shm", { $0.HostConfig.ShmSize += 4096 }),
        ]

        /// The container of level 0 that this host would ask for.
        private func wanted(_ host: SandboxHost, image: String = "", command: [String] = []) async throws -> (ContainerRequest, Engine, owner: String)
        {
            let (engine, machine) = try await #require(host.engineSandbox).engine()
            let state = host.folder.path + "/state"
            let owner = try SmallFiles.read(state + "/owner")
            let request = ContainerRequest(
                image: image.isEmpty ? "localhost/archipelago-\(owner):left" : image, command: command,
                limits: EngineLimits(TrustLevel.untrusted.limits, processors: machine.NCPU), owner: owner, userNamespace: nil, kind: engine.kind,
                profile: try SmallFiles.read(state + "/seccomp.json"),
                files: ContainerRequest.Files(profile: state + "/seccomp.json", hosts: state + "/hosts"))
            return (request, engine, owner)
        }

        /// Each value is changed in what was wanted: whoever compares must notice.
        @Test(arguments: SandboxKind.enginesHere)
        func aLimitThatDidNotStickIsNoticed(kind: SandboxKind) async throws {
            struct Seen: Error {}
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (wanted, engine, owner) = try await wanted(host)
                await #expect(throws: Seen.self) {
                    _ = try await host.sandbox.run(host.job("ignores-time")) { _ in
                        let container = try #require(try engine.containers(of: owner).first)
                        let facts = try engine.inspect(container.id)
                        #expect(facts.problems(against: wanted, kind: engine.kind) == [])
                        for (name, change) in Self.noticedByEngine {
                            var other = wanted
                            change(&other)
                            #expect(facts.problems(against: other, kind: engine.kind) == [name])
                        }
                        let groups = try ControlGroups.ofHost()
                        let local = try #require(LocalContainer(container.id, process: facts.State.Pid, groups: groups))
                        #expect(local.problems(against: wanted) == [])
                        for (name, change) in Self.noticedByKernel {
                            var other = wanted
                            change(&other)
                            #expect(local.problems(against: other) == [name])
                        }
                        let own = LocalContainer(container.id, process: Int(getpid()), groups: groups)
                        #expect(own == nil, "another process is not taken for the container's")
                        throw Seen()
                    }
                }
            }
        }

        @Test(arguments: SandboxKind.enginesHere)
        func aCargoCannotSpeakForTheCageEntry(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job("spies", level: .basic))
                #expect(end.cause == .exited(code: 9))
                #expect(end.standardError.count == 72, "what it wrote is its own text")
                let text = String(decoding: output, as: UTF8.self)
                let nonce = text.split(separator: "\n").drop { $0 != "--engine" }.dropFirst().first ?? ""
                #expect(nonce.utf8.count < 32, "the argument is wiped: \(nonce)")
                for file in ["environ", "mem", "maps", "fd/0"] { #expect(text.contains("== /proc/1/\(file) \(EACCES)\n"), "\(file)") }
                #expect(!text.contains("host.containers.internal"))
                #expect(!text.split(whereSeparator: \.isWhitespace).contains(Substring(ProcessInfo.processInfo.hostName)))
            }
        }

        @Test(arguments: SandboxKind.enginesHere)
        func whatACargoLeavesEndsWithIt(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let (end, output) = try await host.run(host.job("leaves-child", level: .basic))
                #expect(end.cause == .exited(code: 7))
                #expect(output == Array("done\n".utf8))
            }
        }

        @Test(arguments: SandboxKind.enginesHere, [9, 15, 31])
        func aSignalThatTheCargoSendsItselfIsASignal(kind: SandboxKind, signal: Int) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let end = try await host.run(host.job("raises", input: Array("\(signal)".utf8), level: .basic)).end
                #expect(end.cause == (signal == 31 ? .forbiddenSyscall(name: nil) : .killed(signal: signal)))
            }
        }

        // MARK: Images

        @Test(arguments: SandboxKind.enginesHere)
        func imagesAreKeptWithinBoundsAndMadeAnewWhenLost(kind: SandboxKind) async throws {
            let host = try SandboxHost(kind) { $0.imagesMax = 2 }
            let sandbox = try #require(host.engineSandbox)
            let engine = try await sandbox.engine().engine
            let owner = try SmallFiles.read(host.folder.path + "/state/owner")
            func names() throws -> Set<String> { Set(try engine.images(of: owner)) }
            _ = try await host.run(host.job("ignores-input"))
            let first = try names()
            #expect(first.count == 1)
            _ = try await host.run(host.job("ignores-input"))
            #expect(try names() == first, "the same folder is the same image")

            _ = try await host.run(host.job("echo"))
            _ = try await host.run(host.job("counts"))
            #expect(try names().count == 2)
            #expect(try names().isDisjoint(with: first), "the one that was not used for longest went")

            for name in try names() { try engine.removeImage(name) }
            #expect(try await host.run(host.job("echo", input: [0x78])).output == [0x78])

            // A file that is written anew makes another image, though its name and size stay.
            let root = try host.image("nonzero-exit")
            #expect(try await host.run(host.job("nonzero-exit", input: [0x37, 0x0A])).end.cause == .exited(code: 7))
            unlink(root + "/cargo")
            try FileManager.default.copyItem(atPath: Programs.path("ignores-input"), toPath: root + "/cargo")
            #expect(try await host.run(host.job("nonzero-exit", input: [0x37, 0x0A])).end.cause == .exited(code: 0))
            await host.sandbox.shutdown()
            #expect(try names().isEmpty)
        }

        // MARK: Crashes

        @Test(arguments: SandboxKind.enginesHere)
        func leftoversOfACrashAreRemoved(kind: SandboxKind) async throws {
            try await SandboxHost.with(kind) { (host) async throws -> Void in
                let sandbox = try #require(host.engineSandbox)
                let (wanted, engine, owner) = try await wanted(host, command: ["/cargo"])
                _ = try await host.run(host.job("ignores-input"))
                let kept = try engine.images(of: owner)
                // What a process leaves that dies in the middle: an image, a container that was only made and one that runs.
                var archive = try RootArchive(
                    RootListing(of: host.image("ignores-time"), idOffset: 100_000), cageEntryPath: cageEntryPath)
                try engine.importImage(wanted.Image, owner: owner, timeout: .seconds(60)) { try archive.piece() }
                _ = try engine.create(wanted, name: "archipelago-\(owner)-made")
                let running = try engine.create(wanted, name: "archipelago-\(owner)-running")
                try engine.start(running)
                let process = try pid_t(engine.inspect(running).State.Pid)
                #expect(kill(process, 0) == 0)
                // Another owner's is none of ours.
                let other = try SandboxHost(kind)
                await #expect(throws: CancellationError.self) {
                    _ = try await other.sandbox.run(other.job("ignores-time")) { _ in
                        await sandbox.removeLeftovers()
                        try await host.expectNoContainers()
                        #expect(try engine.containers(of: SmallFiles.read(other.folder.path + "/state/owner")).count == 1)
                        throw CancellationError()
                    }
                }
                await other.sandbox.shutdown()
                #expect(try engine.images(of: owner) == kept)
                #expect(!SandboxHost.isAlive(process))
            }
        }

        @Test func anEngineThatVanishesTakesItsCargoWithIt() async throws {
            guard SandboxKind.here.contains(.podman) else { return }
            let service = try EngineService(.podman)
            let host = try SandboxHost(.podman, service: service) { $0.killTimeout = .seconds(5) }
            let engine = try await #require(host.engineSandbox).engine().engine
            let owner = try SmallFiles.read(host.folder.path + "/state/owner")
            let process = Mutex<pid_t>(0)
            let error = await #expect(throws: SandboxError.self) {
                _ = try await host.sandbox.run(host.job("ignores-time")) { _ in
                    let container = try #require(try engine.containers(of: owner).first)
                    let id = try pid_t(engine.inspect(container.id).State.Pid)
                    process.withLock { $0 = id }
                    service.kill()
                }
            }
            #expect(error?.fault == .island, "\(error as Any)")
            let id = process.withLock { $0 }
            #expect(id > 1)
            #expect(!SandboxHost.isAlive(id))
            service.stop()

            // The engine comes back, and so does the Island.
            let again = try EngineService(.podman, in: service.folder)
            await host.engineSandbox?.removeLeftovers()
            try await host.expectNoContainers()
            await host.sandbox.shutdown()
            again.stop()
            EngineService.reapMonitors()
        }

        @Test func aStateFolderHasOneOwner() async throws {
            let folder = try TemporaryFolder()
            let configuration = EngineConfiguration(cageEntryPath: cageEntryPath, stateFolder: folder.path + "/state")
            let sandbox = try EngineSandbox(configuration: configuration)
            #expect(#expect(throws: SandboxError.self) { try EngineSandbox(configuration: configuration) }?.code == .unavailable)
            withExtendedLifetime(sandbox) {}
        }
    }
}
