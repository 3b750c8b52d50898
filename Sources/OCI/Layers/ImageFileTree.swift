/// The files that somebody asked for and all links, as some layers leave them, in the places where ``LayerUnpacker`` puts them.
///
/// Names are bytes, as the kernel compares them: two that look alike are two. Source of whiteouts: OCI image specification 1.1, layer.md.
struct ImageFileTree {
    /// What lies at a path; a folder if it holds anything.
    private final class Node {
        var children: [[UInt8]: Node] = [:]
        var file: ImageFile?
        /// Where a symbolic link leads.
        var target: [UInt8]?
        /// The last layer that brought this, or something below it.
        var layer = 0
        /// The last layer that removed whatever was below this before.
        var clearedBy = 0
    }

    private var root = Node()
    private var layer = 0
    private var fileCount = 0
    private var linkCount = 0
    private var heldBytes = 0

    /// Files remembered of one image, a count. Chosen: far more than package lists in any image.
    static let filesMax = 10_000
    /// Links remembered of one image, a count. Chosen: a full desktop system has 50,000.
    static let linksMax = 200_000
    /// Bytes held of one image. Chosen: two lists of the largest size that anybody reads.
    static let heldBytesMax = 128 << 20
    /// Source: ``UnpackOptions``, which refuses what is deeper.
    private static let depthMax = UnpackOptions().depthMax

    /// The files and links that somebody asked for, sorted by path.
    var files: [ImageFile] {
        var found: [ImageFile] = []
        var pending = [root]
        while let node = pending.popLast() {
            if let file = node.file { found.append(file) }
            pending += node.children.values
        }
        return found.sorted { $0.path < $1.path }
    }

    mutating func beginLayer() { layer += 1 }

    /// Does what an entry of the current layer does.
    ///
    /// - Parameter file: reads what is wanted of a file or link at a path, if anything is. Called at once, and only for files and links.
    mutating func add(_ entry: TarEntry, _ file: (_ path: String) throws -> ImageFile.Kind?) throws {
        let names = Self.names(of: entry.path)
        guard let name = names.last else { return }
        let parents = Array(names.dropLast())
        if name.starts(with: Self.whiteoutPrefix) { return try applyWhiteout(name, in: parents) }
        let folder = try realPath(parents)
        let path = folder + [name]
        try remove(path, keepingFolder: entry.kind == .folder)
        guard entry.kind != .folder else { return }
        let text = Self.text(path)
        let kind = try file(text)
        let target = try linkTarget(of: entry)
        guard kind != nil || target != nil else { return }
        let node = Node()
        node.file = kind.map { ImageFile(path: text, pathInLayer: Self.text(names), kind: $0) }
        node.target = target
        count(node, 1)
        try requireRoom()
        insert(node, name, in: folder)
    }

    // MARK: Places

    /// Names of a path without `.`, empty ones and a leading slash; `..` goes up as far as the root.
    static func names(of path: [UInt8]) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for name in path.split(separator: UInt8(ascii: "/")).map(Array.init) where name != EntryPath.dot {
            if name == EntryPath.dotDot { _ = names.popLast() } else { names.append(name) }
        }
        return names
    }

    static func text(_ names: [[UInt8]]) -> String { String(decoding: Array(names.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self) }

    /// Where a folder lies once links are followed, as ``RootedTree`` does it.
    private func realPath(_ names: [[UInt8]]) throws(OCIError) -> [[UInt8]] {
        var pending = Array(names.reversed())
        var real: [[UInt8]] = []
        // The nodes of `real`, and of the root before them; `nil` from where nothing is known.
        var nodes: [Node?] = [root]
        var links = 0
        while let name = pending.popLast() {
            if name.isEmpty || name == EntryPath.dot { continue }
            if name == EntryPath.dotDot {
                guard real.popLast() != nil else { throw EntryPath.hostile("a symbolic link leads above the root") }
                nodes.removeLast()
                continue
            }
            let node = nodes.last.flatMap { $0?.children[name] }
            if let target = node?.target {
                links += 1
                guard links <= RootedTree.linksMax else { throw EntryPath.hostile("a path leads through too many symbolic links") }
                if target.first == UInt8(ascii: "/") { (real, nodes) = ([], [root]) }
                pending.append(contentsOf: target.split(separator: UInt8(ascii: "/")).map(Array.init).reversed())
                continue
            }
            real.append(name)
            nodes.append(node)
            guard real.count <= Self.depthMax else {
                throw OCIError(.limitExceeded, "A layer has folders more than \(Self.depthMax) deep.")
            }
        }
        return real
    }

    private func node(at path: [[UInt8]]) -> Node? {
        path.reduce(root as Node?) { node, name in node?.children[name] }
    }

    /// Where an entry leads that is a symbolic link, or another name of one.
    private func linkTarget(of entry: TarEntry) throws(OCIError) -> [UInt8]? {
        switch entry.kind {
        case .symbolicLink: return entry.linkTarget
        case .hardLink:
            let names = Self.names(of: entry.linkTarget)
            guard let name = names.last else { return nil }
            return node(at: try realPath(Array(names.dropLast())) + [name])?.target
        case .file, .folder, .characterDevice, .blockDevice, .fifo: return nil
        }
    }

    private func insert(_ new: Node, _ name: [UInt8], in folder: [[UInt8]]) {
        var node = root
        for name in folder {
            node.layer = layer
            let next = node.children[name] ?? Node()
            node.children[name] = next
            node = next
        }
        node.layer = layer
        new.layer = layer
        node.children[name] = new
    }

    // MARK: Removal

    /// A new entry takes the place of what is there; a folder leaves a folder with what is in it.
    private mutating func remove(_ path: [[UInt8]], keepingFolder: Bool) throws {
        guard let name = path.last, let parent = node(at: Array(path.dropLast())), let node = parent.children[name] else { return }
        if keepingFolder, node.file == nil, node.target == nil { return }
        parent.children[name] = nil
        discount(node)
    }

    private static let whiteoutPrefix = Array(".wh.".utf8)
    private static let metadataPrefix = Array(".wh..wh.".utf8)
    private static let opaqueName = Array(".wh..wh..opq".utf8)

    /// Hides what layers below brought, never what this one did: the order within a layer means nothing.
    private mutating func applyWhiteout(_ name: [UInt8], in parents: [[UInt8]]) throws {
        let place: [[UInt8]]
        do {
            place = try realPath(parents)
        } catch  where error.code == .hostileLayer {
            // As when unpacking: nothing is there to hide.
            return
        }
        guard let folder = node(at: place) else { return }
        if name == Self.opaqueName { return removeLower(in: folder) }
        if name.starts(with: Self.metadataPrefix) { return }
        removeLower(Array(name.dropFirst(Self.whiteoutPrefix.count)), in: folder)
    }

    private mutating func removeLower(_ name: [UInt8], in folder: Node) {
        guard let node = folder.children[name] else { return }
        if node.layer == layer { return removeLower(in: node) }
        folder.children[name] = nil
        discount(node)
    }

    private mutating func removeLower(in folder: Node) {
        guard folder.clearedBy != layer else { return }
        folder.clearedBy = layer
        for name in folder.children.keys { removeLower(name, in: folder) }
    }

    // MARK: Room

    private mutating func discount(_ node: Node) {
        var pending = [node]
        while let node = pending.popLast() {
            count(node, -1)
            pending += node.children.values
        }
    }

    private mutating func count(_ node: Node, _ sign: Int) {
        if let file = node.file {
            fileCount += sign
            heldBytes += sign * file.kind.heldBytes
        }
        if let target = node.target {
            linkCount += sign
            heldBytes += sign * target.count
        }
    }

    /// Checks that the image fits into memory, before more of it is read.
    private func requireRoom() throws(OCIError) {
        guard fileCount <= Self.filesMax else {
            throw OCIError(.limitExceeded, "The image has more than \(Self.filesMax) files of the kind that is looked for.")
        }
        guard linkCount <= Self.linksMax else {
            throw OCIError(.limitExceeded, "The image has more than \(Self.linksMax) links; pack folders of many links into an archive.")
        }
        guard heldBytes <= Self.heldBytesMax else {
            throw OCIError(.limitExceeded, "The files of the kind that is looked for have more than \(Self.heldBytesMax >> 20) MiB.")
        }
    }
}

extension ImageFile.Kind {
    /// Bytes of a file's start, or of a link's target.
    fileprivate var heldBytes: Int {
        switch self {
        case .file(let start, _): start.count
        case .symbolicLink(let target), .hardLink(let target): target.utf8.count
        }
    }
}
