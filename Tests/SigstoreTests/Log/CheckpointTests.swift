import Testing

@testable import Sigstore

/// Signed notes as the public log wrote them, and damaged ones.
@Suite struct CheckpointTests {
    @Test(arguments: Fixture.names(in: "vectors/checkpoints")) func vector(_ name: String) throws {
        let bytes = try Fixture.bytes("vectors/checkpoints/" + name)
        guard name.hasPrefix("valid") else {
            #expect(throws: SignedNote.Malformed.self) { try Checkpoint(parsing: bytes) }
            return
        }
        let checkpoint = try Checkpoint(parsing: bytes)
        let log = try #require(try Fixture.trustedRoot().logs.first)
        try log.verify(checkpoint)
    }

    @Test func everyCutIsRefusedOrStillSigned() throws {
        let bytes = try Fixture.bytes("vectors/checkpoints/valid.txt")
        let log = try #require(try Fixture.trustedRoot().logs.first)
        for count in 0..<bytes.count {
            guard let checkpoint = try? Checkpoint(parsing: Array(bytes.prefix(count))) else { continue }
            #expect((try? log.verify(checkpoint)) == nil, "cut to \(count) bytes")
        }
    }

    /// To Swift's strings the sign of the kelvin is a K.
    @Test(arguments: [
        ("Kelvin - 1", "Kelvin", nil), ("Kelvin", "Kelvin", nil), ("Kelvin - 1", "\u{212A}elvin", Refusal.Code.checkpointUnsigned),
        ("Kelvin", "\u{212A}elvin", .checkpointUnsigned), ("Kelvins - 1", "Kelvin", .checkpointUnsigned),
    ]) func theNameInASignatureIsThatOfTheOrigin(_ origin: String, _ name: String, _ refusal: Refusal.Code?) throws {
        let key = SigningKey.generate()
        let id = PublicKey.HashAlgorithm.sha256.hash(key.publicKey.spki)
        let text = Array("\(origin)\n1\n\(Base64.text(MerkleTree.leafHash([])))\n".utf8)
        let checkpoint = try Checkpoint(parsing: SignedNote(signing: text, name: name, keyID: Array(id.prefix(4)), key: key).bytes)
        let log = TrustedRoot.Log(
            baseURL: "", id: id, checkpointKeyID: nil, key: key.publicKey, hash: .sha256, validity: Validity(start: Moment(milliseconds: 0)))
        do throws(Refusal) {
            try log.verify(checkpoint)
            #expect(refusal == nil)
        } catch { #expect(error.code == refusal) }
    }

    @Test func aLogsOwnCheckpointHasItsOrigin() throws {
        let key = SigningKey.generate()
        let (own, other) = (try LogSigner(name: "Kelvin", key: key), try LogSigner(name: "\u{212A}elvin", key: key))
        let root = MerkleTree.leafHash([])
        try own.verify(Checkpoint(parsing: own.checkpoint(size: 1, root: root)))
        let refusal = #expect(throws: Refusal.self) { try own.verify(Checkpoint(parsing: other.checkpoint(size: 1, root: root))) }
        #expect(refusal?.code == .checkpointUnsigned)
    }

    @Test(arguments: [
        "a\n01\nAAAA\n\n— a AAAAAAAA\n", "a\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAAA\n",
        "a\r\n1\r\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n\r\n— a AAAAAAAA\r\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAAA\n",
        "a\n99999999999999999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— a AAAAAAAA\n", "", "\n", "\n\n", "a",
    ]) func malformed(_ text: String) {
        #expect(throws: SignedNote.Malformed.self) { try Checkpoint(parsing: Array(text.utf8)) }
    }
}
