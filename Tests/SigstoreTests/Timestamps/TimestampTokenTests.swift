import Testing

@testable import Sigstore

/// Source of the vectors: sigstore/sigstore-java, and the stamps of this project's own cases.
struct TimestampTokenTests {
    static let withCertificate = "vectors/tsa/sigstage_tsa_response_with_embedded_certs.tsr"
    static let withoutCertificate = "vectors/tsa/sigstage_tsa_response_without_embedded_certs.tsr"
    static let message = Array("test\n".utf8)

    static func root(_ name: String = "staging") throws -> TrustedRoot { try TrustedRoot(parsing: Fixture.bytes("trusted-roots/\(name).json")) }

    static func authorities(_ name: String = "staging") throws -> [TimestampAuthority] {
        try root(name).timestampAuthorities.map { try TimestampAuthority($0) }
    }

    /// Whether a response is believed; a crash is what must not happen.
    static func isBelieved(_ response: [UInt8], by authorities: [TimestampAuthority]) -> Bool {
        guard let token = try? TimestampToken(parsing: response) else { return false }
        return (try? token.verify(over: message, by: authorities)) != nil
    }

    /// The place of the only occurrence of a hexadecimal text in bytes.
    static func place(of hexadecimal: String, in bytes: [UInt8]) throws -> Int {
        let wanted = try #require(Hexadecimal.bytes(hexadecimal))
        let places = bytes.indices.filter { bytes[$0...].starts(with: wanted) }
        #expect(places.count == 1)
        return try #require(places.first)
    }

    @Test(arguments: [
        (withCertificate, "2025-05-28T15:15:55Z"), (withoutCertificate, "2025-05-28T15:17:58Z"),
    ])  // openssl ts -reply -text
    func aStampOfATrustedAuthorityTellsItsTime(path: String, time: String) throws {
        let token = try TimestampToken(parsing: Fixture.bytes(path))
        #expect(try token.verify(over: Self.message, by: Self.authorities()) == Moment(rfc3339: time))
    }

    @Test func aBrokenResponseIsRefused() throws {
        let response = try Fixture.bytes("vectors/tsa/sigstore_tsa_response_invalid.tsr")
        #expect(throws: TimestampToken.Malformed.self) { try TimestampToken(parsing: response) }
    }

    @Test(arguments: [withCertificate, withoutCertificate])
    func aStampOfAnotherMessageIsRefused(path: String) throws {
        let token = try TimestampToken(parsing: Fixture.bytes(path))
        #expect(throws: TimestampToken.Distrust.otherMessage) { try token.verify(over: Array("test".utf8), by: Self.authorities()) }
    }

    @Test(arguments: [withCertificate, withoutCertificate])
    func anotherAuthorityDoesNotVouch(path: String) throws {
        let token = try TimestampToken(parsing: Fixture.bytes(path))
        #expect(throws: TimestampToken.Distrust.untrustedAuthority) { try token.verify(over: Self.message, by: []) }
        #expect(throws: TimestampToken.Distrust.untrustedAuthority) { try token.verify(over: Self.message, by: Self.authorities("production")) }
        #expect(try token.verify(over: Self.message, by: Self.authorities("production") + Self.authorities()) == token.time)
    }

    @Test func theAuthoritysTimeIsAClosedInterval() throws {
        let token = try TimestampToken(parsing: Fixture.bytes(Self.withCertificate))
        let listed = try #require(Self.root().timestampAuthorities.first)
        func verify(_ validity: Validity) throws -> Moment {
            try token.verify(
                over: Self.message,
                by: [TimestampAuthority(.init(uri: listed.uri, certificates: listed.certificates, validity: validity))])
        }
        let (before, after) = (Moment(milliseconds: token.time.milliseconds - 1), Moment(milliseconds: token.time.milliseconds + 1))
        #expect(try verify(Validity(start: token.time, end: token.time)) == token.time)
        #expect(throws: TimestampToken.Distrust.outsideAuthorityValidity) { try verify(Validity(start: after)) }
        #expect(throws: TimestampToken.Distrust.outsideAuthorityValidity) { try verify(Validity(start: before, end: before)) }
    }

    @Test func aCertificateInTheTokenMayBeOfAnIssuerThatTheRootNamesAlone() throws {
        let listed = try #require(Self.root().timestampAuthorities.first)
        let anchor = try TimestampAuthority(.init(uri: "", certificates: listed.certificates.suffix(1), validity: listed.validity))
        let with = try TimestampToken(parsing: Fixture.bytes(Self.withCertificate))
        #expect(try with.verify(over: Self.message, by: [anchor]) == with.time)
        let without = try TimestampToken(parsing: Fixture.bytes(Self.withoutCertificate))
        #expect(throws: TimestampToken.Distrust.untrustedAuthority) { try without.verify(over: Self.message, by: [anchor]) }
    }

    @Test func aSignersCertificateCanBeTheAnchor() throws {
        let listed = try #require(Self.root().timestampAuthorities.first)
        let leaf = try TimestampAuthority(.init(uri: "", certificates: Array(listed.certificates.prefix(1)), validity: listed.validity))
        let token = try TimestampToken(parsing: Fixture.bytes(Self.withoutCertificate))
        #expect(try token.verify(over: Self.message, by: [leaf]) == token.time)
    }

    @Test func aBrokenChainIsRefused() throws {
        let listed = try #require(Self.root().timestampAuthorities.first)
        let other = try #require(Self.root("production").timestampAuthorities.first)
        var changed = listed.certificates[0]
        changed[changed.count - 1] ^= 1
        let chains: [[[UInt8]]] = [
            [], [[]], [[0x30, 0x00]], listed.certificates.reversed(), [listed.certificates[0], other.certificates[1]],
            [changed, listed.certificates[1]], [listed.certificates[0] + [0], listed.certificates[1]],
        ]
        for chain in chains {
            #expect(throws: TrustedRoot.Malformed.self) {
                try TimestampAuthority(.init(uri: "", certificates: chain, validity: listed.validity))
            }
        }
    }

    // What is changed where, found in the output of `openssl asn1parse`.
    @Test(arguments: [
        // The hour in genTime, and a digit of the message's imprint.
        ("180F32303235303532383135313535355A", 10, TimestampToken.Distrust.changedStatement),
        ("0420F2CA1BB6C7E907D06DAFE4687E579FCE", 2, .otherMessage),
        // The signed digest of the statement, and the signing time.
        ("0420BBA0E66D1593202644B79C25200E7659", 2, .changedStatement),
        ("170D3235303532383135313535355A", 3, .badSignature),
        // The digest of the signer's certificate, and a byte of the signature.
        ("042006F4FFE047FEB35999B733B0D7A32350", 2, .otherSigner),
        ("306402306E83965A1E625428C8C08175", 5, .badSignature),
        // ecdsa-with-SHA256 becomes ecdsa-with-SHA384.
        ("06082A8648CE3D0403020466", 9, .unsupportedAlgorithm),
        // The last byte of the certificate's own signature.
        ("FC48593A318201DA", 3, .untrustedAuthority),
    ])
    func everyChangeHasItsReason(bytes: String, offset: Int, reason: TimestampToken.Distrust) throws {
        var response = try Fixture.bytes(Self.withCertificate)
        response[try Self.place(of: bytes, in: response) + offset] ^= 1
        let token = try TimestampToken(parsing: response)
        #expect(throws: reason) { try token.verify(over: Self.message, by: Self.authorities()) }
    }

    @Test(arguments: [
        // A rejection; versions of the signed data, of the signer and of the statement; another content type, twice;
        // a serial number that is no integer.
        ("3003020100", 4, UInt8(2)), ("020103310D", 2, 1), ("0201013051", 2, 3), ("02010106032A0304", 2, 2),
        ("060B2A864886F70D0109100104A0", 12, 5), ("310D060B2A864886F70D0109100104301C", 14, 5), ("02146711", 0, 4),
    ])
    func whatIsNoTimestampIsRefused(bytes: String, offset: Int, value: UInt8) throws {
        var response = try Fixture.bytes(Self.withCertificate)
        response[try Self.place(of: bytes, in: response) + offset] = value
        #expect(throws: TimestampToken.Malformed.self) { try TimestampToken(parsing: response) }
    }

    @Test func nothingMayFollowAResponse() throws {
        let response = try Fixture.bytes(Self.withCertificate)
        #expect(throws: TimestampToken.Malformed.self) { try TimestampToken(parsing: response + [0]) }
        #expect(throws: TimestampToken.Malformed.self) { try TimestampToken(parsing: response + response) }
    }

    @Test(arguments: [(65_535, false), (65_536, false), (65_537, true)])
    func aResponseIsAtMost64KiBLong(length: Int, isTooLong: Bool) throws {
        let malformed = #expect(throws: TimestampToken.Malformed.self) { try TimestampToken(parsing: [UInt8](repeating: 0x30, count: length)) }
        #expect((malformed?.message == "the response is too long") == isTooLong)
    }

    @Test(arguments: [withCertificate, withoutCertificate])
    func aTruncatedResponseIsRefused(path: String) throws {
        let response = try Fixture.bytes(path)
        for length in response.indices {
            #expect(throws: TimestampToken.Malformed.self) { try TimestampToken(parsing: Array(response[..<length])) }
        }
    }

    /// Outside of the signature and of what is compared with the root stand the status, of which there are two good ones,
    /// and the tag of the certificates, which makes lists of revoked ones of them.
    @Test(arguments: [(withCertificate, [8: 1, 233: 1]), (withoutCertificate, [8: 1, 233: 1])])
    func aResponseWithAnyBitChangedIsRefused(path: String, exceptions: [Int: UInt8]) throws {
        let response = try Fixture.bytes(path)
        let authorities = try Self.authorities()
        var believed: [Int: UInt8] = [:]
        for index in response.indices {
            // Two bits of each byte, so that it takes seconds.
            for bit in [0, 1 + index % 7] {
                var changed = response
                changed[index] ^= 1 << bit
                if Self.isBelieved(changed, by: authorities) { believed[index, default: 0] |= 1 << bit }
            }
        }
        #expect(believed == exceptions)
    }

    @Test(arguments: 0..<64)
    func garbageNeverCrashes(seed: Int) throws {
        let response = try Fixture.bytes(Self.withCertificate)
        let authorities = try Self.authorities()
        // xorshift64. Source: G. Marsaglia, J. Stat. Softw. 8 (2003), issue 14.
        var state = UInt64(seed) &+ 0x9E37_79B9_7F4A_7C15
        func random(below bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        for _ in 0..<64 {
            var changed = response
            for _ in 0...random(below: 4) {
                let place = random(below: changed.count)
                switch random(below: 4) {
                case 0: changed[place] = UInt8(random(below: 256))
                case 1: changed.remove(at: place)
                case 2: changed.insert(UInt8(random(below: 256)), at: place)
                default:
                    let end = min(place + random(below: 64), changed.count)
                    changed.replaceSubrange(place..<end, with: changed.prefix(random(below: 64)))
                }
            }
            _ = Self.isBelieved(changed, by: authorities)
            _ = try? TimestampAuthority(.init(uri: "", certificates: [changed], validity: Validity(start: Moment(milliseconds: 0))))
        }
    }

    @Test(arguments: [
        ("20250528151555Z", "2025-05-28T15:15:55Z"), ("20250528151555.1Z", "2025-05-28T15:15:55.1Z"),
        ("20240229000000.0009Z", "2024-02-29T00:00:00Z"),
        ("20240229235959.999999999999Z", "2024-02-29T23:59:59.999Z"), ("00010101000000Z", "0001-01-01T00:00:00Z"),
    ])
    func timesAreRead(text: String, same: String) {
        #expect(Moment(generalizedTime: Array(text.utf8)) == Moment(rfc3339: same))
        #expect(Moment(rfc3339: same) != nil)
    }

    @Test(arguments: [
        "", "Z", "2025052815155Z", "202505281515Z", "20250528151555", "20250528151555+0000", "20250528151555.Z", "20250528151555.10Z",
        "20250528151555,1Z", "20250528151555ZZ", "20250229000000Z", "20251301000000Z", "20250528240000Z", "20250528156000Z", "20250528151560Z",
        "00000101000000Z",
        "2025052815155\u{0}Z", "+0250528151555Z", "20250528151555. Z",
    ])
    func whatIsNoTimeIsRefused(text: String) {
        #expect(Moment(generalizedTime: Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        ("490101000000Z", "2049-01-01T00:00:00Z"), ("500101000000Z", "1950-01-01T00:00:00Z"), ("991231235959Z", "1999-12-31T23:59:59Z"),
    ])
    func shortYearsAreThoseOf1950To2049(text: String, same: String) {
        #expect(Moment(utcTime: Array(text.utf8)) == Moment(rfc3339: same))
        #expect(Moment(utcTime: Array(text.utf8.dropLast())) == nil)
    }
}
