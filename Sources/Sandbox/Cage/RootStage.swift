/// Shows a root folder to the runtime in a place that its mapped user can walk to.
///
/// The runtime opens the root as the container's mapped user, for whom a folder above it may be closed: a home folder, or a
/// temporary folder of mode 0700. Opening those folders to everybody would be worse than the problem, so the runtime is
/// started in a mount namespace of its own in which the root is bound over a folder that every system has. The mount is
/// visible to the container alone and goes with it.
struct RootStage: Sendable {
    /// The root folder on the host.
    let root: String
    /// A mount that the runtime must not see.
    var hidden: String?

    /// Where the runtime finds it. Source: the Filesystem Hierarchy Standard 3.0 §3.11 has the folder on every system.
    let folder = "/mnt"

    /// The command that runs another one on the stage; its process becomes the other one's.
    func command(running command: [String]) -> [String] {
        let script = #"if [ "$3" ]; then umount "$3" || exit; fi; mount --bind "$1" "$2" && shift 3 && exec "$@""#
        return ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "stage", root, folder, hidden ?? ""] + command
    }
}
