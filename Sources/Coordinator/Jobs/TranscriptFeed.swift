import Domain
import Fabric
public import Storage

/// A job's transcript as a Consumer follows it: what is stored, then what comes, until the terminal record.
///
/// The feed reads committed records in small pages until it has all, and then takes those that the job's topic brings, which all
/// who follow share. Who falls behind reads from the database again, so a slow Consumer costs bounded memory and nobody else's time,
/// and starting at any number is the usual case.
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
        return AsyncIterator(
            jobs: jobs, jobID: jobID, next: first, signals: signals, pulse: pulse.map { Pulse(signals, every: $0, jobs.surroundings.clock) })
    }

    /// Pages of records, in order and without gaps; ends after the terminal record.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let jobs: Jobs
        private let jobID: String
        private var next: Int
        private let signals: SignalListener
        private let pulse: Pulse?
        /// Whether more may be stored than was heard of.
        private var mustLook = true
        private var isOver = false

        fileprivate init(jobs: Jobs, jobID: String, next: Int, signals: SignalListener, pulse: Pulse?) {
            self.jobs = jobs
            self.jobID = jobID
            self.next = next
            self.signals = signals
            self.pulse = pulse
        }

        /// The next records, at least one unless silence is said too; `nil` after the terminal record. A cancelled task gets `nil` or a `CancellationError`.
        public mutating func next() async throws -> [RecordRow]? {
            var hasWaited = false
            while !isOver, !Task.isCancelled {
                if mustLook {
                    let page = try await look()
                    if !page.isEmpty { return page }
                    if isOver { return nil }
                    if pulse != nil, hasWaited { return [] }
                }
                guard let signal = await signals.next() else { return nil }
                hasWaited = true
                mustLook = signal.mayBeMore
                let page = take(signal.news)
                if !page.isEmpty { return page }
            }
            return nil
        }

        /// What stands in the database.
        private mutating func look() async throws -> [RecordRow] {
            let (jobID, from) = (jobID, next)
            let (page, isWhole, isTerminal) = try await jobs.database.read { reader in
                let page = try reader.records(
                    jobID: jobID, from: from, limit: TranscriptFeed.pageRecordsMax, bytesMax: TranscriptFeed.pageBytesMax)
                let job = try reader.job(id: jobID, withInput: false)
                let state = job.flatMap { try? $0.lifecycle().state }
                if job?.erasedAt != nil { return (page, true, true) }
                let isWhole = (page.last?.seq ?? from - 1) >= (job?.records ?? 0)
                return (page, isWhole, state?.isTerminal != false)
            }
            isOver = isWhole && isTerminal
            mustLook = !isWhole
            if let last = page.last { next = last.seq + 1 }
            return page
        }

        /// The records of news that come next; news that leaves a gap is looked up.
        private mutating func take(_ news: [any Sendable]) -> [RecordRow] {
            var page: [RecordRow] = []
            for case let news as TranscriptNews in news {
                guard let first = news.records.first, first.seq <= next else {
                    mustLook = true
                    break
                }
                page += news.records.dropFirst(next - first.seq)
                next = Swift.max(next, first.seq + news.records.count)
                isOver = isOver || news.isTerminal
            }
            return page
        }
    }
}

/// Records that were just stored, for those who follow the transcript in this process.
struct TranscriptNews: Sendable {
    let records: [RecordRow]
    /// Whether the last one is the terminal record.
    let isTerminal: Bool

    /// Chosen: what waits for a slow listener is at most ``SignalListener/newsMax`` times this; longer news is looked up.
    private static let bytesMax = 32 << 10

    /// `nil` for records that are too long to wait in memory.
    init?(_ records: [RecordRow], isTerminal: Bool) {
        guard records.reduce(0, { $0 + $1.body.count }) <= Self.bytesMax else { return nil }
        self.records = records
        self.isTerminal = isTerminal
    }
}

/// Wakes a listener whenever so much time has passed, as long as this lives.
private final class Pulse: Sendable {
    private let task: Task<Void, Never>

    init(_ listener: SignalListener, every interval: Duration, _ clock: any Clock<Duration>) {
        // Unstructured: it ends with this.
        task = Task { [weak listener] in
            while (try? await clock.sleep(for: interval)) != nil { listener?.wake() }
        }
    }

    deinit { task.cancel() }
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
