import CargoIO
import Domain
import JSON
import Sandbox

/// Judges what one run of a Cargo writes and how it ends.
actor CargoRun {
    private var checker: TranscriptChecker
    private let limits: LevelLimits

    init(level: TrustLevel) {
        limits = level.limits
        checker = TranscriptChecker(
            limits: TranscriptLimits(frameBytesMax: limits.frameBytesMax, transcriptBytesMax: limits.transcriptBytesMax))
    }

    /// Takes a piece of stdout.
    ///
    /// - Returns: the frames that it completes, without the terminal one, and the refusal when one of them breaks a rule.
    func receive(_ chunk: [UInt8]) -> (frames: [Frame], refusal: JobRefusal?) {
        var frames: [Frame] = []
        var refusal: JobRefusal?
        do {
            try checker.receive(chunk, into: &frames)
        } catch {
            refusal = JobRefusal(error)
        }
        return (frames.filter { !$0.isTerminal }, refusal)
    }

    /// What the run comes to: the Cargo's `done` frame, or why it failed.
    func result(of end: JobEnd) -> Result<JSONObject, JobRefusal> {
        switch end.cause {
        case .timedOut: return violation(.timeout, "The Cargo did not end within its time.")
        case .outOfMemory: return violation(.outOfMemory, "The Cargo needed more than its \(limits.memoryBytes >> 20) MiB of memory.")
        case .forbiddenSyscall(let name):
            return violation(.forbiddenSyscall, "The Cargo made a system call that its level forbids" + (name.map { ": \($0)." } ?? "."))
        case .killed(let signal): return violation(.killed, "The Cargo was ended by signal \(signal).")
        case .exited(let code): return result(exitCode: code)
        }
    }

    private func violation(_ violation: CargoViolation, _ message: String) -> Result<JSONObject, JobRefusal> {
        .failure(JobRefusal(JobFailure(fault: .cargo, code: violation.rawValue, message: message)))
    }

    private func result(exitCode: Int) -> Result<JSONObject, JobRefusal> {
        // A Cargo that says `error` has said why, whatever its exit code.
        if let frame = checker.terminalFrame, frame.type == "error", checker.violation == nil { return judged(frame) }
        do {
            let last = try checker.finish(exitCode: exitCode)
            guard let frame = checker.terminalFrame ?? last else {
                return violation(.noTerminalFrame, "The Cargo ended without a 'done' or 'error' frame.")
            }
            return judged(frame)
        } catch {
            return .failure(JobRefusal(error))
        }
    }

    private func judged(_ terminal: Frame) -> Result<JSONObject, JobRefusal> {
        if terminal.type == "done" { return .success(terminal.object) }
        return .failure(JobRefusal(JobFailure(fault: .cargo, code: "cargo_error", message: terminal.message ?? "The Cargo failed.")))
    }
}

extension JobRefusal {
    init(_ violation: ProtocolViolation) {
        self.init(JobFailure(fault: .cargo, code: violation.code.rawValue, message: "The Cargo broke the I/O protocol: \(violation.message)."))
    }
}
