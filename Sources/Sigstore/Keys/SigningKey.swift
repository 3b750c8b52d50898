public import Crypto
import SwiftASN1

/// A private key that makes signatures. Prints as `***`.
public enum SigningKey: Sendable {
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
    case ed25519(Curve25519.Signing.PrivateKey)

    /// The longest text or document a key is read from, in bytes. Chosen: the longest key, P-521, has 384 bytes as PEM; the rest is for attributes.
    static let bytesMax = 64 << 10

    /// A new key on P-256, as cosign makes them.
    public static func generate() -> SigningKey { .p256(P256.Signing.PrivateKey()) }

    /// The key that verifies what this one signs.
    public var publicKey: PublicKey {
        switch self {
        case .p256(let key): .p256(key.publicKey)
        case .p384(let key): .p384(key.publicKey)
        case .p521(let key): .p521(key.publicKey)
        case .ed25519(let key): .ed25519(key.publicKey)
        }
    }

    /// Signs bytes: ECDSA in DER over the hash that ``PublicKey/usualHash`` names, or Ed25519 over the bytes themselves (64 bytes).
    ///
    /// Two ECDSA signatures of the same bytes differ.
    ///
    /// - Throws: what the cryptographic library throws, for want of memory or randomness.
    public func sign(_ bytes: [UInt8]) throws -> [UInt8] {
        switch self {
        case .p256(let key): Array(try key.signature(for: SHA256.hash(data: bytes)).derRepresentation)
        case .p384(let key): Array(try key.signature(for: SHA384.hash(data: bytes)).derRepresentation)
        case .p521(let key): Array(try key.signature(for: SHA512.hash(data: bytes)).derRepresentation)
        case .ed25519(let key): Array(try key.signature(for: bytes))
        }
    }

    /// Reads a key from PKCS#8 in DER: version 1 (RFC 5208), for Ed25519 also version 2, which has the public key (RFC 5958, RFC 8410 §7).
    ///
    /// - Throws: ``PublicKey/Unusable`` for what is malformed, longer than 64 KiB, of another algorithm or curve, or (Ed25519 only) has a
    ///   public key that is not its own.
    public init(pkcs8 der: [UInt8]) throws(PublicKey.Unusable) {
        // Errors of the ASN.1 library are lost here and below: they say nothing that whoever holds the file could act on.
        guard der.count <= Self.bytesMax, let info = try? PrivateKeyInfo(derEncoded: der) else {
            throw PublicKey.Unusable(message: "it is no private key in PKCS#8")
        }
        switch info.algorithm.name {
        case .ed25519: try self.init(ed25519: info)
        case .AlgorithmIdentifier.idEcPublicKey: try self.init(der: der, curve: info.algorithm.curve)
        default: throw PublicKey.Unusable(message: "it is a key of another algorithm than ECDSA and Ed25519")
        }
    }

    /// Reads a key from the ECPrivateKey of SEC 1 in DER (RFC 5915), which must name its curve.
    ///
    /// - Throws: ``PublicKey/Unusable`` for what is malformed, longer than 64 KiB or on another curve.
    public init(sec1 der: [UInt8]) throws(PublicKey.Unusable) {
        guard der.count <= Self.bytesMax, let key = try? ECPrivateKey(derEncoded: der) else {
            throw PublicKey.Unusable(message: "it is no private key in SEC 1")
        }
        try self.init(der: der, curve: key.curve)
    }

    /// Reads a key that is not encrypted from a PEM document: `PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY` (SEC 1).
    ///
    /// A document `EC PARAMETERS` beside it, as `openssl ecparam -genkey` writes, is passed over.
    ///
    /// - Throws: ``PublicKey/Unusable``, also for two keys in one text.
    public init(pem: String) throws(PublicKey.Unusable) {
        guard pem.utf8.count <= Self.bytesMax, let documents = try? PEM.all(in: pem) else {
            throw PublicKey.Unusable(message: "it is no PEM document")
        }
        let keys = documents.filter { $0.label != "EC PARAMETERS" }
        guard keys.count == 1, let document = keys.first else { throw PublicKey.Unusable(message: "it is not one PEM document of a key") }
        switch document.label {
        case "PRIVATE KEY": try self.init(pkcs8: document.bytes)
        case "EC PRIVATE KEY": try self.init(sec1: document.bytes)
        default: throw PublicKey.Unusable(message: "it is no PEM document of a private key")
        }
    }

    /// PKCS#8 in DER, version 1; OpenSSL 3.0 reads no other for Ed25519.
    public var pkcs8: [UInt8] {
        switch self {
        case .p256(let key): Array(key.derRepresentation)
        case .p384(let key): Array(key.derRepresentation)
        case .p521(let key): Array(key.derRepresentation)
        case .ed25519(let key): Self.ed25519Prefix + key.rawRepresentation
        }
    }

    /// ``pkcs8`` as a PEM document of the type `PRIVATE KEY`. A secret.
    public var pem: String { PEM(label: "PRIVATE KEY", bytes: pkcs8).text }

    /// SEQUENCE { INTEGER 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING of 32 bytes } }. Source: RFC 8410 §7.
    private static let ed25519Prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    /// A key on a curve, from PKCS#8 or SEC 1.
    ///
    /// The curve is ours to check: the library looks at the length of a key, and other curves have keys as long.
    private init(der: [UInt8], curve: ASN1ObjectIdentifier?) throws(PublicKey.Unusable) {
        typealias Curves = ASN1ObjectIdentifier.NamedCurves
        let key: SigningKey? =
            switch curve {
            case Curves.secp256r1: (try? P256.Signing.PrivateKey(derRepresentation: der)).map(SigningKey.p256)
            case Curves.secp384r1: (try? P384.Signing.PrivateKey(derRepresentation: der)).map(SigningKey.p384)
            case Curves.secp521r1: (try? P521.Signing.PrivateKey(derRepresentation: der)).map(SigningKey.p521)
            default: throw PublicKey.Unusable(message: "it is not on the curve P-256, P-384 or P-521")
            }
        guard let key else { throw PublicKey.Unusable(message: "it is no key of its curve") }
        self = key
    }

    private init(ed25519 info: PrivateKeyInfo) throws(PublicKey.Unusable) {
        guard let seed = try? ASN1OctetString(derEncoded: info.privateKey),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: Array(seed.bytes))
        else { throw PublicKey.Unusable(message: "it is no Ed25519 key") }
        if let publicKey = info.publicKey {
            guard publicKey.elementsEqual(key.publicKey.rawRepresentation) else {
                throw PublicKey.Unusable(message: "the public key in it is not its own")
            }
        }
        self = .ed25519(key)
    }
}

extension SigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `***`.
    public var description: String { "***" }
    /// `***`.
    public var debugDescription: String { "***" }
    /// Nothing, so that `dump` shows no secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PublicKey {
    /// The key as a PEM document of the type `PUBLIC KEY`, as in `cosign.pub`: lines of 64 columns, the last ended too.
    public var pem: String { PEM(label: "PUBLIC KEY", bytes: spki).text }
}

extension ASN1ObjectIdentifier {
    /// Source: RFC 8410 §3.
    fileprivate static let ed25519: ASN1ObjectIdentifier = [1, 3, 101, 112]
}

/// What PKCS#8 wraps a key in: OneAsymmetricKey. Source: RFC 5958 §2; attributes are passed over.
private struct PrivateKeyInfo: DERParseable {
    struct Algorithm: DERParseable {
        let name: ASN1ObjectIdentifier
        /// The curve of ECDSA, where it is named; Ed25519 must have no parameter, and of other algorithms none matters.
        let curve: ASN1ObjectIdentifier?

        init(derEncoded node: ASN1Node) throws {
            (name, curve) = try DER.sequence(node, identifier: .sequence) { nodes in
                let name = try ASN1ObjectIdentifier(derEncoded: &nodes)
                let parameter = nodes.next()
                switch name {
                case .AlgorithmIdentifier.idEcPublicKey: return (name, try parameter.map { try ASN1ObjectIdentifier(derEncoded: $0) })
                case .ed25519:
                    guard parameter == nil else { throw ASN1Error.invalidASN1Object(reason: "a parameter where none may be") }
                    return (name, nil)
                default: return (name, nil)
                }
            }
        }
    }

    let algorithm: Algorithm
    let privateKey: ArraySlice<UInt8>
    let publicKey: ArraySlice<UInt8>?

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let version = try Int(derEncoded: &nodes)
            let algorithm = try Algorithm(derEncoded: &nodes)
            let privateKey = try ASN1OctetString(derEncoded: &nodes)
            DER.optionalImplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) { _ in }
            let publicKey = try DER.optionalImplicitlyTagged(&nodes, tagNumber: 1, tagClass: .contextSpecific) { node in
                try ASN1BitString(derEncoded: node, withIdentifier: node.identifier)
            }
            guard version == (publicKey == nil ? 0 : 1), publicKey.map({ $0.paddingBits == 0 }) != false else {
                throw ASN1Error.invalidASN1Object(reason: "not of a version that there is")
            }
            return PrivateKeyInfo(algorithm: algorithm, privateKey: privateKey.bytes, publicKey: publicKey?.bytes)
        }
    }

    private init(algorithm: Algorithm, privateKey: ArraySlice<UInt8>, publicKey: ArraySlice<UInt8>?) {
        self.algorithm = algorithm
        self.privateKey = privateKey
        self.publicKey = publicKey
    }
}

/// A key on a curve. Source: RFC 5915 §3; the public key is passed over, the library works it out.
private struct ECPrivateKey: DERParseable {
    let curve: ASN1ObjectIdentifier?

    init(derEncoded node: ASN1Node) throws {
        curve = try DER.sequence(node, identifier: .sequence) { nodes in
            guard try Int(derEncoded: &nodes) == 1 else { throw ASN1Error.invalidASN1Object(reason: "not of version 1") }
            _ = try ASN1OctetString(derEncoded: &nodes)
            let curve = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) { node in
                try ASN1ObjectIdentifier(derEncoded: node)
            }
            _ = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 1, tagClass: .contextSpecific) { try ASN1BitString(derEncoded: $0) }
            return curve
        }
    }
}
