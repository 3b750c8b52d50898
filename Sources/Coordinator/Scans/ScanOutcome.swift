import Domain
import JSON
import OCI
import Scanning
import Storage

/// What a scan came to.
enum ScanOutcome: Sendable {
    case finished(Judgement)
    case notScannable(JSONObject)
    case couldNotScan(JSONObject, isRetryable: Bool)

    /// The code of a failure that nobody foresaw.
    private static let internalCode = "internal"

    /// A scanner's own words are kept for whoever mends it. Chosen: a line or two.
    private static let detailCharactersMax = 400

    static func notScannable(code: String, _ message: String, _ remedy: String) -> ScanOutcome {
        .notScannable(failure(code, message, remedy))
    }

    /// What an error on the way to a judgement means.
    init(error: any Error) {
        let triedAgain = "It is tried again by itself."
        switch error {
        case let error as ScanFailure:
            var failure = Self.failure(error.code.rawValue, error.message, error.remedy)
            failure["detail"] = .optional(error.detail.map { String($0.prefix(Self.detailCharactersMax)) })
            self = .couldNotScan(failure, isRetryable: true)
        case let error as NotScannable: self = .notScannable(code: error.code, error.message, error.remedy)
        case let error as OCIError where error.code == .unsupportedMediaType:
            self = .notScannable(code: error.code.rawValue, error.message, "Push a container image.")
        case let error as OCIError:
            let isRetryable = [.registryUnavailable, .rateLimited, .storageFailure].contains(error.code)
            let remedy = isRetryable ? triedAgain : "Withdraw the submission, push a sound image and submit again."
            self = .couldNotScan(Self.failure(error.code.rawValue, error.message, remedy), isRetryable: isRetryable)
        case is CancellationError:
            self = .couldNotScan(Self.failure("cancelled", "The scan was stopped.", triedAgain), isRetryable: true)
        default:
            self = .couldNotScan(Self.failure(Self.internalCode, "The scan stopped by a mistake of ours.", triedAgain), isRetryable: true)
        }
    }

    var isMistakeOfOurs: Bool {
        if case .couldNotScan(let failure, _) = self { return failure["code"]?.string == Self.internalCode }
        return false
    }

    /// What the publisher is told; `nil` while the scan is tried again by itself.
    var words: String? {
        switch self {
        case .finished(let judgement):
            let counts = SeverityCounts(of: judgement.findings)
            let numbers = Severity.allCases.filter { counts[$0] > 0 }.map { "\(counts[$0]) \($0.rawValue)" }
            return "verdict: \(judgement.verdict.rawValue)" + (numbers.isEmpty ? "" : " (\(numbers.joined(separator: ", ")))")
        case .notScannable(let failure), .couldNotScan(let failure, isRetryable: false):
            return [failure["message"]?.string, failure["remedy"]?.string].compactMap(\.self).joined(separator: " ")
        case .couldNotScan(_, isRetryable: true): return nil
        }
    }

    /// What is stored.
    ///
    /// - Parameter tries: how often it was tried, this time included.
    func result(tries: Int, at now: Timestamp) -> ScanResult {
        switch self {
        case .finished(let judgement):
            let missing = JSONValue.array(judgement.missingScanners.map(JSONValue.string))
            let notes: JSONObject = ["missing_scanners": missing, "warnings": .array(judgement.warnings.map(JSONValue.string))]
            return ScanResult(
                state: ScanState.finished.rawValue, verdict: judgement.verdict.rawValue,
                findings: JSONValue.array(judgement.findings.map(\.json)).text, reports: JSONValue.array(judgement.reports).text, failure: nil,
                notes: notes.text, dueAt: now.milliseconds, finishedAt: now.milliseconds)
        case .notScannable(let failure):
            return ScanResult(
                state: ScanState.notScannable.rawValue, verdict: nil, findings: "[]", reports: "[]", failure: failure.text,
                dueAt: now.milliseconds, finishedAt: now.milliseconds)
        case .couldNotScan(let failure, let isRetryable):
            let delay = ScanPipeline.retryDelays[min(tries, ScanPipeline.retryDelays.count) - 1]
            return ScanResult(
                state: ScanState.couldNotScan.rawValue, verdict: nil, findings: "[]", reports: "[]", failure: failure.text,
                dueAt: isRetryable ? (now + delay).milliseconds : Int.max, finishedAt: nil)
        }
    }

    /// The documents to store, compressed.
    func documentRows() throws -> [ScanDocumentRow] {
        guard case .finished(let judgement) = self else { return [] }
        return try judgement.documents.map { document in
            ScanDocumentRow(
                kind: document.kind.rawValue, source: document.source, platform: document.platform, mediaType: document.kind.mediaType,
                bodyBytes: document.bytes.count, body: try Gzip.compressed(document.bytes))
        }
    }

    private static func failure(_ code: String, _ message: String, _ remedy: String) -> JSONObject {
        ["code": .string(code), "message": .string(message), "remedy": .string(remedy)]
    }
}

extension DocumentKind {
    /// The media type of such a document.
    var mediaType: String {
        switch self {
        case .report: "application/json"
        case .cyclonedx: SBOMFormat.cyclonedx.mediaType
        case .spdx: SBOMFormat.spdx.mediaType
        }
    }
}
