public import Domain
public import JSON

/// What scanners, taken together, say of one image.
public struct Judgement: Sendable {
    /// Every finding of every platform and scanner, merged, worst first.
    public let findings: [Finding]
    /// What each scanner said of itself: objects with `scanner`, `version`, `database_updated_at`, `database_age_days`, `platform`,
    /// `image_id`, `os`, `packages`, `findings`.
    public let reports: [JSONValue]
    /// The image's platforms.
    public let platforms: [String]
    /// The scanners' own reports and the bills of materials.
    public let documents: [Document]
    /// What an operator has to do something about, in sentences: databases that grow old.
    public let operatorWarnings: [String]
    /// What a reviewer should know beside the findings, in sentences.
    public let remarks: [String]
    /// Scanners that this network does without.
    public let missingScanners: [String]

    /// Everything that whoever reads the verdict should know, in sentences.
    public var warnings: [String] { operatorWarnings + remarks }

    /// The verdict of the findings.
    public var verdict: ScanVerdict { ScanVerdict(findings: findings) }

    /// Something that a scanner wrote.
    public struct Document: Sendable, Hashable {
        /// What it is.
        public let kind: DocumentKind
        /// Who wrote it: `trivy`.
        public let source: String
        /// The image's platform.
        public let platform: String
        /// The document itself, UTF-8 JSON.
        public let bytes: [UInt8]
    }
}

/// Kinds of documents that a scan leaves.
public enum DocumentKind: String, Sendable, Hashable, CaseIterable {
    /// A scanner's own report.
    case report
    /// A bill of materials in CycloneDX.
    case cyclonedx
    /// A bill of materials in SPDX.
    case spdx
}
