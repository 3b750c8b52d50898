import Foundation
import JSON

/// Where an image and what is stored beside it are read from; what it answers is checked by whoever asks.
public protocol ImageSource: Sendable {
    /// The manifest of a digest (`sha256:` and 64 hexadecimal digits); `nil` for none.
    func manifest(digest: String) async throws -> [UInt8]?
    /// The manifest under a tag of the image's repository; `nil` for none.
    func manifest(tag: String) async throws -> [UInt8]?
    /// The blob of a digest.
    ///
    /// - Parameter size: as its descriptor says.
    func blob(digest: String, size: Int) async throws -> [UInt8]?
    /// The digests of manifests that say of themselves that they belong to an image, and their artifact types.
    func referrers(of digest: String) async throws -> [Referrer]
}

/// A manifest that belongs to another.
public struct Referrer: Sendable, Hashable {
    /// Of its manifest.
    public let digest: String
    /// What it is; empty where its index does not say.
    public let artifactType: String

    /// A referrer.
    public init(digest: String, artifactType: String) {
        self.digest = digest
        self.artifactType = artifactType
    }

    /// Chosen: an image has some tens of signatures and attestations.
    static let countMax = 1000

    /// The referrers that an index lists.
    ///
    /// - Parameter index: an OCI image index.
    public static func all(in index: [UInt8]) throws(Refusal) -> [Referrer] {
        guard let value = try? JSONValue(parsing: index, limits: ImageLimits.manifest),
            let manifests = value["manifests"]?.array, manifests.count <= countMax
        else { throw Refusal(.imageMalformed, "The list of what belongs to the image cannot be read, or is too long.") }
        return manifests.compactMap { one in
            one["digest"]?.string.map { Referrer(digest: $0, artifactType: one["artifactType"]?.string ?? "") }
        }
    }
}

/// Bounds of what is read of an image.
enum ImageLimits {
    /// Source: OCI distribution specification 1.1, "manifests of at least 4 megabytes"; larger ones are refused.
    static let manifestBytesMax = 4 << 20
    /// Chosen: a bundle with the largest attestation.
    static let blobBytesMax = 64 << 20
    /// Chosen: two of the largest blobs, or as many manifests as an image has signatures, of half a megabyte each.
    static let lookBytesMax = 128 << 20
    /// Chosen: manifests nest six deep.
    static let depthMax = 32
    /// Of a manifest or index. Chosen: a list of 1,000 referrers with a dozen annotations each has some 20,000 values.
    static let manifest = JSONValue.Limits(bytesMax: manifestBytesMax, depthMax: depthMax, valuesMax: 1 << 16)
}

/// An OCI image layout in a folder, with signatures under their tags as registries without a referrers interface have them.
///
/// Source: OCI image specification 1.1, image-layout.md.
public struct ImageLayoutFolder: ImageSource {
    private let path: String
    private let digestsByTag: [String: String]

    /// Opens a layout.
    ///
    /// - Throws: `image_malformed`.
    public init(path: String) throws(Refusal) {
        self.path = path
        guard let index = try? Self.read(path + "/index.json", max: ImageLimits.manifestBytesMax),
            let value = try? JSONValue(parsing: index, limits: .init(bytesMax: ImageLimits.manifestBytesMax, depthMax: ImageLimits.depthMax)),
            let manifests = value["manifests"]?.array
        else { throw Refusal(.imageMalformed, "There is no OCI image layout at \"\(path)\".") }
        var digests: [String: String] = [:]
        for one in manifests {
            guard let tag = one["annotations"]?["org.opencontainers.image.ref.name"]?.string, let digest = one["digest"]?.string else { continue }
            digests[tag] = digest
        }
        digestsByTag = digests
    }

    public func manifest(digest: String) throws -> [UInt8]? { try blob(digest, max: ImageLimits.manifestBytesMax) }

    public func manifest(tag: String) throws -> [UInt8]? {
        guard let digest = digestsByTag[tag], let bytes = try manifest(digest: digest) else { return nil }
        // A digest is only told apart by whoever knows it, and that is here.
        try ImageSignatures.require(bytes, digest)
        return bytes
    }

    public func blob(digest: String, size: Int) throws -> [UInt8]? { try blob(digest, max: min(size, ImageLimits.blobBytesMax)) }

    public func referrers(of digest: String) throws -> [Referrer] {
        guard let index = try manifest(tag: ImageSignatures.tag(of: digest)) else { return [] }
        return try Referrer.all(in: index)
    }

    private func blob(_ digest: String, max: Int) throws -> [UInt8]? {
        guard ImageSignatures.isDigest(digest) else { throw Refusal(.imageMalformed, "\"\(digest.prefix(100))\" is no SHA-256 digest.") }
        return try Self.read("\(path)/blobs/sha256/\(digest.dropFirst("sha256:".count))", max: max)
    }

    /// The bytes of a file; `nil` for none. A file that is larger than expected is cut, and its digest then tells.
    private static func read(_ path: String, max: Int) throws(Refusal) -> [UInt8]? {
        // What is no file must not be waited for.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 || errno != ENOENT else { return nil }
        var found = stat()
        guard descriptor >= 0, fstat(descriptor, &found) == 0, found.st_mode & S_IFMT == S_IFREG else {
            if descriptor >= 0 { close(descriptor) }
            throw Refusal(.imageMalformed, "\"\(path)\" is no file that can be read.")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do { return Array(try file.read(upToCount: max + 1) ?? Data()) } catch {
            throw Refusal(.imageMalformed, "\"\(path)\" cannot be read: \(error.localizedDescription)")
        }
    }
}
