import Testing

@testable import Sigstore

/// Ed25519 and Ed25519ph, of which a log tells which it is.
@Suite struct SignedThingTests {
    /// RFC 8032 §7.3, TEST abc.
    static let message = Array("abc".utf8)
    static let point = "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"
    static let prehashed =
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        + "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    static let seed = "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"

    static func key() throws -> PublicKey { try PublicKey(spki: try #require(Hexadecimal.bytes("302a300506032b6570032100" + point))) }

    private func code(
        _ signature: [UInt8], _ algorithm: PublicKey.HashAlgorithm, _ bytes: [UInt8] = message, of content: SignedContent? = nil,
        isLogged: Bool = true
    ) throws -> Refusal.Code? {
        let log = try MadeLog(from: "2025-01-01T00:00:00Z")
        let signed = MadeSignature(of: bytes, by: try Self.key(), signature, algorithm)
        do {
            _ = try signed.verify(isLogged ? [log.entry(signed.body)] : [], of: content, by: MadeLog.root([log]), now: .fixtures)
            return nil
        } catch let refusal as Refusal { return refusal.code }
    }

    @Test func aDigestInSHA512IsSignedByEd25519ph() throws {
        let signature = try #require(Hexadecimal.bytes(Self.prehashed))
        #expect(try code(signature, .sha512) == nil)
        #expect(try code(signature, .sha512, Array("abd".utf8)) == .signatureInvalid)
        #expect(try code(signature.dropLast() + [0], .sha512) == .signatureInvalid)
        // Another digest, or none, is no Ed25519ph.
        #expect(try code(signature, .sha256) == .signatureInvalid)
        #expect(try code(signature, .sha512, isLogged: false) == .signatureInvalid)
    }

    @Test func ed25519IsNoEd25519ph() throws {
        let key = try SigningKey(pkcs8: #require(Hexadecimal.bytes("302e020100300506032b657004220420" + Self.seed)))
        let signature = try key.sign(Self.message)
        #expect(try code(signature, .sha512) == .signatureInvalid)
        #expect(try code(signature, .sha512, isLogged: false) == nil)
    }

    /// libsodium hashes the bytes itself.
    @Test(arguments: [PublicKey.HashAlgorithm.sha256, .sha512]) func ed25519phNeedsTheFile(algorithm: PublicKey.HashAlgorithm) throws {
        let signature = try #require(Hexadecimal.bytes(Self.prehashed))
        let digest = SignedContent.message(.digest(algorithm.hash(Self.message), algorithm), nil)
        #expect(try code(signature, .sha512, of: digest) == .digestAlgorithmMismatch)
    }
}
