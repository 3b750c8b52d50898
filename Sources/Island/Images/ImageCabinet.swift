import Foundation
public import OCI

/// Images on this Island's disk: blobs in a content store, and one unpacked root folder for each image that ran.
///
/// An image is unpacked once and shared by its jobs, which never write to it. Unpacking goes into a folder beside and is
/// renamed when complete, so a folder under its final name is whole.
public actor ImageCabinet: ImageProvider {
    private struct Preparation {
        let task: Task<PreparedImage, any Error>
        var waiters: Set<Int> = []
    }

    private let puller: ImagePuller
    private let unpacker: LayerUnpacker
    private let rootsFolder: String
    private let platform: Platform
    private var preparations: [Digest: Preparation] = [:]
    private var waiterCount = 0

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
        waiterCount += 1
        let waiter = waiterCount
        // Unstructured: jobs of one image share one preparation; it is cancelled when the last of them leaves.
        let task = preparations[digest]?.task ?? Task { try await self.fetchAndUnpack(reference.with(digest: digest)) }
        preparations[digest, default: Preparation(task: task)].waiters.insert(waiter)
        do {
            let image = try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                // Unstructured: a cancellation handler is synchronous.
                Task { await self.leave(waiter, digest) }
            }
            preparations[digest]?.waiters.remove(waiter)
            return image
        } catch {
            preparations[digest] = nil
            throw error
        }
    }

    private func leave(_ waiter: Int, _ digest: Digest) {
        guard preparations[digest]?.waiters.remove(waiter) != nil, preparations[digest]?.waiters.isEmpty == true else { return }
        preparations[digest]?.task.cancel()
        preparations[digest] = nil
    }

    private func fetchAndUnpack(_ reference: ImageReference) async throws -> PreparedImage {
        let stored = try await puller.pull(reference)
        let image = try stored.image(for: platform)
        let folder = "\(rootsFolder)/\(image.manifestDigest.hex)"
        if !FileManager.default.fileExists(atPath: folder) { try await unpacker.unpack(image, to: folder) }
        return PreparedImage(rootFolder: folder, configuration: image.configuration)
    }
}
