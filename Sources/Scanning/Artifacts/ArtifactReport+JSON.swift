internal import Domain
internal import Foundation

extension ArtifactReport {
    /// The version of the document that ``json()`` makes.
    public static let documentVersion = 1

    /// The whole report as a document to be stored.
    ///
    /// **Shape:** UTF-8, one JSON object, keys sorted, no white space: `bytes_inspected`, `bytes_total`, `components` (`name`, `role`,
    /// `version`), `facts` (`name`, `value`), `findings` (`id`, `package`, `scanners`, `severity`, `version`), `inspected_per_mille`
    /// (whole, rounded down), `kind`, `schema` (always `archipelago.artifact-report`), `schema_version`. The same report always makes the
    /// same bytes.
    public func json() -> [UInt8] {
        let document = Document(
            bytes_inspected: bytesInspected, bytes_total: bytesTotal,
            components: components.map { .init(name: $0.name, role: $0.role, version: $0.version) },
            facts: facts.map { .init(name: $0.name, value: $0.value) },
            findings: findings.map {
                .init(id: $0.id, package: $0.package, scanners: $0.scanners, severity: $0.severity.rawValue, version: $0.version)
            },
            inspected_per_mille: bytesTotal == 0 ? 1000 : bytesInspected * 1000 / bytesTotal, kind: kind.rawValue,
            schema: "archipelago.artifact-report",
            schema_version: Self.documentVersion)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(document))
        } catch {
            // Texts and whole numbers alone: there is nothing that JSON cannot hold.
            preconditionFailure("a report is always a JSON document")
        }
    }

    /// The names are the document's own.
    private struct Document: Encodable {
        let bytes_inspected: Int
        let bytes_total: Int
        let components: [Component]
        let facts: [Fact]
        let findings: [Row]
        let inspected_per_mille: Int
        let kind: String
        let schema: String
        let schema_version: Int

        struct Component: Encodable {
            let name: String
            let role: String
            let version: String
        }
        struct Fact: Encodable {
            let name: String
            let value: String
        }
        struct Row: Encodable {
            let id: String
            let package: String
            let scanners: [String]
            let severity: String
            let version: String
        }
    }
}
