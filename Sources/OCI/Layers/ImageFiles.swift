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

    /// Its path without a leading slash, such as `var/lib/dpkg/status`; it leads through no link.
    public let path: String
    /// The path that its layer gives it: another than ``path`` where that leads through symbolic links.
    public let pathInLayer: String
    /// What it is.
    public let kind: Kind

    /// A file or link as it is; nothing is checked here.
    ///
    /// - Parameter pathInLayer: `nil` if it is the same.
    public init(path: String, pathInLayer: String? = nil, kind: Kind) {
        self.path = path
        self.pathInLayer = pathInLayer ?? path
        self.kind = kind
    }
}

extension ContentStore {
    /// Lists files and links of an image as its layers leave them: what a later layer removes or replaces is gone, and nothing is unpacked.
    ///
    /// An entry lies where ``LayerUnpacker`` puts it: links on the way to it are followed, one that it is itself is not. The layers'
    /// bytes are not checked against their diff ids here; whoever stored the image did that.
    ///
    /// - Parameters:
    ///   - image: an image of the store.
    ///   - startBytes: says of a path how many bytes from the start of such a file are wanted, 0 for its name alone, or `nil` for nothing.
    ///     Called for every file and link, also those that a later layer removes.
    /// - Throws: as `LayerUnpacker.unpack`; `limit_exceeded` for more than 10,000 wanted files or 128 MiB of them, or 200,000 links.
    /// - Returns: the files and links, sorted by their path.
    public func files(
        of image: PlatformImage, startBytes: @escaping @Sendable (_ path: String) -> Int?
    ) async throws -> [ImageFile] {
        try await queue.run { cancellation in
            var tree = ImageFileTree()
            for layer in image.layers {
                let reader = try TarReader(try LayerReading.open(layer, in: self), cancellation: cancellation)
                tree.beginLayer()
                while let entry = try reader.next() {
                    try tree.add(entry) { path in
                        try startBytes(path).flatMap { try ImageFile.Kind(entry, start: $0, from: reader) }
                    }
                }
            }
            return tree.files
        }
    }
}

extension ImageFile.Kind {
    /// `nil` for what is neither file nor link.
    fileprivate init?(_ entry: TarEntry, start: Int, from reader: TarReader) throws {
        switch entry.kind {
        case .file:
            var bytes: [UInt8] = []
            if start > 0 {
                try reader.readContent { piece in if bytes.count < start { bytes += piece.prefix(start - bytes.count) } }
            }
            self = .file(start: bytes, size: entry.size)
        case .symbolicLink: self = .symbolicLink(String(decoding: entry.linkTarget, as: UTF8.self))
        case .hardLink: self = .hardLink(ImageFileTree.text(ImageFileTree.names(of: entry.linkTarget)))
        case .folder, .characterDevice, .blockDevice, .fifo: return nil
        }
    }
}
