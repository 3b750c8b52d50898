import JSON

/// A signed document that says what kind it is.
///
/// Source: secure-systems-lab/dsse, protocol.md and envelope.md, version 1.
public struct DSSEEnvelope: Sendable, Hashable {
    /// The document.
    public let payload: [UInt8]
    /// What kind it is.
    public let payloadType: String
    /// Its signatures.
    public let signatures: [Signature]

    /// A signature of the envelope.
    public struct Signature: Sendable, Hashable {
        /// The signature.
        public let bytes: [UInt8]
        /// A hint at the key; not trusted.
        public let keyID: String?

        /// A signature.
        public init(bytes: [UInt8], keyID: String? = nil) {
            self.bytes = bytes
            self.keyID = keyID
        }
    }

    /// An envelope.
    public init(payload: [UInt8], payloadType: String, signatures: [Signature]) {
        self.payload = payload
        self.payloadType = payloadType
        self.signatures = signatures
    }

    /// The type of in-toto statements.
    public static let inTotoType = "application/vnd.in-toto+json"

    /// What is signed, the pre-authentication encoding: the type and the document, each behind its length in bytes.
    public var signedBytes: [UInt8] {
        Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
    }
}

/// An in-toto statement: something about artifacts that it names by their digests.
///
/// Source: in-toto/attestation, spec/v1/statement.md; version 0.1 has the same members here.
public struct InTotoStatement: Sendable, Hashable {
    /// What it speaks of.
    public let subjects: [Subject]
    /// What kind of thing it says.
    public let predicateType: String

    /// An artifact.
    public struct Subject: Sendable, Hashable {
        /// Its name; empty for none.
        public let name: String
        /// Hexadecimal digests by their algorithms' names.
        public let digests: [String: String]
    }

    /// Why a document is no statement.
    public struct Malformed: Error, Sendable, Hashable {
        /// In words.
        public let message: String
    }

    /// Chosen: more than any build has.
    private static let subjectsMax = 100_000
    /// It is read before it is known to be signed. Chosen: a bill of materials of 16 MiB has some 500,000 values.
    static let valuesMax = 1_000_000
    /// Chosen: as long as the largest bundle, and twice as deep as any document of a build.
    private static let limits = JSONValue.Limits(bytesMax: 64 << 20, depthMax: 128, valuesMax: valuesMax)
    private static let types: Set = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"]

    /// Reads a statement.
    public init(parsing bytes: [UInt8]) throws(Malformed) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes, limits: Self.limits) } catch {
            throw Malformed(message: "it is no JSON that can be read: \(error)")
        }
        guard let type = value["_type"]?.string else { throw Malformed(message: "it has no type") }
        guard Self.types.contains(type) else { throw Malformed(message: "it is no in-toto statement of a known version") }
        guard let subjects = value["subject"]?.array, (1...Self.subjectsMax).contains(subjects.count) else {
            throw Malformed(message: "it speaks of nothing, or of too much")
        }
        guard let predicateType = value["predicateType"]?.string, !predicateType.isEmpty else { throw Malformed(message: "it has no predicateType") }
        var read: [Subject] = []
        for subject in subjects {
            guard let digests = subject["digest"]?.object, !digests.members.isEmpty else { throw Malformed(message: "a subject has no digest") }
            var known: [String: String] = [:]
            for member in digests.members {
                guard let text = member.value.string else { throw Malformed(message: "a digest is no text") }
                known[member.name] = text
            }
            read.append(Subject(name: subject["name"]?.string ?? "", digests: known))
        }
        self.subjects = read
        self.predicateType = predicateType
    }

    /// Whether one of its subjects has a digest.
    public func speaks(of digest: [UInt8], _ algorithm: PublicKey.HashAlgorithm) -> Bool {
        let wanted = Hexadecimal.text(digest)
        return subjects.contains { $0.digests[algorithm.rawValue]?.lowercased() == wanted }
    }
}
