import Glibc

/// The unpacked image as a container's root.
struct RootFolder {
    let path: String

    /// Makes the mount points that the image lacks.
    ///
    /// - Parameter owner: the host's number of the container's user 0.
    func prepare(owner: Int) throws {
        for name in ["proc", "dev", "tmp"] {
            let folder = "\(path)/\(name)"
            var facts = stat()
            // Safety: the record lives for the length of the call. A symbolic link is not followed: it could lead out of the image.
            if lstat(folder, &facts) == 0 {
                guard facts.st_mode & S_IFMT == S_IFDIR else {
                    throw SandboxError(.unusableRoot, "The image's /\(name) is not a folder.", cause: folder)
                }
                continue
            }
            if mkdir(folder, 0o755) == 0 {
                try checked("chown", folder) { chown(folder, uid_t(owner), gid_t(owner)) == 0 ? 0 : -errno }
            } else if errno != EEXIST {  // another job of the same image was faster
                throw SandboxError.systemCall("mkdir", errno, folder)
            }
        }
    }

    /// Whether the runtime can walk to the root, which it does as the mapped user: every folder above must let others through.
    ///
    /// - Throws: ``SandboxError`` `system_call` when a folder is missing.
    func isReachable(owner: Int) throws -> Bool {
        var folder = ""
        for part in path.split(separator: "/") {
            folder += "/\(part)"
            var facts = stat()
            // Safety: the record lives for the length of the call.
            guard stat(folder, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else {
                throw SandboxError(.systemCall, "The image is not where it should be.", cause: "no folder \(folder)")
            }
            let isOwn = facts.st_uid == uid_t(owner)
            guard facts.st_mode & (isOwn ? S_IXUSR : S_IXOTH) != 0 else { return false }
        }
        return true
    }
}
