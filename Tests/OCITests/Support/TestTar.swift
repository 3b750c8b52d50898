@testable import OCI

/// Writes tars with anything in them, hostile things too. Independent of the module's own writer.
struct TestTar {
    private(set) var bytes: [UInt8] = []

    mutating func add(
        _ path: String, type: Character = "0", content: [UInt8] = [], link: String = "", mode: Int = 0o644, uid: Int = 0, gid: Int = 0,
        mtime: Int = 1_000_000
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(path, 0)
        put(octal(mode, 7), 100)
        put(octal(uid, 7), 108)
        put(octal(gid, 7), 116)
        put(octal(content.count, 11), 124)
        put(octal(mtime, 11), 136)
        put(String(type), 156)
        put(link, 157)
        put("ustar\u{0}00", 257)
        for index in 148..<156 { header[index] = 0x20 }
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", 148)
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    mutating func folder(_ path: String, mode: Int = 0o755) { add(path + "/", type: "5", mode: mode) }
    mutating func file(_ path: String, _ text: String = "x", mode: Int = 0o644) { add(path, content: Array(text.utf8), mode: mode) }
    mutating func link(_ path: String, to target: String) { add(path, type: "2", link: target, mode: 0o777) }
    mutating func hardLink(_ path: String, to target: String) { add(path, type: "1", link: target) }

    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    static func make(_ build: (inout TestTar) -> Void) -> [UInt8] {
        var tar = TestTar()
        build(&tar)
        return tar.finished
    }
}

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
