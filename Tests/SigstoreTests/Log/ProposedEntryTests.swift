import JSON
import Testing

@testable import Sigstore

/// A key from a fixed seed. Source: RFC 8410 §7, the form without a public key.
private func ed25519() throws -> SigningKey {
    let prefix: [UInt8] = [0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]
    return try SigningKey(pkcs8: prefix + Array(repeating: 7, count: 32))
}

@Suite struct ProposedEntryTests {
    private typealias Code = ProposedEntry.Refused.Code

    private static let digest = PublicKey.HashAlgorithm.sha256.hash(Array("artifact".utf8))

    private static func pem(_ key: SigningKey) -> String { PEM(label: "PUBLIC KEY", bytes: key.publicKey.spki).text }

    private static func hashedRekord(
        algorithm: String = "sha256", digest: String = Hexadecimal.text(digest), signature: [UInt8], key: String, version: String = "0.0.1",
        kind: String = "hashedrekord"
    ) -> JSONObject {
        [
            "apiVersion": .string(version), "kind": .string(kind),
            "spec": [
                "data": ["hash": ["algorithm": .string(algorithm), "value": .string(digest)]],
                "signature": ["content": .string(Base64.text(signature)), "publicKey": ["content": .string(Base64.text(Array(key.utf8)))]],
            ],
        ]
    }

    private static func envelope(_ payload: String, type: String = "text/plain", _ signers: [SigningKey]) throws -> String {
        let unsigned = DSSEEnvelope(payload: Array(payload.utf8), payloadType: type, signatures: [])
        let signatures = try signers.map { key -> JSONValue in ["sig": .string(Base64.text(try key.sign(unsigned.signedBytes))), "keyid": ""] }
        return JSONValue.object([
            "payload": .string(Base64.text(unsigned.payload)), "payloadType": .string(type), "signatures": .array(signatures),
        ]).text
    }

    private static func dsse(_ envelope: String, _ keys: [SigningKey]) -> JSONObject {
        [
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": [
                "proposedContent": [
                    "envelope": .string(envelope), "verifiers": .array(keys.map { .string(Base64.text(Array(pem($0).utf8))) }),
                ]
            ],
        ]
    }

    private func refusal(_ object: JSONObject) -> ProposedEntry.Refused.Code? {
        do throws(ProposedEntry.Refused) {
            _ = try ProposedEntry(object)
            return nil
        } catch { return error.code }
    }

    // MARK: What the public log made of it

    /// Entries of the public log and of sigstore-python's signing: proposed again, each comes out byte for byte.
    @Test(arguments: ["happy-path-v0.3", "managed-key-happy-path", "client-rekor-v1"]) func aHashedRekordIsKeptAsRekorKeepsIt(name: String) throws {
        let bundle = try Bundle(parsing: try Fixture.bytes("bundles/\(name)/bundle.sigstore.json"))
        let body = try #require(bundle.logEntries.first?.canonicalizedBody)
        let proposed = try ProposedEntry(try #require(try JSONValue(parsing: body).object))
        #expect(proposed.body == body)
        let digest = try #require(try JSONValue(parsing: body)["spec"]?["data"]?["hash"]?["value"]?.string)
        #expect(proposed.digests == ["sha256:\(digest)"])
    }

    /// The hash over the envelope as it was sent cannot be made again; everything else can.
    @Test(arguments: ["happy-path-intoto-in-dsse-v3", "client-dsse-rekor-v1"]) func anEnvelopeIsKeptAsRekorKeepsIt(name: String) throws {
        let document = try Fixture.json("bundles/\(name)/bundle.sigstore.json")
        let bundle = try Bundle(parsing: document.bytes)
        let body = try JSONValue(parsing: try #require(bundle.logEntries.first?.canonicalizedBody))
        let certificate = try #require({ if case .certificates(let chain) = bundle.material { chain.first } else { nil } }())
        let verifier = Base64.text(Array(PEM(label: "CERTIFICATE", bytes: certificate).text.utf8))
        let envelope = try #require(document["dsseEnvelope"])
        let proposed = try ProposedEntry([
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": ["proposedContent": ["envelope": .string(envelope.text), "verifiers": [.string(verifier)]]],
        ])
        let own = try JSONValue(parsing: proposed.body)
        #expect(own["spec"]?["payloadHash"] == body["spec"]?["payloadHash"])
        #expect(own["spec"]?["signatures"] == body["spec"]?["signatures"])
        #expect(proposed.digests.count >= 3, "payload, envelope, and a subject")
    }

    // MARK: Good ones

    @Test func formsThatMeanTheSameAreOneEntry() throws {
        let key = SigningKey.generate()
        let signature = try key.sign(Array("artifact".utf8))
        let usual = try ProposedEntry(Self.hashedRekord(signature: signature, key: Self.pem(key)))
        let text = "made by us\n" + Self.pem(key).split(separator: "\n").joined(separator: "\r\n") + "\n\n"
        var other = Self.hashedRekord(digest: Hexadecimal.text(Self.digest).uppercased(), signature: signature, key: text)
        other["more"] = ["is": "passed over"]
        #expect(try ProposedEntry(other) == usual)
    }

    @Test(arguments: [1, 2, 8]) func anEnvelopeWithItsKeys(count: Int) throws {
        let keys = (0..<count).map { _ in SigningKey.generate() }
        let proposed = try ProposedEntry(Self.dsse(try Self.envelope("hello", keys), keys.reversed()))
        let spec = try JSONValue(parsing: proposed.body)["spec"]
        let signatures = (spec?["signatures"]?.array ?? []).compactMap { $0["signature"]?.string }
        #expect(signatures == signatures.sorted() && signatures.count == count)
    }

    @Test func anEd25519KeySignsEnvelopes() throws {
        let key = try ed25519()
        #expect(refusal(Self.dsse(try Self.envelope("hello", [key]), [key])) == nil)
        #expect(refusal(Self.hashedRekord(signature: try key.sign(Self.digest), key: Self.pem(key))) == .keyNeedsContent)
    }

    @Test func aStatementIsFoundByItsSubjects() throws {
        let key = SigningKey.generate()
        let digest = Hexadecimal.text(Self.digest)
        let statement =
            #"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"\#(digest)","md5":"00"}}],"#
            + #""predicateType":"https://example.com/p","predicate":{}}"#
        let proposed = try ProposedEntry(Self.dsse(try Self.envelope(statement, type: DSSEEnvelope.inTotoType, [key]), [key]))
        #expect(proposed.digests.count == 3 && proposed.digests.last == "sha256:\(digest)")
    }

    // MARK: Bad ones

    @Test func aSignatureOverSomethingElse() throws {
        let key = SigningKey.generate()
        let other = Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(Array("other".utf8)))
        let signature = try key.sign(Array("artifact".utf8))
        #expect(refusal(Self.hashedRekord(signature: signature, key: Self.pem(key))) == nil)
        #expect(refusal(Self.hashedRekord(digest: other, signature: signature, key: Self.pem(key))) == .signatureInvalid)
        #expect(refusal(Self.hashedRekord(signature: signature, key: Self.pem(.generate()))) == .signatureInvalid)
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(refusal(Self.hashedRekord(signature: changed, key: Self.pem(key))) == .signatureInvalid)
        }
    }

    @Test func keysThatAreNone() throws {
        let key = SigningKey.generate()
        let (signature, pem) = (try key.sign(Array("artifact".utf8)), Self.pem(key))
        for text in [
            "garbage", pem + pem, pem.replacing("PUBLIC KEY", with: "PRIVATE KEY"), pem.replacing("PUBLIC KEY", with: "CERTIFICATE"),
            key.pem, "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ] {
            #expect(refusal(Self.hashedRekord(signature: signature, key: text)) == .keyMalformed)
        }
    }

    @Test(arguments: [
        ("md5", String(repeating: "0", count: 32)), ("sha256", ""), ("sha256", "abc"), ("sha256", String(repeating: "g", count: 64)),
        ("sha512", String(repeating: "0", count: 64)), ("SHA256", String(repeating: "0", count: 64)), ("sha256", String(repeating: "0", count: 66)),
    ]) func digestsThatAreNone(algorithm: String, digest: String) throws {
        let key = SigningKey.generate()
        let found = refusal(
            Self.hashedRekord(algorithm: algorithm, digest: digest, signature: try key.sign(Self.digest), key: Self.pem(key)))
        #expect(found == (digest.isEmpty ? .malformed : .digestMalformed))
    }

    @Test(arguments: [
        ("hashedrekord", "0.0.2"), ("intoto", "0.0.2"), ("rekord", "0.0.1"), ("dsse", "0.0.2"), ("", "0.0.1"), ("Hashedrekord", "0.0.1"),
    ]) func unknownKinds(kind: String, version: String) throws {
        let key = SigningKey.generate()
        let object = Self.hashedRekord(signature: try key.sign(Self.digest), key: Self.pem(key), version: version, kind: kind)
        #expect(refusal(object) == (kind.isEmpty ? .malformed : .unknownKind))
    }

    @Test(arguments: [
        #"{}"#, #"{"kind":"dsse","apiVersion":"0.0.1"}"#, #"{"kind":"dsse","apiVersion":"0.0.1","spec":[]}"#, #"{"kind":1,"apiVersion":"0.0.1"}"#,
        #"{"kind":"dsse","apiVersion":"0.0.1","spec":{"proposedContent":{"envelope":"nothing","verifiers":[]}}}"#,
        #"{"kind":"dsse","apiVersion":"0.0.1","spec":{"proposedContent":{"envelope":"{}","verifiers":[]}}}"#,
        #"{"kind":"dsse","apiVersion":"0.0.1","spec":{"proposedContent":{"envelope":{},"verifiers":[]}}}"#,
        #"{"kind":"hashedrekord","apiVersion":"0.0.1","spec":{"data":{"hash":{"algorithm":"sha256","value":"00"}},"signature":{"content":"?"}}}"#,
    ]) func malformed(text: String) throws { #expect(refusal(try #require(try JSONValue(parsing: text).object)) == .malformed) }

    @Test func envelopesAndKeysThatDoNotFit() throws {
        let (key, other) = (SigningKey.generate(), SigningKey.generate())
        let envelope = try Self.envelope("hello", [key])
        #expect(refusal(Self.dsse(envelope, [other])) == .verifierMissing)
        #expect(refusal(Self.dsse(envelope, [])) == .verifierMissing)
        #expect(refusal(Self.dsse(envelope, [key, other])) == .verifierUnused)
        #expect(refusal(Self.dsse(try Self.envelope("hello", [key, other]), [key])) == .verifierMissing)
        #expect(refusal(Self.dsse(envelope.replacing("aGVsbG8=", with: "aGVsbGo="), [key])) == .verifierMissing)
        let many = (0..<9).map { _ in SigningKey.generate() }
        #expect(refusal(Self.dsse(try Self.envelope("hello", many), many)) == .malformed)
    }
}

@Suite struct LogSignerTests {
    @Test func whatTheLogSignsItsTrustedRootVerifies() throws {
        let signer = try LogSigner(name: "archipelago", key: .generate())
        let root = try TrustedRoot(
            parsing: JSONValue.object(TrustedRoot.document(of: signer, baseURL: "http://localhost/rekor", start: "2026-01-01T00:00:00.000Z")).bytes)
        let log = try #require(root.logs.first)
        #expect(log.id == signer.id && log.baseURL == "http://localhost/rekor" && root.certificateAuthorities.isEmpty)
        let time = 1_767_225_600
        let body = Array("entry".utf8)
        let (leaf, neighbour) = (MerkleTree.leafHash(body), MerkleTree.leafHash([]))
        let note = try signer.checkpoint(size: 2, root: MerkleTree.nodeHash(neighbour, leaf))
        let checkpoint = try Checkpoint(parsing: note)
        #expect(checkpoint.note.bytes == note)
        #expect(checkpoint.origin == "archipelago - \(signer.treeID)" && checkpoint.size == 2)
        #expect(checkpoint.note.signatures.map(\.keyID) == [Array(signer.id.prefix(4))])
        try log.verify(checkpoint)
        try signer.verify(checkpoint)
        let promise = try signer.promise(body: body, index: 1, integratedTime: time)
        #expect(signer.isPromise(promise, body: body, index: 1, integratedTime: time))
        #expect(!signer.isPromise(promise, body: body, index: 2, integratedTime: time))
        func entry(_ time: Int) -> Bundle.LogEntry {
            .init(
                logIndex: 1, logID: signer.id, kind: "hashedrekord", kindVersion: "0.0.1", integratedTime: time, signedEntryTimestamp: promise,
                inclusionProof: .init(logIndex: 1, rootHash: checkpoint.root, treeSize: 2, hashes: [neighbour], checkpoint: note),
                canonicalizedBody: body)
        }
        #expect(try log.verify(entry(time), .inclusion) == Moment(seconds: time))
        #expect(throws: Refusal.self) { try log.verify(entry(time + 1), .inclusion) }
    }

    @Test func anothersCheckpointIsRefused() throws {
        let (signer, other) = (try LogSigner(name: "a", key: .generate()), try LogSigner(name: "a", key: .generate()))
        let checkpoint = try Checkpoint(parsing: try other.checkpoint(size: 0, root: MerkleTree.emptyRoot))
        #expect(throws: Refusal.self) { try signer.verify(checkpoint) }
        #expect(signer.treeID > 0 && signer.treeID != other.treeID)
        #expect(signer.treeIDHexadecimal.count == 16 && Int(signer.treeIDHexadecimal, radix: 16) == signer.treeID)
    }

    @Test func keysOfOtherCurvesAreRefused() throws {
        #expect(throws: PublicKey.Unusable.self) { _ = try LogSigner(name: "a", key: ed25519()) }
    }
}
