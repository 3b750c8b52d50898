/// Checks a Cargo's output and lists all violations, not only the first: for publishers who test a Cargo.
///
/// A line with a violation gives no frame; checking goes on with the next line. Behind `transcript_too_large` nothing
/// more is looked at.
public struct TranscriptInspector: Sendable {
    /// The violations found, in order, at most `violationsMax`.
    public private(set) var violations: [ProtocolViolation] = []
    /// Whether there were more violations than are listed.
    public private(set) var isTruncated = false
    /// The first `done` or `error` frame.
    public private(set) var terminalFrame: Frame?
    /// All bytes received, in bytes; those behind the transcript's limit included.
    public private(set) var byteCount = 0
    private let limits: TranscriptLimits
    private let violationsMax: Int
    private var splitter: LineSplitter
    private var isOverLimit = false

    /// - Parameters:
    ///   - limits: how much the Cargo may write.
    ///   - violationsMax: how many violations are listed, at least 1. Chosen: 100, more than anybody reads.
    public init(limits: TranscriptLimits, violationsMax: Int = 100) {
        self.limits = limits
        self.violationsMax = violationsMax
        splitter = LineSplitter(lineBytesMax: limits.frameBytesMax)
    }

    /// Takes the next bytes of standard output and appends the frames that they complete and that break no rule.
    public mutating func receive(_ chunk: some Collection<UInt8>, into frames: inout [Frame]) {
        let bytes = Array(chunk)
        let room = limits.transcriptBytesMax - min(byteCount, limits.transcriptBytesMax)
        byteCount += bytes.count
        guard !isOverLimit else { return }
        var rest = bytes.prefix(room)
        while !rest.isEmpty, !isDone {
            // Line by line, so that a checker that stops at the first violation does no work behind it.
            let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
            var output: [LineSplitter.Output] = []
            splitter.append(rest[..<end], to: &output)
            check(output, into: &frames)
            rest = rest[end...]
        }
        guard bytes.count > room, !isDone else { return }
        isOverLimit = true
        note(
            ProtocolViolation(
                .transcriptTooLarge, "the output is longer than \(limits.transcriptBytesMax) bytes", line: splitter.lineCount))
    }

    /// Ends the transcript; appends a last frame whose line had no end.
    ///
    /// - Parameter exitCode: the exit code, 0–255; not 0 is a violation unless the terminal frame is an `error`.
    public mutating func finish(exitCode: Int, into frames: inout [Frame]) {
        if !isOverLimit {
            var output: [LineSplitter.Output] = []
            splitter.finish(into: &output)
            check(output, into: &frames)
        }
        if terminalFrame == nil, !isOverLimit {
            note(ProtocolViolation(.noTerminalFrame, "the output ended without a done or error frame", line: splitter.lineCount))
        }
        if exitCode != 0, terminalFrame?.type != "error" { noteFailedExit(exitCode) }
    }

    mutating func noteFailedExit(_ exitCode: Int) {
        let what = terminalFrame == nil ? "without a done or error frame" : "after a done frame"
        note(ProtocolViolation(.nonzeroExit, "the process exited with \(exitCode) \(what)", line: splitter.lineCount))
    }

    /// Whether nothing more can be noted by a checker that stops at the first violation.
    private var isDone: Bool { violationsMax == 1 && !violations.isEmpty }

    private mutating func check(_ output: [LineSplitter.Output], into frames: inout [Frame]) {
        for item in output {
            switch item {
            case .tooLong(let number):
                note(ProtocolViolation(.frameTooLarge, "the line is longer than \(limits.frameBytesMax) bytes", line: number))
            case .line(let bytes, let number):
                guard terminalFrame == nil else {
                    note(ProtocolViolation(.frameAfterTerminal, "there is output after the done or error frame", line: number))
                    continue
                }
                do throws(ProtocolViolation) {
                    let frame = try Frame(parsing: bytes, line: number)
                    if frame.isTerminal { terminalFrame = frame }
                    frames.append(frame)
                } catch {
                    note(error)
                }
            }
        }
    }

    private mutating func note(_ violation: ProtocolViolation) {
        if violations.count < violationsMax { violations.append(violation) } else { isTruncated = true }
    }
}
