internal import Foundation

/// The `metadata.json` beside a database of Trivy.
struct TrivyDatabaseMetadata: Sendable, Hashable {
    /// The database's schema, a count from 1.
    let version: Int
    /// When it was built: RFC 3339.
    let updatedAt: String

    /// Parses the file.
    init(_ bytes: [UInt8], problems: TrivyDatabaseProblems) throws(ScanFailure) {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw problems.damaged("metadata.json is not the JSON document it should be")
        }
        guard RFC3339.isWellFormed(document.UpdatedAt) else { throw problems.damaged("metadata.json has no date in UpdatedAt") }
        version = document.Version
        updatedAt = document.UpdatedAt
    }

    /// The names are Trivy's.
    private struct Document: Decodable {
        let Version: Int
        let UpdatedAt: String
    }
}

/// The failures that a look at Trivy's databases can give.
struct TrivyDatabaseProblems: Sendable, Hashable {
    let remedy: TrivyRemedy

    func missing(_ detail: String? = nil) -> ScanFailure {
        ScanFailure(
            .databaseMissing, message: "Trivy has no vulnerability database. No image can pass review without one.",
            remedy: remedy.download, detail: detail)
    }

    func missingJava(_ detail: String? = nil) -> ScanFailure {
        ScanFailure(
            .javaDatabaseMissing, message: "The image holds Java archives, and Trivy has no Java database.",
            remedy: remedy.downloadJava, detail: detail)
    }

    func outdated(_ detail: String? = nil) -> ScanFailure {
        ScanFailure(
            .databaseOutdated, message: "Trivy's vulnerability database has an old format.", remedy: remedy.download, detail: detail)
    }

    func tooNew(_ detail: String? = nil) -> ScanFailure {
        ScanFailure(.scannerTooOld, message: "Trivy is too old for its database.", remedy: remedy.update, detail: detail)
    }

    func damaged(_ detail: String? = nil) -> ScanFailure {
        ScanFailure(
            .databaseDamaged, message: "Trivy's vulnerability database is damaged.", remedy: remedy.renew, detail: detail)
    }

    func damagedJava(_ detail: String? = nil) -> ScanFailure {
        ScanFailure(.databaseDamaged, message: "Trivy's Java database is damaged.", remedy: remedy.renewJava, detail: detail)
    }
}
