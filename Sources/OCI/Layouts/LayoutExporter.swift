import Glibc
import Synchronization

/// Writes one image of a store as an OCI layout folder: what scanners read.
public final class LayoutExporter: Sendable {
    private let store: ContentStore
    private let counter = Atomic<UInt64>(0)

    /// Makes an exporter.
    ///
    /// - Parameter store: where the images are.
    public init(store: ContentStore) {
        self.store = store
    }

    /// Writes a layout with exactly one manifest in its index.json.
    ///
    /// Blobs are hard links to the store's files (read-only, mode 0444) where both are on one file system, else copies; whoever gets the
    /// folder must not be able to write as the store's owner. Works in a folder beside the final one and renames it at the end. Not synced:
    /// the folder is for use now.
    ///
    /// - Parameters:
    ///   - image: an image of the store.
    ///   - folder: path of the new folder; its parent exists or is made; it must not exist or be empty.
    ///   - copying: whether blobs are always copied, for readers that are not trusted with links to the store.
    /// - Throws: `missing_blob`, `size_mismatch`, `storage_failure`, `CancellationError`; nothing is left behind then.
    public func export(_ image: PlatformImage, to folder: String, copying: Bool = false) async throws {
        let folder = FolderTools.trimmingEndSlashes(folder)
        let number = counter.wrappingAdd(1, ordering: .relaxed).oldValue
        try await store.queue.run { [store] cancellation in
            let temporary = "\(folder).exporting-\(getpid())-\(number)"
            do {
                try Self.write(image, to: temporary, store: store, copying: copying, cancellation: cancellation)
                try SystemCall.check("rename") { rename(temporary, folder) }
            } catch {
                // The first failure counts.
                _ = try? FolderTools.removeTree(temporary)
                throw error
            }
        }
    }

    private static func write(
        _ image: PlatformImage, to folder: String, store: ContentStore, copying: Bool, cancellation: Cancellation
    ) throws {
        let manifest = Descriptor(
            mediaType: image.manifest.mediaType, digest: image.manifest.digest, size: image.manifest.size, platform: image.platform)
        var done: Set<Digest> = []
        for blob in [image.manifest, image.config] + image.layers where done.insert(blob.digest).inserted {
            try cancellation.check()
            let place = "\(folder)/blobs/\(blob.digest.algorithm.rawValue)"
            try FolderTools.makeFolders(place)
            let file = try store.openBlocking(blob)
            let target = "\(place)/\(blob.digest.hex)"
            // A link that cannot be made (another file system, too many links) becomes a copy.
            if !copying, link(store.path(of: blob.digest), target) == 0 { continue }
            let copy = try OpenFile(path: target, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o444)
            try FileRange(file: file, offset: 0, size: blob.size).forEachChunk { bytes in
                try cancellation.check()
                try copy.write(bytes)
            }
        }
        try write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "\(folder)/oci-layout")
        try write(try JSONDocument.encode(ImageIndex(manifests: [manifest])), to: "\(folder)/index.json")
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try OpenFile(path: path, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        try bytes.withUnsafeBytes { try file.write($0) }
    }
}
