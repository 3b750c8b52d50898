public import Domain

/// Runs Cargos so that they can use what their trust level allows and nothing else.
public protocol CargoSandbox: Sendable {
    /// Runs a job to its end and leaves nothing behind: no process, mount or control group.
    ///
    /// Cancelling the task kills the job. Whatever way the call ends, the container is gone by then.
    ///
    /// - Parameters:
    ///   - onOutput: called with each piece of standard output in order, 1 byte to 64 KiB, cut anywhere. No more is read until it
    ///     returns, so a slow reader holds the Cargo back; the Cargo's time runs on. If it throws, the job is killed.
    /// - Throws: ``SandboxError``; what `onOutput` threw; `CancellationError` if the task was cancelled or the sandbox shut down.
    /// - Returns: how the job ended, once all output was handed over.
    func run(_ job: CagedJob, onOutput: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> JobEnd

    /// Finds out which levels this host can enforce, by trying.
    ///
    /// - Returns: one report a level, level 0 first.
    func enforceableLevels() async -> [LevelReport]
}

/// A sandbox that owns something on its host: containers, control groups, images.
public protocol HostSandbox: CargoSandbox {
    /// Removes what an earlier process left. Jobs that run now are left alone.
    func removeLeftovers() async
    /// Lets go of what is kept ready for jobs in a root folder, which is about to go. No job of it runs or is about to.
    func forget(rootFolder: String) async
    /// Kills every job, waits until all are gone, and removes what the sandbox has made. Idempotent.
    func shutdown() async
}

/// Whether a host can enforce one trust level.
public struct LevelReport: Sendable, Hashable {
    /// A reason against it, with what mends it.
    public struct Obstacle: Sendable, Hashable {
        /// What is missing, in a sentence.
        public let problem: String
        /// The command that mends it, or the sentence that says that none does.
        public let remedy: String
    }

    /// The level.
    public let level: TrustLevel
    /// Every reason found; empty if the level can be enforced.
    public let obstacles: [Obstacle]

    /// Whether a job of this level may be taken.
    public var isEnforceable: Bool { obstacles.isEmpty }
}
