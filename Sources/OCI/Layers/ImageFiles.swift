/// A file or link of an image, as its layers leave it.
public struct ImageFile: Sendable, Hashable {
    /// What it is.
    public enum Kind: Sendable, Hashable {
        /// A file with its first bytes, as many as were wished for, and its whole size.
        case file(start: [UInt8], size: Int64)
        /// A symbolic link, and where it leads, as written.
        case symbolicLink(String)
        /// A hard link, and to which path of the image.
        case hardLink(String)
    }

    /// Its path without a leading slash, such as `var/lib/dpkg/status`.
    public let path: String
    /// What it is.
    public let kind: Kind

    /// A file or link as it is; nothing is checked here.
    public init(path: String, kind: Kind) {
        self.path = path
        self.kind = kind
    }
}

extension ContentStore {
    /// Lists files and links of an image as its layers leave them: what a later layer removes or replaces is gone, and nothing is unpacked.
    ///
    /// Links are not followed. The layers' bytes are not checked against their diff ids here; whoever stored the image did that.
    ///
    /// - Parameters:
    ///   - image: an image of the store.
    ///   - startBytes: says of a path how many bytes from the start of such a file are wanted, 0 for its name alone, or `nil` for nothing.
    ///     Called for every file and link, also those that a later layer removes.
    /// - Throws: as `LayerUnpacker.unpack`; `limit_exceeded` for more than 10,000 wanted files.
    /// - Returns: the files and links, sorted by their path.
    public func files(
        of image: PlatformImage, startBytes: @escaping @Sendable (_ path: String) -> Int?
    ) async throws -> [ImageFile] {
        try await queue.run { cancellation in
            var tree = ImageFileTree()
            for layer in image.layers {
                let reader = try TarReader(try LayerReading.open(layer, in: self), cancellation: cancellation)
                var own: [String: ImageFile.Kind] = [:]
                while let entry = try reader.next() {
                    let path = ImageFileTree.normalized(entry.path)
                    if let hidden = ImageFileTree.whiteout(path) {
                        tree.remove(hidden)
                        continue
                    }
                    tree.replace(path, withFolder: entry.kind == .folder)
                    own[path] = try startBytes(path).flatMap { try ImageFileTree.kind(of: entry, start: $0, from: reader) }
                }
                try tree.add(own)
            }
            return tree.files
        }
    }
}

/// What is there after some layers. Source: OCI image specification 1.1, layer.md, "Whiteouts".
struct ImageFileTree {
    private var kinds: [String: ImageFile.Kind] = [:]

    /// Files remembered of one image, a count. Chosen: far more than package lists in any image.
    static let filesMax = 10_000

    var files: [ImageFile] { kinds.sorted { $0.key < $1.key }.map { ImageFile(path: $0.key, kind: $0.value) } }

    /// What a whiteout hides of the layers below.
    enum Hidden: Hashable {
        case path(String)
        case contents(String)
    }

    mutating func add(_ own: [String: ImageFile.Kind]) throws(OCIError) {
        kinds.merge(own) { $1 }
        guard kinds.count <= Self.filesMax else {
            throw OCIError(.limitExceeded, "The image has more than \(Self.filesMax) files of the kind that is looked for.")
        }
    }

    /// A new entry takes the place of what a lower layer has there; anything but a folder also of what was below it.
    mutating func replace(_ path: String, withFolder isFolder: Bool) {
        kinds[path] = nil
        if !isFolder { remove(.contents(path)) }
    }

    mutating func remove(_ hidden: Hidden) {
        switch hidden {
        case .path(let path):
            kinds[path] = nil
            remove(.contents(path))
        case .contents(let folder): kinds = kinds.filter { !(folder.isEmpty || $0.key.hasPrefix(folder + "/")) }
        }
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

    static func kind(of entry: TarEntry, start: Int, from reader: TarReader) throws -> ImageFile.Kind? {
        switch entry.kind {
        case .file:
            var bytes: [UInt8] = []
            if start > 0 {
                try reader.readContent { piece in if bytes.count < start { bytes += piece.prefix(start - bytes.count) } }
            }
            return .file(start: bytes, size: entry.size)
        case .symbolicLink: return .symbolicLink(String(decoding: entry.linkTarget, as: UTF8.self))
        case .hardLink: return .hardLink(normalized(entry.linkTarget))
        case .folder, .characterDevice, .blockDevice, .fifo: return nil
        }
    }
}
