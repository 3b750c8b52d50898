/// What Grype means when it does not end with 0. As with Trivy, the table only chooses words.
enum GrypeErrorTable {
    /// Any of the marks in the standard error gives the failure. Source: Grype's sources, about 0.116.
    private static let rows: [(marks: [String], code: ScanFailure.Code, message: String, remedy: String)] = [
        (
            ["database does not exist"], .databaseMissing, "Grype has no vulnerability database. No image can pass review without one.",
            "grype db update; without a network: grype db import ARCHIVE"
        ),
        (
            ["the vulnerability database was built", "max allowed age"], .databaseStale, "Grype's vulnerability database is too old.",
            "grype db update; without a network: grype db import ARCHIVE"
        ),
        (
            ["bad db checksum", "database is invalid", "unable to validate db"], .databaseDamaged, "Grype's vulnerability database is damaged.",
            "grype db delete && grype db update"
        ),
        (
            ["failed to load vulnerability db"], .databaseDamaged, "Grype's vulnerability database cannot be read.",
            "grype db status, then: grype db delete && grype db update"
        ),
        (
            ["unknown flag", "unknown shorthand flag", "unknown command"], .scannerUnusable,
            "This Grype does not know an option that the scan needs.", GrypeScanner.install
        ),
        (
            ["no space left on device", "read-only file system", "too many open files"], .workFolderUnusable,
            "The scanner ran out of room for its temporary files.", "Allow scans more memory, or make the image smaller."
        ),
        (
            ["failed to catalog", "unable to load image", "could not determine source"], .imageDamaged, "The image is damaged or incomplete.",
            "Push the image again, then submit it again."
        ),
    ]

    /// Returns the failure that an exit code and a standard error speak of; `nil` for 0, which does not mean success yet.
    static func failure(exitCode: Int32, standardError: String) -> ScanFailure? {
        guard exitCode != 0 else { return nil }
        let detail = String(standardError.suffix(ScannerText.lineCharactersMax))
        for row in rows where row.marks.contains(where: standardError.contains) {
            return ScanFailure(row.code, message: row.message, remedy: row.remedy, detail: detail)
        }
        return ScanFailure(
            .unknownFailure, message: "Grype ended with code \(exitCode) for a reason that is not known here.",
            remedy: "See the log for Grype's own words, then scan again.", retryable: true, detail: detail)
    }
}
