import Foundation
import JSON

@testable import Sigstore

/// A parser of bytes from outside, and files that it reads when they are whole.
struct FuzzTarget: Sendable, CustomStringConvertible {
    let name: String
    let mutator: Mutator
    /// The longest that a file may take, in seconds; a key under a password is slow to open on purpose.
    var secondsMax = 1
    /// Reads damaged bytes; most are refused. What is read must hold together: otherwise says what does not.
    let complaint: @Sendable ([UInt8]) async -> String?

    var description: String { name }

    init(
        _ name: String, _ format: Mutator.Format, _ corpus: [[UInt8]], secondsMax: Int = 1,
        _ complaint: @escaping @Sendable ([UInt8]) async -> String?
    ) {
        self.name = name
        mutator = Mutator(format, corpus)
        self.secondsMax = secondsMax
        self.complaint = complaint
    }

    static let all: [FuzzTarget] = documents + certificates + logs + keys + images
}

/// The files of the fixtures, by what they are.
enum FuzzCorpus {
    static let bundleFiles = files("bundles", ending: "bundle.sigstore.json")
    static let bundles = bundleFiles.compactMap { try? Sigstore.Bundle(parsing: $0) }
    static let entries = bundles.flatMap(\.logEntries)
    static let envelopes = bundles.compactMap { bundle in if case .envelope(let envelope) = bundle.content { envelope } else { nil } }
    static let certificates =
        unique(bundles.flatMap { bundle in if case .certificates(let chain) = bundle.material { chain } else { [[UInt8]]() } })
        + files("vectors/ct", ending: ".pem").compactMap { try? PEM.all(in: String(decoding: $0, as: UTF8.self)).first?.bytes }
    static let timestamps = unique(bundles.flatMap(\.timestamps) + files("vectors/tsa", ending: ".tsr") + files("made/tsa", ending: ".tsr"))
    static let checkpoints =
        unique(entries.compactMap { $0.inclusionProof?.checkpoint }.filter { !$0.isEmpty }) + files("vectors/checkpoints", ending: ".txt")
    static let roots = files("trusted-roots", ending: ".json")
    static let publicKeys = unique(files("bundles", ending: "key.pub") + files("vectors/rekor", ending: ".pub"))
    static let privateKeys = files("vectors/keys", ending: "_private.key").filter { !String(decoding: $0, as: UTF8.self).contains("ENCRYPTED") }
    /// Manifests and indices.
    static let manifests = blobs.filter { $0.first == UInt8(ascii: "{") && isJSON($0, with: "schemaVersion") }
    static let payloads = blobs.filter { $0.first == UInt8(ascii: "{") && isJSON($0, with: "critical") }
    private static let blobs = unique(files("oci", ending: "").filter { $0.count < 64 << 10 })

    /// Files below a folder of the fixtures, in the order of their paths.
    static func files(_ folder: String, ending: String) -> [[UInt8]] {
        let paths = FileManager.default.enumerator(atPath: Fixture.path(folder))?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix(ending) }.sorted().compactMap { try? Fixture.bytes(folder + "/" + $0) }
    }

    static func unique(_ files: [[UInt8]]) -> [[UInt8]] {
        var known: Set<[UInt8]> = []
        return files.filter { known.insert($0).inserted }
    }

    private static func isJSON(_ bytes: [UInt8], with member: String) -> Bool { (try? JSONValue(parsing: bytes))?[member] != nil }
}

extension FuzzTarget {
    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static let configuration = Array(
        #"""
        {"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls":[{"url":"https://ca.example","majorApiVersion":1,"validFor":{"start":"2022-04-13T20:06:15Z"},"operator":"a"}],
        "rekorTlogUrls":[{"url":"https://log.example","majorApiVersion":2,"validFor":{"start":"2025-01-01T00:00:00Z","end":"2027-01-01T00:00:00Z"}}],
        "rekorTlogConfig":{"selector":"EXACT","count":1},
        "tsaUrls":[{"url":"https://clock.example","majorApiVersion":1,"validFor":{"start":"2025-01-01T00:00:00.5Z"}}],
        "tsaConfig":{"selector":"ANY"}}
        """#.utf8)

    // MARK: Documents

    private static let documents: [FuzzTarget] = [
        FuzzTarget("JSONValue and CanonicalJSON.bytes", .json, FuzzCorpus.files("vectors/jcs", ending: ".json") + FuzzCorpus.manifests) { bytes in
            guard let value = try? JSONValue(parsing: bytes) else { return nil }
            guard (try? JSONValue(parsing: value.bytes)) == value else { return "what is written is not what was read" }
            guard let canonical = try? CanonicalJSON.bytes(value) else { return nil }
            let again = (try? JSONValue(parsing: canonical)).flatMap { try? CanonicalJSON.bytes($0) }
            return again == canonical ? nil : "the canonical text of a canonical text is another"
        },
        FuzzTarget("Bundle(parsing:)", .json, FuzzCorpus.bundleFiles) { bytes in
            guard let bundle = try? Sigstore.Bundle(parsing: bytes), bundle.version == .v0_3 else { return nil }
            let again = try? Sigstore.Bundle(parsing: JSONValue.object(bundle.json).bytes)
            return again == bundle ? nil : "what is written is not what was read"
        },
        FuzzTarget("TrustedRoot(parsing:)", .json, FuzzCorpus.roots) { bytes in
            if let root = try? TrustedRoot(parsing: bytes) { _ = try? Verifier(root) }
            return nil
        },
        FuzzTarget("SigningConfiguration(parsing:)", .json, [configuration]) { bytes in
            guard let configuration = try? SigningConfiguration(parsing: bytes) else { return nil }
            _ = (configuration.authority(at: .fixtures), configuration.logs(at: .fixtures), configuration.clocks(at: .fixtures))
            return nil
        },
        FuzzTarget("InTotoStatement(parsing:)", .json, FuzzCorpus.unique(FuzzCorpus.envelopes.map(\.payload))) { bytes in
            guard let statement = try? InTotoStatement(parsing: bytes) else { return nil }
            return statement.subjects.isEmpty || statement.predicateType.isEmpty ? "a statement says nothing" : nil
        },
        FuzzTarget("SimpleSigning(parsing:)", .json, FuzzCorpus.payloads) { bytes in
            guard let payload = try? SimpleSigning(parsing: bytes) else { return nil }
            let written = SimpleSigning.payload(reference: payload.reference, digest: payload.digest)
            return (try? SimpleSigning(parsing: written)) == payload ? nil : "what is written is not what was read"
        },
    ]

    // MARK: Certificates and time stamps

    private static let promises = FuzzCorpus.unique(
        FuzzCorpus.certificates.compactMap { (try? SigningCertificate(der: $0))?.promises.map(Array.init) })

    private static let authorities = FuzzCorpus.roots.compactMap { try? TrustedRoot(parsing: $0) }.flatMap(\.timestampAuthorities)
        .compactMap { try? TimestampAuthority($0) }

    private static let certificates: [FuzzTarget] = [
        FuzzTarget("SigningCertificate(der:)", .der, FuzzCorpus.certificates) { bytes in
            guard let certificate = try? SigningCertificate(der: bytes) else { return nil }
            try? certificate.requirePurpose(needsCodeSigning: true)
            _ = try? SignedCertificateTimestamp.withoutPromises(certificate.signedPart)
            for promise in certificate.promises.flatMap({ try? SignedCertificateTimestamp.all(in: $0) }) ?? [] {
                _ = try? promise.signedBytes(of: certificate.signedPart, issuerKeyHash: [UInt8](repeating: 0, count: 32))
            }
            return certificate.der == bytes ? nil : "the certificate's bytes are not those that were read"
        },
        FuzzTarget("SignedCertificateTimestamp.all(in:)", .der, promises) { bytes in
            let promises = (try? SignedCertificateTimestamp.all(in: bytes[...])) ?? []
            return promises.allSatisfy { $0.logID.count == 32 && $0.time.milliseconds >= 0 } ? nil : "a promise has an impossible log or time"
        },
        FuzzTarget("TimestampToken(parsing:)", .der, FuzzCorpus.timestamps) { bytes in
            guard let token = try? TimestampToken(parsing: bytes) else { return nil }
            _ = try? token.verify(over: Array("test\n".utf8), by: authorities)
            return nil
        },
    ]

    // MARK: Logs

    private static let kinds = [("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2"), ("dsse", "0.0.1"), ("intoto", "0.0.2")]

    private static let answersV2 = FuzzCorpus.bundleFiles.compactMap { try? JSONValue(parsing: $0) }
        .compactMap { try? $0.at(["verificationMaterial", "tlogEntries", "0"]).bytes }

    private static let logs: [FuzzTarget] = [
        FuzzTarget("Checkpoint(parsing:)", .text, FuzzCorpus.checkpoints) { bytes in
            if let note = try? SignedNote(parsing: bytes) {
                guard (try? SignedNote(parsing: note.bytes)) == note else { return "a note that is written is not what was read" }
            }
            guard let checkpoint = try? Checkpoint(parsing: bytes) else { return nil }
            return checkpoint.size >= 0 && checkpoint.root.count == MerkleTree.hashBytes ? nil : "a checkpoint has an impossible size or root"
        },
        FuzzTarget("RekorDocuments.entry(answer:)", .json, FuzzCorpus.files("vectors/rekor", ending: ".json")) { bytes in
            guard let entry = try? RekorDocuments.entry(answer: bytes) else { return nil }
            return entry.logIndex >= 0 && entry.integratedTime >= 0 ? nil : "an entry has an impossible place or time"
        },
        FuzzTarget("RekorDocuments.entryV2(answer:)", .json, answersV2) { bytes in
            guard let entry = try? RekorDocuments.entryV2(answer: bytes) else { return nil }
            return (try? RekorDocuments.entryV2(answer: JSONValue.object(entry.json).bytes)) == entry ? nil : "what is written is not what was read"
        },
        FuzzTarget("LogEntryBody", .json, FuzzCorpus.unique(FuzzCorpus.entries.map(\.canonicalizedBody))) { bytes in
            for (kind, version) in kinds {
                let entry = Sigstore.Bundle.LogEntry(
                    logIndex: 0, logID: [], kind: kind, kindVersion: version, integratedTime: 0, signedEntryTimestamp: nil, inclusionProof: nil,
                    canonicalizedBody: bytes)
                guard let body = try? LogEntryBody(entry), let first = body.signatures.first else { continue }
                try? body.require(first.bytes, signer: first.signer, .message(.bytes([]), nil))
            }
            return nil
        },
        FuzzTarget("ProposedEntry", .json, FuzzCorpus.unique(FuzzCorpus.entries.map(\.canonicalizedBody))) { bytes in
            if let object = (try? JSONValue(parsing: bytes))?.object { _ = try? ProposedEntry(object) }
            return nil
        },
        FuzzTarget("LogEntryBundle and LogTile", .text, tiles) { bytes in
            if let hashes = LogTile.hashes(bytes), Array(hashes.joined()) != bytes { return "a tile's hashes are not its bytes" }
            guard let entries = LogEntryBundle.entries(bytes) else { return nil }
            return LogEntryBundle.bytes(entries) == bytes ? nil : "what is written is not what was read"
        },
        FuzzTarget("LogTilePath", .text, ["0/000", "1/x001/x234/067", "entries/x001/000.p/12"].map { Array($0.utf8) }) { bytes in
            guard let path = LogTilePath(text(bytes)) else { return nil }
            return path.text == text(bytes) ? nil : "one tile has two paths"
        },
    ]

    private static let tiles = [LogEntryBundle.bytes(FuzzCorpus.entries.prefix(8).map(\.canonicalizedBody)) ?? [], [UInt8](repeating: 7, count: 256)]

    // MARK: Keys

    /// Whole but for one thing that is looked at before anything is derived, so that damage seldom has to wait for that.
    private static let boxes: [[UInt8]] = FuzzCorpus.files("vectors/keys", ending: "_encrypted_private.key").flatMap { file -> [[UInt8]] in
        guard let pem = try? PEM.all(in: text(file)).first, let box = try? JSONValue(parsing: pem.bytes) else { return [] }
        let short = JSONValue.string(Base64.text([1, 2, 3]))
        let changes: [([String], JSONValue)] = [
            (["kdf", "params", "N"], 16384), (["kdf", "salt"], short), (["cipher", "nonce"], short), (["ciphertext"], short),
        ]
        return changes.compactMap { try? box.setting($0.0, to: $0.1).bytes }
    }

    private static func open(_ pem: String) { _ = try? EncryptedKey.open(pem, password: Array("123".utf8)) }

    private static func sealed(_ box: [UInt8]) -> String { PEM(label: "ENCRYPTED SIGSTORE PRIVATE KEY", bytes: box).text }

    private static let keys: [FuzzTarget] = [
        FuzzTarget("PEM.all(in:)", .pem, FuzzCorpus.publicKeys + FuzzCorpus.privateKeys + FuzzCorpus.files("oci", ending: ".pem")) { bytes in
            guard let documents = try? PEM.all(in: text(bytes)) else { return nil }
            let again = try? PEM.all(in: documents.map(\.text).joined())
            return again == documents ? nil : "what is written is not what was read"
        },
        FuzzTarget("PublicKey(pem:)", .pem, FuzzCorpus.publicKeys) { bytes in
            guard let key = try? PublicKey(pem: text(bytes)) else { return nil }
            _ = key.isSignature([0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01], over: [], hash: .sha256)
            return (try? PublicKey(spki: key.spki))?.spki == key.spki ? nil : "what is written is not what was read"
        },
        FuzzTarget("PublicKey(spki:)", .der, FuzzCorpus.publicKeys.compactMap { try? PEM.all(in: text($0)).first?.bytes }) { bytes in
            guard let key = try? PublicKey(spki: bytes) else { return nil }
            return (try? PublicKey(spki: key.spki))?.spki == key.spki ? nil : "what is written is not what was read"
        },
        FuzzTarget("SigningKey(pem:)", .pem, FuzzCorpus.privateKeys) { bytes in
            guard let key = try? SigningKey(pem: text(bytes)) else { return nil }
            guard let signature = try? key.sign([1]) else { return "a key that was read does not sign" }
            let isSigned = key.publicKey.isSignature(signature, over: [1], hash: key.publicKey.usualHash)
            return isSigned && (try? SigningKey(pem: key.pem))?.pem == key.pem ? nil : "a key that was read is not its own"
        },
        // Chosen: 128 MiB and half a second of scrypt, on a machine that has more to do.
        FuzzTarget("EncryptedKey.open, its document", .json, boxes, secondsMax: 5) { bytes in
            open(sealed(bytes))
            return nil
        },
        FuzzTarget("EncryptedKey.open, its text", .text, boxes.map { Array(sealed($0).utf8) }, secondsMax: 5) { bytes in
            open(text(bytes))
            return nil
        },
    ]

    // MARK: Images

    /// An image of the fixtures whose signature is damaged.
    private struct SignedImage: Sendable {
        let stored: StoredImage
        let digest: String
        /// What is signed: a payload, or the bundle that holds it.
        let original: [UInt8]
        let signatures: ImageSignatures

        init(_ name: String) throws {
            guard let image = FixtureCase.images.first(where: { $0.name == name }), let digest = image.text("image_digest") else {
                throw NoSuchPlace(path: [name])
            }
            stored = try StoredImage(layout: image.text("layout") ?? "")
            self.digest = digest
            let bundle = stored.blobs.values.max { $0.count < $1.count } ?? []
            original = stored.blobs.values.first { (try? SimpleSigning(parsing: $0)) != nil } ?? bundle
            signatures = ImageSignatures(try image.verifier(), try image.policy())
        }

        /// What is wrong with an accepted signature; nobody has signed anything but the original.
        func complaint(_ changed: StoredImage, isWhole: Bool) async -> String? {
            guard let accepted = try? await signatures.verify(digest: digest, in: changed, now: .fixtures) else {
                return isWhole ? "the whole image is refused" : nil
            }
            switch accepted.layout {
            case .legacy: return accepted.content == original ? nil : "another payload is accepted"
            case .bundle:
                guard let old = try? Sigstore.Bundle(parsing: original), let new = try? Sigstore.Bundle(parsing: accepted.content),
                    case .envelope(let was) = old.content, case .envelope(let now) = new.content
                else { return "something is accepted that is no signature" }
                return was.payload == now.payload && was.payloadType == now.payloadType && was.signatures.map(\.bytes) == now.signatures.map(\.bytes)
                    ? nil : "another document or signature is accepted"
            }
        }
    }

    private static let legacy = try? SignedImage("gen-legacy-keyless")
    private static let bundled = ["gen-bundle-referrer-v1", "gen-bundle-keyed", "gen-bundle-referrer-v2"].compactMap { try? SignedImage($0) }

    private static let legacyManifests = [legacy].compactMap { image in
        image.flatMap { $0.stored.manifest(tag: ImageSignatureDocuments.legacyTag(of: $0.digest)) }
    }

    private static let bundledDocuments = bundled.flatMap { image in
        [image.original] + image.stored.blobs.values.filter { (try? JSONValue(parsing: $0))?["subject"] != nil }
    }

    private static let images: [FuzzTarget] = [
        FuzzTarget("Referrer.all(in:)", .json, FuzzCorpus.manifests) { bytes in
            guard let all = try? Referrer.all(in: bytes) else { return nil }
            return all.count <= Referrer.countMax ? nil : "there are too many referrers"
        },
        FuzzTarget("ImageSignatures, a manifest of the older layout", .json, legacyManifests) { bytes in
            guard let image = legacy else { return "the image cannot be read" }
            var changed = image.stored
            changed.tags[ImageSignatureDocuments.legacyTag(of: image.digest)] = changed.store(bytes)
            return await image.complaint(changed, isWhole: legacyManifests.contains(bytes))
        },
        FuzzTarget("ImageSignatures, a bundle or its manifest", .json, bundledDocuments) { bytes in
            for image in bundled {
                if let complaint = await image.complaint(with(bytes, beside: image), isWhole: bytes == image.original) { return complaint }
            }
            return nil
        },
    ]

    /// An image with other bytes in the place of its bundle, and of the manifest of that.
    private static func with(_ bytes: [UInt8], beside image: SignedImage) -> StoredImage {
        var changed = image.stored
        let bundle: JSONValue = [
            "mediaType": .string(Sigstore.Bundle.mediaType), "digest": .string(changed.store(bytes)), "size": .int(bytes.count),
        ]
        let manifest: JSONValue = ["layers": [bundle], "subject": ["digest": .string(image.digest)]]
        let index: JSONValue = [
            "manifests": [["digest": .string(changed.store(manifest.bytes))], ["digest": .string(StoredImage.digest(bytes))]]
        ]
        changed.tags[ImageSignatures.tag(of: image.digest)] = changed.store(index.bytes)
        return changed
    }
}
