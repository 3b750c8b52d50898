import Foundation
public import OCI
import Sandbox

/// Images on this Island's disk: blobs in a content store, unpacked layers that images share, and for each image in use one folder that shows
/// its layers as one.
///
/// What was not used for longest goes when there is more than the owner allows; what a job runs in stays.
public actor ImageCabinet: ImageProvider {
    /// Where the cabinet keeps what, and how much.
    public struct Configuration: Sendable {
        /// A folder of this cabinet alone.
        public var folder: String
        /// What is pulled of an image for more than one.
        public var platform: Platform
        /// Added to the owner ids of the image's files, as the sandbox maps them.
        public var idOffset: UInt32
        /// Most bytes on disk, packed and unpacked together; the image of a running job may exceed it.
        public var bytesMax: Int64

        /// - Parameter bytesMax: Chosen: 20 GiB, some hundred ordinary images.
        public init(folder: String, platform: Platform, idOffset: UInt32, bytesMax: Int64 = 20 << 30) {
            self.folder = folder
            self.platform = platform
            self.idOffset = idOffset
            self.bytesMax = bytesMax
        }
    }

    /// An image that is ready.
    private struct Holding {
        var note: ImageNote
        var image: PreparedImage
        var users = 0
    }

    private let configuration: Configuration
    private let puller: ImagePuller
    private let store: ContentStore
    private let layers: LayerStore
    private let forget: @Sendable (_ rootFolder: String) async -> Void
    /// What is on disk, by the digest that a job names; the latest use of each counts up.
    private var notes: [Digest: (note: ImageNote, lastUse: Int)] = [:]
    private var ready: [Digest: Holding] = [:]
    private var coming: [Digest: Task<Void, any Error>] = [:]
    private var waiting: [Digest: Int] = [:]
    private var uses = 0
    /// While something is removed, nothing new is fetched: it could count on what is about to go.
    private var removing: Task<Void, Never>?

    /// Opens the cabinet, and removes what a crash left: mounts, half unpacked layers, and what no image uses.
    ///
    /// - Parameter forget: called before the folder of an image goes, so that whoever keeps something ready in it lets go.
    public init(
        registry: RegistryClient, configuration: Configuration, forget: @escaping @Sendable (_ rootFolder: String) async -> Void
    ) async throws {
        self.configuration = configuration
        self.forget = forget
        let folder = configuration.folder
        for name in ["roots", "images"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for path in try OverlayMounts.mountPoints(below: folder) { try OverlayMounts.unmount(path) }
        store = try ContentStore(root: folder + "/blobs")
        puller = ImagePuller(client: registry, store: store)
        var options = UnpackOptions()
        options.idOffset = configuration.idOffset
        layers = try await LayerStore(folder: folder + "/layers", unpacker: LayerUnpacker(store: store, options: options))
        for (note, digest) in try ImageNote.all(in: folder + "/images") {
            uses += 1
            notes[digest] = (note, uses)
        }
        try await removeUnused()
    }

    /// The digests of the images on disk, those in most recent use first.
    public var digests: [String] { notes.sorted { $0.value.lastUse > $1.value.lastUse }.map(\.key.description) }

    public func withImage<Value: Sendable>(
        _ reference: ImageReference, digest: Digest, _ body: @Sendable (PreparedImage) async throws -> Value
    ) async throws -> Value {
        let image = try await borrow(reference, digest)
        let result: Result<Value, any Error>
        do { result = .success(try await body(image)) } catch { result = .failure(error) }
        ready[digest]?.users -= 1
        await trim()
        return try result.get()
    }

    private func borrow(_ reference: ImageReference, _ digest: Digest) async throws -> PreparedImage {
        while ready[digest] == nil { try await prepare(reference, digest) }
        guard let image = ready[digest]?.image, let note = ready[digest]?.note else { preconditionFailure("it is there, by the line above") }
        ready[digest]?.users += 1
        uses += 1
        notes[digest] = (note, uses)
        ImageNote.touch(digest, in: configuration.folder + "/images")
        return image
    }

    /// Makes an image ready, once for all jobs that wait for it. It is given up when the last of them leaves.
    private func prepare(_ reference: ImageReference, _ digest: Digest) async throws {
        while let removing { await removing.value }
        // Unstructured: jobs of one image share it.
        let task = coming[digest] ?? Task { try await self.fetch(reference.with(digest: digest), digest) }
        coming[digest] = task
        waiting[digest, default: 0] += 1
        defer {
            waiting[digest, default: 1] -= 1
            if waiting[digest] == 0 { (waiting[digest], coming[digest]) = (nil, nil) }
        }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            // Unstructured: a cancellation handler is synchronous.
            Task { await self.cancelIfAlone(task, digest) }
        }
        try Task.checkCancellation()
    }

    private func cancelIfAlone(_ task: Task<Void, any Error>, _ digest: Digest) {
        if waiting[digest] == 1, coming[digest] == task { task.cancel() }
    }

    private func fetch(_ reference: ImageReference, _ digest: Digest) async throws {
        let image = try await puller.pull(reference).image(for: configuration.platform)
        let unpacked = try await layers.unpack(image)
        let root = try await show(unpacked, as: image.manifestDigest)
        let blobs = Set([digest, image.manifestDigest, image.configDigest] + image.layers.map(\.digest))
        let note = ImageNote(layers: unpacked, blobs: blobs.map { .init(digest: $0, bytes: store.size(of: $0) ?? 0) })
        try note.write(for: digest, in: configuration.folder + "/images")
        notes[digest] = (note, uses)
        ready[digest] = Holding(note: note, image: PreparedImage(rootFolder: root, configuration: image.configuration))
    }

    /// The folder that shows the layers as one: a mount for several, a single one's own files.
    private func show(_ unpacked: [UnpackedLayer], as manifest: Digest) async throws -> String {
        if unpacked.count == 1 { return "\(layers.folder)/\(LayerStore.files(unpacked[0]))" }
        let root = "\(configuration.folder)/roots/\(manifest.hex)"
        guard try !OverlayMounts.mountPoints(below: configuration.folder).contains(root) else { return root }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try await OverlayMounts.mount(unpacked.map(LayerStore.files), in: layers.folder, at: root)
        return root
    }

    // MARK: Room

    private var bytes: Int64 {
        let unpacked = Set(notes.values.flatMap(\.note.layers))
        let blobs = Set(notes.values.flatMap(\.note.blobs))
        return unpacked.reduce(0) { $0 + $1.use.bytes } + blobs.reduce(0) { $0 + $1.bytes }
    }

    /// Removes images that were not used for longest, until the rest has room. The latest stays: the next job is most likely its.
    private func trim() async {
        guard removing == nil, coming.isEmpty, bytes > configuration.bytesMax else { return }
        // Unstructured: jobs that come meanwhile wait for it.
        let task = Task { await removeOldest() }
        removing = task
        await task.value
        removing = nil
    }

    private func removeOldest() async {
        while bytes > configuration.bytesMax {
            let latest = notes.values.map(\.lastUse).max()
            let idle = notes.filter { (ready[$0.key]?.users ?? 0) == 0 && $0.value.lastUse != latest }
            guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return }
            // What cannot be removed now is tried again after the next job, or when the cabinet is opened.
            guard (try? await remove(oldest)) != nil else { return }
        }
    }

    private func remove(_ digest: Digest) async throws {
        let holding = ready.removeValue(forKey: digest)
        notes[digest] = nil
        try ImageNote.remove(digest, in: configuration.folder + "/images")
        if let holding {
            await forget(holding.image.rootFolder)
            let isShared = ready.values.contains { $0.image.rootFolder == holding.image.rootFolder }
            if !isShared, holding.note.layers.count > 1 {
                try OverlayMounts.unmount(holding.image.rootFolder)
                try FileManager.default.removeItem(atPath: holding.image.rootFolder)
            }
        }
        try await removeUnused()
    }

    /// Removes layers and blobs that no image has. Nothing is being fetched.
    private func removeUnused() async throws {
        let usedLayers = Set(notes.values.flatMap(\.note.layers))
        for layer in await layers.all where !usedLayers.contains(layer) { try await layers.remove(layer) }
        let usedBlobs = Set(notes.values.flatMap { $0.note.blobs.map(\.digest) })
        for blob in try await store.digests() where !usedBlobs.contains(blob) { try await store.remove(blob) }
    }

    /// Takes every mount away. No job runs, and none comes any more.
    public func close() async throws {
        for holding in ready.values { await forget(holding.image.rootFolder) }
        ready = [:]
        for path in try OverlayMounts.mountPoints(below: configuration.folder) { try OverlayMounts.unmount(path) }
    }
}
