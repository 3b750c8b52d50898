import Glibc

/// What the limits of a level hang on, as it is now. A level that was tried holds as long as this does not change.
struct HostFingerprint: Sendable, Hashable {
    private let kernel: String
    private let userNamespaces: String
    private let groups: ControlGroups?
    private let files: [FileMark?]

    /// One program, as the file system knows it.
    private struct FileMark: Sendable, Hashable {
        let device: UInt
        let number: UInt
        let size: Int
        let changedSeconds: Int
        let changedNanoseconds: Int

        init?(_ path: String) {
            var facts = stat()
            // Safety: the record lives for the length of the call.
            guard stat(path, &facts) == 0 else { return nil }
            device = facts.st_dev
            number = facts.st_ino
            size = facts.st_size
            changedSeconds = facts.st_ctim.tv_sec
            changedNanoseconds = facts.st_ctim.tv_nsec
        }
    }

    /// Looks at this host. What cannot be read is a fact too.
    init(_ configuration: RuncConfiguration) {
        kernel = (try? SmallFiles.read("/proc/version")) ?? ""
        userNamespaces = (try? SmallFiles.read("/proc/sys/user/max_user_namespaces")) ?? ""
        groups = try? ControlGroups.ofHost()
        let network = CageNetwork.programs.compactMap { ShortCommand.find($0.0) }
        files = ([configuration.runtimePath, configuration.cageEntryPath] + network).map(FileMark.init)
    }
}
