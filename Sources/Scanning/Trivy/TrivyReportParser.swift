internal import Domain
internal import Foundation

/// Reads Trivy's JSON report, schema 2.
///
/// Strict where leniency would lose a finding: a finding without an id or a package makes the whole report unreadable.
/// Lenient where Trivy leaves things out: no results, no vulnerabilities, no operating system.
public struct TrivyReportParser: Sendable, Hashable {
    /// The largest report, in bytes, at least 1.
    public let reportBytesMax: Int
    /// The most findings, at least 1.
    public let findingsMax: Int

    /// The report's schema. Source: Trivy 0.76, `SchemaVersion` of `--format json`.
    private static let schema = 2
    private static let artifactType = "container_image"
    /// The class of results about the operating system's packages. Source: as above.
    private static let systemClass = "os-pkgs"

    /// A parser with its bounds; a report beyond one of them is refused whole.
    public init(reportBytesMax: Int = 64 * 1024 * 1024, findingsMax: Int = 100_000) {
        precondition(reportBytesMax > 0 && findingsMax > 0, "a report needs room")
        self.reportBytesMax = reportBytesMax
        self.findingsMax = findingsMax
    }

    /// Returns what a report says.
    ///
    /// Works on the calling thread; some megabytes take some hundred milliseconds.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8, one JSON document.
    ///   - databaseUpdatedAt: when the database was built, RFC 3339; the report itself does not say it.
    /// - Throws: `ScanFailure` with the code `unreadable_report`.
    public func parse(_ bytes: [UInt8], databaseUpdatedAt: String) throws(ScanFailure) -> ScannerReport {
        guard bytes.count <= reportBytesMax else { throw .unreadable("larger than \(reportBytesMax) bytes") }
        let document = try decode(bytes)
        guard document.SchemaVersion == Self.schema else { throw .unreadable("schema \(document.SchemaVersion)") }
        guard document.ArtifactType == Self.artifactType else { throw .unreadable("artifact type \(document.ArtifactType)") }
        guard OCIDigest.isSHA256(document.Metadata.ImageID) else { throw .unreadable("no image id") }
        let results = document.Results ?? []
        let count = results.reduce(0) { $0 + ($1.Vulnerabilities?.count ?? 0) }
        guard count <= findingsMax else { throw .unreadable("\(count) findings, more than \(findingsMax)") }
        var findings: [Finding] = []
        findings.reserveCapacity(count)
        for vulnerability in results.lazy.flatMap({ $0.Vulnerabilities ?? [] }) { findings.append(try finding(vulnerability)) }
        return ScannerReport(
            scanner: TrivyScanner.scannerName, scannerVersion: document.Trivy.Version, databaseUpdatedAt: databaseUpdatedAt,
            imageID: document.Metadata.ImageID, platform: Self.platform(document.Metadata.ImageConfig),
            operatingSystem: document.Metadata.OS.map { system in
                .init(family: system.Family, name: system.Name ?? "", isEndOfLife: system.EOSL)
            },
            packageCount: results.reduce(0) { $0 + ($1.Packages?.count ?? 0) },
            systemPackageCount: results.reduce(0) { $0 + ($1.Class == Self.systemClass ? $1.Packages?.count ?? 0 : 0) }, findings: findings,
            raw: bytes)
    }

    /// Returns the severity for Trivy's word, in any case; none is `unknown`, as Trivy has it, and one that is not Trivy's makes the report
    /// unreadable: it could mean the worst.
    static func severity(_ word: String?) throws(ScanFailure) -> Severity {
        guard let word, !word.isEmpty else { return .unknown }
        guard let severity = Severity(rawValue: word.lowercased()) else { throw .unreadable("a severity that is not Trivy's") }
        return severity
    }

    private func decode(_ bytes: [UInt8]) throws(ScanFailure) -> TrivyReportDocument {
        do {
            return try JSONDecoder().decode(TrivyReportDocument.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw .unreadable(error.place)
        } catch {
            throw .unreadable("not a JSON document")
        }
    }

    private func finding(_ vulnerability: TrivyReportDocument.Vulnerability) throws(ScanFailure) -> Finding {
        guard !vulnerability.VulnerabilityID.isEmpty, !vulnerability.PkgName.isEmpty else {
            throw .unreadable("a finding without an id or a package")
        }
        let fixed = vulnerability.FixedVersion.flatMap { $0.isEmpty ? nil : $0 }
        return Finding(
            id: vulnerability.VulnerabilityID, package: vulnerability.PkgName, version: vulnerability.InstalledVersion ?? "",
            fixedVersion: fixed, severity: try Self.severity(vulnerability.Severity), packageURL: vulnerability.PkgIdentifier?.PURL,
            scanners: [TrivyScanner.scannerName])
    }

    private static func platform(_ configuration: TrivyReportDocument.Configuration?) -> String? {
        guard let system = configuration?.os, let architecture = configuration?.architecture else { return nil }
        let variant = configuration?.variant.flatMap { $0.isEmpty ? nil : $0 }
        return ([system, architecture] + (variant.map { [$0] } ?? [])).joined(separator: "/")
    }
}
