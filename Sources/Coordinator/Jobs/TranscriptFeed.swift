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

    init(jobs: Jobs, jobID: String, from first: Int) {
        self.jobs = jobs
        self.jobID = jobID
        self.first = first
    }

    /// Chosen: enough to keep a socket full, little enough for ten thousand readers.
    private static let pageRecordsMax = 256
    private static let pageBytesMax = 256 << 10

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(jobs: jobs, jobID: jobID, next: first, signals: jobs.bus.signals(on: Topics.job(jobID)).makeAsyncIterator())
    }

    /// Pages of records, in order and without gaps; ends after the terminal record.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let jobs: Jobs
        private let jobID: String
        private var next: Int
        private var signals: AsyncStream<Void>.AsyncIterator
        private var isOver = false

        fileprivate init(jobs: Jobs, jobID: String, next: Int, signals: AsyncStream<Void>.AsyncIterator) {
            self.jobs = jobs
            self.jobID = jobID
            self.next = next
            self.signals = signals
        }

        /// The next records, at least one; `nil` after the terminal record. A cancelled task gets `nil` or a `CancellationError`.
        public mutating func next() async throws -> [RecordRow]? {
            while !isOver, !Task.isCancelled {
                let (jobID, from) = (jobID, next)
                let (page, isTerminal) = try await jobs.database.read { reader in
                    let page = try reader.records(
                        jobID: jobID, from: from, limit: TranscriptFeed.pageRecordsMax, bytesMax: TranscriptFeed.pageBytesMax)
                    let job = try reader.job(id: jobID)
                    let state = job.flatMap { try? $0.lifecycle().state }
                    return (page, state?.isTerminal != false && (page.last?.seq ?? from - 1) >= (job?.records ?? 0))
                }
                isOver = isTerminal
                if let last = page.last {
                    next = last.seq + 1
                    return page
                }
                if isOver { return nil }
                guard await signals.next() != nil else { return nil }
            }
            return nil
        }
    }
}

extension Jobs {
    /// Follows a job's transcript from a record's number on.
    ///
    /// - Parameter seq: the first record wanted, from 1; smaller numbers mean 1.
    public func transcript(of job: Job, from seq: Int) -> TranscriptFeed {
        TranscriptFeed(jobs: self, jobID: job.row.id, from: Swift.max(1, seq))
    }
}
