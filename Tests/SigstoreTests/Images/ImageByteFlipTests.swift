import Foundation
import JSON
import Testing

@testable import Sigstore

/// One link of the chain from an image to whom it is trusted by: its bytes, and how an image is made in which only they are others.
private struct Link: Sendable, CustomTestStringConvertible {
    let image: FixtureCase
    let name: String
    /// Decoded: the bytes themselves, and not their base64 or PEM.
    let bytes: [UInt8]
    /// What names the link when it is broken.
    let codes: Set<Refusal.Code>
    /// Bits that say nothing, by the byte's index; each is explained where it is listed.
    var exceptions: [Int: UInt8] = [:]
    /// The digest that is asked for; that of the image, where `nil`.
    var digest: (@Sendable (_ bytes: [UInt8]) -> String)?
    /// Puts bytes in the place of the link's; digests, sizes and encodings around them are made to fit.
    let rebuilt: @Sendable (_ bytes: [UInt8]) throws -> StoredImage

    var testDescription: String { "\(image.name): \(name)" }

    /// Chosen: all of a short link, and of a long one both ends and every seventh byte; a verification takes milliseconds.
    var places: [Int] {
        bytes.count <= 200 ? Array(bytes.indices) : bytes.indices.filter { $0 < 16 || $0 >= bytes.count - 16 || $0 % 7 == 0 }
    }
}

/// An image with what is stored beside it, taken apart into its links.
private struct Anatomy {
    let image: FixtureCase
    let stored: StoredImage
    let digest: String

    init(_ name: String) throws {
        image = try #require(FixtureCase.images.first { $0.name == name })
        stored = try StoredImage(layout: try #require(image.text("layout")))
        digest = try #require(image.text("image_digest"))
    }

    func manifest(_ tag: String) throws -> JSONValue { try JSONValue(parsing: try #require(stored.manifest(tag: tag))) }

    func blob(_ digest: String) throws -> [UInt8] { try #require(stored.blobs[digest]) }

    /// What is kept under a digest and no longer has it.
    func kept(_ name: String, under digest: String) throws -> Link {
        let stored = stored
        return Link(image: image, name: name, bytes: try #require(stored.blobs[digest]), codes: [.digestMismatch]) { bytes in
            var changed = stored
            changed.blobs[digest] = bytes
            return changed
        }
    }
}

// MARK: - The older layout

extension Anatomy {
    private static let signature = "dev.cosignproject.cosign/signature"
    private static let certificate = "dev.sigstore.cosign/certificate"
    private static let entry = "dev.sigstore.cosign/bundle"

    func legacyLinks() throws -> [Link] {
        let tag = ImageSignatureDocuments.legacyTag(of: digest)
        let manifest = try manifest(tag)
        let layer = try manifest.at(["layers", "0"])
        let payloadDigest = try #require(layer["digest"]?.string)
        let payload = try blob(payloadDigest)
        let (image, stored, digest) = (image, stored, digest)

        /// The image with another description of its signature.
        @Sendable func with(_ path: [String], _ value: JSONValue) throws -> StoredImage {
            var changed = stored
            changed.tags[tag] = changed.store(try manifest.setting(["layers", "0"] + path, to: value).bytes)
            return changed
        }
        @Sendable func with(payload bytes: [UInt8]) throws -> StoredImage {
            var changed = stored
            let layer = try layer.setting(["digest"], to: .string(changed.store(bytes))).setting(["size"], to: .int(bytes.count))
            changed.tags[tag] = changed.store(try manifest.setting(["layers", "0"], to: layer).bytes)
            return changed
        }
        let signature = try #require(layer.at(["annotations", Self.signature]).string.flatMap(Base64.bytes))
        let certificate = try PEM.only(in: try #require(layer.at(["annotations", Self.certificate]).string), labels: ["CERTIFICATE"]).bytes
        return [
            try kept("image manifest", under: digest), try kept("stored payload", under: payloadDigest),
            // Moved to an image with a changed manifest.
            Link(
                image: image, name: "image manifest with its own digest", bytes: try #require(stored.blobs[digest]), codes: [.payloadOtherImage],
                digest: { $0 == stored.blobs[digest] ? digest : StoredImage.digest($0) },
                rebuilt: { bytes in
                    var changed = stored
                    changed.tags[ImageSignatureDocuments.legacyTag(of: changed.store(bytes))] = stored.tags[tag]
                    return changed
                }),
            Link(image: image, name: "payload", bytes: payload, codes: [.signatureInvalid]) { try with(payload: $0) },
            Link(image: image, name: "signature", bytes: signature, codes: [.signatureInvalid]) {
                try with(["annotations", Self.signature], .string(Base64.text($0)))
            },
            Link(image: image, name: "certificate", bytes: certificate, codes: Self.certificateCodes) {
                try with(["annotations", Self.certificate], .string(PEM(label: "CERTIFICATE", bytes: $0).text))
            },
        ] + (try legacyEntryLinks(layer) { try with(["annotations", Self.entry], .string($0.text)) })
    }

    private func legacyEntryLinks(_ layer: JSONValue, _ with: @escaping @Sendable (JSONValue) throws -> StoredImage) throws -> [Link] {
        let entry = try JSONValue(parsing: try #require(layer.at(["annotations", Self.entry]).string))
        let image = image
        func link(_ name: String, _ path: [String], _ codes: Set<Refusal.Code>, _ coding: Coding) throws -> Link {
            Link(image: image, name: name, bytes: try #require(try coding.bytes(entry.at(path))), codes: codes) {
                try with(try entry.setting(path, to: coding.value($0)))
            }
        }
        // What an entry is, it says itself, and is read before its promise is verified.
        return [
            try link("log entry", ["Payload", "body"], [.promiseInvalid, .logEntryMalformed], .base64),
            try link("log entry's promise", ["SignedEntryTimestamp"], [.promiseInvalid], .base64),
            try link("log's id", ["Payload", "logID"], [.logUntrusted], .hexadecimal),
            try link("log entry's place", ["Payload", "logIndex"], [.promiseInvalid, .logEntryMalformed], .text),
            try link("log entry's time", ["Payload", "integratedTime"], [.promiseInvalid, .logEntryMalformed], .text),
        ]
    }

    /// All but the issuer's signature and its algorithm is under that signature, which is verified before anything that it is over is believed.
    static let certificateCodes: Set<Refusal.Code> = [.certificateMalformed, .certificateUntrusted]
}

/// How the bytes of a link stand in JSON.
private enum Coding {
    case base64, hexadecimal, text

    func bytes(_ value: JSONValue) -> [UInt8]? {
        switch self {
        case .base64: value.string.flatMap(Base64.bytes)
        case .hexadecimal: value.string.flatMap(Hexadecimal.bytes)
        case .text: Array((value.string ?? value.text).utf8)
        }
    }

    /// A number as a text, which protocol buffers take as well; what is no UTF-8 has no form in JSON, and a stand-in comes for it.
    func value(_ bytes: [UInt8]) -> JSONValue {
        switch self {
        case .base64: .string(Base64.text(bytes))
        case .hexadecimal: .string(Hexadecimal.text(bytes))
        case .text: .string(String(decoding: bytes, as: UTF8.self))
        }
    }
}

// MARK: - Bundles

extension Anatomy {
    func bundleLinks() throws -> [Link] {
        let indexTag = ImageSignatures.tag(of: digest)
        let index = try manifest(indexTag)
        let referrerDigest = try #require(index.at(["manifests", "0", "digest"]).string)
        let referrer = try JSONValue(parsing: try blob(referrerDigest))
        let bundleDigest = try #require(referrer.at(["layers", "0", "digest"]).string)
        let bundle = try JSONValue(parsing: try blob(bundleDigest))
        let (image, stored, digest) = (image, stored, digest)

        /// The image with another manifest for its signature, listed under a tag.
        @Sendable func with(_ referrer: JSONValue, _ changed: StoredImage, _ tag: String) throws -> StoredImage {
            var changed = changed
            let bytes = referrer.bytes
            let listed = try index.setting(["manifests", "0", "digest"], to: .string(changed.store(bytes)))
                .setting(["manifests", "0", "size"], to: .int(bytes.count))
            changed.tags[tag] = changed.store(listed.bytes)
            return changed
        }
        @Sendable func with(bundle bytes: [UInt8]) throws -> StoredImage {
            var changed = stored
            let fitting = try referrer.setting(["layers", "0", "digest"], to: .string(changed.store(bytes)))
                .setting(["layers", "0", "size"], to: .int(bytes.count))
            return try with(fitting, changed, indexTag)
        }
        return [
            try kept("image manifest", under: digest), try kept("signature's manifest", under: referrerDigest),
            try kept("stored bundle", under: bundleDigest),
            // Moved to an image with a changed manifest, whose digest the signature's manifest names.
            Link(
                image: image, name: "image manifest with its own digest", bytes: try #require(stored.blobs[digest]), codes: [.subjectMismatch],
                digest: { StoredImage.digest($0) },
                rebuilt: { bytes in
                    var changed = stored
                    let moved = changed.store(bytes)
                    return try with(try referrer.setting(["subject", "digest"], to: .string(moved)), changed, ImageSignatures.tag(of: moved))
                }),
        ] + (try bundleLinks(bundle) { try with(bundle: $0) })
    }

    private func bundleLinks(_ bundle: JSONValue, _ with: @escaping @Sendable ([UInt8]) throws -> StoredImage) throws -> [Link] {
        let image = image
        let entry = ["verificationMaterial", "tlogEntries", "0"]
        let proof = entry + ["inclusionProof"]
        let certificate = ["verificationMaterial", "certificate", "rawBytes"]
        let stamp = ["verificationMaterial", "timestampVerificationData", "rfc3161Timestamps", "0", "signedTimestamp"]
        let hasPromise = (try? bundle.at(entry + ["inclusionPromise"])) != nil
        let isStamped = (try? bundle.at(stamp)) != nil
        func link(
            _ name: String, _ path: [String], _ codes: Set<Refusal.Code>, _ coding: Coding = .base64, exceptions: [Int: UInt8] = [:]
        ) throws -> Link {
            Link(image: image, name: name, bytes: try #require(try coding.bytes(bundle.at(path))), codes: codes, exceptions: exceptions) { bytes in
                guard coding == .text, String(validating: bytes, as: UTF8.self) == nil else {
                    return try with(try bundle.setting(path, to: coding.value(bytes)).bytes)
                }
                return try with(try Self.spliced(bytes, in: bundle, at: path))
            }
        }
        // A promise is over the whole entry and is verified first; without one, the entry is a leaf that the proof is of.
        let entryCodes: Set<Refusal.Code> = hasPromise ? [.promiseInvalid] : [.inclusionProofInvalid]
        var links = [
            // A statement that cannot be read, is of something else, or is as good as before and not what was signed.
            try link("payload", ["dsseEnvelope", "payload"], [.statementMalformed, .subjectMismatch, .signatureInvalid]),
            try link("payload's type", ["dsseEnvelope", "payloadType"], [.statementMalformed, .bundleMalformed], .text),
            // A time stamp is over the signature, and is verified first.
            try link("signature", ["dsseEnvelope", "signatures", "0", "sig"], isStamped ? [.timestampOtherMessage] : [.signatureInvalid]),
            try link("log entry", entry + ["canonicalizedBody"], entryCodes),
            try link("log's id", entry + ["logId", "keyId"], [.logUntrusted]),
            try link("log entry's kind", entry + ["kindVersion", "kind"], [.logEntryKindMismatch, .bundleMalformed], .text),
            try link("log entry's version", entry + ["kindVersion", "version"], [.logEntryKindMismatch, .bundleMalformed], .text),
            try link("proof's root", proof + ["rootHash"], [.checkpointMismatch]),
            try link("proof's place", proof + ["logIndex"], [.inclusionProofInvalid, .bundleMalformed], .text),
            try link("proof's size", proof + ["treeSize"], [.checkpointMismatch, .bundleMalformed], .text),
            try link("checkpoint", proof + ["checkpoint", "envelope"], Self.checkpointCodes, .text),
        ]
        for number in try #require(bundle.at(proof + ["hashes"]).array).indices {
            links.append(try link("proof's hash \(number)", proof + ["hashes", "\(number)"], [.inclusionProofInvalid]))
        }
        if hasPromise {
            links += [
                try link("log entry's promise", entry + ["inclusionPromise", "signedEntryTimestamp"], [.promiseInvalid]),
                try link("log entry's place", entry + ["logIndex"], [.promiseInvalid, .bundleMalformed], .text),
                try link("log entry's time", entry + ["integratedTime"], [.promiseInvalid, .bundleMalformed], .text),
            ]
        }
        if (try? bundle.at(certificate)) != nil { links.append(try link("certificate", certificate, Self.certificateCodes)) }
        if isStamped { links.append(try link("time stamp", stamp, Self.timestampCodes, exceptions: Self.timestampExceptions)) }
        return links
    }

    /// The bundle with bytes that are no UTF-8 in the place of a text, which makes it no JSON.
    private static func spliced(_ bytes: [UInt8], in bundle: JSONValue, at path: [String]) throws -> [UInt8] {
        let mark = "the place of the bytes"
        let text = try bundle.setting(path, to: .string(mark)).text
        let range = try #require(text.range(of: mark))
        let escaped = bytes.flatMap { $0 == UInt8(ascii: "\n") ? Array(#"\n"#.utf8) : [$0] }
        return Array(text[..<range.lowerBound].utf8) + escaped + Array(text[range.upperBound...].utf8)
    }

    /// What is no UTF-8 spoils all of the bundle; a name or key that is not the log's makes its signature another's.
    private static let checkpointCodes: Set<Refusal.Code> = [
        .checkpointMalformed, .checkpointUnsigned, .checkpointSignatureInvalid, .bundleMalformed,
    ]
    private static let timestampCodes: Set<Refusal.Code> = [
        .timestampMalformed, .timestampOtherMessage, .timestampSignatureInvalid, .timestampUntrusted, .timestampOutsideValidity,
    ]
    /// Of a response stands outside the signature, and is not compared with anything: at 8 the status, of which 0 and 1 are good ones
    /// (RFC 3161 §2.4.2).
    private static let timestampExceptions: [Int: UInt8] = [8: 0b1]
}

// MARK: - The tests

/// Every link of an image's signature breaks under a name of its own, whichever of its bytes is another.
@Suite struct ImageByteFlipTests {
    private static let legacy = ["gen-legacy-keyless"]
    private static let bundles = ["gen-bundle-referrer-v1", "gen-bundle-keyed", "gen-bundle-referrer-v2"]

    /// Made once; a mistake in the making is found by `everyImageHasAllItsLinks`.
    private static let links = legacy.flatMap { (try? Anatomy($0).legacyLinks()) ?? [] } + bundles.flatMap { (try? Anatomy($0).bundleLinks()) ?? [] }

    private static let verifiers = Dictionary(
        uniqueKeysWithValues: (legacy + bundles).compactMap { name -> (String, ImageSignatures)? in
            guard let image = FixtureCase.images.first(where: { $0.name == name }), let verifier = try? image.verifier(),
                let policy = try? image.policy()
            else { return nil }
            return (name, ImageSignatures(verifier, policy))
        })

    /// Why the image is refused with other bytes in the link's place; `nil` when it is accepted.
    private func refusal(_ link: Link, _ bytes: [UInt8]) async throws -> Refusal? {
        let signatures = try #require(Self.verifiers[link.image.name])
        let digest = try #require(link.digest?(bytes) ?? link.image.text("image_digest"))
        do {
            _ = try await signatures.verify(digest: digest, in: try link.rebuilt(bytes), now: .fixtures)
            return nil
        } catch let refusal as Refusal {
            return refusal
        }
    }

    @Test func everyImageHasAllItsLinks() throws {
        let counts = Dictionary(grouping: Self.links, by: \.image.name).mapValues(\.count)
        for name in Self.legacy { #expect(counts[name] == (try Anatomy(name).legacyLinks().count)) }
        for name in Self.bundles { #expect(counts[name] == (try Anatomy(name).bundleLinks().count)) }
        #expect(Self.links.allSatisfy { !$0.bytes.isEmpty })
    }

    /// Otherwise the flips would prove nothing.
    @Test(arguments: links) fileprivate func putTogetherAgainUnchangedItIsAccepted(_ link: Link) async throws {
        #expect(try await refusal(link, link.bytes) == nil)
    }

    /// One bit of each byte, every eighth byte the same.
    @Test(arguments: links) fileprivate func aFlippedByteIsRefusedForItsLink(_ link: Link) async throws {
        for place in link.places {
            let bit: UInt8 = 1 << (place % 8)
            try await flip(link, place, bit)
        }
        // What is excepted is no mere guess.
        for (place, bits) in link.exceptions {
            for bit in (0..<8).map({ UInt8(1) << $0 }) where bits & bit != 0 { try await flip(link, place, bit) }
        }
    }

    private func flip(_ link: Link, _ place: Int, _ bit: UInt8) async throws {
        var bytes = link.bytes
        bytes[place] ^= bit
        let refusal = try await refusal(link, bytes)
        guard link.exceptions[place, default: 0] & bit == 0 else {
            #expect(refusal == nil, "\(link.testDescription): bit \(bit) of byte \(place) should say nothing")
            return
        }
        guard let refusal else {
            Issue.record("\(link.testDescription): accepted with bit \(bit) of byte \(place) of \(bytes.count) flipped")
            return
        }
        #expect(
            link.codes.contains(refusal.code),
            "\(link.testDescription): byte \(place), bit \(bit): \(refusal.code.rawValue): \(refusal.message)")
    }
}
