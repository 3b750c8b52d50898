import Glibc
import SandboxKernel

/// Watches one started container of an engine until its streams have ended. Used by the cage's own thread.
///
/// An engine hands over one connection for all three streams, so a slow reader of the output holds back standard error too. What
/// is held in memory is bounded: one piece of output, the end of standard error, the job's input.
struct EngineSupervision {
    /// What was seen by the end.
    struct Outcome {
        /// The cage entry's word on how the Cargo ended; `nil` if the container ended before it could say.
        var end: EntryRecords.Record?
        /// Why the Cargo did not start, in the entry's words.
        var failure: EntryRecords.Record?
        var hasCargoStarted: Bool
        var hadTimedOut: Bool
        /// What the kernel counted from the Cargo's start on; `nil` where its counters are out of reach.
        var usage: ControlGroups.Usage?
        /// From the Cargo's start to the end of its streams.
        var wallTime: Duration
        var standardError: [UInt8]
    }

    private let cage: EngineCage
    private let container: String
    private let link: CageLink
    private let connection: EngineConnection
    private let beganAt = ContinuousClock.now

    private var streams = AttachedStreams()
    private var records: EntryRecords
    private var pending: [UInt8] = []
    private var standardError: [UInt8] = []
    /// What goes to the container: first the word to start, then the input.
    private var unwritten: ArraySlice<UInt8> = []
    private var isInputOpen = true
    private var isClosed = false

    private var isWaiting = false
    private var isReleased = false
    private var hasCargoStarted = false
    private var failure: EntryRecords.Record?
    private var end: EntryRecords.Record?
    private var start = ContinuousClock.now
    private var closedAt = ContinuousClock.now
    private var killedAt: ContinuousClock.Instant?
    /// Kept open until the end: an engine may drop a request whose caller has gone.
    private var killRequest: EngineConnection?
    private var hadTimedOut = false
    private var before: ControlGroups.Usage?
    private var after: ControlGroups.Usage?

    /// The container as the kernel sees it, once it runs and if it is on this host.
    private(set) var local: LocalContainer?

    init(cage: EngineCage, container: String, link: CageLink, connection: EngineConnection) {
        self.cage = cage
        self.container = container
        self.link = link
        self.connection = connection
        records = EntryRecords(nonce: cage.nonce)
    }

    mutating func watch() throws -> Outcome {
        try take(connection.takeSurplus())
        while true {
            if isWaiting, !isReleased, killedAt == nil { try release() }
            if end != nil, killedAt == nil { try settle() }
            handOver()
            if isClosed, pending.isEmpty { return outcome() }
            try enforceTime()
            try step()
        }
    }

    /// Gives the piece that was read to the reader, if it wants one.
    private mutating func handOver() {
        // In this order: a reader that has thrown stops the job before it asks again.
        let isWanted = link.wantsOutput
        if link.isStopped {
            pending = []
        } else if isWanted, !pending.isEmpty {
            link.deliver(pending)
            pending = []
        }
    }

    private mutating func outcome() -> Outcome {
        keep(records.end())
        var usage = after
        if var counted = usage, let before {
            counted.cpuTime = max(counted.cpuTime - before.cpuTime, .zero)
            usage = counted
        }
        return Outcome(
            end: end, failure: failure, hasCargoStarted: hasCargoStarted, hadTimedOut: hadTimedOut, usage: usage,
            wallTime: start.duration(to: closedAt), standardError: standardError)
    }

    // MARK: The container's life

    /// Looks whether every limit is in force, then lets the Cargo start. Its time runs from here.
    private mutating func release() throws {
        let facts = try cage.engine.inspect(container)
        local = LocalContainer(container, process: facts.State.Pid, groups: cage.groups)
        if let local {
            let problems = local.problems(against: cage.request)
            guard problems.isEmpty else { throw EngineCage.notEnforced(problems) }
            guard cage.configuration.userNamespace == nil || local.isApart("user") else { throw EngineCage.notEnforced(["user namespace"]) }
            local.groups.forgetPeak(of: local.group)
            before = try local.usage()
        }
        start = .now
        isReleased = true
        unwritten = ([EntryCommand.start] + cage.contents.input)[...]
    }

    /// The Cargo has ended and its container waits: reads the counters, then ends the container.
    private mutating func settle() throws {
        after = try local?.usage()
        try kill()
    }

    private mutating func enforceTime() throws {
        let now = ContinuousClock.now
        if let killedAt {
            // A reader that takes its time is no sign of a container that does not die: an engine notes an end only when it can
            // pass on all of the output.
            if !link.isStopped, !pending.isEmpty || !link.wantsOutput { self.killedAt = now }
            guard now < killedAt + cage.configuration.killTimeout || isClosed else {
                throw SandboxError(.cleanUp, "A killed container did not end.")
            }
        } else if link.isStopped {
            try kill()
        } else if isReleased, now >= start + cage.contents.timeout, !isClosed {
            hadTimedOut = true
            // The counters go with the container.
            after = try local?.usage()
            try kill()
        } else if !isReleased, now >= beganAt + cage.configuration.requestTimeout {
            throw SandboxError(.runtime, "The container did not start.")
        }
    }

    /// Ends the container, without waiting: an engine answers only after the container's output has gone, which is read here.
    private mutating func kill() throws {
        killedAt = .now
        // On this host the kernel does it at once, whatever the engine is at.
        local?.kill()
        do {
            killRequest = try cage.engine.beginKill(container)
        } catch {
            // An engine that is gone must not keep the Cargo alive, and does not where the kernel was asked.
            guard local != nil else { throw error }
        }
    }

    // MARK: Streams

    private mutating func step() throws {
        let readsOutput = !isClosed && pending.isEmpty && (link.isStopped || !isReleased || link.wantsOutput)
        let events = (readsOutput ? POLLIN : 0) | (unwritten.isEmpty ? 0 : POLLOUT)
        var entries = [
            // A negative number is passed over by poll.
            pollfd(fd: events == 0 ? -1 : connection.descriptor.number, events: Int16(events), revents: 0),
            pollfd(fd: link.wakeDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        // Safety: the array holds as many entries as announced, for the length of the call.
        try checked("poll") { kernel_poll(&entries, 2, waitMilliseconds) }
        if entries[1].revents != 0 { link.clearWake() }
        guard entries[0].revents != 0 else { return }
        if isReleased { try writeInput() }
        guard readsOutput, let bytes = try connection.descriptor.read(atMost: Supervision.pieceBytesMax) else { return }
        if bytes.isEmpty {
            isClosed = true
            closedAt = .now
            unwritten = []
        } else {
            try take(bytes)
        }
    }

    private var waitMilliseconds: CInt {
        // What is left is the reader's.
        if isClosed { return -1 }
        let until =
            killedAt.map { $0 + cage.configuration.killTimeout }
            ?? (isReleased ? start + cage.contents.timeout : beganAt + cage.configuration.requestTimeout)
        return ContinuousClock.now.duration(to: until).pollMilliseconds
    }

    /// Writes as much input as the engine takes, and closes the stream behind the last byte. A Cargo may end without reading.
    private mutating func writeInput() throws {
        while !unwritten.isEmpty {
            guard let count = try connection.writeSome(unwritten.prefix(Supervision.pieceBytesMax)) else { break }
            if count == 0 { return }
            unwritten = unwritten.dropFirst(count)
        }
        unwritten = []
        guard isInputOpen else { return }
        isInputOpen = false
        // A connection that the engine has closed is at its end already.
        try? connection.descriptor.endWriting()
    }

    private mutating func take(_ bytes: [UInt8]) throws {
        let piece: AttachedStreams.Piece
        do {
            piece = try streams.take(bytes)
        } catch {
            throw SandboxError(.runtime, "The container engine's stream cannot be read.")
        }
        pending += piece.output
        guard !piece.error.isEmpty else { return }
        let (found, text) = records.take(piece.error)
        keep(text)
        for record in found { note(record) }
    }

    private mutating func note(_ record: EntryRecords.Record) {
        switch record.stage {
        case "A": isWaiting = true
        case "R": hasCargoStarted = true
        case "E": end = record
        default: failure = failure ?? record
        }
    }

    private mutating func keep(_ text: [UInt8]) {
        standardError += text
        if standardError.count > Supervision.standardErrorBytesMax {
            standardError.removeFirst(standardError.count - Supervision.standardErrorBytesMax)
        }
    }
}
