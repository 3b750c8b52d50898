import JSON

/// How a signature is stored beside an image.
public enum ImageSignatureDocuments {
    /// The annotations of a manifest that holds a bundle. Source: sigstore/cosign, specs/BUNDLE_SPEC.md.
    ///
    /// - Parameter created: in RFC 3339.
    public static func bundleAnnotations(created: String) -> [String: String] {
        [
            "org.opencontainers.image.created": created, "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": ImageStatement.predicateType,
        ]
    }

    /// The annotations of a layer of the older layout. Source: sigstore/cosign, specs/SIGNATURE_SPEC.md.
    ///
    /// - Parameter certificate: in DER; `nil` for a signature with a key.
    public static func legacyAnnotations(
        signature: [UInt8], certificate: [UInt8]?, logEntry: Bundle.LogEntry?, timestamp: [UInt8]?
    ) -> [String: String] {
        var annotations = ["dev.cosignproject.cosign/signature": Base64.text(signature)]
        if let certificate { annotations["dev.sigstore.cosign/certificate"] = PEM(label: "CERTIFICATE", bytes: certificate).text }
        if let entry = logEntry, let promise = entry.signedEntryTimestamp {
            let bundle: JSONObject = [
                "SignedEntryTimestamp": .string(Base64.text(promise)),
                "Payload": [
                    "body": .string(Base64.text(entry.canonicalizedBody)), "integratedTime": .int(entry.integratedTime),
                    "logIndex": .int(entry.logIndex), "logID": .string(entry.logIDHexadecimal),
                ],
            ]
            annotations["dev.sigstore.cosign/bundle"] = bundle.text
        }
        if let timestamp {
            annotations["dev.sigstore.cosign/rfc3161timestamp"] =
                JSONObject(
                    dictionaryLiteral: ("SignedRFC3161Timestamp", .string(Base64.text(timestamp)))
                ).text
        }
        return annotations
    }

    /// A manifest of the older layout with one more signature, and its configuration.
    ///
    /// - Parameters:
    ///   - manifest: what stands there; `nil` for nothing.
    ///   - payload: the signed bytes, a blob of their own.
    public static func legacyManifest(
        adding payload: [UInt8], _ annotations: [String: String], to manifest: [UInt8]?
    ) throws(Refusal) -> (manifest: [UInt8], configuration: [UInt8]) {
        var layers: [JSONValue] = []
        if let manifest {
            guard
                let value = try? JSONValue(parsing: manifest, limits: .init(bytesMax: ImageLimits.manifestBytesMax, depthMax: ImageLimits.depthMax)),
                let known = value["layers"]?.array, known.count < ImageSignatures.signaturesMax
            else { throw Refusal(.imageMalformed, "The signatures beside the image cannot be read, or are too many.") }
            layers = known
        }
        let digest = Self.digest(payload)
        var members: JSONObject = [:]
        for (name, value) in annotations.sorted(by: { $0.key < $1.key }) { members[name] = .string(value) }
        layers.append([
            "mediaType": .string(SimpleSigning.mediaType), "size": .int(payload.count), "digest": .string(digest),
            "annotations": .object(members),
        ])
        let created = JSONValue.string("0001-01-01T00:00:00Z")
        let configuration: JSONObject = [
            "architecture": "", "created": created, "history": .array(layers.map { _ in ["created": created] }), "os": "",
            "rootfs": ["type": "layers", "diff_ids": .array(layers.map { $0["digest"] ?? "" })], "config": [:],
        ]
        let configurationBytes = configuration.bytes
        let whole: JSONObject = [
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": [
                "mediaType": "application/vnd.oci.image.config.v1+json", "size": .int(configurationBytes.count),
                "digest": .string(Self.digest(configurationBytes)),
            ],
            "layers": .array(layers),
        ]
        return (whole.bytes, configurationBytes)
    }

    /// The tag that signatures of the older layout of an image stand under.
    public static func legacyTag(of digest: String) -> String { ImageSignatures.tag(of: digest) + ".sig" }

    private static func digest(_ bytes: [UInt8]) -> String { "sha256:" + Hexadecimal.text(PublicKey.HashAlgorithm.sha256.hash(bytes)) }
}
