import Domain
public import Fabric
import JSON
public import Logging
public import OCI
public import Scanning
import Storage

/// Scans what enters review: fetches the pinned digest, checks every byte of it, lets every scanner judge every
/// platform's image, and stores one verdict.
///
/// What waits stands in the database, so a stopped process loses nothing: its running scans are queued again.
public struct ScanPipeline: Sendable {
    private let database: any Database
    private let moves: SubmissionMoves
    private let images: any ImageSource
    private let layouts: any ImageLayouts
    private let scanners: [any VulnerabilityScanner]
    private let bus: any SignalBus
    private let surroundings: Surroundings
    private let logger: Logger

    /// A pipeline with the scanners that all must have run.
    public init(
        moves: SubmissionMoves, images: any ImageSource, layouts: any ImageLayouts, scanners: [any VulnerabilityScanner], bus: any SignalBus,
        surroundings: Surroundings, logger: Logger
    ) {
        database = moves.database
        self.moves = moves
        self.images = images
        self.layouts = layouts
        self.scanners = scanners
        self.bus = bus
        self.surroundings = surroundings
        self.logger = logger
    }

    /// Chosen: the first retry comes soon, because most reasons are short (a registry that restarts); later ones wait for
    /// an operator.
    static let retryDelays: [Duration] = [.seconds(15), .seconds(60), .seconds(300), .seconds(3600)]

    /// Works until the task is cancelled.
    public func run() async throws {
        let now = surroundings.now().milliseconds
        _ = try await database.write { try $0.requeueRunningScans(at: now) }
        while !Task.isCancelled {
            // Listens anew each round, before it looks: a stream whose reader was cancelled is over for good.
            let signals = bus.signals(on: Topics.scans)
            while try await scanNext() {}
            try await waitForWork(signals)
        }
    }

    private func waitForWork(_ signals: AsyncStream<Void>) async throws {
        let due = try await database.read { try $0.nextScanDue() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            if let due, due < Int.max {
                let wait = Duration.milliseconds(max(0, due - surroundings.now().milliseconds))
                group.addTask { try await surroundings.clock.sleep(for: wait) }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Takes the scan that is due and carries it to its end; returns `false` when none is due.
    func scanNext() async throws -> Bool {
        let now = surroundings.now().milliseconds
        let taken = try await database.write { writer -> (scan: ScanRow, submission: Submission)? in
            guard let scan = try writer.takeDueScan(at: now) else { return nil }
            return (scan, try Submission.find(scan.submissionID, in: writer))
        }
        guard let taken else { return false }
        let outcome = await judge(taken.submission, digest: taken.scan.digest)
        // Asked to stop: the scan stays "running" and is queued again by the next start.
        try Task.checkCancellation()
        log(outcome, of: taken.scan)
        try await store(outcome, of: taken.scan)
        do {
            try await images.discardFetched()
        } catch {
            logger.warning("fetched images could not be removed", metadata: ["error": "\(error)"])
        }
        return true
    }

    private enum Outcome: Sendable {
        case finished(findings: [Finding], reports: [JSONValue], platforms: [String])
        case notScannable(JSONObject)
        case couldNotScan(JSONObject, isRetryable: Bool)

        /// What the publisher is told; `nil` while the scan is tried again by itself.
        var words: String? {
            switch self {
            case .finished(let findings, _, _):
                let verdict = ScanVerdict(findings: findings)
                let counts = SeverityCounts(of: findings)
                let numbers = Severity.allCases.filter { counts[$0] > 0 }.map { "\(counts[$0]) \($0.rawValue)" }
                return "verdict: \(verdict.rawValue)" + (numbers.isEmpty ? "" : " (\(numbers.joined(separator: ", ")))")
            case .notScannable(let failure), .couldNotScan(let failure, isRetryable: false):
                return [failure["message"]?.string, failure["remedy"]?.string].compactMap(\.self).joined(separator: " ")
            case .couldNotScan(_, isRetryable: true): return nil
            }
        }
    }

    private func log(_ outcome: Outcome, of scan: ScanRow) {
        var metadata: Logger.Metadata = ["submission.id": "\(scan.submissionID)", "image.digest": "\(scan.digest)"]
        switch outcome {
        case .finished(let findings, _, _):
            metadata["scan.verdict"] = "\(ScanVerdict(findings: findings).rawValue)"
            logger.info("scan finished", metadata: metadata)
        case .notScannable(let failure), .couldNotScan(let failure, _):
            metadata["scan.failure"] = "\(failure["code"]?.string ?? "")"
            logger.warning("scan not finished", metadata: metadata)
        }
    }

    private func judge(_ submission: Submission, digest text: String) async -> Outcome {
        guard submission.fields.runtimeType == RuntimeType.container.rawValue else {
            return .notScannable(Self.failure("not_an_image", "Only container images can be scanned in this version.", "Submit a container image."))
        }
        do {
            let reference = try ImageReference(parsing: submission.fields.containerImage ?? "")
            let image = try await images.fetch(reference, digest: try Digest(text))
            var findings: [Finding] = []
            var reports: [JSONValue] = []
            for platform in image.images {
                let (found, said) = try await scan(platform)
                findings += found
                reports += said
            }
            guard !image.images.isEmpty else {
                return .notScannable(Self.failure("no_image", "The digest holds no platform's image.", "Push a container image."))
            }
            return .finished(
                findings: FindingMerge.merged(findings), reports: reports, platforms: image.images.map(\.platform.description))
        } catch let error as ScanFailure {
            return .couldNotScan(Self.failure(error.code.rawValue, error.message, error.remedy), isRetryable: true)
        } catch let error as OCIError where error.code == .unsupportedMediaType {
            return .notScannable(Self.failure(error.code.rawValue, error.message, "Push a container image."))
        } catch let error as OCIError {
            let isRetryable = [.registryUnavailable, .rateLimited, .storageFailure].contains(error.code)
            let remedy = isRetryable ? "It is tried again by itself." : "Withdraw the submission, push a sound image and submit again."
            return .couldNotScan(Self.failure(error.code.rawValue, error.message, remedy), isRetryable: isRetryable)
        } catch is CancellationError {
            return .couldNotScan(Self.failure("cancelled", "The scan was stopped.", "It is tried again by itself."), isRetryable: true)
        } catch {
            logger.error("scan failed unexpectedly", metadata: ["submission.id": "\(submission.row.id)", "error": "\(error)"])
            return .couldNotScan(
                Self.failure("internal", "The scan stopped by a mistake of ours.", "It is tried again by itself."), isRetryable: true)
        }
    }

    private func scan(_ image: PlatformImage) async throws -> ([Finding], [JSONValue]) {
        let folder = try await layouts.makeLayout(of: image)
        do {
            var findings: [Finding] = []
            var reports: [JSONValue] = []
            for scanner in scanners {
                let report = try await scanner.scan(
                    ScanSubject(layoutFolder: folder, imageID: image.configDigest.description, platform: image.platform.description))
                findings += report.findings
                reports.append(Self.describe(report, image.platform.description))
            }
            await layouts.removeLayout(folder)
            return (findings, reports)
        } catch {
            await layouts.removeLayout(folder)
            throw error
        }
    }

    private static func failure(_ code: String, _ message: String, _ remedy: String) -> JSONObject {
        ["code": .string(code), "message": .string(message), "remedy": .string(remedy)]
    }

    private static func describe(_ report: ScannerReport, _ platform: String) -> JSONValue {
        let system: JSONValue = report.operatingSystem.map { ["family": .string($0.family), "name": .string($0.name)] } ?? .null
        return [
            "scanner": .string(report.scanner), "version": .string(report.scannerVersion), "platform": .string(platform),
            "database_updated_at": .string(report.databaseUpdatedAt), "image_id": .string(report.imageID), "os": system,
            "packages": .int(report.packageCount), "findings": .int(report.findings.count),
        ]
    }

    private func store(_ outcome: Outcome, of scan: ScanRow) async throws {
        let now = surroundings.now()
        let result: ScanResult
        switch outcome {
        case .finished(let findings, let reports, _):
            result = ScanResult(
                state: ScanState.finished.rawValue, verdict: ScanVerdict(findings: findings).rawValue,
                findings: JSONValue.array(findings.map(\.json)).text, reports: JSONValue.array(reports).text, failure: nil,
                dueAt: now.milliseconds, finishedAt: now.milliseconds)
        case .notScannable(let failure):
            result = ScanResult(
                state: ScanState.notScannable.rawValue, verdict: nil, findings: "[]", reports: "[]", failure: failure.text,
                dueAt: now.milliseconds, finishedAt: now.milliseconds)
        case .couldNotScan(let failure, let isRetryable):
            let delay = Self.retryDelays[min(scan.tries, Self.retryDelays.count) - 1]
            result = ScanResult(
                state: ScanState.couldNotScan.rawValue, verdict: nil, findings: "[]", reports: "[]", failure: failure.text,
                dueAt: isRetryable ? (now + delay).milliseconds : Int.max, finishedAt: nil)
        }
        try await moves.commit { writer in
            // Withdrawn meanwhile, perhaps deleted: then nobody waits for the result.
            guard var row = try writer.submission(id: scan.submissionID), row.state == SubmissionState.pendingReview.rawValue,
                row.imageDigest == scan.digest
            else {
                try writer.finishScan(id: scan.id, result.stopped)
                return
            }
            try writer.finishScan(id: scan.id, result)
            if case .finished(_, _, let platforms) = outcome {
                row.platforms = platforms.joined(separator: " ")
                row.updatedAt = now.milliseconds
                try writer.update(row)
            }
            if let words = outcome.words {
                let submission = try Submission.find(scan.submissionID, in: writer)
                let act = SubmissionMoves.Act(actorID: "system", at: now, note: words)
                try moves.tell(.submissionScanned, of: submission, act, facts: ["verdict": .optional(result.verdict)], in: writer)
            }
        }
    }
}

extension ScanResult {
    /// The same result, never tried again.
    var stopped: ScanResult {
        ScanResult(
            state: state, verdict: verdict, findings: findings, reports: reports, failure: failure, dueAt: Int.max, finishedAt: finishedAt)
    }
}

/// Folders in which one platform's image stands by itself, for scanners to read.
public protocol ImageLayouts: Sendable {
    /// Writes an OCI layout with exactly this manifest and returns its folder.
    func makeLayout(of image: PlatformImage) async throws -> String
    /// Removes a folder made before; a failure leaves files that the next start removes.
    func removeLayout(_ folder: String) async
}
