import JSON

/// What cosign 1 and 2 sign for an image: a "simple signing" document that names the image's manifest by its digest.
///
/// Source: cosign, specs/SIGNATURE_SPEC.md, "Payload"; containers/image, docs/containers-signature.5.md. A signature is over the bytes as
/// they came: verify them first, then read them, and never write them anew.
public struct SimpleSigning: Sendable, Hashable {
    /// The digest of the image's manifest: `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits.
    public let digest: String
    /// The repository the signer says the image is in, for example `registry.example/team/image`; empty for none. cosign does not check it.
    public let reference: String

    /// Why a document is no such payload.
    public struct Malformed: Error, Sendable, Hashable {
        /// In words.
        public let message: String
    }

    /// The media type of the blob that holds it. Source: cosign, pkg/types/media.go.
    public static let mediaType = "application/vnd.dev.cosign.simplesigning.v1+json"

    private static let type = "cosign container image signature"
    /// Chosen: a payload has some 250 bytes, and annotations of the signer's choice.
    private static let bytesMax = 1 << 20
    /// Chosen: the document has four levels; annotations may be nested.
    private static let limits = JSONValue.Limits(bytesMax: bytesMax, depthMax: 32, valuesMax: 10_000)

    /// Reads a payload of at most 1 MiB. Annotations and members that are not known are passed over.
    ///
    /// The type is required, which cosign passes over: a document of another kind must not count as a signature of an image.
    public init(parsing bytes: [UInt8]) throws(Malformed) {
        guard let value = try? JSONValue(parsing: bytes, limits: Self.limits), let critical = value["critical"] else {
            throw Malformed(message: "it is no JSON with a critical part")
        }
        guard critical["type"]?.string == Self.type else { throw Malformed(message: "it is no signature of a container image") }
        guard let digest = critical["image"]?["docker-manifest-digest"]?.string, Self.isDigest(digest) else {
            throw Malformed(message: "it does not name an image by its digest")
        }
        let reference = critical["identity"]?["docker-reference"]
        guard reference == nil || reference?.string != nil else { throw Malformed(message: "its docker-reference is no text") }
        self.digest = digest
        self.reference = reference?.string ?? ""
    }

    private static func isDigest(_ text: String) -> Bool {
        // On bytes: to `String`, other scalars can be equal to these.
        let bytes = Array(text.utf8)
        let kinds = [(prefix: Array("sha256:".utf8), digits: 64), (prefix: Array("sha512:".utf8), digits: 128)]
        return kinds.contains { kind in
            bytes.starts(with: kind.prefix) && bytes.count == kind.prefix.count + kind.digits
                && bytes.dropFirst(kind.prefix.count).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
    }

    /// The payload for an image, byte for byte as cosign writes it without annotations: compact JSON in UTF-8.
    ///
    /// - Parameters:
    ///   - reference: the repository with its registry, without tag and digest.
    ///   - digest: of the image's manifest, as in ``digest``.
    public static func payload(reference: String, digest: String) -> [UInt8] {
        var bytes = Array(#"{"critical":{"identity":{"docker-reference":"#.utf8)
        bytes += goText(reference)
        bytes += #"},"image":{"docker-manifest-digest":"#.utf8
        bytes += goText(digest)
        bytes += #"},"type":"#.utf8
        bytes += goText(type)
        bytes += #"},"optional":null}"#.utf8
        return bytes
    }

    /// A text in JSON as Go's `json.Marshal` writes it. Source: Go 1.22, encoding/json/encode.go, `appendString` with `escapeHTML`.
    private static func goText(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += #"\""#.utf8
            case "\\": bytes += #"\\"#.utf8
            case "\u{08}": bytes += #"\b"#.utf8
            case "\u{0C}": bytes += #"\f"#.utf8
            case "\n": bytes += #"\n"#.utf8
            case "\r": bytes += #"\r"#.utf8
            case "\t": bytes += #"\t"#.utf8
            case "\u{00}"..."\u{1F}", "<", ">", "&": bytes += #"\u00\#(Hexadecimal.text([UInt8(ascii: scalar)]))"#.utf8
            case "\u{2028}": bytes += #"\u2028"#.utf8
            case "\u{2029}": bytes += #"\u2029"#.utf8
            default: bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return bytes
    }
}

/// What cosign 3 signs for an image: an in-toto statement in a DSSE envelope of the type ``DSSEEnvelope/inTotoType``.
///
/// Source: cosign, specs/BUNDLE_SPEC.md. It is read by ``InTotoStatement``. Bytes are never compared: cosign's own layout changes on purpose.
public enum ImageStatement {
    /// What the statement says of its subject: that it was signed.
    public static let predicateType = "https://sigstore.dev/cosign/sign/v1"

    /// The statement on an image: compact JSON in UTF-8.
    ///
    /// - Parameter hex: the SHA-256 digest of the image's manifest or index, 64 lower-case hexadecimal digits without `sha256:`.
    public static func bytes(digest hex: String) -> [UInt8] {
        let statement: JSONObject = [
            "_type": "https://in-toto.io/Statement/v1",
            // in-toto leaves the name free and cosign writes none; sigstore-python 4.5 reads no statement without one. To readers that know it as
            // a protobuf message, an empty name is none.
            "subject": [["name": "", "digest": ["sha256": .string(hex)], "annotations": [:]]],
            "predicateType": .string(predicateType),
            "predicate": [:],
        ]
        return statement.bytes
    }
}
