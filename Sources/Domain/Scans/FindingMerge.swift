/// Joins what several scanners, or several platforms of one image, report.
public enum FindingMerge {
    private struct Key: Hashable {
        let id: String
        let package: String
        let version: String
    }

    /// One finding for each advisory, package and version: the highest severity wins and every scanner is named.
    ///
    /// - Returns: worst first, then by id, package and version.
    public static func merged(_ findings: [Finding]) -> [Finding] {
        var byKey: [Key: Finding] = [:]
        for finding in findings {
            let key = Key(id: finding.id, package: finding.package, version: finding.version)
            byKey[key] = byKey[key].map { join($0, finding) } ?? finding
        }
        return byKey.values.sorted { left, right in
            if left.severity != right.severity { return left.severity > right.severity }
            return (left.id, left.package, left.version) < (right.id, right.package, right.version)
        }
    }

    private static func join(_ left: Finding, _ right: Finding) -> Finding {
        Finding(
            id: left.id, package: left.package, version: left.version, fixedVersion: left.fixedVersion ?? right.fixedVersion,
            severity: max(left.severity, right.severity), packageURL: left.packageURL ?? right.packageURL,
            scanners: Set(left.scanners + right.scanners).sorted())
    }
}
