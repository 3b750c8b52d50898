extension PublicKey {
    /// How a trusted root says that a key is to be used; what the key itself says must be the same.
    ///
    /// Source: sigstore/protobuf-specs, `sigstore_common.proto`, PublicKeyDetails. Kinds that are missing here, such as RSA-PSS, Ed25519ph and those
    /// against quantum computers, are not verified here.
    struct Details: Sendable {
        /// The hash under the key's signatures.
        let hash: HashAlgorithm
        private let kind: Kind
        private let isPKCS1: Bool

        private enum Kind { case p256, p384, p521, ed25519, rsa }

        init?(protobuf name: String) {
            switch name {
            case "PKIX_ECDSA_P256_SHA_256", "PKIX_ECDSA_P256_HMAC_SHA_256": (kind, hash) = (.p256, .sha256)
            case "PKIX_ECDSA_P384_SHA_384": (kind, hash) = (.p384, .sha384)
            case "PKIX_ECDSA_P384_SHA_256": (kind, hash) = (.p384, .sha256)
            case "PKIX_ECDSA_P521_SHA_512": (kind, hash) = (.p521, .sha512)
            case "PKIX_ECDSA_P521_SHA_256": (kind, hash) = (.p521, .sha256)
            case "PKIX_ED25519": (kind, hash) = (.ed25519, .sha512)
            case "PKIX_RSA_PKCS1V15_2048_SHA256", "PKIX_RSA_PKCS1V15_3072_SHA256", "PKIX_RSA_PKCS1V15_4096_SHA256", "PKIX_RSA_PKCS1V5",
                "PKCS1_RSA_PKCS1V5":
                (kind, hash) = (.rsa, .sha256)
            default: return nil
            }
            isPKCS1 = name.hasPrefix("PKCS1_")
        }

        /// The key in bytes that are said to be of this kind.
        func key(_ bytes: [UInt8]) throws(Unusable) -> PublicKey {
            let key = try PublicKey(isPKCS1 ? .pkcs1RSA(bytes) : .spki(bytes))
            switch (kind, key) {
            case (.p256, .p256), (.p384, .p384), (.p521, .p521), (.ed25519, .ed25519), (.rsa, .rsa): return key
            default: throw Unusable(message: "it is another kind of key than is said")
            }
        }
    }
}
