/// "Could not scan": why there is no report on an image. It is never the same as clean.
public struct ScanFailure: Error, Sendable, Hashable {
    /// What went wrong, from a closed set; the raw value is the stable name.
    public let code: Code
    /// One or two sentences that are safe to show to anybody: no path, no output of the scanner.
    public let message: String
    /// The command or step that mends it, for the operator; it may name configured folders.
    public let remedy: String
    /// Whether the same scan may succeed later with nothing mended.
    public let retryable: Bool
    /// What the scanner or the system said, for the log only: one line, at most 400 characters, no control characters;
    /// `nil` when it said nothing.
    public let detail: String?

    /// A failure; `detail` is cleaned and cut here.
    public init(_ code: Code, message: String, remedy: String, retryable: Bool = false, detail: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.retryable = retryable
        self.detail = detail.map(ScannerText.oneLine)
    }

    /// The closed set of reasons.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// No scanner program at the configured path.
        case scannerMissing = "scanner_missing"
        /// The scanner's version is too low, known to be malicious or unreadable.
        case scannerRefusedVersion = "scanner_refused_version"
        /// The scanner does not know its arguments, or could not be started.
        case scannerUnusable = "scanner_unusable"
        /// There is no cage to run the scanner in.
        case cageUnavailable = "cage_unavailable"
        /// The scanner needed more memory than it may have.
        case scannerOutOfMemory = "scanner_out_of_memory"
        /// The scanner is older than its database.
        case scannerTooOld = "scanner_too_old"
        /// There is no vulnerability database.
        case databaseMissing = "database_missing"
        /// There is no Java database, and the image holds Java archives.
        case javaDatabaseMissing = "java_database_missing"
        /// The database has an old schema.
        case databaseOutdated = "database_outdated"
        /// The database was built too long ago.
        case databaseStale = "database_stale"
        /// The database was replaced while it was used.
        case databaseChanging = "database_changing"
        /// The database has no advisories of the image's operating system.
        case releaseUnknown = "release_unknown"
        /// A database is damaged.
        case databaseDamaged = "database_damaged"
        /// A database could not be downloaded.
        case databaseUnreachable = "database_unreachable"
        /// Another process holds the scanner's cache.
        case cacheBusy = "cache_busy"
        /// The image cannot be read.
        case imageDamaged = "image_damaged"
        /// The layout does not hold exactly one image.
        case imageAmbiguous = "image_ambiguous"
        /// The image is larger than the scanner was told to accept.
        case imageTooLarge = "image_too_large"
        /// The report, or the layout, speaks of another image or platform.
        case wrongImage = "wrong_image"
        /// The image's name is not a well-formed reference.
        case referenceMalformed = "reference_malformed"
        /// The registry has no such image.
        case registryImageUnknown = "registry_image_unknown"
        /// The registry wants other credentials.
        case registryUnauthorized = "registry_unauthorized"
        /// The registry does not answer.
        case registryUnreachable = "registry_unreachable"
        /// The scanner's server refuses or does not answer.
        case serverUnavailable = "server_unavailable"
        /// The scan took too long.
        case timedOut = "timed_out"
        /// The scan was cancelled.
        case cancelled
        /// There is no report, or it is too large, or it is not what the scanner promises.
        case unreadableReport = "unreadable_report"
        /// The scanner saw nothing in an image that holds packages.
        case blindReport = "blind_report"
        /// The artifact is not what it says it is: damaged, cut off, or beyond a bound of the inspection.
        case malformedArtifact = "malformed_artifact"
        /// The artifact is larger than the inspection accepts.
        case artifactTooLarge = "artifact_too_large"
        /// The artifact is well formed, as far as can be told, and of a format that Islands do not run.
        case unsupportedArtifact = "unsupported_artifact"
        /// A file of the artifact cannot be read from this machine's disk.
        case artifactUnreadable = "artifact_unreadable"
        /// The folder for temporary files cannot be used, or is full.
        case workFolderUnusable = "work_folder_unusable"
        /// Anything else.
        case unknownFailure = "unknown_failure"
    }
}
