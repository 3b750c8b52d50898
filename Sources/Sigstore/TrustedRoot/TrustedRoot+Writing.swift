public import JSON

extension TrustedRoot {
    /// The document by which clients trust one log; it names no authorities.
    ///
    /// Source: sigstore/protobuf-specs, `sigstore_trustroot.proto`, version 0.1.
    ///
    /// - Parameters:
    ///   - baseURL: the log's address, without a slash at its end.
    ///   - start: since when the log is, as RFC 3339 in UTC.
    public static func document(of signer: LogSigner, baseURL: String, start: String) -> JSONObject {
        [
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                [
                    "baseUrl": .string(baseURL), "hashAlgorithm": "SHA2_256",
                    "publicKey": [
                        "rawBytes": .string(Base64.text(signer.publicKey.spki)), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                        "validFor": ["start": .string(start)],
                    ], "logId": ["keyId": .string(Base64.text(signer.id))],
                ]
            ], "certificateAuthorities": [], "ctlogs": [], "timestampAuthorities": [],
        ]
    }
}
