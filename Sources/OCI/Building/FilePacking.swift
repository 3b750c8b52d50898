import Glibc

/// Writes files and folders of this machine into a tar, sorted. Blocking.
struct FilePacking {
    let tar: TarWriter
    /// Most files and folders, a count.
    let entriesMax: Int

    /// Packs single files at their destinations.
    func pack(_ files: [ImageBuilder.File]) throws {
        var sources: [[UInt8]: ImageBuilder.File] = [:]
        var folders: Set<[UInt8]> = []
        for file in files {
            let place = Array(file.destination.utf8)
            guard place.first == UInt8(ascii: "/"), !place.contains(0) else { throw badDestination(file) }
            // Its own error speaks of layers; the destination's is the one to show.
            guard let parts = try? EntryPath.components(Array(place.dropFirst())), let name = parts.last,
                !name.starts(with: Array(".wh.".utf8))
            else { throw badDestination(file) }
            for length in 1..<parts.count { folders.insert(joined(Array(parts.prefix(length)))) }
            guard sources.updateValue(file, forKey: joined(parts)) == nil else {
                throw OCIError(.malformedDocument, "Two files go to \"\(OCIError.printable(file.destination))\" in the image.")
            }
        }
        if let both = folders.first(where: { sources[$0] != nil }) {
            throw OCIError(
                .malformedDocument, "\"/\(OCIError.printable(String(decoding: both, as: UTF8.self)))\" cannot be a file and a folder.")
        }
        try check(count: folders.count + sources.count)
        for path in (Array(folders) + Array(sources.keys)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let file = sources[path] else {
                try tar.writeHeader(.folder, path: path + [UInt8(ascii: "/")], mode: 0o755)
                continue
            }
            let opened = try OpenFile.open(
                file.source, flags: O_RDONLY | O_NONBLOCK,
                orMissing: OCIError(.notFound, "There is no file \"\(OCIError.printable(file.source))\"; check the path."))
            try pack(opened, path: path, mode: file.isExecutable ? 0o755 : 0o644, shownAs: file.source)
        }
    }

    /// Packs everything in a folder.
    func pack(folder: String) throws {
        let root = try OpenFile.open(
            folder, flags: O_RDONLY | O_DIRECTORY,
            orMissing: OCIError(.notFound, "There is no folder \"\(OCIError.printable(folder))\"; check the path."))
        // Folders wait here, last name first, with their path from the root: no recursion, whatever the depth.
        var waiting: [(folder: OpenFile, path: [UInt8], left: [[UInt8]])] = [(root, [], try sortedNames(root))]
        var count = 0
        while let level = waiting.indices.last {
            guard let name = waiting[level].left.popLast() else {
                waiting.removeLast()
                continue
            }
            count += 1
            try check(count: count)
            let parent = waiting[level].folder
            let path = waiting[level].path + name
            guard path.count < TarLimits().pathBytesMax, !name.starts(with: Array(".wh.".utf8)) else {
                throw OCIError(.malformedDocument, "\"\(shown(path))\" has a name that an image cannot hold.")
            }
            guard let status = try FolderTools.status(at: parent.descriptor, name: name) else { continue }
            if status.isFolder {
                let inner = try OpenFile(at: parent.descriptor, name: name, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
                let innerPath = path + [UInt8(ascii: "/")]
                try tar.writeHeader(.folder, path: innerPath, mode: 0o755)
                waiting.append((inner, innerPath, try sortedNames(inner)))
            } else if status.isSymbolicLink {
                let target = try FolderTools.linkTarget(at: parent.descriptor, name: name)
                try tar.writeHeader(.symbolicLink, path: path, mode: 0o777, linkTarget: target)
            } else {
                // Judged before it is opened: opening a device can do something.
                guard status.isRegularFile else { throw special(shown(path)) }
                let file = try OpenFile(at: parent.descriptor, name: name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
                try pack(file, path: path, mode: status.st_mode & S_IXUSR != 0 ? 0o755 : 0o644, shownAs: shown(path))
            }
        }
    }

    private func pack(_ file: OpenFile, path: [UInt8], mode: UInt32, shownAs name: String) throws {
        let status = try file.status()
        guard status.isRegularFile else { throw special(name) }
        let size = Int64(status.st_size)
        try tar.writeHeader(.file, path: path, mode: mode, size: size)
        try FileRange(file: file, offset: 0, size: size).forEachChunk { try tar.write(Array($0)) }
        try tar.finishContent(size: size)
    }

    /// Last name first, because the names are taken from the end.
    private func sortedNames(_ folder: OpenFile) throws -> [[UInt8]] {
        try FolderTools.names(in: folder.descriptor).sorted { $1.lexicographicallyPrecedes($0) }
    }

    private func check(count: Int) throws(OCIError) {
        guard count <= entriesMax else { throw OCIError(.limitExceeded, "There are more than \(entriesMax) files and folders.") }
    }

    private func joined(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined(separator: [UInt8(ascii: "/")])) }

    private func shown(_ path: [UInt8]) -> String { OCIError.printable(String(decoding: path, as: UTF8.self)) }

    private func special(_ name: String) -> OCIError {
        OCIError(
            .malformedDocument,
            "\"\(OCIError.printable(name))\" is no regular file; images are built of files, folders and symbolic links.")
    }

    private func badDestination(_ file: ImageBuilder.File) -> OCIError {
        OCIError(
            .malformedDocument, "\"\(OCIError.printable(file.destination))\" is no place in an image; write an absolute path such as /bin/run.")
    }
}
