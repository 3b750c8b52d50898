/// The program that keeps an operating system's list of packages.
enum PackageManager: Hashable, CaseIterable {
    case dpkg, apk, rpm

    /// The package manager of a system as Trivy or Grype names it; `nil` for systems that are not known here, which may have any.
    ///
    /// Source: the constants of systems in Trivy (`fanal/types`) and the types of distributions in Grype (`distro.Type`).
    init?(family: String) {
        switch family {
        case "debian", "ubuntu", "raspbian", "echo": self = .dpkg
        case "alpine", "wolfi", "chainguard", "minimos": self = .apk
        case "redhat", "rhel", "centos", "fedora", "alma", "almalinux", "rocky", "rockylinux", "oracle", "oraclelinux", "amazon", "amazonlinux",
            "photon", "cbl-mariner", "mariner", "azurelinux", "bottlerocket":
            self = .rpm
        case let family where family.hasPrefix("suse") || family.hasPrefix("sle") || family.hasPrefix("opensuse"): self = .rpm
        default: return nil
        }
    }
}
