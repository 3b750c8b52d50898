import Foundation
import JSON

@testable import Sigstore

/// An image and what is stored beside it, in memory, so that tests can change it.
struct StoredImage: ImageSource {
    /// By the digest under which they are asked for, which of a damaged one is not its own.
    var blobs: [String: [UInt8]]
    /// The digests under tags.
    var tags: [String: String]

    /// Reads an OCI image layout of the fixtures.
    init(layout: String) throws {
        let hexadecimals = Fixture.names(in: layout + "/blobs/sha256")
        let stored = try hexadecimals.map { ("sha256:" + $0, try Fixture.bytes(layout + "/blobs/sha256/" + $0)) }
        blobs = Dictionary(uniqueKeysWithValues: stored)
        tags = [:]
        for one in try Fixture.json(layout + "/index.json")["manifests"]?.array ?? [] {
            guard let tag = one["annotations"]?["org.opencontainers.image.ref.name"]?.string else { continue }
            tags[tag] = one["digest"]?.string
        }
    }

    func manifest(digest: String) -> [UInt8]? { blobs[digest] }

    func manifest(tag: String) -> [UInt8]? { tags[tag].flatMap { blobs[$0] } }

    func blob(digest: String, size: Int) -> [UInt8]? { blobs[digest] }

    func referrers(of digest: String) throws -> [Referrer] {
        try manifest(tag: ImageSignatures.tag(of: digest)).map { try Referrer.all(in: $0) } ?? []
    }

    static func digest(_ bytes: [UInt8]) -> String { "sha256:" + Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(bytes)) }

    /// Keeps bytes under their digest, and returns that.
    mutating func store(_ bytes: [UInt8]) -> String {
        let digest = Self.digest(bytes)
        blobs[digest] = bytes
        return digest
    }
}

extension JSONValue {
    /// What stands at a place; names of members and numbers of elements, from the outside in.
    func at(_ path: [String]) throws -> JSONValue {
        try path.reduce(self) { value, name in
            guard let next = value[name] ?? Int(name).flatMap({ number in value.array.flatMap { $0.indices.contains(number) ? $0[number] : nil } })
            else { throw NoSuchPlace(path: path) }
            return next
        }
    }

    /// The value with another one at a place.
    func setting(_ path: some Collection<String>, to new: JSONValue) throws -> JSONValue {
        guard let name = path.first else { return new }
        let inner = try at([name]).setting(Array(path.dropFirst()), to: new)
        switch self {
        case .object(var object):
            object[name] = inner
            return .object(object)
        case .array(var array):
            guard let number = Int(name) else { throw NoSuchPlace(path: Array(path)) }
            array[number] = inner
            return .array(array)
        case .null, .bool, .number, .string: throw NoSuchPlace(path: Array(path))
        }
    }
}

/// A place that a document has not.
struct NoSuchPlace: Error {
    let path: [String]
}
