import Crypto
import Testing

@testable import Sigstore

/// Signatures over P-384, which Nettle verifies, made by swift-crypto, which has nothing to do with it.
@Suite struct P384Tests {
    private let key = P384.Signing.PrivateKey()
    private let message = Array("a message\n".utf8)

    private var publicKey: PublicKey { .p384(key.publicKey) }

    /// The order of the curve's group. Source: SEC 2, §2.5.1.
    private static let order =
        Hexadecimal.bytes(
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973") ?? []

    private func der(r: [UInt8], s: [UInt8]) throws -> [UInt8] { Array(try P384.Signing.ECDSASignature(rawRepresentation: r + s).derRepresentation) }

    @Test(arguments: PublicKey.HashAlgorithm.allCases) func signaturesOverEveryHashHold(_ hash: PublicKey.HashAlgorithm) throws {
        for _ in 0..<20 {
            let signature =
                switch hash {
                case .sha256: try key.signature(for: SHA256.hash(data: message))
                case .sha384: try key.signature(for: SHA384.hash(data: message))
                case .sha512: try key.signature(for: SHA512.hash(data: message))
                }
            let der = Array(signature.derRepresentation)
            #expect(publicKey.isSignature(der, over: message, hash: hash))
            #expect(!publicKey.isSignature(der, over: message + [0], hash: hash))
            for other in PublicKey.HashAlgorithm.allCases where other != hash { #expect(!publicKey.isSignature(der, over: message, hash: other)) }
            #expect(!PublicKey.p384(P384.Signing.PrivateKey().publicKey).isSignature(der, over: message, hash: hash))
        }
    }

    @Test func everyByteOfASignatureCounts() throws {
        let signature = Array(try key.signature(for: SHA384.hash(data: message)).rawRepresentation)
        for index in signature.indices {
            var other = signature
            other[index] ^= 1
            #expect(!publicKey.isSignature(try der(r: Array(other.prefix(48)), s: Array(other.suffix(48))), over: message, hash: .sha384))
        }
    }

    /// What a number out of range did to verifiers: CVE-2021-20305, CVE-2022-21449.
    @Test func numbersOutOfRangeSignNothing() throws {
        let signature = Array(try key.signature(for: SHA384.hash(data: message)).rawRepresentation)
        let (r, s) = (Array(signature.prefix(48)), Array(signature.suffix(48)))
        let zero = [UInt8](repeating: 0, count: 48)
        let (one, all) = (zero.dropLast() + [1], [UInt8](repeating: 0xFF, count: 48))
        for bad in [zero, Self.order, all] {
            #expect(!publicKey.isSignature(try der(r: bad, s: s), over: message, hash: .sha384))
            #expect(!publicKey.isSignature(try der(r: r, s: bad), over: message, hash: .sha384))
            #expect(!publicKey.isSignature(try der(r: bad, s: bad), over: message, hash: .sha384))
        }
        #expect(!publicKey.isSignature(try der(r: Array(one), s: Array(one)), over: message, hash: .sha384))
    }
}
