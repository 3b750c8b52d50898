/// What a Cargo of one trust level may use during one job. An Island that cannot enforce all of them does not run that level.
public struct LevelLimits: Sendable, Hashable {
    /// Memory, swap not included because there is none, in bytes.
    public let memoryBytes: Int
    /// Wall-clock time from start to exit.
    public let timeout: Duration
    /// CPU time per wall-clock time: 1 is one core.
    public let cpus: Int
    /// Processes and threads alive at once.
    public let processes: Int
    /// Size of `/tmp`, which lies in memory and counts against ``memoryBytes``, in bytes.
    public let temporaryBytes: Int
    /// Longest frame (one line of output without its end), in bytes.
    public let frameBytesMax: Int
    /// All output of one job, in bytes.
    public let transcriptBytesMax: Int
    /// Whether the Cargo gets a network.
    public let network: Bool
    /// Whether the Cargo gets a GPU.
    public let gpu: Bool
    /// The system calls the Cargo may make.
    public let seccomp: SeccompProfile
}

extension TrustLevel {
    /// The limits of the level.
    ///
    /// Source: memory, timeout, CPUs, network, GPU and seccomp are the product documentation's tables.
    /// Chosen: `processes`, `temporaryBytes` (64 MiB is the documentation's own test command), `frameBytesMax` and
    /// `transcriptBytesMax`; level 0 cannot fork, so 32 processes leave room for the runtime alone.
    public var limits: LevelLimits {
        let mebibyte = 1 << 20
        switch self {
        case .untrusted:
            return LevelLimits(
                memoryBytes: 256 * mebibyte, timeout: .seconds(60), cpus: 1, processes: 32, temporaryBytes: 64 * mebibyte,
                frameBytesMax: mebibyte, transcriptBytesMax: 8 * mebibyte, network: false, gpu: false, seccomp: .minimal)
        case .basic, .verified:
            return LevelLimits(
                memoryBytes: 1024 * mebibyte, timeout: .seconds(300), cpus: 2, processes: 256, temporaryBytes: 64 * mebibyte,
                frameBytesMax: 8 * mebibyte, transcriptBytesMax: 64 * mebibyte, network: false, gpu: false, seccomp: .default)
        case .official:
            return LevelLimits(
                memoryBytes: 8192 * mebibyte, timeout: .seconds(600), cpus: 4, processes: 1024, temporaryBytes: 256 * mebibyte,
                frameBytesMax: 32 * mebibyte, transcriptBytesMax: 512 * mebibyte, network: true, gpu: true, seccomp: .gpu)
        }
    }
}
