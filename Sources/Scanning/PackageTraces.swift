/// Files that say that an image holds packages, whatever a scanner makes of them.
///
/// A scanner that names no package in an image with such a file has not looked, and its report is worth nothing.
public enum PackageTraces {
    /// Whether a file is a list of packages that every scanner reads.
    ///
    /// Source: where dpkg, apk and rpm keep their databases, and Python its installed distributions (PEP 376); what Trivy's documentation
    /// calls "OS packages" and "Python". Jars and single programs are left out: a scanner may well find no package in one.
    ///
    /// - Parameters:
    ///   - path: without a leading slash.
    ///   - size: in bytes; an empty list says nothing.
    public static func isPackageList(_ path: String, size: Int64) -> Bool {
        guard size > 0 else { return false }
        if lists.contains(path) { return true }
        if path.hasPrefix("var/lib/dpkg/status.d/") { return !path.hasSuffix(".md5sums") }
        return path.hasSuffix(".dist-info/METADATA") && (path.contains("/site-packages/") || path.contains("/dist-packages/"))
    }

    private static let lists: Set<String> = [
        "var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed", "var/lib/rpm/Packages", "var/lib/rpm/Packages.db",
        "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db", "usr/lib/sysimage/rpm/rpmdb.sqlite",
    ]
}
