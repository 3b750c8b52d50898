internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Which version a program has, remembered for as long as its file stays the same, so that it is asked once and not at each scan; of
/// several that want to know at once one asks.
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

    private struct State {
        var known: (state: FileState, version: String)?
        var isAsking = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// The version of the program at a path, asked for when the file is new or has changed.
    func version(of path: String, ask: () async throws(ScanFailure) -> String) async throws(ScanFailure) -> String {
        while true {
            let file = FileState(path)
            let (found, isMyTurn) = state.withLock { state -> (String?, Bool) in
                if let known = state.known, known.state == file { return (known.version, false) }
                if state.isAsking { return (nil, false) }
                state.isAsking = true
                return (nil, true)
            }
            if let found { return found }
            if isMyTurn { return try await askNow(file, ask) }
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isAsking { state.waiting.append(continuation) }
                    return !state.isAsking
                }
                if isOver { continuation.resume() }
            }
        }
    }

    /// Asks, remembers the answer, and wakes whoever waits: they find it, or ask themselves.
    private func askNow(_ file: FileState?, _ ask: () async throws(ScanFailure) -> String) async throws(ScanFailure) -> String {
        let result: Result<String, ScanFailure>
        do throws(ScanFailure) { result = .success(try await ask()) } catch { result = .failure(error) }
        let waiting = state.withLock { state in
            // Remembered for the file as it was before it was asked: one that changed since is asked again.
            if let file, case .success(let version) = result { state.known = (file, version) }
            state.isAsking = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        return try result.get()
    }
}
