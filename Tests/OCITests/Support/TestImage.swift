@testable import OCI

/// Puts images made of given layers into a store.
struct TestImage {
    let store: ContentStore

    /// One image of uncompressed layers.
    func make(layers tars: [[UInt8]], diffIDs: [Digest]? = nil, mediaType: String = MediaType.ociLayer) async throws -> StoredImage {
        let descriptor = try await manifest(layers: tars, diffIDs: diffIDs, mediaType: mediaType)
        return try await store.image(descriptor.digest)
    }

    func manifest(layers tars: [[UInt8]], diffIDs: [Digest]? = nil, mediaType: String = MediaType.ociLayer) async throws -> Descriptor {
        var layers: [Descriptor] = []
        for tar in tars { layers.append(try await put(tar, mediaType)) }
        let configuration = ImageConfiguration(
            platform: .linuxAMD64, process: .init(entrypoint: ["/bin/run"]), diffIDs: diffIDs ?? tars.map { .sha256(of: $0) })
        let config = try await put(try JSONDocument.encode(configuration), MediaType.ociConfiguration)
        return try await put(try JSONDocument.encode(ImageManifest(config: config, layers: layers)), MediaType.ociManifest)
    }

    func put(_ bytes: [UInt8], _ mediaType: String) async throws -> Descriptor {
        Descriptor(mediaType: mediaType, digest: try await store.store(bytes), size: Int64(bytes.count))
    }
}

/// Runs and returns the code of the `OCIError` it threw, or the description of whatever else happened.
func code(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return "no error"
    } catch let error as OCIError {
        return error.code.rawValue
    } catch {
        return "\(error)"
    }
}

/// Bytes in memory as a source.
final class MemorySource: ByteSource {
    private var rest: ArraySlice<UInt8>
    private let step: Int

    init(_ bytes: [UInt8], step: Int = .max) {
        rest = bytes[...]
        self.step = step
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, rest.count, step)
        buffer.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}
