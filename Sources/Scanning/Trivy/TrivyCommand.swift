internal import SystemPackage

/// Trivy's command lines and its environment.
enum TrivyCommand {
    /// The most bytes taken from standard output. Chosen: the version is a few hundred bytes, a quiet scan prints nothing.
    static let outputBytesMax = 64 * 1024

    /// Arguments that print the version as JSON. No network is used, no configuration read.
    static func version(_ configuration: TrivyConfiguration) -> [String] {
        ["version", "--format", "json", "--config", "", "--cache-dir", configuration.cacheFolder]
    }

    /// Arguments for a scan that uses no network and obeys no file.
    ///
    /// - `--cache-backend memory`: the cache on disk can be poisoned by an image with false diff ids.
    /// - `--disable-telemetry`: without it a host is looked up even offline.
    /// - `--config ""`, `--ignorefile ""`: no `trivy.yaml` and no `.trivyignore` of any folder.
    /// - No `--exit-code`: with it, findings could not be told from errors.
    static func scan(_ configuration: TrivyConfiguration, workspace: ScanWorkspace) -> [String] {
        [
            "image", "--cache-dir", configuration.cacheFolder, "--cache-backend", "memory",
            "--skip-db-update", "--skip-java-db-update", "--offline-scan", "--skip-version-check", "--disable-telemetry",
            "--config", "", "--ignorefile", "", "--scanners", "vuln", "--quiet",
            "--timeout", milliseconds(configuration.timeout), "--format", "json",
            "--output", workspace.reportArgument, "--input", workspace.imageArgument,
        ]
    }

    /// The whole environment: no `TRIVY_*` variable, no proxy, no `PATH`.
    static func environment(_ workspace: ScanWorkspace) -> [String: String] {
        ["HOME": workspace.home.string, "TMPDIR": workspace.temporary.string, "LC_ALL": "C.UTF-8"]
    }

    /// Returns a duration as Go writes it, in whole milliseconds, at least one.
    private static func milliseconds(_ duration: Duration) -> String {
        let parts = duration.components
        return "\(max(1, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000))ms"
    }
}
