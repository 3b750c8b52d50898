internal import Foundation
internal import Synchronization
internal import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What tells one state of the vulnerability database from another: an update replaces its files.
struct TrivyDatabaseState: Sendable, Hashable {
    private let marks: [Mark]

    private struct Mark: Hashable {
        let inode: UInt64
        let bytes: Int64
        let changedSeconds: Int
        let changedNanoseconds: Int
    }

    /// Looks at the files; one that is missing is a state of its own. Blocks shortly.
    init(cacheFolder: String) {
        let folder = FilePath(cacheFolder).appending("db")
        marks = ["trivy.db", "metadata.json"].map { name in
            var status = stat()
            // Safety: `status` outlives the call, which writes one `stat`; the path is a C string for the call only.
            guard stat(folder.appending(name).string, &status) == 0 else {
                return Mark(inode: 0, bytes: -1, changedSeconds: 0, changedNanoseconds: 0)
            }
            return Mark(
                inode: UInt64(status.st_ino), bytes: Int64(status.st_size), changedSeconds: status.st_mtim.tv_sec,
                changedNanoseconds: status.st_mtim.tv_nsec)
        }
    }
}

/// Whether the database knows an operating system's release at all. Without advisories of a release everything in it looks clean.
final class TrivyReleases: Sendable {
    private let known = Mutex<(state: TrivyDatabaseState?, releases: [String: Bool])>((nil, [:]))

    /// The name under which Trivy keeps the advisories of a release; `nil` for systems whose names are not of this kind.
    ///
    /// Source: the buckets of Trivy's database, schema 2: `debian 12`, `ubuntu 22.04`, `alpine 3.19`.
    static func bucket(of system: ScannerReport.OperatingSystem) -> String? {
        let parts = system.name.split(separator: ".")
        switch system.family {
        case "debian": return "debian " + (parts.first ?? "")
        case "ubuntu", "alpine": return "\(system.family) " + parts.prefix(2).joined(separator: ".")
        default: return nil
        }
    }

    /// Whether the database has a bucket. Reads the file once for each name and state; blocks.
    ///
    /// The names of buckets stand in the file as they are; one that does not occur anywhere in it is certainly missing.
    func contains(_ bucket: String, state: TrivyDatabaseState, cacheFolder: String) throws(ScanFailure) -> Bool {
        let found = known.withLock { known -> Bool? in
            if known.state != state { known = (state, [:]) }
            return known.releases[bucket]
        }
        if let found { return found }
        let path = FilePath(cacheFolder).appending("db").appending("trivy.db").string
        let isThere: Bool
        do {
            // Mapped, not read: a real database has hundreds of megabytes.
            let data = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
            isThere = data.range(of: Data(bucket.utf8)) != nil
        } catch {
            throw ScanFailure(
                .databaseDamaged, message: "Trivy's vulnerability database cannot be read.", remedy: TrivyRemedy(cacheFolder: cacheFolder).renew,
                retryable: true)
        }
        known.withLock { known in if known.state == state { known.releases[bucket] = isThere } }
        return isThere
    }
}
