internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Which version a program has, remembered for as long as its file stays the same, so that it is asked once and not at each scan.
final class AcceptedVersions: Sendable {
    /// What changes when a program's file does.
    private struct FileState: Hashable {
        let path: String
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let changedSeconds: Int
        let changedNanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            // Safety: `status` outlives the call, which writes one `stat`; the path is a C string for the call only.
            guard stat(path, &status) == 0 else { return nil }
            self.path = path
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            changedSeconds = status.st_ctim.tv_sec
            changedNanoseconds = status.st_ctim.tv_nsec
        }
    }

    private let known = Mutex<(state: FileState, version: String)?>(nil)

    /// The version of the program at a path, asked for when the file is new or has changed.
    func version(of path: String, ask: () async throws(ScanFailure) -> String) async throws(ScanFailure) -> String {
        let state = FileState(path)
        if let state, let found = known.withLock({ $0?.state == state ? $0?.version : nil }) { return found }
        let version = try await ask()
        // Remembered for the file as it was before it was asked: one that changed since is asked again.
        if let state { known.withLock { $0 = (state, version) } }
        return version
    }
}
