import Domain
import Foundation
import Testing

@testable import Sandbox

@Suite struct RuntimeSpecificationTests {
    static let configuration = RuncConfiguration(cageEntryPath: "/opt/cage-entry", stateFolder: "/var/lib/x", cgroupParent: "parent")

    static func specification(level: TrustLevel = .untrusted, environment: [String] = [], processors: Int = 8) throws -> RuntimeSpecification {
        RuntimeSpecification(
            job: CageContents(try JobTests.job(command: ["/cargo", "a b"], environment: environment, workingFolder: "/work", level: level)),
            configuration: configuration, architecture: .x86_64, processors: processors)
    }

    /// The product's table of levels: memory in MiB, processors, processes, /tmp in MiB.
    @Test(arguments: [
        (TrustLevel.untrusted, 256, 1, 32, 64), (.basic, 1024, 2, 256, 64), (.verified, 1024, 2, 256, 64), (.official, 8192, 4, 1024, 256),
    ])
    func limitsAreTheLevels(level: TrustLevel, memory: Int, cpus: Int, processes: Int, temporary: Int) throws {
        let specification = try Self.specification(level: level)
        let resources = specification.linux.resources
        #expect(resources.memory == .init(limit: memory << 20, swap: memory << 20))
        #expect(resources.cpu == .init(period: 100_000, quota: cpus * 100_000))
        #expect(resources.pids?.limit == processes)
        #expect(resources.devices == [.init(allow: false, access: "rwm")])
        let options = try #require(specification.mounts.first { $0.destination == "/tmp" }).options
        #expect(options.contains("size=\(temporary << 20)"))
        #expect(options.contains("nr_inodes=\(temporary << 8)"))
        #expect(Set(["nosuid", "nodev", "noexec"]).isSubset(of: options))
    }

    @Test func processorsAreNotPromisedBeyondTheHosts() throws {
        #expect(try Self.specification(level: .official, processors: 2).linux.resources.cpu.quota == 200_000)
        #expect(try Self.specification(level: .official, processors: 0).linux.resources.cpu.quota == 100_000)
    }

    @Test func theCargoIsNobodyWithoutAnyRight() throws {
        let specification = try Self.specification()
        #expect(specification.root == .init(path: "/image", readonly: true))
        #expect(specification.process.user == .init(uid: 65534, gid: 65534))
        #expect(specification.process.noNewPrivileges)
        #expect(specification.process.capabilities == .init(bounding: [], effective: [], inheritable: [], permitted: [], ambient: []))
        #expect(specification.linux.uidMappings == [.init(containerID: 0, hostID: 100_000, size: 65536)])
        #expect(specification.linux.gidMappings == specification.linux.uidMappings)
        #expect(Set(specification.linux.namespaces.map(\.type)) == ["pid", "network", "ipc", "uts", "mount", "cgroup", "user"])
        #expect(specification.linux.cgroupsPath == "/parent/job-1")
        #expect(specification.linux.maskedPaths.contains("/proc/kcore"))
        #expect(specification.linux.readonlyPaths.contains("/proc/sys"))
    }

    @Test func theEntryStartsTheCommandInItsFolder() throws {
        let specification = try Self.specification()
        #expect(specification.process.args == ["/dev/cage-entry", "/work", "/cargo", "a b"])
        #expect(specification.process.cwd == "/")
        let mount = try #require(specification.mounts.first { $0.destination == "/dev/cage-entry" })
        #expect(mount.source == "/opt/cage-entry")
        #expect(mount.options.contains("ro"))
    }

    @Test func ourVariablesWin() throws {
        let environment = try Self.specification(environment: ["PATH=/evil", "A=b", "HOME=/root", "PATHS=kept"]).process.env
        #expect(environment.filter { $0.hasPrefix("PATH=") || $0.hasPrefix("HOME=") }.count == 2)
        #expect(environment.contains("HOME=/tmp"))
        #expect(!environment.contains("PATH=/evil"))
        #expect(environment.contains("A=b"))
        #expect(environment.contains("PATHS=kept"))
    }

    @Test func theOuterFilterNamesEverythingThatTheRuntimeNeeds() throws {
        let seccomp = try #require(try Self.specification().linux.seccomp)
        #expect(seccomp.defaultAction == "SCMP_ACT_ERRNO")
        #expect(seccomp.architectures == ["SCMP_ARCH_X86_64"])
        #expect(seccomp.syscalls.first { $0.names == ["clone3"] }?.errnoRet == 38)
        #expect(seccomp.syscalls.filter { $0.names == ["socket"] }.flatMap { $0.args ?? [] }.map(\.value) == [1, 2, 10])
        #expect(seccomp.syscalls.first { $0.names == ["clone"] }?.args?.first?.value == 0x7E02_0000)
        #expect(seccomp.syscalls.contains { $0.names.contains("ptrace") && $0.action == "SCMP_ACT_KILL_PROCESS" })
    }

    @Test func theDocumentHasTheSpecificationsNames() throws {
        let document = try JSONSerialization.jsonObject(with: JSONEncoder().encode(Self.specification())) as? [String: Any]
        let process = document?["process"] as? [String: Any]
        #expect(document?["ociVersion"] as? String == "1.0.2")
        #expect(process?["noNewPrivileges"] as? Bool == true)
        #expect(process?["terminal"] as? Bool == false)
        let linux = document?["linux"] as? [String: Any]
        let memory = (linux?["resources"] as? [String: Any])?["memory"] as? [String: Any]
        #expect(memory?["limit"] as? Int == 268_435_456)
        #expect(memory?["swap"] as? Int == 268_435_456)
    }
}
