import Domain
import Fabric
public import Storage

/// A job's transcript as a Consumer follows it: what is stored, then what comes, until the terminal record.
///
/// The feed reads committed records in small pages and waits for the job's topic in between. It holds one page at a time,
/// so a slow Consumer costs bounded memory and nobody else's time, and starting at any number is the usual case.
public struct TranscriptFeed: AsyncSequence, Sendable {
    public typealias Element = [RecordRow]

    private let jobs: Jobs
    private let jobID: String
    private let first: Int
    private let pulse: Duration?

    init(jobs: Jobs, jobID: String, from first: Int, pulse: Duration?) {
        self.jobs = jobs
        self.jobID = jobID
        self.first = first
        self.pulse = pulse
    }

    /// Chosen: enough to keep a socket full, little enough for ten thousand readers.
    private static let pageRecordsMax = 256
    private static let pageBytesMax = 256 << 10

    public func makeAsyncIterator() -> AsyncIterator {
        let signals = jobs.bus.signals(on: Topics.job(jobID))
        let all = pulse.map { Self.signals(signals, and: $0, jobs.surroundings.clock) } ?? signals
        return AsyncIterator(jobs: jobs, jobID: jobID, next: first, signals: all.makeAsyncIterator(), saysSilence: pulse != nil)
    }

    /// Signals, and one more whenever so much time has passed.
    private static func signals(_ signals: AsyncStream<Void>, and pulse: Duration, _ clock: any Clock<Duration>) -> AsyncStream<Void> {
        let (all, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        // Unstructured: both live exactly as long as somebody listens.
        let relay = Task {
            for await _ in signals { continuation.yield() }
            continuation.finish()
        }
        let pulsing = Task {
            while (try? await clock.sleep(for: pulse)) != nil { continuation.yield() }
        }
        continuation.onTermination = { _ in
            relay.cancel()
            pulsing.cancel()
        }
        return all
    }

    /// Pages of records, in order and without gaps; ends after the terminal record.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let jobs: Jobs
        private let jobID: String
        private var next: Int
        private var signals: AsyncStream<Void>.AsyncIterator
        private let saysSilence: Bool
        private var isOver = false

        fileprivate init(jobs: Jobs, jobID: String, next: Int, signals: AsyncStream<Void>.AsyncIterator, saysSilence: Bool) {
            self.jobs = jobs
            self.jobID = jobID
            self.next = next
            self.signals = signals
            self.saysSilence = saysSilence
        }

        /// The next records, at least one unless silence is said too; `nil` after the terminal record. A cancelled task gets `nil` or a `CancellationError`.
        public mutating func next() async throws -> [RecordRow]? {
            var hasWaited = false
            while !isOver, !Task.isCancelled {
                let (jobID, from) = (jobID, next)
                let (page, isTerminal) = try await jobs.database.read { reader in
                    let page = try reader.records(
                        jobID: jobID, from: from, limit: TranscriptFeed.pageRecordsMax, bytesMax: TranscriptFeed.pageBytesMax)
                    let job = try reader.job(id: jobID)
                    let state = job.flatMap { try? $0.lifecycle().state }
                    if job?.erasedAt != nil { return (page, true) }
                    return (page, state?.isTerminal != false && (page.last?.seq ?? from - 1) >= (job?.records ?? 0))
                }
                isOver = isTerminal
                if let last = page.last {
                    next = last.seq + 1
                    return page
                }
                if isOver { return nil }
                if saysSilence, hasWaited { return [] }
                guard await signals.next() != nil else { return nil }
                hasWaited = true
            }
            return nil
        }
    }
}

extension Jobs {
    /// Follows a job's transcript from a record's number on.
    ///
    /// - Parameters:
    ///   - seq: the first record wanted, from 1; smaller numbers mean 1.
    ///   - pulse: how often silence is said by an empty page, so that whoever writes notices that nobody reads any more; `nil` for never.
    public func transcript(of job: Job, from seq: Int, pulse: Duration? = nil) -> TranscriptFeed {
        TranscriptFeed(jobs: self, jobID: job.row.id, from: Swift.max(1, seq), pulse: pulse)
    }
}
