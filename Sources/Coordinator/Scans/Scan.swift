public import Domain
public import JSON
import Storage

/// The scan of a submission's pinned digest.
public struct Scan: Sendable, Hashable {
    /// The digest that was scanned.
    public let digest: String
    /// How far it has come.
    public let state: ScanState
    /// The verdict, once finished.
    public let verdict: ScanVerdict?
    /// Every finding, worst first.
    public let findings: [Finding]
    /// What each scanner said of itself, as stored: objects with `scanner`, `version`, `database_updated_at`, `platform`,
    /// `image_id`, `os`, `packages`.
    public let reports: [JSONValue]
    /// Scanners that the network does without.
    public let missingScanners: [String]
    /// What an operator should know, in sentences.
    public let warnings: [String]
    /// What became of the bills of materials in the image's registry: `attached` (objects with `media_type`, `platform`, `digest`) and
    /// `refused` (why the registry did not take the rest, or null); `nil` until that was tried.
    public let billReferrers: JSONObject?
    /// Set when a rescan found what blocks: until when it must be mended, or since when the Cargo is suspended for it.
    public let flag: Flag?
    /// When it came to something, milliseconds since 1970 UTC.
    public let finishedAt: Timestamp?
    /// Why it could not scan: `code`, `message`, `remedy`, and `detail`, the scanner's own words, or null.
    public let failure: JSONObject?
    /// When it is tried again, milliseconds since 1970 UTC; only while it could not scan.
    public let nextTryAt: Timestamp?

    /// A published version in which a rescan found what blocks.
    public struct Flag: Sendable, Hashable {
        /// The worst severity found.
        public let severity: String
        /// When it was found.
        public let beganAt: Timestamp
        /// When the Cargo is suspended unless it is mended; `nil` when somebody else suspended it already.
        public let endsAt: Timestamp?
        /// When it was suspended for it.
        public let suspendedAt: Timestamp?

        init(_ row: GraceRow) {
            severity = row.severity
            beganAt = Timestamp(milliseconds: row.beganAt)
            endsAt = row.endsAt == Int.max ? nil : Timestamp(milliseconds: row.endsAt)
            suspendedAt = row.suspendedAt.map(Timestamp.init(milliseconds:))
        }
    }

    /// The newest scan of a submission.
    static func newest(of submissionID: Int, in reader: any SQLReader) throws -> Scan? {
        try reader.newestScan(submissionID: submissionID).map { try Scan($0, flag: reader.grace(submissionID: submissionID).map(Flag.init)) }
    }

    init(_ row: ScanRow, flag: Flag? = nil) throws {
        self.flag = flag
        guard let state = ScanState(rawValue: row.state), case .array(let findings)? = try? JSONValue(parsing: row.findings),
            case .array(let reports)? = try? JSONValue(parsing: row.reports)
        else { throw StorageError(.unexpectedShape, "scan \(row.id) cannot be read") }
        digest = row.digest
        self.state = state
        verdict = row.verdict.flatMap(ScanVerdict.init)
        self.findings = findings.compactMap(Finding.init(json:))
        self.reports = reports
        // As for the failure below.
        let notes = try? JSONValue(parsing: row.notes)
        missingScanners = notes?["missing_scanners"]?.array?.compactMap(\.string) ?? []
        warnings = notes?["warnings"]?.array?.compactMap(\.string) ?? []
        billReferrers = notes?["sbom_referrers"]?.object
        finishedAt = row.finishedAt.map(Timestamp.init(milliseconds:))
        // Stored by this program as JSON; an unreadable text would only lose the words, the state stands beside it.
        failure = row.failure.flatMap { try? JSONValue(parsing: $0) }?.object
        nextTryAt = state == .couldNotScan && row.dueAt < Int.max ? Timestamp(milliseconds: row.dueAt) : nil
    }
}

extension Scan {
    init(_ outcome: ScanOutcome, digest: String, at now: Timestamp) {
        self.digest = digest
        billReferrers = nil
        flag = nil
        finishedAt = now
        nextTryAt = nil
        switch outcome {
        case .finished(let judgement):
            (state, verdict, failure) = (.finished, judgement.verdict, nil)
            (findings, reports, warnings) = (judgement.findings, judgement.reports, judgement.warnings)
            missingScanners = judgement.missingScanners
        case .notScannable(let failure):
            (state, verdict, self.failure) = (.notScannable, nil, failure)
            (findings, reports, warnings, missingScanners) = ([], [], [], [])
        case .couldNotScan(let failure, _):
            (state, verdict, self.failure) = (.couldNotScan, nil, failure)
            (findings, reports, warnings, missingScanners) = ([], [], [], [])
        }
    }

    /// The scanners that ran.
    public var scanners: [String] { Set(reports.compactMap { $0["scanner"]?.string }).sorted() }

    /// The findings on which the scanners that ran do not agree.
    public var disputed: [Finding] { findings.filter { $0.isDisputed(among: scanners) } }
}

extension Finding {
    /// The finding as an object of the API: `id`, `package`, `version`, `fixed_version`, `severity`, `package_url`, `scanners`,
    /// `ratings` (the severity of each scanner), `aliases`.
    public var json: JSONValue {
        [
            "id": .string(id), "package": .string(package), "version": .string(version), "fixed_version": .optional(fixedVersion),
            "severity": .string(severity.rawValue), "package_url": .optional(packageURL),
            "scanners": .array(scanners.map(JSONValue.string)),
            "ratings": .object(scanners.reduce(into: JSONObject()) { $0[$1] = .optional(ratings[$1]?.rawValue) }),
            "aliases": .array(aliases.map(JSONValue.string)),
        ]
    }

    init?(json: JSONValue) {
        guard let id = json["id"]?.string, let package = json["package"]?.string, let version = json["version"]?.string,
            let severity = json["severity"]?.string.flatMap(Severity.init)
        else { return nil }
        let scanners = json["scanners"]?.array?.compactMap(\.string) ?? []
        let rated = json["ratings"]?.object?.members.map { ($0.name, $0.value.string.flatMap(Severity.init) ?? .unknown) } ?? []
        self.init(
            id: id, package: package, version: version, fixedVersion: json["fixed_version"]?.string, packageURL: json["package_url"]?.string,
            // Scans of earlier versions have the scanners' names alone.
            ratings: Dictionary(scanners.map { ($0, severity) } + rated) { _, last in last }, severity: severity,
            aliases: json["aliases"]?.array?.compactMap(\.string) ?? [])
    }

    /// The finding in one line for people.
    public var summary: String {
        "\(id) in \(package) \(version): \(severity.rawValue)" + (fixedVersion.map { ", fixed in \($0)" } ?? ", no fix known")
    }
}
