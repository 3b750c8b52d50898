/// How Trivy is run.
public struct TrivyConfiguration: Sendable, Hashable {
    /// The absolute path of the program.
    public var executable: String
    /// The absolute path of Trivy's cache folder, which holds `db/` and, for images with Java archives, `java-db/`.
    ///
    /// It is only read and may belong to somebody else.
    public var cacheFolder: String
    /// The longest time for one scan. At its end the scanner is killed with all that it started.
    ///
    /// Chosen: five minutes, Trivy's own default; a layer of 1.4 GB took 28 s on two busy cores.
    public var timeout: Duration
    /// The longest time for asking the program's version. Chosen: it answers in 0.2 s, and a busy machine needs room.
    public var versionTimeout: Duration
    /// The largest report read, in bytes. Chosen: 64 MiB; a report of 883 packages has less than 2 MiB.
    public var reportBytesMax: Int
    /// The most findings taken from one report. Chosen: a hundred times those of a very bad image.
    public var findingsMax: Int

    /// A configuration; paths are checked when a scan starts.
    ///
    /// - Parameters:
    ///   - timeout: more than zero.
    ///   - versionTimeout: more than zero.
    ///   - reportBytesMax: bytes, at least 1.
    ///   - findingsMax: a count, at least 1.
    public init(
        executable: String, cacheFolder: String, timeout: Duration = .seconds(300), versionTimeout: Duration = .seconds(30),
        reportBytesMax: Int = 64 * 1024 * 1024, findingsMax: Int = 100_000
    ) {
        precondition(timeout > .zero && versionTimeout > .zero, "a scan needs time")
        precondition(reportBytesMax > 0 && findingsMax > 0, "a report needs room")
        self.executable = executable
        self.cacheFolder = cacheFolder
        self.timeout = timeout
        self.versionTimeout = versionTimeout
        self.reportBytesMax = reportBytesMax
        self.findingsMax = findingsMax
    }
}
