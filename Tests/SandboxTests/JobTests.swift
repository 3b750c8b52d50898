import Domain
import Testing

@testable import Sandbox

@Suite struct JobTests {
    static func job(
        command: [String] = ["/cargo"], environment: [String] = [], rootFolder: String = "/image", workingFolder: String = "/",
        level: TrustLevel = .untrusted, timeout: Duration? = nil
    ) throws -> CagedJob {
        try CagedJob(
            id: ContainerID("job-1"), rootFolder: rootFolder, command: command, environment: environment, workingFolder: workingFolder,
            level: level, timeout: timeout, input: [])
    }

    @Test(arguments: ["a", "0", "job-1", "a-", String(repeating: "x", count: 64)])
    func containerNames(text: String) throws { #expect(try ContainerID(text).text == text) }

    @Test(arguments: ["", "-a", "A", "a_b", "a/b", "..", "a b", "é", "a\n", String(repeating: "x", count: 65)])
    func otherNamesAreRefused(text: String) { #expect(throws: SandboxError.self) { try ContainerID(text) } }

    @Test func boundsOfACommand() throws {
        #expect(throws: SandboxError.self) { try Self.job(command: []) }
        #expect(throws: SandboxError.self) { try Self.job(command: [""]) }
        #expect(throws: SandboxError.self) { try Self.job(command: ["/a", "b\0c"]) }
        _ = try Self.job(command: Array(repeating: "a", count: 256))
        #expect(throws: SandboxError.self) { try Self.job(command: Array(repeating: "a", count: 257)) }
        _ = try Self.job(command: [String(repeating: "a", count: 65535)])
        #expect(throws: SandboxError.self) { try Self.job(command: [String(repeating: "a", count: 65536)]) }
    }

    @Test func boundsOfTheEnvironment() throws {
        _ = try Self.job(environment: ["A=", "B=c=d"])
        for bad in ["A", "=a", "", "A=\0"] { #expect(throws: SandboxError.self) { try Self.job(environment: [bad]) } }
        _ = try Self.job(environment: Array(repeating: "A=b", count: 256))
        #expect(throws: SandboxError.self) { try Self.job(environment: Array(repeating: "A=b", count: 257)) }
    }

    @Test(arguments: ["relative", "/a\0b", "/" + String(repeating: "x", count: 5000)])
    func foldersAreAbsolute(path: String) {
        #expect(throws: SandboxError.self) { try Self.job(rootFolder: path) }
        #expect(throws: SandboxError.self) { try Self.job(workingFolder: path) }
    }

    @Test func noWorkingFolderMeansTheRoot() throws {
        #expect(try Self.job(workingFolder: "").workingFolder == "/")
        #expect(throws: SandboxError.self) { try Self.job(rootFolder: "") }
    }

    @Test func theTimeIsClampedToTheLevel() throws {
        #expect(try Self.job().timeout == .seconds(60))
        #expect(try Self.job(timeout: .seconds(59)).timeout == .seconds(59))
        #expect(try Self.job(timeout: .seconds(61)).timeout == .seconds(60))
        #expect(throws: SandboxError.self) { try Self.job(timeout: .zero) }
    }

    /// The table of notes on how a container's end looks, with the kernel's wait statuses (code << 8, or the signal).
    @Test(arguments: [
        (EndEvidence(waitStatus: 0, memoryKills: 0, hadTimedOut: false), EndCause.exited(code: 0)),
        (EndEvidence(waitStatus: 7 << 8, memoryKills: 0, hadTimedOut: false), .exited(code: 7)),
        (EndEvidence(waitStatus: 126 << 8, memoryKills: 0, hadTimedOut: false), .exited(code: 126)),
        (EndEvidence(waitStatus: 137 << 8, memoryKills: 0, hadTimedOut: false), .exited(code: 137)),
        (EndEvidence(waitStatus: 255 << 8, memoryKills: 0, hadTimedOut: false), .exited(code: 255)),
        (EndEvidence(waitStatus: 9, memoryKills: 1, hadTimedOut: false), .outOfMemory),
        (EndEvidence(waitStatus: 0, memoryKills: 1, hadTimedOut: false), .outOfMemory),
        (EndEvidence(waitStatus: 9, memoryKills: 1, hadTimedOut: true), .outOfMemory),
        (EndEvidence(waitStatus: 9, memoryKills: 0, hadTimedOut: true), .timedOut),
        (EndEvidence(waitStatus: 0, memoryKills: 0, hadTimedOut: true), .exited(code: 0)),
        (EndEvidence(waitStatus: 9, memoryKills: 0, hadTimedOut: false), .killed(signal: 9)),
        (EndEvidence(waitStatus: 31, memoryKills: 0, hadTimedOut: false, forbiddenCall: "socket"), .forbiddenSyscall(name: "socket")),
        (EndEvidence(waitStatus: 31 | 0x80, memoryKills: 0, hadTimedOut: false), .forbiddenSyscall(name: nil)),
        (EndEvidence(waitStatus: 11, memoryKills: 0, hadTimedOut: false), .killed(signal: 11)),
        (EndEvidence(waitStatus: 11 | 0x80, memoryKills: 0, hadTimedOut: false), .killed(signal: 11)),
    ])
    func theCauseFollowsFromTheEvidence(evidence: EndEvidence, cause: EndCause) { #expect(EndCause(evidence) == cause) }

    @Test func reportsOfTheEntry() {
        #expect(EntryReport([]) == .silent)
        #expect(EntryReport([0x52]) == .silent)
        #expect(EntryReport([0x52, 0]) == .cargoStarted)
        #expect(EntryReport([0x52, 0]).error == nil)
        #expect(EntryReport([0x52, 0, 0x58, 2]).error?.code == .commandCannotStart)
        #expect(EntryReport([0x52, 0, 0x58, 12]).error?.code == .cageEntry)
        #expect(EntryReport([0x57, 2]).error?.code == .commandCannotStart)
        #expect(EntryReport([0x53, 22]).error?.code == .cageEntry)
        #expect(EntryReport([]).error?.fault == .island)
        #expect(EntryReport([0x57, 2]).error?.fault == .cargo)
    }
}

@Suite struct KernelFactsTests {
    /// A record of this kind of kernel, as /dev/kmsg gives it.
    static let record =
        "5,1234,1628470876,-;audit: type=1326 audit(1795415498.063:2): auid=4294967295 uid=165534 gid=165534 ses=4294967295 pid=27036 "
        + "comm=\"cage-entry\" exe=\"/dev/cage-entry\" sig=31 arch=c000003e syscall=110 compat=0 ip=0x4001a8 code=0x80000000\n"

    @Test func theCallIsReadFromTheRecordOfTheProcess() {
        #expect(KernelLog.forbiddenCall(in: Self.record, process: 27036) == "getppid")
        #expect(KernelLog.forbiddenCall(in: Self.record, process: 2703) == nil)
        #expect(KernelLog.forbiddenCall(in: Self.record.replacing("type=1326", with: "type=1400"), process: 27036) == nil)
        #expect(KernelLog.forbiddenCall(in: Self.record.replacing("syscall=110", with: "syscall=9999"), process: 27036) == "call 9999")
        #expect(
            KernelLog.forbiddenCall(in: Self.record.replacing("c000003e", with: "40000003"), process: 27036)
                == "call 110 of architecture 40000003")
        #expect(KernelLog.forbiddenCall(in: "", process: 1) == nil)
    }

    @Test func controlGroupsOfVersion1() {
        let groups = ControlGroups(
            mountInformation: """
                31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
                32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
                35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
                40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
                41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
                broken line
                """)
        #expect(groups.isVersion1)
        #expect(groups.controllers["cpu"] == "/sys/fs/cgroup/cpu,cpuacct")
        #expect(groups.controllers["cpuacct"] == "/sys/fs/cgroup/cpu,cpuacct")
        #expect(groups.unified == "/sys/fs/cgroup/unified")
        #expect(groups.mountPoints.count == 4)
        #expect(groups.missingControllers() == ["pids", "devices"])
    }

    @Test func controlGroupsOfVersion2() {
        let groups = ControlGroups(mountInformation: "41 31 0:38 / /nowhere rw,relatime - cgroup2 cgroup2 rw")
        #expect(!groups.isVersion1)
        #expect(groups.unified == "/nowhere")
        #expect(groups.missingControllers() == ["memory", "cpu", "pids"])
    }

    @Test func countersOfVersion2AreRead() throws {
        let folder = try TemporaryFolder()
        try folder.write("/cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
        try folder.write("/memory.peak", "4096\n")
        try folder.write("/memory.events", "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n")
        let groups = ControlGroups(mountInformation: "41 31 0:38 / \(folder.path) rw - cgroup2 cgroup2 rw")
        #expect(try groups.usage(of: "") == ControlGroups.Usage(cpuTime: .microseconds(1500), peakMemoryBytes: 4096, memoryKills: 2))
        try folder.write("/memory.events", "low 0\n")
        #expect(throws: SandboxError.self) { try groups.usage(of: "") }
    }

    @Test(
        arguments: [
            (.runc, "runc version 1.1.5+ds1\ncommit: x\n", [1, 1, 5]), (.runc, "runc version 1.3.0-rc.1\n", [1, 3, 0]),
            (.runc, "crun version 1.8.1", nil), (.crun, "crun version 1.8.1\ncommit: y", [1, 8, 1]), (.crun, "crun version 1.20", [1, 20, 0]),
            (.runc, "runc version x", nil), (.runc, "", nil), (.runc, "runc version 1", nil), (.runc, "runc version 1..2", nil),
            (.runsc, "runsc version 0.0~20221219.0\nspec: 1.0.2-dev\n", [20_221_219, 0, 0]),
            (.runsc, "runsc version release-20240401.0", [20_240_401, 0, 0]), (.runsc, "runsc version VERSION_MISSING", nil),
        ] as [(OCIRuntime, String, [Int]?)])
    func versionsOfTheRuntime(runtime: OCIRuntime, text: String, version: [Int]?) {
        #expect(RuntimeFloor.version(of: runtime, in: text) == version)
    }

    @Test func aVersionIsNotBelowTheFloorFromTheFloorOn() {
        let floor = OCIRuntime.runc.floor
        #expect(floor.admits(floor.version) && floor.admits([1, 2, 0]) && floor.admits([2, 0, 0]))
        #expect(!floor.admits([1, 1, 11]) && !floor.admits([1, 0, 99]) && !floor.admits([0, 9, 9]))
    }

    @Test(arguments: ["x", "/", "", "/a/../b", "/a//b", "/a/", "/proc/x", "/dev/shm", "/a\u{0}b", "/./a"]) func mountsAreOfPlainPaths(path: String)
        throws
    {
        for mount in [ReadOnlyMount(source: path, destination: "/a"), ReadOnlyMount(source: "/a", destination: path)] {
            let error = #expect(throws: SandboxError.self) {
                try CagedJob(id: ContainerID("a"), rootFolder: "/", command: ["/a"], level: .basic, mounts: [mount], input: [])
            }
            #expect(error?.code == .invalidJob)
        }
    }

    @Test func staticProgramsAreTold() {
        #expect(LevelChecks.isStatic(cageEntryPath))
        #expect(!LevelChecks.isStatic("/bin/sh"))
        #expect(!LevelChecks.isStatic("/etc/passwd"))
        #expect(!LevelChecks.isStatic("/nowhere"))
    }
}
