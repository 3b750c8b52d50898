import SwiftASN1

/// A certificate log's promise, inside a certificate, that it knows of it.
///
/// Source: RFC 6962 §3.2 and §3.3.
struct SignedCertificateTimestamp: Sendable {
    /// SHA-256 of the log's key.
    let logID: [UInt8]
    /// When it was logged.
    let time: Moment
    let extensions: [UInt8]
    let signature: [UInt8]
    let hash: PublicKey.HashAlgorithm

    struct Malformed: Error {}

    /// The promises in the value of a certificate's extension.
    static func all(in value: ArraySlice<UInt8>) throws(Malformed) -> [SignedCertificateTimestamp] {
        guard let list = try? ASN1OctetString(derEncoded: value) else { throw Malformed() }
        var outer = TLSReader(list.bytes)
        var entries = TLSReader(try outer.vector(lengthBytes: 2))
        guard outer.isAtEnd else { throw Malformed() }
        var all: [SignedCertificateTimestamp] = []
        while !entries.isAtEnd {
            all.append(try SignedCertificateTimestamp(try entries.vector(lengthBytes: 2)))
            guard all.count <= countMax else { throw Malformed() }
        }
        return all
    }

    /// Chosen: certificates have one to three.
    private static let countMax = 16

    private init(_ bytes: ArraySlice<UInt8>) throws(Malformed) {
        var reader = TLSReader(bytes)
        guard try reader.number(bytes: 1) == 0 else { throw Malformed() }
        logID = Array(try reader.take(32))
        guard let milliseconds = Int(exactly: try reader.number(bytes: 8)) else { throw Malformed() }
        time = Moment(milliseconds: milliseconds)
        extensions = Array(try reader.vector(lengthBytes: 2))
        // HashAlgorithm and SignatureAlgorithm of RFC 5246 §7.4.1.4.1; the latter follows from the key.
        switch try reader.number(bytes: 1) {
        case 4: hash = .sha256
        case 5: hash = .sha384
        case 6: hash = .sha512
        default: throw Malformed()
        }
        _ = try reader.number(bytes: 1)
        signature = Array(try reader.vector(lengthBytes: 2))
        guard reader.isAtEnd else { throw Malformed() }
    }

    /// What the log signed: the certificate as it was before this promise was put in.
    ///
    /// - Parameters:
    ///   - certificate: its TBSCertificate.
    ///   - issuerKeyHash: SHA-256 of the issuer's key.
    func signedBytes(of certificate: ArraySlice<UInt8>, issuerKeyHash: [UInt8]) throws(Malformed) -> [UInt8] {
        let body = try Self.withoutPromises(certificate)
        guard body.count < 1 << 24 else { throw Malformed() }
        let milliseconds = UInt64(time.milliseconds)
        var bytes: [UInt8] = [0, 0]
        bytes += (0..<8).reversed().map { UInt8(truncatingIfNeeded: milliseconds >> UInt64(8 * $0)) }
        bytes += [0, 1] + issuerKeyHash
        bytes += (0..<3).reversed().map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
        bytes += [UInt8(extensions.count >> 8), UInt8(extensions.count & 0xFF)] + extensions
        return bytes
    }

    /// The TBSCertificate without the extension of the promises; everything else stays byte for byte.
    static func withoutPromises(_ body: ArraySlice<UInt8>) throws(Malformed) -> [UInt8] {
        do {
            let root = try DER.parse(Array(body))
            guard case .constructed(let members) = root.content else { throw Malformed() }
            var content: [UInt8] = []
            for member in members {
                if member.identifier == ASN1Identifier(tagWithNumber: 3, tagClass: .contextSpecific), case .constructed(let inner) = member.content {
                    var kept: [UInt8] = []
                    for list in inner {
                        guard case .constructed(let extensions) = list.content else { throw Malformed() }
                        for one in extensions where try oid(of: one) != OID.signedCertificateTimestamps { kept += one.encodedBytes }
                    }
                    if !kept.isEmpty { content += DERWriter.wrapped(0xA3, DERWriter.wrapped(0x30, kept)) }
                } else {
                    content += member.encodedBytes
                }
            }
            return DERWriter.wrapped(0x30, content)
        } catch {
            throw Malformed()
        }
    }

    private static func oid(of one: ASN1Node) throws -> ASN1ObjectIdentifier {
        guard case .constructed(let members) = one.content, let first = members.first(where: { _ in true }) else { throw Malformed() }
        return try ASN1ObjectIdentifier(derEncoded: first)
    }
}

/// Writes DER around bytes that are DER.
enum DERWriter {
    /// An element with an identifier of one byte. Source: ITU-T X.690 §8.1.3.
    static func wrapped(_ identifier: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        if rest < 0x80 {
            length = [UInt8(rest)]
        } else {
            while rest > 0 {
                length.insert(UInt8(rest & 0xFF), at: 0)
                rest >>= 8
            }
            length.insert(0x80 | UInt8(length.count), at: 0)
        }
        return [identifier] + length + content
    }
}

/// Reads the presentation language of TLS. Source: RFC 8446 §3.
struct TLSReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ count: Int) throws(SignedCertificateTimestamp.Malformed) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw .init() }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number(bytes: Int) throws(SignedCertificateTimestamp.Malformed) -> UInt64 {
        try take(bytes).reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func vector(lengthBytes: Int) throws(SignedCertificateTimestamp.Malformed) -> ArraySlice<UInt8> {
        try take(Int(try number(bytes: lengthBytes)))
    }
}
