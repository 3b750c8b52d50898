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

    /// Makes what mounts go over where the image lacks it: folders, and a file for a file. A root that cannot be written to must have them.
    ///
    /// - Throws: ``SandboxError`` `unusable_root` for a link on the way, which could lead out of the image.
    func prepare(for mounts: [ReadOnlyMount], owner: Int) throws {
        for mount in mounts {
            var source = stat()
            // Safety: the record lives for the length of the call.
            guard stat(mount.source, &source) == 0 else {
                throw SandboxError(.systemCall, "A file that the cage is to show is not there.", cause: mount.source)
            }
            let parts = mount.destination.split(separator: "/")
            var place = path
            for (index, part) in parts.enumerated() {
                place += "/\(part)"
                let isFolder = index < parts.count - 1 || source.st_mode & S_IFMT == S_IFDIR
                try make(place, isFolder: isFolder, owner: owner, name: mount.destination)
            }
        }
    }

    private func make(_ place: String, isFolder: Bool, owner: Int, name: String) throws {
        var facts = stat()
        // Safety: the record lives for the length of the calls. A symbolic link is not followed.
        if lstat(place, &facts) != 0 {
            if isFolder, mkdir(place, 0o755) != 0, errno != EEXIST { throw SandboxError.systemCall("mkdir", errno, place) }
            if !isFolder { _ = try Descriptor.open(place, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o644) }
            try checked("lchown", place) { lchown(place, uid_t(owner), gid_t(owner)) == 0 ? 0 : -errno }
            try checked("lstat", place) { lstat(place, &facts) == 0 ? 0 : -errno }
        }
        guard facts.st_mode & S_IFMT == (isFolder ? S_IFDIR : S_IFREG) else {
            throw SandboxError(.unusableRoot, "The image has something else where a file is to be shown: \(name).", cause: place)
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
