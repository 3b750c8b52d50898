/// Joins what several scanners, or several platforms of one image, report.
public enum FindingMerge {
    private struct Key: Hashable {
        let id: String
        /// The package's canonical URL, or its name and version.
        let package: String

        init(_ finding: Finding, _ package: String) {
            id = finding.id
            self.package = package
        }
    }

    /// One finding for each advisory and package: the highest severity wins and every scanner is named with its own.
    ///
    /// Packages are the same when their URLs are, qualifiers left out; a finding without a URL joins one of the same name and version.
    ///
    /// - Returns: worst first, then by id, package and version.
    public static func merged(_ findings: [Finding]) -> [Finding] {
        var byKey: [Key: Finding] = [:]
        var urls: [Key: Key] = [:]
        func add(_ finding: Finding, _ key: Key) { byKey[key] = byKey[key].map { join($0, finding) } ?? finding }
        for finding in findings {
            guard let url = finding.packageURL.flatMap(PackageURL.init) else { continue }
            let key = Key(finding, url.canonical)
            add(finding, key)
            // The lesser key of two, so that the order of the findings does not matter.
            let plain = plainKey(finding)
            urls[plain] = urls[plain].map { $0.package < key.package ? $0 : key } ?? key
        }
        for finding in findings where finding.packageURL.flatMap(PackageURL.init) == nil {
            let plain = plainKey(finding)
            add(finding, urls[plain] ?? plain)
        }
        return byKey.values.sorted { left, right in
            if left.severity != right.severity { return left.severity > right.severity }
            return (left.id, left.package, left.version, left.packageURL ?? "") < (right.id, right.package, right.version, right.packageURL ?? "")
        }
    }

    private static func plainKey(_ finding: Finding) -> Key { Key(finding, "\(finding.package.lowercased())@\(finding.version)") }

    private static func join(_ left: Finding, _ right: Finding) -> Finding {
        // Of two ways to write the same thing the lesser one, so that the order of the findings does not matter.
        let names = left.packageURL == nil ? right : right.packageURL == nil || left.package <= right.package ? left : right
        return Finding(
            id: left.id, package: names.package, version: names.version, fixedVersion: lesser(left.fixedVersion, right.fixedVersion),
            packageURL: lesser(left.packageURL, right.packageURL), ratings: left.ratings.merging(right.ratings, uniquingKeysWith: max),
            severity: max(left.severity, right.severity), aliases: Set(left.aliases + right.aliases).sorted())
    }

    private static func lesser(_ left: String?, _ right: String?) -> String? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }
}
