import CargoIO
import Domain
import IslandLink
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
        if let (kind, message) = end.cause.violation(of: limits) { return failed(kind.rawValue, message) }
        guard case .exited(let code) = end.cause else { preconditionFailure("only an exit breaks no limit") }
        return result(exitCode: code)
    }

    private func failed(_ code: String, _ message: String) -> Result<JSONObject, JobRefusal> {
        .failure(JobRefusal(JobFailure(fault: .cargo, code: code, message: message)))
    }

    private func result(exitCode: Int) -> Result<JSONObject, JobRefusal> {
        // A Cargo that says `error` has said why, whatever its exit code.
        if let frame = checker.terminalFrame, frame.type == "error", checker.violation == nil { return judged(frame) }
        do {
            let last = try checker.finish(exitCode: exitCode)
            guard let frame = checker.terminalFrame ?? last else {
                return failed(ProtocolViolation.Code.noTerminalFrame.rawValue, "The Cargo ended without a 'done' or 'error' frame.")
            }
            return judged(frame)
        } catch {
            return .failure(JobRefusal(error))
        }
    }

    private func judged(_ terminal: Frame) -> Result<JSONObject, JobRefusal> {
        if terminal.type == "done" { return .success(terminal.object) }
        return failed("cargo_error", String((terminal.message ?? "The Cargo failed.").prefix(LinkLimits.failureMessageMax)))
    }
}

extension JobRefusal {
    init(_ violation: ProtocolViolation) {
        self.init(JobFailure(fault: .cargo, code: violation.code.rawValue, message: "The Cargo broke the I/O protocol: \(violation.message)."))
    }
}
