public import Domain
internal import Foundation

/// Reads Grype's JSON reports.
public struct GrypeReportParser: Sendable, Hashable {
    /// The largest report, in bytes, at least 1.
    public let reportBytesMax: Int
    /// The most findings, at least 1.
    public let findingsMax: Int

    /// A parser with its bounds; a report beyond one of them is refused whole.
    public init(reportBytesMax: Int = 64 * 1024 * 1024, findingsMax: Int = 100_000) {
        precondition(reportBytesMax > 0 && findingsMax > 0, "a report needs room")
        self.reportBytesMax = reportBytesMax
        self.findingsMax = findingsMax
    }

    /// What a report says, before it is known to be about the right image.
    public struct Content: Sendable, Hashable {
        /// Grype's version; `nil` when the report has none.
        public let version: String?
        /// When the database was built, RFC 3339; `nil` in reports of old versions.
        public let databaseBuiltAt: String?
        /// What was scanned: `image`, `directory`.
        public let sourceType: String?
        /// The digest of the image's configuration; `nil` when no image was scanned.
        public let imageID: String?
        /// The image's platform, `os/architecture`; `nil` when the report has none.
        public let platform: String?
        /// The operating system found in the image.
        public let operatingSystem: ScannerReport.OperatingSystem?
        /// Every finding, in the report's order.
        public let findings: [Finding]
    }

    /// Returns what a report says.
    ///
    /// - Parameter bytes: UTF-8, one JSON document.
    /// - Throws: `ScanFailure` with the code `unreadable_report`.
    public func parse(_ bytes: [UInt8]) throws(ScanFailure) -> Content {
        guard bytes.count <= reportBytesMax else { throw .unreadable("larger than \(reportBytesMax) bytes") }
        let document: GrypeReportDocument
        do {
            document = try JSONDecoder().decode(GrypeReportDocument.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw .unreadable(error.place)
        } catch {
            throw .unreadable("not a JSON document")
        }
        guard document.descriptor.name == GrypeScanner.scannerName else { throw .unreadable("written by \(document.descriptor.name)") }
        guard document.matches.count <= findingsMax else { throw .unreadable("more than \(findingsMax) findings") }
        let database = document.descriptor.db
        guard database?.status?.valid != false else { throw .unreadable("made with an invalid database") }
        var findings: [Finding] = []
        findings.reserveCapacity(document.matches.count)
        for match in document.matches { findings.append(try Self.finding(match)) }
        return Content(
            version: document.descriptor.version, databaseBuiltAt: database?.status?.built ?? database?.built,
            sourceType: document.source?.type, imageID: document.source?.target?.imageID, platform: Self.platform(document.source?.target),
            operatingSystem: Self.operatingSystem(document.distro), findings: findings)
    }

    /// Returns the severity for Grype's word, in any case. `Negligible` is what Debian calls unimportant, and counts as low; none is
    /// `unknown`, and one that is not Grype's makes the report unreadable: it could mean the worst.
    static func severity(_ word: String?) throws(ScanFailure) -> Severity {
        guard let word = word?.lowercased(), !word.isEmpty else { return .unknown }
        guard let severity = word == "negligible" ? .low : Severity(rawValue: word) else { throw .unreadable("a severity that is not Grype's") }
        return severity
    }

    private static func finding(_ match: GrypeReportDocument.Match) throws(ScanFailure) -> Finding {
        let (own, package) = (match.vulnerability.id, match.artifact)
        guard !own.isEmpty, !package.name.isEmpty else { throw .unreadable("a finding without an id or a package") }
        let related = (match.relatedVulnerabilities ?? []).map(\.id)
        // Language packages are found under a GHSA id; the CVE is among the related ones. Of several the first by name.
        let isCVE = { (id: String) in id.hasPrefix("CVE-") }
        let id = isCVE(own) ? own : related.filter(isCVE).min() ?? own
        let fixed = (match.vulnerability.fix?.versions ?? []).filter { !$0.isEmpty }
        return Finding(
            id: id, package: package.name, version: package.version ?? "", fixedVersion: fixed.isEmpty ? nil : fixed.joined(separator: ", "),
            severity: try severity(match.vulnerability.severity), packageURL: package.purl.flatMap { $0.isEmpty ? nil : $0 },
            scanners: [GrypeScanner.scannerName], aliases: Set([own] + related).subtracting([id]).sorted())
    }

    private static func platform(_ image: GrypeReportDocument.Source.Image?) -> String? {
        guard let system = image?.os, let architecture = image?.architecture, !system.isEmpty, !architecture.isEmpty else { return nil }
        return "\(system)/\(architecture)"
    }

    private static func operatingSystem(_ distribution: GrypeReportDocument.Distribution?) -> ScannerReport.OperatingSystem? {
        guard let family = distribution?.name, !family.isEmpty else { return nil }
        return .init(family: family, name: distribution?.version ?? "", isEndOfLife: nil)
    }
}

extension DecodingError {
    /// Where a document stops being what it should be, without the values in it.
    var place: String {
        let path: [any CodingKey]
        switch self {
        case .keyNotFound(let key, let context): path = context.codingPath + [key]
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): path = context.codingPath
        @unknown default: path = []
        }
        return "at /" + path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
    }
}
