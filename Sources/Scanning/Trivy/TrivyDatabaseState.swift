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
