import Foundation
import JSON
public import Sigstore
import Synchronization

/// What a verification read of an image and its signatures, kept in memory, so that it can be verified again without a network.
public final class SignatureCopy: ImageSource {
    private struct Contents {
        var manifests: [String: [UInt8]] = [:]
        var tags: [String: String] = [:]
        var blobs: [String: [UInt8]] = [:]
        var referrers: [String: [Referrer]] = [:]
    }

    private let origin: (any ImageSource)?
    private let contents: Mutex<Contents>

    /// A copy that fills itself with what is read through it.
    public init(of origin: any ImageSource) {
        self.origin = origin
        contents = Mutex(Contents())
    }

    private init(_ contents: Contents) {
        origin = nil
        self.contents = Mutex(contents)
    }

    /// Bytes of all that it holds.
    public var byteCount: Int {
        contents.withLock { contents in
            contents.manifests.values.reduce(0) { $0 + $1.count } + contents.blobs.values.reduce(0) { $0 + $1.count }
        }
    }

    public func manifest(digest: String) async throws -> [UInt8]? {
        if let known = contents.withLock({ $0.manifests[digest] }) { return known }
        guard let bytes = try await origin?.manifest(digest: digest) else { return nil }
        contents.withLock { $0.manifests[digest] = bytes }
        return bytes
    }

    public func manifest(tag: String) async throws -> [UInt8]? {
        if let known = contents.withLock({ contents in contents.tags[tag].flatMap { contents.manifests[$0] } }) { return known }
        guard let bytes = try await origin?.manifest(tag: tag) else { return nil }
        // Known by its tag alone; what is in it is checked by whoever verifies.
        let name = "tag:" + tag
        contents.withLock { contents in
            contents.tags[tag] = name
            contents.manifests[name] = bytes
        }
        return bytes
    }

    public func blob(digest: String, size: Int) async throws -> [UInt8]? {
        if let known = contents.withLock({ $0.blobs[digest] }) { return known }
        guard let bytes = try await origin?.blob(digest: digest, size: size) else { return nil }
        contents.withLock { $0.blobs[digest] = bytes }
        return bytes
    }

    public func referrers(of digest: String) async throws -> [Referrer] {
        if let known = contents.withLock({ $0.referrers[digest] }) { return known }
        guard let found = try await origin?.referrers(of: digest) else { return [] }
        contents.withLock { $0.referrers[digest] = found }
        return found
    }
}

extension SignatureCopy {
    /// The copy as one JSON document, bytes as base64.
    public var document: [UInt8] {
        contents.withLock { contents -> JSONObject in
            func base64(_ members: [String: [UInt8]]) -> JSONValue {
                var object: JSONObject = [:]
                for (name, bytes) in members.sorted(by: { $0.key < $1.key }) { object[name] = .string(Data(bytes).base64EncodedString()) }
                return .object(object)
            }
            var tags: JSONObject = [:]
            for (tag, name) in contents.tags.sorted(by: { $0.key < $1.key }) { tags[tag] = .string(name) }
            var referrers: JSONObject = [:]
            for (digest, list) in contents.referrers.sorted(by: { $0.key < $1.key }) {
                referrers[digest] = .array(list.map { ["digest": .string($0.digest), "type": .string($0.artifactType)] })
            }
            return [
                "manifests": base64(contents.manifests), "tags": .object(tags), "blobs": base64(contents.blobs), "referrers": .object(referrers),
            ]
        }.bytes
    }

    /// Reads a document that ``document`` wrote; `nil` for any other. Nothing in it is believed: every byte is verified again.
    public convenience init?(document: [UInt8]) {
        guard let value = try? JSONValue(parsing: document, limits: .init(bytesMax: Self.documentBytesMax, depthMax: 8)) else { return nil }
        func bytes(_ name: String) -> [String: [UInt8]]? {
            var found: [String: [UInt8]] = [:]
            for member in value[name]?.object?.members ?? [] {
                guard let text = member.value.string, let data = Data(base64Encoded: text) else { return nil }
                found[member.name] = Array(data)
            }
            return found
        }
        guard let manifests = bytes("manifests"), let blobs = bytes("blobs") else { return nil }
        var contents = Contents(manifests: manifests, blobs: blobs)
        for member in value["tags"]?.object?.members ?? [] { contents.tags[member.name] = member.value.string }
        for member in value["referrers"]?.object?.members ?? [] {
            contents.referrers[member.name] = (member.value.array ?? []).compactMap { one in
                one["digest"]?.string.map { Referrer(digest: $0, artifactType: one["type"]?.string ?? "") }
            }
        }
        self.init(contents)
    }

    /// Chosen: the signatures of an image, with room for attestations beside them.
    private static let documentBytesMax = 256 << 20
}
