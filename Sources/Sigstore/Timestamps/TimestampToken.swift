import Crypto
import SwiftASN1

/// A time stamp of RFC 3161: an authority's signed word that it saw a message's hash at a time.
///
/// Reading one proves nothing; `verify(over:by:)` does.
///
/// Source: RFC 3161, RFC 5816, RFC 5652.
struct TimestampToken: Sendable {
    /// Why bytes are no time stamp.
    struct Malformed: Error, Sendable, Hashable {
        /// In words.
        let message: String
    }

    /// Why a token that can be read is not to be believed.
    enum Distrust: String, Error, Sendable, Hashable, CaseIterable {
        /// A hash or a signature of a kind that is not accepted, SHA-1 among them.
        case unsupportedAlgorithm = "timestamp_unsupported_algorithm"
        /// Another message was stamped.
        case otherMessage = "timestamp_other_message"
        /// The statement is not the one that was signed.
        case changedStatement = "timestamp_changed_statement"
        /// No authority of the trusted root vouches for the signer.
        case untrustedAuthority = "timestamp_untrusted_authority"
        /// The signed attributes name another certificate than the signer's.
        case otherSigner = "timestamp_other_signer"
        case badSignature = "timestamp_bad_signature"
        /// The signer's certificate is not one for time stamps alone.
        case wrongPurpose = "timestamp_wrong_purpose"
        /// The signer's certificate has a critical extension that is not understood.
        case unknownExtension = "timestamp_unknown_extension"
        /// A certificate of the chain is not valid at the stamped time.
        case outsideCertificateValidity = "timestamp_outside_certificate_validity"
        /// The trusted root does not believe the authority at the stamped time.
        case outsideAuthorityValidity = "timestamp_outside_authority_validity"
    }

    /// When the message was stamped, as the token says.
    let time: Moment
    /// The TSTInfo, in DER. Two tokens with the same are the same stamp, even where bytes outside the signature differ.
    let statement: [UInt8]

    private let imprint: Imprint
    private let signer: Signer
    private let certificates: [[UInt8]]

    private struct Imprint: Sendable {
        /// `nil` for one that is not accepted.
        let hash: PublicKey.HashAlgorithm?
        let digest: [UInt8]
    }

    /// SignerInfo. Source: RFC 5652 §5.3.
    private struct Signer: Sendable {
        let name: SignerName
        let digestAlgorithm: DERAlgorithm
        /// What the signature is over: the attributes as a SET OF.
        let attributes: [UInt8]
        let digest: [UInt8]
        /// Each names the signer's certificate.
        let certificateDigests: [CertificateDigest]
        let signatureAlgorithm: DERAlgorithm
        let signature: [UInt8]
    }

    private enum CertificateDigest: Sendable {
        /// ESSCertID. Source: RFC 2634 §5.4.1.
        case sha1([UInt8])
        /// ESSCertIDv2. Source: RFC 5035 §4.
        case sha2(PublicKey.HashAlgorithm, [UInt8])
        case unsupported
    }

    /// Chosen: a token with its certificates has less than 8 KiB.
    private static let responseBytesMax = 64 << 10
    private static let certificatesMax = 16

    private enum Name {
        static let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 7, 2]
        static let statement: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 16, 1, 4]
        static let contentType: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 3]
        static let messageDigest: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 4]
        static let signingCertificate: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 16, 2, 12]
        static let signingCertificateV2: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 16, 2, 47]
    }

    /// Reads an authority's answer, a TimeStampResp in DER of at most 64 KiB.
    init(parsing response: [UInt8]) throws(Malformed) {
        do throws(DERReader.Mistake) {
            guard response.count <= Self.responseBytesMax else { throw DERReader.Mistake(message: "the response is too long") }
            (statement, certificates, signer) = try Self.signedData(Self.token(response))
            (time, imprint) = try Self.timeAndImprint(statement)
        } catch {
            throw Malformed(message: error.message)
        }
    }
}

// MARK: - Reading

extension TimestampToken {
    /// The ContentInfo of a TimeStampResp. Source: RFC 3161 §2.4.2.
    private static func token(_ response: [UInt8]) throws(DERReader.Mistake) -> DERReader {
        var reader = try DERReader(parsing: response, name: "the response")
        var status = try reader.needReader("status")
        // granted or grantedWithMods
        guard try [[0], [1]].contains(status.needBytes(.integer, "status")) else {
            throw DERReader.Mistake(message: "the authority granted no time stamp")
        }
        _ = status.next(.sequence)
        try status.end()
        let token = try reader.needReader("token")
        try reader.end()
        return token
    }

    /// Source: RFC 5652 §3 and §5.1.
    private static func signedData(_ contentInfo: DERReader) throws(DERReader.Mistake) -> ([UInt8], [[UInt8]], Signer) {
        var contentInfo = contentInfo
        guard try contentInfo.needIdentifier("content type") == Name.signedData else {
            throw DERReader.Mistake(message: "the token is not signed data")
        }
        var content = try contentInfo.needReader(.context(0), "content")
        try contentInfo.end()
        var reader = try content.needReader("signed data")
        try content.end()

        guard try reader.needBytes(.integer, "version") == [3] else { throw DERReader.Mistake(message: "the signed data are of another version") }
        var digestAlgorithms: [DERAlgorithm] = []
        var set = try reader.needReader(.set, "digest algorithms")
        while let node = set.next() { digestAlgorithms.append(try DERAlgorithm(DERReader(node, name: "digest algorithm"))) }

        var encapsulated = try reader.needReader("encapsulated content")
        guard try encapsulated.needIdentifier("content type") == Name.statement else {
            throw DERReader.Mistake(message: "the content is no time stamp")
        }
        var wrapped = try encapsulated.needReader(.context(0), "statement")
        try encapsulated.end()
        let statement = try wrapped.needBytes(.octetString, "statement")
        try wrapped.end()

        let certificates = try certificates(reader.next(.context(0)))
        // Lists of revoked certificates: how good they are is unknown when nothing may be fetched.
        _ = reader.next(.context(1))

        var signers = try reader.needReader(.set, "signers")
        try reader.end()
        let signer = try signer(signers.needReader("signer"))
        try signers.end()
        guard digestAlgorithms.contains(signer.digestAlgorithm) else {
            throw DERReader.Mistake(message: "the signer's digest algorithm is not announced")
        }
        return (statement, certificates, signer)
    }

    private static func certificates(_ node: ASN1Node?) throws(DERReader.Mistake) -> [[UInt8]] {
        guard let node else { return [] }
        var certificates: [[UInt8]] = []
        var reader = try DERReader(node, as: .context(0), name: "the certificates")
        while let node = reader.next() {
            guard node.identifier == .sequence else { throw DERReader.Mistake(message: "a certificate is of another kind than X.509") }
            guard certificates.count < certificatesMax else {
                throw DERReader.Mistake(message: "there are more than \(certificatesMax) certificates")
            }
            certificates.append(Array(node.encodedBytes))
        }
        return certificates
    }

    private static func signer(_ reader: DERReader) throws(DERReader.Mistake) -> Signer {
        var reader = reader
        let version = try reader.needBytes(.integer, "version")
        let name: SignerName
        if let node = reader.next(.context(0)) {
            guard case .primitive(let identifier) = node.content else { throw DERReader.Mistake(message: "the signer's key has another form") }
            name = .key(Array(identifier))
        } else {
            var issuer = try reader.needReader("signer's name")
            name = .certificate(
                issuer: Array(try issuer.need(.sequence, "issuer").encodedBytes), serialNumber: try issuer.needBytes(.integer, "serial number"))
            try issuer.end()
        }
        guard version == [name.version] else { throw DERReader.Mistake(message: "the signer is of another version") }

        let digestAlgorithm = try DERAlgorithm(reader.needReader("digest algorithm"))
        let attributesNode = try reader.need(.context(0), "signed attributes")
        let attributes = try attributes(attributesNode)
        let signatureAlgorithm = try DERAlgorithm(reader.needReader("signature algorithm"))
        let signature = try reader.needBytes(.octetString, "signature")
        _ = reader.next(.context(1))
        try reader.end()

        guard let type = attributes[Name.contentType], (try? ASN1ObjectIdentifier(derEncoded: type)) == Name.statement else {
            throw DERReader.Mistake(message: "the signed attributes do not say that the content is a time stamp")
        }
        guard let digestNode = attributes[Name.messageDigest], digestNode.identifier == .octetString,
            case .primitive(let digest) = digestNode.content
        else {
            throw DERReader.Mistake(message: "the signed attributes lack the statement's digest")
        }
        var certificateDigests: [CertificateDigest] = []
        if let node = attributes[Name.signingCertificate] { certificateDigests.append(try certificateDigest(node, version: 1)) }
        if let node = attributes[Name.signingCertificateV2] { certificateDigests.append(try certificateDigest(node, version: 2)) }
        guard !certificateDigests.isEmpty else { throw DERReader.Mistake(message: "the signed attributes lack the signer's certificate") }
        return Signer(
            // RFC 5652 §5.4: the signature is over a SET OF, not over the tag that stands here.
            name: name, digestAlgorithm: digestAlgorithm, attributes: [0x31] + attributesNode.encodedBytes.dropFirst(), digest: Array(digest),
            certificateDigests: certificateDigests, signatureAlgorithm: signatureAlgorithm, signature: signature)
    }

    /// The value of each attribute that is used here, of which RFC 5652 §11 and RFC 5035 §3 allow one.
    private static func attributes(_ node: ASN1Node) throws(DERReader.Mistake) -> [ASN1ObjectIdentifier: ASN1Node] {
        var attributes: [ASN1ObjectIdentifier: ASN1Node] = [:]
        var reader = try DERReader(node, as: .context(0), name: "the signed attributes")
        while let node = reader.next() {
            var attribute = try DERReader(node, name: "a signed attribute")
            let type = try attribute.needIdentifier("type")
            var values = try attribute.needReader(.set, "values")
            try attribute.end()
            guard [Name.contentType, Name.messageDigest, Name.signingCertificate, Name.signingCertificateV2].contains(type) else { continue }
            guard let value = values.next() else { throw DERReader.Mistake(message: "a signed attribute has no value") }
            try values.end()
            guard attributes.updateValue(value, forKey: type) == nil else { throw DERReader.Mistake(message: "a signed attribute stands twice") }
        }
        return attributes
    }

    /// The first certificate of a SigningCertificate or SigningCertificateV2, which is the signer's. Source: RFC 5035 §3 and §5.
    private static func certificateDigest(_ node: ASN1Node, version: Int) throws(DERReader.Mistake) -> CertificateDigest {
        var attribute = try DERReader(node, name: "the signing certificate")
        var list = try attribute.needReader("certificates")
        _ = attribute.next(.sequence)
        try attribute.end()
        var first = try list.needReader("certificate")
        // Only version 2 has an algorithm, and leaves it out when it is SHA-256.
        let algorithm: DERAlgorithm?
        if version == 2, let node = first.next(.sequence) {
            algorithm = try DERAlgorithm(DERReader(node, name: "hash algorithm"))
        } else {
            algorithm = nil
        }
        let digest = try first.needBytes(.octetString, "hash")
        _ = first.next(.sequence)
        try first.end()
        guard version == 2 else { return .sha1(digest) }
        guard let algorithm else { return .sha2(.sha256, digest) }
        return algorithm.hash.map { .sha2($0, digest) } ?? .unsupported
    }

    /// Reads a TSTInfo. Source: RFC 3161 §2.4.2.
    private static func timeAndImprint(_ statement: [UInt8]) throws(DERReader.Mistake) -> (Moment, Imprint) {
        var reader = try DERReader(parsing: statement, name: "the statement")
        guard try reader.needBytes(.integer, "version") == [1] else { throw DERReader.Mistake(message: "the statement is of another version") }
        _ = try reader.needIdentifier("policy")
        var imprint = try reader.needReader("message imprint")
        let hash = try DERAlgorithm(imprint.needReader("hash algorithm")).hash
        let digest = try imprint.needBytes(.octetString, "hash")
        try imprint.end()
        _ = try reader.needBytes(.integer, "serial number")
        guard let time = Moment(generalizedTime: try reader.needBytes(.generalizedTime, "time")) else {
            throw DERReader.Mistake(message: "the statement's time is none")
        }
        // Accuracy, order and nonce matter to who asked for the stamp; the authority's name is that of its certificate.
        for identifier in [.sequence, .boolean, .integer, .context(0)] as [ASN1Identifier] { _ = reader.next(identifier) }
        if let node = reader.next(.context(1)) { try refuseCritical(node) }
        try reader.end()
        return (time, Imprint(hash: hash, digest: digest))
    }

    /// No extension of a statement is known here. Source: RFC 5280 §4.1 for their form.
    private static func refuseCritical(_ extensions: ASN1Node) throws(DERReader.Mistake) {
        var reader = try DERReader(extensions, as: .context(1), name: "the statement's extensions")
        while let node = reader.next() {
            var part = try DERReader(node, name: "a statement's extension")
            _ = try part.needIdentifier("name")
            // One that says false should not be there, and does no harm.
            if let critical = part.next(.boolean), critical.content != .primitive([0]) {
                throw DERReader.Mistake(message: "the statement has a critical extension that is not known")
            }
            _ = try part.needBytes(.octetString, "value")
            try part.end()
        }
    }
}

// MARK: - Verifying

extension TimestampToken {
    /// Insists that an authority of the trusted root stamped `message`, within the times for which it and its certificates count.
    ///
    /// - Returns: when it did.
    func verify(over message: [UInt8], by authorities: [TimestampAuthority]) throws(Distrust) -> Moment {
        guard let imprintHash = imprint.hash else { throw .unsupportedAlgorithm }
        guard imprintHash.hash(message) == imprint.digest else { throw .otherMessage }

        var embedded: ChainCertificate?
        if !certificates.isEmpty {
            // RFC 3161 §2.4.1: a token either has its signer's certificate or none at all.
            embedded = certificates.lazy.compactMap { ChainCertificate($0) }.first { $0.isCalled(signer.name) }
            guard embedded != nil else { throw .untrustedAuthority }
        }
        var failure = Distrust.untrustedAuthority
        for authority in authorities {
            do {
                try verify(by: authority, embedded: embedded)
                return time
            } catch {
                // What an authority that knows the signer finds fault with says more than that the others do not know it.
                if failure == .untrustedAuthority { failure = error }
            }
        }
        throw failure
    }

    private func verify(by authority: TimestampAuthority, embedded: ChainCertificate?) throws(Distrust) {
        // First, so that a stamp of somebody unknown is found to be that, whatever else is wrong with it.
        guard let certificate = embedded ?? authority.certificate(called: signer.name), let path = authority.path(from: certificate) else {
            throw .untrustedAuthority
        }
        guard let hash = signer.digestAlgorithm.hash else { throw .unsupportedAlgorithm }
        guard hash.hash(statement) == signer.digest else { throw .changedStatement }
        for digest in signer.certificateDigests {
            switch digest {
            case .sha1(let digest): guard Array(Insecure.SHA1.hash(data: certificate.bytes)) == digest else { throw .otherSigner }
            case .sha2(let hash, let digest): guard hash.hash(certificate.bytes) == digest else { throw .otherSigner }
            case .unsupported: throw .unsupportedAlgorithm
            }
        }
        guard Self.isAccepted(signer.signatureAlgorithm, key: certificate.key, hash: hash) else { throw .unsupportedAlgorithm }
        guard certificate.key.isSignature(signer.signature, over: signer.attributes, hash: hash) else { throw .badSignature }
        guard certificate.hasOnlyKnownCriticalExtensions else { throw .unknownExtension }
        guard certificate.isForTimestamps else { throw .wrongPurpose }
        guard path.allSatisfy({ $0.validity.contains(time) }) else { throw .outsideCertificateValidity }
        guard authority.validity.contains(time) else { throw .outsideAuthorityValidity }
    }

    /// Whether a signature's algorithm goes with the key and with the digest's hash. Source: RFC 5652 §5.6, RFC 5754 §3, RFC 8419 §3.1.
    private static func isAccepted(_ algorithm: DERAlgorithm, key: PublicKey, hash: PublicKey.HashAlgorithm) -> Bool {
        guard !algorithm.hasParameters else { return false }
        switch key {
        case .p256, .p384, .p521:
            let ecdsa: ASN1ObjectIdentifier =
                switch hash {
                case .sha256: [1, 2, 840, 10_045, 4, 3, 2]
                case .sha384: [1, 2, 840, 10_045, 4, 3, 3]
                case .sha512: [1, 2, 840, 10_045, 4, 3, 4]
                }
            return algorithm.identifier == ecdsa
        case .rsa:
            let rsa: ASN1ObjectIdentifier =
                switch hash {
                case .sha256: .AlgorithmIdentifier.sha256WithRSAEncryption
                case .sha384: .AlgorithmIdentifier.sha384WithRSAEncryption
                case .sha512: .AlgorithmIdentifier.sha512WithRSAEncryption
                }
            return algorithm.identifier == rsa || algorithm.identifier == .AlgorithmIdentifier.rsaEncryption
        case .ed25519:
            return algorithm.identifier == [1, 3, 101, 112]
        }
    }
}
