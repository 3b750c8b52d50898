import CargoIO
public import Domain
import IslandLink
import JSON
public import Logging
import OCI
public import Sandbox

/// Runs one assignment: checks that it may run here, makes the image ready, runs it in the sandbox of its level, and hands
/// its frames on as they come.
public struct AttemptRunner: Sendable {
    private let sandbox: any CargoSandbox
    private let runners: [RuntimeType: any WorkloadRunner]
    private let approved: ApprovedRegistries
    private let levels: Set<TrustLevel>
    private let signatures: SignatureAdmission?
    private let logger: Logger

    /// A runner for the levels that the sandbox can enforce here.
    ///
    /// - Parameter signatures: `nil` on an Island that believes nobody; it refuses every level that needs a signature.
    public init(
        sandbox: any CargoSandbox, runners: [any WorkloadRunner], approved: ApprovedRegistries, levels: Set<TrustLevel>,
        signatures: SignatureAdmission? = nil, logger: Logger
    ) {
        self.sandbox = sandbox
        self.runners = Dictionary(runners.map { ($0.runtime, $0) }) { first, _ in first }
        self.approved = approved
        self.levels = levels
        self.signatures = signatures
        self.logger = logger
    }

    /// Runs an attempt that `holdings` has taken on, to its end; the end is noted there unless the attempt was cancelled.
    func run(_ assignment: CoordinatorMessage.Assignment, _ holdings: Holdings) async {
        let attempt = assignment.attempt
        await withTaskCancellationHandler {
            await runUntilCancelled(assignment, holdings)
        } onCancel: {
            // Unstructured: a cancellation handler is synchronous; this lets go whoever waits for room or for a cancellation.
            Task { await holdings.cancel(attempt) }
        }
    }

    private func runUntilCancelled(_ assignment: CoordinatorMessage.Assignment, _ holdings: Holdings) async {
        let attempt = assignment.attempt
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let end = await finish(assignment, holdings)
                await holdings.finish(end)
            }
            group.addTask { await holdings.cancelled(attempt) }
            await group.next()
            group.cancelAll()
        }
    }

    private func finish(_ assignment: CoordinatorMessage.Assignment, _ holdings: Holdings) async -> IslandMessage.Finished {
        let attempt = assignment.attempt
        var end: JobEnd?
        var result: Result<JSONObject, JobRefusal>
        do {
            let (reference, runner) = try accepted(assignment)
            let run = CargoRun(level: assignment.level)
            let digest = try Digest(assignment.digest)
            if assignment.level.requiresSignature {
                guard let signatures else {
                    throw JobRefusal("signature_missing", "This Island holds no trusted root, by which the trust level's signature is verified.")
                }
                try await signatures.admit(reference, digest: digest, signers: assignment.signers)
            }
            let ended = try await runner.withWorkload(reference, digest: digest) { workload in
                let job = try cagedJob(assignment, workload)
                await holdings.start(attempt)
                return try await sandbox.run(job) { chunk in
                    // Frames before a violation still go out; the violation then ends the job.
                    let (frames, refusal) = await run.receive(chunk)
                    for frame in frames { try await holdings.append(frame.object, bytes: frame.bytes.count, to: attempt) }
                    if let refusal { throw refusal }
                }
            }
            end = ended
            result = await run.result(of: ended)
        } catch {
            result = .failure(JobRefusal(refusal(error)))
        }
        log(assignment, result)
        return IslandMessage.Finished(
            attempt: attempt, frames: await holdings.frameCount(attempt), done: try? result.get(), failure: result.failure,
            runMilliseconds: end.map { Self.milliseconds($0.wallTime) } ?? 0, cpuMilliseconds: end.map { Self.milliseconds($0.cpuTime) } ?? 0,
            peakMemoryBytes: end?.peakMemoryBytes ?? 0)
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        Int(duration.components.seconds) * 1000 + Int(duration.components.attoseconds / 1_000_000_000_000_000)
    }

    /// Refuses what this Island cannot verify or enforce; DESIGN §5.3.
    private func accepted(_ assignment: CoordinatorMessage.Assignment) throws -> (ImageReference, any WorkloadRunner) {
        guard levels.contains(assignment.level) else {
            throw JobRefusal("level_not_enforced", "This Island cannot enforce trust level \(assignment.level.rawValue).")
        }
        guard let runner = runners[assignment.runtime] else {
            let kinds = runners.keys.map(\.rawValue).sorted().joined(separator: ", ")
            throw JobRefusal("runtime_not_supported", "This Island runs no \(assignment.runtime.rawValue), but: \(kinds).")
        }
        let reference = try ImageReference(parsing: assignment.image)
        guard approved.contains(imageName: reference.name) else {
            throw JobRefusal("registry_not_approved", "The image is not in a registry that this Island approves.")
        }
        return (reference, runner)
    }

    private func cagedJob(_ assignment: CoordinatorMessage.Assignment, _ workload: CagedWorkload) throws -> CagedJob {
        try CagedJob(
            id: ContainerID("job-\(assignment.attempt.job)-\(assignment.attempt.number)"), rootFolder: workload.rootFolder, command: workload.command,
            environment: workload.environment, workingFolder: workload.workingFolder, level: assignment.level,
            timeout: .milliseconds(assignment.timeoutMilliseconds), mounts: workload.mounts, input: assignment.input.bytes)
    }

    private func refusal(_ error: any Error) -> JobFailure {
        switch error {
        case let refusal as JobRefusal: return refusal.failure
        case let error as WorkloadError: return JobFailure(fault: .cargo, code: error.code, message: error.message)
        case let error as OCIError:
            return JobFailure(fault: .island, code: error.code.rawValue, message: "The Island could not take the image: \(error.message)")
        case let error as SandboxError:
            return JobFailure(fault: error.fault, code: error.code.rawValue, message: "The Island could not start the Cargo: \(error.message)")
        case is CancellationError: return JobFailure(fault: .island, code: "island_stopped", message: "The Island stopped.")
        default:
            logger.error("attempt failed unexpectedly", metadata: ["error": "\(error)"])
            return JobFailure(fault: .island, code: "internal", message: "The Island failed.")
        }
    }

    private func log(_ assignment: CoordinatorMessage.Assignment, _ result: Result<JSONObject, JobRefusal>) {
        var metadata: Logger.Metadata = [
            "job.id": "\(assignment.attempt.job)", "job.attempt": "\(assignment.attempt.number)", "cargo.slug": "\(assignment.slug)",
        ]
        // The message may be the Cargo's own words, which have no place in an owner's log.
        if let failure = result.failure { metadata["failure.code"] = "\(failure.code)" }
        logger.info("attempt ended", metadata: metadata)
    }
}

/// A failure on its way through `throws` and `Result`.
public struct JobRefusal: Error {
    /// Which.
    public let failure: JobFailure

    init(_ failure: JobFailure) { self.failure = failure }

    /// Something that this Island refuses; another one may not.
    init(_ code: String, _ message: String) { failure = JobFailure(fault: .island, code: code, message: message) }
}

extension Result where Failure == JobRefusal {
    fileprivate var failure: JobFailure? {
        switch self {
        case .success: nil
        case .failure(let refusal): refusal.failure
        }
    }
}
