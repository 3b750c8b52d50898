import Foundation
import JSON
import OCI
public import Sigstore

/// What an accepted signature of an image rests on, so that it can be verified again without a network; nothing else that stood beside the
/// image.
public struct SignatureCopy: ImageSource {
    private var manifests: [String: [UInt8]] = [:]
    private var tags: [String: String] = [:]
    private var blobs: [String: [UInt8]] = [:]
    private var referrers: [String: [Referrer]] = [:]

    /// A copy of an accepted signature.
    ///
    /// - Parameter digest: of the image's manifest, as it was verified.
    public init(of accepted: ImageSignatures.Accepted, digest: String) {
        let signature = Digest.sha256(of: accepted.signatureManifest).description
        manifests = [digest: accepted.imageManifest]
        manifests[signature] = accepted.signatureManifest
        blobs = [Digest.sha256(of: accepted.content).description: accepted.content]
        switch accepted.layout {
        // The manifest says what it is.
        case .bundle: referrers = [digest: [Referrer(digest: signature, artifactType: "")]]
        case .legacy: tags = [ImageSignatureDocuments.legacyTag(of: digest): signature]
        }
    }

    public func manifest(digest: String) -> [UInt8]? { manifests[digest] }

    public func manifest(tag: String) -> [UInt8]? { tags[tag].flatMap { manifests[$0] } }

    public func blob(digest: String, size: Int) -> [UInt8]? { blobs[digest] }

    public func referrers(of digest: String) -> [Referrer] { referrers[digest] ?? [] }
}

extension SignatureCopy {
    /// The copy as one JSON document in UTF-8, bytes as base64: of the largest blob and manifests some 96 MiB, of most a few tens of KiB.
    public var document: [UInt8] {
        func base64(_ members: [String: [UInt8]]) -> JSONValue {
            var object: JSONObject = [:]
            for (name, bytes) in members.sorted(by: { $0.key < $1.key }) { object[name] = .string(Data(bytes).base64EncodedString()) }
            return .object(object)
        }
        var tags: JSONObject = [:]
        for (tag, name) in self.tags.sorted(by: { $0.key < $1.key }) { tags[tag] = .string(name) }
        var referrers: JSONObject = [:]
        for (digest, list) in self.referrers.sorted(by: { $0.key < $1.key }) {
            referrers[digest] = .array(list.map { ["digest": .string($0.digest), "type": .string($0.artifactType)] })
        }
        let whole: JSONObject = ["manifests": base64(manifests), "tags": .object(tags), "blobs": base64(blobs), "referrers": .object(referrers)]
        return whole.bytes
    }

    /// Reads a document that ``document`` wrote; `nil` for any other. Nothing in it is believed: every byte is verified again.
    public init?(document: [UInt8]) {
        guard let value = try? JSONValue(parsing: document, limits: Self.limits) else { return nil }
        func bytes(_ name: String) -> [String: [UInt8]]? {
            var found: [String: [UInt8]] = [:]
            for member in value[name]?.object?.members ?? [] {
                guard let text = member.value.string, let data = Data(base64Encoded: text) else { return nil }
                found[member.name] = Array(data)
            }
            return found
        }
        guard let manifests = bytes("manifests"), let blobs = bytes("blobs") else { return nil }
        self.manifests = manifests
        self.blobs = blobs
        for member in value["tags"]?.object?.members ?? [] { tags[member.name] = member.value.string }
        for member in value["referrers"]?.object?.members ?? [] {
            referrers[member.name] = (member.value.array ?? []).compactMap { one in
                one["digest"]?.string.map { Referrer(digest: $0, artifactType: one["type"]?.string ?? "") }
            }
        }
    }

    /// Chosen: a third more than the largest that is written; and what versions wrote that kept all that stood beside an image is read too,
    /// where it is not longer.
    private static let limits = JSONValue.Limits(bytesMax: 128 << 20, depthMax: 8, valuesMax: 10_000)
}
