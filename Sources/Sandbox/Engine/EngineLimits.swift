import Domain

/// What a container of an engine is held to.
struct EngineLimits: Sendable, Hashable {
    /// Memory, without swap, in bytes.
    var memoryBytes: Int
    /// Processor time in a second, in nanoseconds: 1,000,000,000 is one core.
    var nanoCPUs: Int
    /// Processes and threads alive at once, the cage entry's one included.
    var processes: Int
    /// Size of `/tmp`, and the largest file, in bytes.
    var temporaryBytes: Int
    /// Size of `/dev/shm`, in bytes; it lies in memory and counts against ``memoryBytes``.
    var sharedMemoryBytes: Int
    /// Open files of one process.
    var descriptors: Int
    /// The system calls that may be made.
    var seccomp: SeccompProfile

    /// The filter that stands inside the container's own.
    var innerFilter: [BPFInstruction] {
        switch seccomp {
        case .minimal: MinimalCalls.filter(for: .current)
        case .default, .network, .gpu: BPFAssembler.permissive
        }
    }
}

extension EngineLimits {
    /// The limits of a level.
    ///
    /// - Parameter processors: how many cores the engine's machine has; Docker refuses a number above it.
    ///
    /// Chosen: 256 open files are plenty for a program of 14 calls, 1,024 are what programs expect elsewhere. An engine always
    /// mounts `/dev/shm`; a page is the least it can be, and level 0 cannot open a file there anyway.
    init(_ level: LevelLimits, processors: Int) {
        let isMinimal = level.seccomp == .minimal
        memoryBytes = level.memoryBytes
        nanoCPUs = min(level.cpus, max(processors, 1)) * 1_000_000_000
        processes = level.processes
        temporaryBytes = level.temporaryBytes
        sharedMemoryBytes = isMinimal ? 4096 : level.temporaryBytes
        descriptors = isMinimal ? 256 : 1024
        seccomp = level.seccomp
    }
}
