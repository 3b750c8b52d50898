/// Trivy's command lines. The report goes to standard output, which the cage bounds.
enum TrivyCommand {
    /// The most bytes of the version's answer. Chosen: it has a few hundred.
    static let versionBytesMax = 64 * 1024

    /// Asks for the version as JSON. No network is used, no configuration read, no image seen.
    static func version(_ configuration: TrivyConfiguration) -> ScannerProgram {
        ScannerProgram(
            executable: configuration.executable, image: nil, databases: nil, timeout: configuration.versionTimeout,
            outputBytesMax: versionBytesMax
        ) { places in ["version", "--format", "json", "--config", "", "--cache-dir", places.home] }
    }

    /// A scan for vulnerabilities.
    static func scan(_ configuration: TrivyConfiguration, image: String) -> ScannerProgram {
        program(configuration, image: image, ["--scanners", "vuln", "--format", "json"])
    }

    /// A list of the image's packages; needs no vulnerability database.
    static func bill(_ configuration: TrivyConfiguration, image: String, format: SBOMFormat) -> ScannerProgram {
        let name =
            switch format {
            case .cyclonedx: "cyclonedx"
            case .spdx: "spdx-json"
            }
        return program(configuration, image: image, ["--format", name])
    }

    /// A run that uses no network and obeys no file.
    ///
    /// - `--cache-backend memory`: the cache on disk can be poisoned by an image with false diff ids.
    /// - `--disable-telemetry`: without it a host is looked up even offline.
    /// - `--config ""`, `--ignorefile ""`: no `trivy.yaml` and no `.trivyignore` of any folder.
    /// - No `--exit-code`: with it, findings could not be told from errors.
    private static func program(_ configuration: TrivyConfiguration, image: String, _ wanted: [String]) -> ScannerProgram {
        ScannerProgram(
            executable: configuration.executable, image: image, databases: configuration.cacheFolder, timeout: configuration.timeout,
            outputBytesMax: configuration.reportBytesMax
        ) { places in
            [
                "image", "--cache-dir", places.databases, "--cache-backend", "memory",
                "--skip-db-update", "--skip-java-db-update", "--offline-scan", "--skip-version-check", "--disable-telemetry",
                "--config", "", "--ignorefile", "", "--quiet", "--timeout", milliseconds(configuration.timeout),
            ] + wanted + ["--input", places.image]
        }
    }

    /// Returns a duration as Go writes it, in whole milliseconds, at least one.
    private static func milliseconds(_ duration: Duration) -> String {
        let parts = duration.components
        return "\(max(1, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000))ms"
    }
}
