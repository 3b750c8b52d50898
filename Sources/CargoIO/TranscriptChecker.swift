/// Checks a Cargo's output while it is written, and stops at the first violation.
///
/// Pure: the caller feeds bytes in any chunks, then the exit code. The result does not depend on the chunks. At most
/// one frame and one chunk are held.
public struct TranscriptChecker: Sendable {
    private var inspector: TranscriptInspector

    /// - Parameter limits: how much the Cargo may write.
    public init(limits: TranscriptLimits) { inspector = TranscriptInspector(limits: limits, violationsMax: 1) }

    /// The violation that was found, if any. Once there is one, every call throws it.
    public var violation: ProtocolViolation? { inspector.violations.first }

    /// The `done` or `error` frame, once it has come.
    public var terminalFrame: Frame? { inspector.terminalFrame }

    /// All bytes received so far, in bytes.
    public var byteCount: Int { inspector.byteCount }

    /// Takes the next bytes of standard output and appends the frames that they complete.
    ///
    /// - Throws: the first violation. The frames that came before it are in `frames`.
    public mutating func receive(_ chunk: some Collection<UInt8>, into frames: inout [Frame]) throws(ProtocolViolation) {
        if let violation { throw violation }
        inspector.receive(chunk, into: &frames)
        if let violation { throw violation }
    }

    /// Takes the next bytes of standard output.
    ///
    /// - Returns: the frames that they complete. When a violation comes behind such frames in the same chunk, they are
    ///   returned, the violation stands in ``violation``, and the next call throws it.
    /// - Throws: the first violation.
    public mutating func receive(_ chunk: some Collection<UInt8>) throws(ProtocolViolation) -> [Frame] {
        if let violation { throw violation }
        var frames: [Frame] = []
        inspector.receive(chunk, into: &frames)
        if frames.isEmpty, let violation { throw violation }
        return frames
    }

    /// Ends the transcript: standard output is closed and the process has exited.
    ///
    /// A process that fails (exit code not 0) must have said so in an `error` frame. A failure without a terminal frame
    /// is `nonzero_exit`, whatever half a line it left.
    ///
    /// - Parameter exitCode: the exit code, 0–255 (128 + N for signal N, as shells have it).
    /// - Returns: the last frame if its line had no end, else `nil`.
    /// - Throws: the first violation.
    public mutating func finish(exitCode: Int) throws(ProtocolViolation) -> Frame? {
        if let violation { throw violation }
        var frames: [Frame] = []
        var ended = inspector
        ended.finish(exitCode: exitCode, into: &frames)
        if exitCode != 0, ended.violations.first != nil, terminalFrame == nil {
            ended = inspector
            ended.noteFailedExit(exitCode)
        }
        inspector = ended
        if let violation { throw violation }
        return frames.first
    }
}
