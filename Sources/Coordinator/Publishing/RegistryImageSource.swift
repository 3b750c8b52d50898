public import OCI
import Synchronization

/// Images straight from their registries, kept in a content store.
public final class RegistryImageSource: ImageSource {
    private let client: RegistryClient
    private let puller: ImagePuller
    private let store: ContentStore
    /// What was kept last: the images and all their blobs.
    private let known = Mutex<(images: Set<Digest>, blobs: Set<Digest>)>(([], []))

    /// A source that fetches with a client into a store.
    public init(client: RegistryClient, store: ContentStore) {
        self.client = client
        self.store = store
        puller = ImagePuller(client: client, store: store)
    }

    public func resolve(_ reference: ImageReference) async throws -> Digest { try await client.resolve(reference).digest }

    public func fetch(_ reference: ImageReference, digest: Digest) async throws -> StoredContent {
        let pinned = reference.with(digest: digest)
        do {
            return try await puller.pullContent(pinned)
        } catch let error as OCIError where Self.mayComeFromTheDisk.contains(error.code) {
            // Whether it is our disk or the image: what does not have its digest any more is fetched again, once.
            guard try await removeDamaged() else { throw error }
            return try await puller.pullContent(pinned)
        }
    }

    /// Failures that a blob changed on this machine's disk shows itself by.
    private static let mayComeFromTheDisk: Set<OCIError.Code> = [
        .digestMismatch, .sizeMismatch, .diffIDMismatch, .hostileLayer, .malformedDocument, .missingBlob,
    ]

    /// Removes every blob that does not have its digest any more. Reads the whole store, which is rare enough.
    ///
    /// - Returns: whether there was any.
    private func removeDamaged() async throws -> Bool {
        var hasRemoved = false
        for stored in try await store.digests() {
            guard let size = store.size(of: stored) else { continue }
            do {
                try await store.verify(Descriptor(mediaType: "", digest: stored, size: size))
            } catch let error as OCIError where error.code == .digestMismatch {
                try await store.remove(stored)
                hasRemoved = true
            }
        }
        return hasRemoved
    }

    public func attach(
        _ bytes: [UInt8], mediaType: String, to subject: Descriptor, of reference: ImageReference, unlessThere own: Set<Digest>
    ) async throws -> Descriptor {
        let there = own.isEmpty ? [] : try await client.referrers(of: reference.with(digest: subject.digest))
        if let kept = there.first(where: { $0.artifactType == mediaType && own.contains($0.digest) }) { return kept }
        return try await client.attach(bytes, artifactType: mediaType, to: subject, in: reference, annotations: [:])
    }

    public func keepOnly(_ digests: [Digest]) async throws {
        let stored = try await store.digests()
        // Walking every image costs a read of its manifests: only when there is something that may go.
        guard !Set(stored).isSubset(of: known.withLock(\.blobs)) || known.withLock(\.images) != Set(digests) else { return }
        var needed: Set<Digest> = []
        for digest in digests where store.contains(digest) {
            do { needed.formUnion(try await store.content(digest).blobs) } catch let error as OCIError where error.code != .storageFailure {
                // Not whole, or no image: it is fetched again when it is needed.
                continue
            }
        }
        for digest in stored where !needed.contains(digest) { try await store.remove(digest) }
        known.withLock { $0 = (Set(digests), needed) }
    }
}
