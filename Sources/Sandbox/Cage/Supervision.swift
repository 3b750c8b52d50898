import Glibc
import SandboxKernel

/// Watches one started container until it has ended and all its output is handed over. Used by the cage's own thread.
///
/// One poll waits for everything: the process, the job's three streams, the cage entry's report, the task's wishes, the clock.
/// What is held in memory is bounded: one piece of output, the end of standard error, the job's input.
struct Supervision {
    /// What was seen by the end.
    struct Outcome: Sendable {
        /// Of the Cargo, if the cage entry has told it, else of the container's first process.
        var waitStatus: CInt
        var wallTime: Duration
        var hadTimedOut: Bool
        var standardError: [UInt8]
        var report: EntryReport
    }

    /// A piece of output, and the share of standard error that is kept. Source: a pipe's capacity, pipe(7); design, section 4.7.
    static let pieceBytesMax = 65536
    static let standardErrorBytesMax = 65536
    /// Most that the entry can say: two reports. More can only be noise.
    private static let reportBytesMax = 64

    private let link: CageLink
    private let killTimeout: Duration
    private let start: ContinuousClock.Instant
    private let deadline: ContinuousClock.Instant
    private let streams: CageStreams.OwnEnds
    private let recorder: CallRecorder?
    /// Where the cage entry stays in front of the Cargo, its reports come in standard error.
    private var records: EntryRecords?
    private var entryReport: EntryReport?
    /// The entry's word on how the Cargo ended.
    private var entryEnd: EntryRecords.Record?
    /// Where the Cargo's calls come in, if they are recorded.
    private var calls: Descriptor?

    private var input: ArraySlice<UInt8>
    private var standardError: [UInt8] = []
    private var reportBytes: [UInt8] = []
    private var killedAt: ContinuousClock.Instant?
    private var hadTimedOut = false
    private var end: (status: CInt, at: ContinuousClock.Instant)?

    /// - Parameter nonce: of the cage entry's reports, where it stays in front of the Cargo; it then waits for the word to start.
    init(
        job: CageContents, link: CageLink, streams: CageStreams.OwnEnds, nonce: String?, killTimeout: Duration, start: ContinuousClock.Instant
    ) {
        self.link = link
        self.killTimeout = killTimeout
        self.start = start
        self.streams = streams
        deadline = start + job.limits.timeout
        records = nonce.map(EntryRecords.init)
        input = (nonce == nil ? job.input : [EntryCommand.start] + job.input)[...]
        recorder = job.recorder
    }

    mutating func watch(_ process: ChildProcess) throws -> Outcome {
        try writeInput()
        while true {
            try enforceTime(process)
            if let end, streams.output == nil, streams.error == nil, streams.report == nil { return try outcome(end) }
            try step(process)
        }
    }

    private mutating func outcome(_ end: (status: CInt, at: ContinuousClock.Instant)) throws -> Outcome {
        var outcome = Outcome(
            waitStatus: end.status, wallTime: start.duration(to: end.at), hadTimedOut: hadTimedOut, standardError: standardError,
            report: entryReport ?? EntryReport(reportBytes))
        guard records != nil else { return outcome }
        keep(records?.end() ?? [])
        outcome.standardError = standardError
        if let entryEnd {
            outcome.waitStatus = CInt(truncatingIfNeeded: entryEnd.value)
            outcome.wallTime = entryEnd.wallTime
        } else if end.status & 0x7F != SIGKILL, entryReport == .cargoStarted || entryReport == nil {
            // Whatever the container's own process says of itself, it is no word of the Cargo.
            throw SandboxError(.runtime, "The container ended without a word.", cause: "wait status \(end.status)")
        }
        return outcome
    }

    /// Kills the container when its time is up, when its Cargo has ended and it waits, or when nobody wants it any more, and gives up on one that does not die.
    private mutating func enforceTime(_ process: ChildProcess) throws {
        guard end == nil else { return }
        let now = ContinuousClock.now
        if let killedAt {
            guard now < killedAt + killTimeout else { throw SandboxError(.cleanUp, "A killed container did not end.") }
        } else if link.isStopped || now >= deadline || entryEnd != nil {
            // The first process of a process namespace takes all others with it.
            hadTimedOut = !link.isStopped && entryEnd == nil
            killedAt = now
            process.kill()
        }
    }

    /// Waits for one or more things to happen and does what they ask for.
    private mutating func step(_ process: ChildProcess) throws {
        let isStopped = link.isStopped
        let readsOutput = streams.output != nil && (isStopped || link.wantsOutput)
        func entry(_ descriptor: CInt, _ isWatched: Bool, _ events: Int32 = POLLIN) -> pollfd {
            // A negative number is passed over by poll.
            pollfd(fd: isWatched ? descriptor : -1, events: Int16(events), revents: 0)
        }
        var entries = [
            entry(process.descriptor.number, end == nil),
            entry(link.wakeDescriptor, true),
            entry(streams.input?.number ?? -1, true, POLLOUT),
            entry(streams.output?.number ?? -1, readsOutput),
            entry(streams.error?.number ?? -1, true),
            entry(streams.report?.number ?? -1, true),
            entry(calls?.number ?? -1, end == nil),
        ]
        // Safety: the array holds as many entries as announced, for the length of the call.
        try checked("poll") { kernel_poll(&entries, entries.count, waitMilliseconds(readsOutput: readsOutput)) }
        func isReady(_ index: Int) -> Bool { entries[index].revents != 0 }

        if isReady(1) { link.clearWake() }
        if isReady(2) { try writeInput() }
        if isReady(5) || end != nil { try readReport(of: process) }
        if isReady(6), let calls { try recorder?.takeCall(from: calls, isOver: entries[6].revents & Int16(POLLIN) == 0) }
        if isReady(4) || end != nil { try readError() }
        if isReady(3) || (end != nil && readsOutput) { try readOutput(isStopped: isStopped) }
        if isReady(0) {
            end = (try process.reap(), ContinuousClock.now)
            streams.input = nil
        }
    }

    private func waitMilliseconds(readsOutput: Bool) -> CInt {
        // Everything that wrote is dead: what can be read can be read now. Only the task's pace may have to be waited for.
        if end != nil { return readsOutput || streams.error != nil || streams.report != nil ? 0 : -1 }
        let until = killedAt.map { $0 + killTimeout } ?? deadline
        return ContinuousClock.now.duration(to: until).pollMilliseconds
    }

    /// Writes as much input as the Cargo takes, and closes the stream behind the last byte. A Cargo may end without reading.
    private mutating func writeInput() throws {
        while let stream = streams.input, !input.isEmpty {
            guard let count = try stream.write(input.prefix(Self.pieceBytesMax)) else { break }
            if count == 0 { return }
            input = input.dropFirst(count)
        }
        streams.input = nil
        input = []
    }

    private mutating func readOutput(isStopped: Bool) throws {
        switch try readPiece(streams.output) {
        case .nothingYet: return
        case .ended: streams.output = nil
        case .bytes(let bytes): if !isStopped { link.deliver(bytes) }
        }
    }

    private mutating func readError() throws {
        switch try readPiece(streams.error) {
        case .nothingYet: return
        case .ended: streams.error = nil
        case .bytes(let bytes):
            guard let (records, text) = records?.take(bytes) else { return keep(bytes) }
            keep(text)
            records.forEach { take($0) }
        }
    }

    private mutating func keep(_ bytes: [UInt8]) {
        standardError += bytes
        if standardError.count > Self.standardErrorBytesMax {
            standardError.removeFirst(standardError.count - Self.standardErrorBytesMax)
        }
    }

    private mutating func take(_ record: EntryRecords.Record) {
        switch record.stage {
        case "A": return
        case "R": entryReport = .cargoStarted
        case "E": entryEnd = record
        default: entryReport = .failed(stage: record.stage, errorNumber: CInt(truncatingIfNeeded: record.value))
        }
    }

    private mutating func readReport(of process: ChildProcess) throws {
        switch try readPiece(streams.report) {
        case .nothingYet: return
        case .ended: streams.report = nil
        case .bytes(let bytes):
            reportBytes += bytes.prefix(Self.reportBytesMax - reportBytes.count)
            guard recorder != nil, calls == nil, case .listening(let number) = EntryReport(reportBytes) else { return }
            calls = Descriptor(taking: try checked("pidfd_getfd") { kernel_process_take_descriptor(process.descriptor.number, number) })
        }
    }

    private enum Piece {
        case bytes([UInt8])
        case nothingYet
        case ended
    }

    /// Reads a piece of a stream. Once the container has ended nobody can write, and a stream that is empty has ended too.
    private func readPiece(_ stream: Descriptor?) throws -> Piece {
        guard let stream else { return .ended }
        guard let bytes = try stream.read(atMost: Self.pieceBytesMax) else { return end == nil ? .nothingYet : .ended }
        return bytes.isEmpty ? .ended : .bytes(bytes)
    }
}
