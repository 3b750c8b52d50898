import CNettle
import CSodium
public import Crypto
import CryptoExtras

/// A key that verifies signatures.
public enum PublicKey: Sendable {
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
    case ed25519(Curve25519.Signing.PublicKey)
    case rsa(RSAPublicKey)

    /// Why a key cannot be used.
    public struct Unusable: Error, Sendable, Hashable {
        /// In words.
        public let message: String
    }

    /// An RSA key of at least 2048 bits.
    public struct RSAPublicKey: Sendable {
        let key: _RSA.Signing.PublicKey
    }

    /// The hash under a signature.
    public enum HashAlgorithm: String, Sendable, Hashable, CaseIterable {
        case sha256, sha384, sha512

        /// Bytes of a hash.
        public var byteCount: Int {
            switch self {
            case .sha256: SHA256Digest.byteCount
            case .sha384: SHA384Digest.byteCount
            case .sha512: SHA512Digest.byteCount
            }
        }

        /// The hash of bytes.
        public func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
            switch self {
            case .sha256: Array(SHA256.hash(data: Array(bytes)))
            case .sha384: Array(SHA384.hash(data: Array(bytes)))
            case .sha512: Array(SHA512.hash(data: Array(bytes)))
            }
        }
    }

    /// Reads a key from its SubjectPublicKeyInfo in DER (RFC 5480, RFC 8410, RFC 3279).
    public init(spki: [UInt8]) throws(Unusable) {
        if let key = try? P256.Signing.PublicKey(derRepresentation: spki) {
            self = .p256(key)
        } else if let key = try? P384.Signing.PublicKey(derRepresentation: spki) {
            self = .p384(key)
        } else if let key = try? P521.Signing.PublicKey(derRepresentation: spki) {
            self = .p521(key)
        } else if spki.starts(with: Self.ed25519Prefix), spki.count == Self.ed25519Prefix.count + 32,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: spki.dropFirst(Self.ed25519Prefix.count))
        {
            self = .ed25519(key)
        } else if let key = try? _RSA.Signing.PublicKey(derRepresentation: spki) {
            self = .rsa(RSAPublicKey(key: key))
        } else {
            throw Unusable(message: "it is no P-256, P-384, P-521, Ed25519 or RSA key, or one that is too weak")
        }
    }

    /// A key in one of the forms that trusted roots have.
    enum Encoded {
        case spki([UInt8])
        /// RFC 8017 appendix A.1.1.
        case pkcs1RSA([UInt8])
    }

    init(_ encoded: Encoded) throws(Unusable) {
        switch encoded {
        case .spki(let bytes): try self.init(spki: bytes)
        case .pkcs1RSA(let bytes):
            guard let key = try? _RSA.Signing.PublicKey(derRepresentation: bytes) else {
                throw Unusable(message: "it is no RSA key, or one that is too weak")
            }
            self = .rsa(RSAPublicKey(key: key))
        }
    }

    /// SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }. Source: RFC 8410 §4.
    private static let ed25519Prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

    /// Reads a key from a PEM document of the type `PUBLIC KEY`, or for RSA also `RSA PUBLIC KEY`.
    public init(pem: String) throws(Unusable) {
        guard let document = try? PEM.only(in: pem, labels: ["PUBLIC KEY", Self.pkcs1Label]) else {
            throw Unusable(message: "it is no PEM document of a public key")
        }
        try self.init(document.label == Self.pkcs1Label ? .pkcs1RSA(document.bytes) : .spki(document.bytes))
    }

    /// Source: RFC 7468 §13 leaves it out; OpenSSL and Go write it for RFC 8017's RSAPublicKey.
    private static let pkcs1Label = "RSA PUBLIC KEY"

    /// The SubjectPublicKeyInfo in DER.
    public var spki: [UInt8] {
        switch self {
        case .p256(let key): Array(key.derRepresentation)
        case .p384(let key): Array(key.derRepresentation)
        case .p521(let key): Array(key.derRepresentation)
        case .ed25519(let key): Self.ed25519Prefix + key.rawRepresentation
        case .rsa(let key): Array(key.key.derRepresentation)
        }
    }

    /// The hash that goes with a key where nothing says another: that of the curve's own strength. Source: FIPS 186-5, and cosign's choice.
    public var usualHash: HashAlgorithm {
        switch self {
        case .p256, .rsa: .sha256
        case .p384: .sha384
        case .p521, .ed25519: .sha512
        }
    }

    /// Whether a signature is this key's over bytes.
    ///
    /// - Parameter hash: under the signature; of no concern to Ed25519.
    public func isSignature(_ signature: [UInt8], over bytes: [UInt8], hash: HashAlgorithm) -> Bool {
        if case .ed25519(let key) = self { return key.isValidSignature(signature, for: bytes) }
        return isSignature(signature, overDigest: hash.hash(bytes), hash: hash)
    }

    /// Whether a signature is this key's over bytes by Ed25519ph, which signs their SHA-512 digest and is another scheme than Ed25519; `false`
    /// for every other kind of key.
    ///
    /// Source: RFC 8032 §5.1, with an empty context.
    public func isPrehashedSignature(_ signature: [UInt8], over bytes: [UInt8]) -> Bool {
        guard case .ed25519(let key) = self, signature.count == Int(crypto_sign_ed25519_BYTES), sodium_init() >= 0 else { return false }
        let point = Array(key.rawRepresentation)
        precondition(point.count == Int(crypto_sign_ed25519_PUBLICKEYBYTES), "an Ed25519 key has 32 bytes")
        var state = crypto_sign_ed25519ph_state()
        // Safety: the state lives for all three calls; they read the bytes that are counted here, keep no pointer, and hash `bytes` themselves.
        guard crypto_sign_ed25519ph_init(&state) == 0, crypto_sign_ed25519ph_update(&state, bytes, UInt64(bytes.count)) == 0 else { return false }
        return crypto_sign_ed25519ph_final_verify(&state, signature, point) == 0
    }

    /// Whether a signature is this key's over what has a digest; `false` for Ed25519, which signs bytes and not their digest.
    public func isSignature(_ signature: [UInt8], overDigest digest: [UInt8], hash: HashAlgorithm) -> Bool {
        switch hash {
        case .sha256: SHA256Digest(digest).map { isSignature(signature, over: $0) } ?? false
        case .sha384: SHA384Digest(digest).map { isSignature(signature, over: $0) } ?? false
        case .sha512: SHA512Digest(digest).map { isSignature(signature, over: $0) } ?? false
        }
    }

    private func isSignature(_ signature: [UInt8], over digest: some Digest) -> Bool {
        switch self {
        case .p256(let key): (try? P256.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) } ?? false
        case .p384(let key): (try? P384.Signing.ECDSASignature(derRepresentation: signature)).map { key.isNettlesSignature($0, for: digest) } ?? false
        case .p521(let key): (try? P521.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) } ?? false
        case .rsa(let key): key.key.isValidSignature(.init(rawRepresentation: signature), for: digest, padding: .insecurePKCS1v1_5)
        case .ed25519: false
        }
    }
}

extension P384.Signing.PublicKey {
    /// Whether a signature is this key's, by Nettle, which has code of its own for this curve and takes half the time.
    fileprivate func isNettlesSignature(_ signature: P384.Signing.ECDSASignature, for digest: some Digest) -> Bool {
        let (point, numbers, digest) = (Array(rawRepresentation), Array(signature.rawRepresentation), Array(digest))
        precondition(point.count == 2 * p384_bytes && numbers.count == 2 * p384_bytes, "P-384 has numbers of 48 bytes")
        // Safety: the function reads as many bytes as were just counted, and keeps no pointer.
        return p384_is_signature(point, numbers, digest, digest.count) == 1
    }
}

extension Digest {
    /// A digest of bytes that were hashed elsewhere; `nil` when they are not as many as this hash has.
    fileprivate init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        // Safety: a digest is its bytes and nothing else, and there are as many.
        self = bytes.withUnsafeBytes { $0.loadUnaligned(as: Self.self) }
    }
}
