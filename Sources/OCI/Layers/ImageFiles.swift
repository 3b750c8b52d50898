extension ContentStore {
    /// Lists files of an image as its layers leave them: what a later layer removes is gone, and nothing is unpacked.
    ///
    /// Links are not followed. The layers' bytes are not checked against their diff ids here; whoever stored the image did that.
    ///
    /// - Parameters:
    ///   - image: an image of the store.
    ///   - isWanted: says of a path without a leading slash, such as `var/lib/dpkg/status`, and a size in bytes, whether it is wanted. Called
    ///     for files, also those that a later layer removes.
    /// - Throws: as `LayerUnpacker.unpack`; `limit_exceeded` for more than 10,000 wanted files.
    /// - Returns: the paths, sorted.
    public func files(
        of image: PlatformImage, where isWanted: @escaping @Sendable (_ path: String, _ size: Int64) -> Bool
    ) async throws -> [String] {
        try await queue.run { cancellation in
            var found: Set<String> = []
            for layer in image.layers {
                let reader = try TarReader(try LayerReading.open(layer, in: self), cancellation: cancellation)
                var own: Set<String> = []
                while let entry = try reader.next() {
                    let path = ImageFiles.normalized(entry.path)
                    if let hidden = ImageFiles.whiteout(path) {
                        ImageFiles.remove(hidden, from: &found)
                    } else if entry.kind == .file || entry.kind == .hardLink {
                        // A link's size is not its own; it counts as one that is not empty.
                        if isWanted(path, entry.kind == .hardLink ? 1 : entry.size) { own.insert(path) } else { found.remove(path) }
                    }
                }
                found.formUnion(own)
                guard found.count <= ImageFiles.filesMax else {
                    throw OCIError(.limitExceeded, "The image has more than \(ImageFiles.filesMax) files of the kind that is looked for.")
                }
            }
            return found.sorted()
        }
    }
}

/// How layers name files. Source: OCI image specification 1.1, layer.md, "Whiteouts".
enum ImageFiles {
    /// Files remembered of one image, a count. Chosen: far more than package lists in any image.
    static let filesMax = 10_000

    /// What a whiteout hides of the layers below.
    enum Hidden: Hashable {
        case path(String)
        case contents(String)
    }

    /// The path without `.`, empty parts and a leading slash; `..` goes up as far as the root.
    static func normalized(_ path: [UInt8]) -> String {
        var parts: [Substring] = []
        for part in String(decoding: path, as: UTF8.self).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    static func whiteout(_ path: String) -> Hidden? {
        let slash = path.lastIndex(of: "/")
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let folder = slash.map { path[..<$0] } ?? ""
        guard name.hasPrefix(".wh.") else { return nil }
        if name == ".wh..wh..opq" { return .contents(String(folder)) }
        let hidden = name.dropFirst(".wh.".count)
        return .path(folder.isEmpty ? String(hidden) : "\(folder)/\(hidden)")
    }

    static func remove(_ hidden: Hidden, from paths: inout Set<String>) {
        switch hidden {
        case .path(let path): paths = paths.filter { $0 != path && !$0.hasPrefix(path + "/") }
        case .contents(let folder): paths = paths.filter { !folder.isEmpty && !$0.hasPrefix(folder + "/") }
        }
    }
}
