import Domain

/// What two jobs must share so that a container made for one can serve the other.
struct WarmKey: Sendable, Hashable {
    let rootFolder: String
    let command: [String]
    let environment: [String]
    let workingFolder: String
    let mounts: [ReadOnlyMount]
    let limits: CagedTool.Limits
    let seccomp: SeccompProfile

    /// `nil` for what is not kept ready: what has a network, whose time is not short anyway.
    init?(_ contents: CageContents) {
        guard !contents.hasNetwork else { return nil }
        mounts = contents.mounts
        rootFolder = contents.rootFolder
        command = contents.command
        environment = contents.environment
        workingFolder = contents.workingFolder
        seccomp = contents.seccomp
        // How long a job may take is watched from outside, and its input comes when it starts.
        var limits = contents.limits
        limits.timeout = .seconds(1)
        self.limits = limits
    }
}
