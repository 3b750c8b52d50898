/// What Trivy means when it does not end with 0.
///
/// Trivy ends with 1 for every error, so the last line of its standard error decides. A text that nobody foresaw becomes
/// `unknown_failure`: the table only chooses words, it can never turn a failure into a report.
public struct TrivyErrorTable: Sendable, Hashable {
    private let remedy: TrivyRemedy
    private let problems: TrivyDatabaseProblems

    /// A table.
    ///
    /// - Parameter cacheFolder: Trivy's cache folder, to be named in the remedies; `nil` leaves it out of them.
    public init(cacheFolder: String? = nil) {
        remedy = TrivyRemedy(cacheFolder: cacheFolder)
        problems = TrivyDatabaseProblems(remedy: remedy)
    }

    /// Returns the failure that an exit code and a standard error speak of.
    ///
    /// - Parameters:
    ///   - exitCode: the code that Trivy ended with, in `0...255`.
    ///   - standardError: what it printed, or the start and end of it.
    /// - Returns: `nil` for exit code 0, which does not mean success: the report still has to be read. Every other code is
    ///   a failure, also one with a report, since no option that asks for such codes is used.
    public func failure(exitCode: Int32, standardError: String) -> ScanFailure? {
        guard exitCode != 0 else { return nil }
        if let crash = Self.crash(in: standardError) {
            return crash.contains("bbolt") ? problems.damaged(crash) : unknown("Trivy crashed.", detail: crash)
        }
        guard let fatal = Self.fatal(in: standardError) else {
            return unknown("Trivy ended with code \(exitCode) and no error message.", detail: standardError)
        }
        for row in rows where row.marks.contains(where: fatal.contains) { return row.failure(fatal) }
        return unknown("Trivy failed for a reason that is not known here.", detail: fatal)
    }

    /// Returns the text from the start of a Go crash on, or `nil`.
    private static func crash(in text: String) -> String? {
        let marks = ["panic: ", "fatal error: ", "unexpected fault address "]
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.firstIndex(where: { line in marks.contains { line.hasPrefix($0) } }) else { return nil }
        return lines[first...].joined(separator: "\n")
    }

    /// Returns the last FATAL message, which may have several lines, without its time.
    private static func fatal(in text: String) -> String? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let last = lines.lastIndex(where: { $0.contains("\tFATAL\t") }) else { return nil }
        let first = lines[last].split(separator: "\tFATAL\t", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        return ([first] + lines[lines.index(after: last)...]).joined(separator: "\n")
    }

    private func unknown(_ message: String, detail: String) -> ScanFailure {
        ScanFailure(
            .unknownFailure, message: message, remedy: "See the log for Trivy's own words, then scan again.", retryable: true,
            detail: detail)
    }
}

extension TrivyErrorTable {
    /// One row: any of the marks in the fatal message gives the failure. The first row that fits is taken.
    private struct Row {
        let marks: [String]
        let failure: (_ detail: String) -> ScanFailure
    }

    /// The order matters: a full disk also says "failed to analyze layer", a missing Java database too.
    private var rows: [Row] { machineRows + databaseRows + registryRows + imageRows }

    private var machineRows: [Row] {
        [
            Row(marks: ["no space left on device", "read-only file system", "too many open files"]) { detail in
                ScanFailure(
                    .workFolderUnusable, message: "The scanner ran out of room for its temporary files.",
                    remedy: "Free space in the scanner's work folder, then scan again.", retryable: true, detail: detail)
            },
            Row(marks: ["unknown flag:", "unknown shorthand flag:", "unknown command"]) { detail in
                ScanFailure(
                    .scannerUnusable, message: "This Trivy does not know an option that the scan needs.", remedy: remedy.update,
                    detail: detail)
            },
            Row(marks: ["cache may be in use by another process"]) { detail in
                ScanFailure(
                    .cacheBusy, message: "Another process holds Trivy's cache.",
                    remedy: "Wait until the other Trivy has ended, then scan again.", retryable: true, detail: detail)
            },
        ]
    }

    private var databaseRows: [Row] {
        [
            Row(marks: ["--skip-java-db-update' cannot be specified on the first run"]) { problems.missingJava($0) },
            Row(marks: ["Java DB metadata error", "Unable to initialize the Java DB"]) { problems.damagedJava($0) },
            Row(marks: ["--skip-db-update cannot be specified on the first run"]) { problems.missing($0) },
            Row(marks: ["old DB schema"]) { problems.outdated($0) },
            Row(marks: ["version of DB schema doesn't match", "Trivy version is old"]) { problems.tooNew($0) },
            Row(marks: ["failed to download vulnerability DB", "failed to download Java DB"]) { detail in
                ScanFailure(
                    .databaseUnreachable, message: "Trivy could not download its database.",
                    remedy: "Check the network or the mirror, then run: " + remedy.download, retryable: true, detail: detail)
            },
            Row(marks: ["failed to open db", "invalid database", "error in vulnerability DB initialization"]) { problems.damaged($0) },
        ]
    }

    private var registryRows: [Row] {
        [
            Row(marks: ["invalid token", "twirp error"]) { detail in
                ScanFailure(
                    .serverUnavailable, message: "The Trivy server refuses or does not answer.",
                    remedy: "Start the Trivy server, and give it and its clients the same token.", retryable: true, detail: detail)
            },
            Row(marks: ["MANIFEST_UNKNOWN", "NAME_UNKNOWN"]) { detail in
                ScanFailure(
                    .registryImageUnknown, message: "The registry has no such image.",
                    remedy: "Push the image, or correct its reference.", detail: detail)
            },
            Row(marks: ["UNAUTHORIZED", "DENIED"]) { detail in
                ScanFailure(
                    .registryUnauthorized, message: "The registry wants other credentials.",
                    remedy: "Give the scanner credentials that may pull the image.", detail: detail)
            },
            Row(marks: ["could not parse reference", "failed to parse the image name"]) { detail in
                ScanFailure(
                    .referenceMalformed, message: "The image's name is not a well-formed reference.",
                    remedy: "Write it as HOST/REPOSITORY@sha256:DIGEST or HOST/REPOSITORY:TAG.", detail: detail)
            },
            Row(marks: ["unable to find the specified image"]) { detail in
                ScanFailure(
                    .registryUnreachable, message: "The registry does not answer.",
                    remedy: "Check the registry's address and that it is running, then scan again.", retryable: true, detail: detail)
            },
        ]
    }

    private var imageRows: [Row] {
        [
            Row(marks: ["context deadline exceeded"]) { _ in ScanFailure.scanTimedOut },
            Row(marks: ["exceeds maximum allowed size"]) { detail in
                ScanFailure(
                    .imageTooLarge, message: "The image is larger than the scanner accepts.", remedy: "Make the image smaller.",
                    detail: detail)
            },
            Row(marks: [
                "unable to initialize archive image", "failed to analyze layer", "unable to get the image ID", "unexpected EOF",
                "invalid tar header",
            ]) { detail in
                ScanFailure(
                    .imageDamaged, message: "The image is damaged or incomplete.",
                    remedy: "Push the image again, then submit it again.", detail: detail)
            },
        ]
    }
}

extension ScanFailure {
    /// The failure of a scan that took longer than it may.
    static var scanTimedOut: ScanFailure {
        ScanFailure(
            .timedOut, message: "The scan took longer than it may.",
            remedy: "Scan again when the machine is less busy, allow the scan more time, or make the image smaller.",
            retryable: true)
    }

    /// The failure of a scan whose task was cancelled.
    static var scanCancelled: ScanFailure {
        ScanFailure(.cancelled, message: "The scan was cancelled.", remedy: "Scan again.", retryable: true)
    }

    /// The failure for a report that cannot be relied on.
    static func unreadable(_ detail: String) -> ScanFailure {
        ScanFailure(
            .unreadableReport, message: "The scanner's report cannot be read.",
            remedy: "Check the scanner's version, then scan again.", detail: detail)
    }
}
