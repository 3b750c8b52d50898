/// The commands and steps that mend what keeps Trivy from scanning.
struct TrivyRemedy: Sendable, Hashable {
    /// Trivy's cache folder, named in the commands; `nil` leaves Trivy's own default.
    let cacheFolder: String?

    /// Trivy's page on how to install it.
    static let installation = "https://trivy.dev/docs/latest/getting-started/installation/"

    var install: String {
        "Install Trivy \(TrivyVersion.minimum) or newer (\(Self.installation)) or run scripts/setup.sh. Then run: "
            + download + " && " + downloadJava
    }

    var update: String { "Update Trivy to \(TrivyVersion.minimum) or newer: \(Self.installation)" }
    var download: String { "trivy image --download-db-only" + cache }
    var downloadJava: String { "trivy image --download-java-db-only" + cache }
    var renew: String { "trivy clean --vuln-db" + cache + " && " + download }
    var renewJava: String { "trivy clean --java-db" + cache + " && " + downloadJava }

    private var cache: String { quotedFolder.map { " --cache-dir " + $0 } ?? "" }

    private var quotedFolder: String? {
        guard let cacheFolder else { return nil }
        return "'" + cacheFolder.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
