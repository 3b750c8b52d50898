import CArchive
import Glibc
import Synchronization

/// Unpacks an image of a `ContentStore` into a folder, as a root file system for a sandbox.
///
/// What a layer may hold: files, folders, symbolic and hard links. Devices and pipes are dropped below `dev/` and refused elsewhere; setuid,
/// setgid and extended attributes are dropped; a path or hard link out of the root is refused. Symbolic links stay as written (they are
/// resolved inside the container) and while unpacking are followed only inside the root.
public final class LayerUnpacker: Sendable {
    private let store: ContentStore
    private let options: UnpackOptions
    private let counter = Atomic<UInt64>(0)

    /// Names tried for the temporary folder, a count. Chosen: far more than unpackers that start at once.
    private static let namesTriedMax = 1000

    /// Makes an unpacker.
    ///
    /// - Parameters:
    ///   - store: where the image's blobs are.
    ///   - options: limits and owners.
    public init(store: ContentStore, options: UnpackOptions = UnpackOptions()) {
        self.store = store
        self.options = options
    }

    /// Unpacks all layers, and adds the folders `proc`, `dev`, `sys` (0755) and `tmp` (1777) and an empty `etc/resolv.conf` where they are missing.
    ///
    /// Works in a folder `<folder>.unpacking-…` beside the final one and renames it when all is done and durable, so the final name never
    /// holds half an image. After a failure or cancellation that folder is removed; after a crash the next call for the same name removes it.
    ///
    /// - Parameters:
    ///   - image: an image of the store.
    ///   - folder: path of the new folder; its parent exists or is made; it must not exist or be empty.
    /// - Throws: `missing_blob`, `size_mismatch`, `diff_id_mismatch`, `hostile_layer`, `limit_exceeded`, `storage_failure`, `CancellationError`.
    public func unpack(_ image: PlatformImage, to folder: String) async throws {
        let folder = FolderTools.trimmingEndSlashes(folder)
        try await store.queue.run { [self] cancellation in
            try FolderTools.makeFolders(FolderTools.parent(of: folder))
            try removeLeftovers(of: folder)
            guard try Self.isFree(folder) else {
                throw OCIError(.storageFailure, "The image cannot be unpacked: something is there already under the folder's name.")
            }
            let (temporary, root) = try makeTemporaryFolder(beside: folder)
            do {
                try fill(root, with: image, cancellation: cancellation)
                try SystemCall.check("rename") { rename(temporary, folder) }
                if options.isDurable { try FolderTools.syncParent(of: folder) }
            } catch {
                // The first failure counts; what cannot be removed now goes with the next unpacking of this name.
                _ = try? FolderTools.removeTree(temporary)
                throw error
            }
        }
    }

    /// What layers took of the bounds that hold for all layers of an image together.
    public struct Use: Sendable, Hashable, Codable {
        /// Entries, a count.
        public var entries: Int
        /// Uncompressed bytes.
        public var bytes: Int64

        /// A use of so much.
        public init(entries: Int = 0, bytes: Int64 = 0) {
            self.entries = entries
            self.bytes = bytes
        }

        /// Both together.
        public static func + (left: Use, right: Use) -> Use { Use(entries: left.entries + right.entries, bytes: left.bytes + right.bytes) }
    }

    /// Unpacks one layer onto what the layers below it have left, as ``unpack(_:to:)`` does all of them. Blocks.
    ///
    /// Nothing is made safe here: the caller keeps the folder to itself until this returns, and drops it after an error.
    ///
    /// - Parameters:
    ///   - layer: of an image in the store.
    ///   - diffID: the layer's.
    ///   - folder: what the layers below have left; empty below the lowest.
    ///   - used: what those took.
    /// - Returns: what this one took.
    public func apply(
        _ layer: Descriptor, diffID: Digest, onto folder: String, after used: Use, cancellation: Cancellation
    ) throws -> Use {
        do {
            guard let root = try OpenFile.folder(at: AT_FDCWD, name: Array(folder.utf8)) else {
                throw SystemError(operation: "open", code: ENOENT)
            }
            var options = options
            options.entriesMax -= used.entries
            options.totalBytesMax -= used.bytes
            let application = try LayerApplication(root: root, options: options)
            try application.apply(
                try LayerReading.open(layer, in: store), layer: layer, diffID: options.verifiesDiffIDs ? diffID : nil, cancellation: cancellation)
            try application.finish()
            if options.isDurable { try SystemCall.check("syncfs") { syncfs(root.descriptor) } }
            return application.use
        } catch let error as SystemError {
            throw error.storageFailure()
        }
    }

    /// Whether nothing, or an empty folder, is there. Told before the work; the rename tells it again.
    private static func isFree(_ folder: String) throws -> Bool {
        guard try FolderTools.status(of: folder) != nil else { return true }
        guard let there = try OpenFile.folder(at: AT_FDCWD, name: Array(folder.utf8)) else { return false }
        return try FolderTools.names(in: there.descriptor).isEmpty
    }

    private func fill(_ root: OpenFile, with image: PlatformImage, cancellation: Cancellation) throws {
        let diffIDs = image.configuration.diffIDs
        guard diffIDs.count == image.layers.count else {
            throw OCIError(.malformedDocument, "The image has \(image.layers.count) layers but \(diffIDs.count) diff ids.")
        }
        let application = try LayerApplication(root: root, options: options)
        for (layer, diffID) in zip(image.layers, diffIDs) {
            try application.apply(
                try LayerReading.open(layer, in: store), layer: layer, diffID: options.verifiesDiffIDs ? diffID : nil,
                cancellation: cancellation)
        }
        try application.finish()
        if options.isDurable { try SystemCall.check("syncfs") { syncfs(root.descriptor) } }
    }

    /// Makes a folder that is locked as long as it is open.
    private func makeTemporaryFolder(beside folder: String) throws(SystemError) -> (String, OpenFile) {
        for _ in 0..<Self.namesTriedMax {
            let path = "\(folder).unpacking-\(getpid())-\(counter.wrappingAdd(1, ordering: .relaxed).oldValue)"
            // Safety: Swift keeps the C string alive for the call.
            guard try SystemCall.check("mkdir", tolerating: [EEXIST], { mkdir(path, 0o755) }) != nil else { continue }
            // Another call may have taken it for a leftover before it was locked: then the next name.
            guard let root = try OpenFile.folder(at: AT_FDCWD, name: Array(path.utf8)) else { continue }
            let isLocked = flock(root.descriptor, LOCK_EX | LOCK_NB) == 0
            if isLocked, try root.status().st_nlink > 0 { return (path, root) }
        }
        throw SystemError(operation: "mkdir", code: EEXIST)
    }

    private func removeLeftovers(of folder: String) throws(SystemError) {
        let parent = try OpenFile(path: FolderTools.parent(of: folder), flags: O_RDONLY | O_DIRECTORY)
        let own = folder.split(separator: "/").last.map(Array.init).map { String($0) } ?? folder
        let prefix = Array("\(own).unpacking-".utf8)
        for name in try FolderTools.names(in: parent.descriptor) where name.starts(with: prefix) {
            // One that vanishes or is locked belongs to a living unpacker.
            guard let leftover = try? OpenFile(at: parent.descriptor, name: name, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                flock(leftover.descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            try FolderTools.removeTree(at: parent.descriptor, name: name)
        }
    }
}
