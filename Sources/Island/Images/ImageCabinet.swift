import Foundation
public import OCI

/// Images on this Island's disk: blobs in a content store, and one unpacked root folder for each image that ran.
///
/// An image is unpacked once and shared by its jobs, which never write to it. Unpacking goes into a folder beside and is
/// renamed when complete, so a folder under its final name is whole.
public actor ImageCabinet: ImageProvider {
    private let puller: ImagePuller
    private let unpacker: LayerUnpacker
    private let rootsFolder: String
    private let platform: Platform
    private var preparing: [Digest: Task<PreparedImage, any Error>] = [:]

    /// A cabinet in a folder.
    ///
    /// - Parameter idOffset: added to the owner ids of the image's files, as the sandbox maps them.
    public init(registry: RegistryClient, store: ContentStore, rootsFolder: String, platform: Platform, idOffset: UInt32) {
        puller = ImagePuller(client: registry, store: store)
        var options = UnpackOptions()
        options.idOffset = idOffset
        unpacker = LayerUnpacker(store: store, options: options)
        self.rootsFolder = rootsFolder
        self.platform = platform
    }

    public func prepare(_ reference: ImageReference, digest: Digest) async throws -> PreparedImage {
        if let running = preparing[digest] { return try await running.value }
        // Unstructured: several jobs share one preparation, and one of them being cancelled must not end the others'.
        let task = Task { try await self.fetchAndUnpack(reference.with(digest: digest)) }
        preparing[digest] = task
        do {
            return try await task.value
        } catch {
            preparing[digest] = nil
            throw error
        }
    }

    private func fetchAndUnpack(_ reference: ImageReference) async throws -> PreparedImage {
        let stored = try await puller.pull(reference)
        let image = try stored.image(for: platform)
        let folder = "\(rootsFolder)/\(image.manifestDigest.hex)"
        if !FileManager.default.fileExists(atPath: folder) { try await unpacker.unpack(image, to: folder) }
        return PreparedImage(rootFolder: folder, configuration: image.configuration)
    }
}
