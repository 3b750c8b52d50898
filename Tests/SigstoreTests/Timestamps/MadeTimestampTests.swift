import Testing

@testable import Sigstore

/// Stamps over `test\n` with certificates of one throwaway authority (data `made/tsa`), for what no public vector shows: by `openssl ts`,
/// and by `openssl cms` and hand where that refuses.
struct MadeTimestampTests {
    static func authority(_ names: [String] = ["ca"]) throws -> TimestampAuthority {
        try TimestampAuthority(
            .init(
                uri: "", certificates: names.map { try Fixture.bytes("made/tsa/\($0).der") },
                validity: Validity(start: Moment(seconds: 0))))
    }

    static func verify(_ name: String, by authority: TimestampAuthority) throws -> Moment {
        try TimestampToken(parsing: Fixture.bytes("made/tsa/\(name).tsr")).verify(over: TimestampTokenTests.message, by: [authority])
    }

    @Test(arguments: ["good", "good-sha384", "good-ess-sha1", "ec", "ed", "keyid"])
    func aSignerOfAKnownIssuerIsBelieved(name: String) throws {
        _ = try Self.verify(name, by: Self.authority())
    }

    /// The authority's other signers may not stamp for the one that the root names.
    @Test(arguments: [("good", true), ("good-sha384", true), ("good-ess-sha1", true), ("ec", false), ("ed", false), ("keyid", false)])
    func ofAnAuthorityWithASignerThatAloneIsBelieved(name: String, isNamed: Bool) throws {
        for chain in [["good", "ca"], ["good"]] {
            if isNamed {
                _ = try Self.verify(name, by: Self.authority(chain))
            } else {
                #expect(throws: TimestampToken.Distrust.untrustedAuthority) { try Self.verify(name, by: Self.authority(chain)) }
            }
        }
        // Where the root also names the issuer by itself, all of its signers count.
        let token = try TimestampToken(parsing: Fixture.bytes("made/tsa/\(name).tsr"))
        _ = try token.verify(over: TimestampTokenTests.message, by: [Self.authority(["good", "ca"]), Self.authority()])
    }

    @Test func aSignerOfTheRootNeedNoCertificateInTheToken() throws {
        _ = try Self.verify("good-sha512", by: Self.authority(["good", "ca"]))
        #expect(throws: TimestampToken.Distrust.untrustedAuthority) { try Self.verify("good-sha512", by: Self.authority()) }
    }

    @Test(arguments: [
        ("good-imprint-sha1", TimestampToken.Distrust.unsupportedAlgorithm),
        ("good-digest-sha1", .unsupportedAlgorithm), ("pss", .unsupportedAlgorithm), ("weak", .untrustedAuthority),
        ("past", .outsideCertificateValidity), ("future", .outsideCertificateValidity), ("unknown", .unknownExtension),
        ("authority", .wrongPurpose), ("usage", .wrongPurpose), ("soft", .wrongPurpose), ("two", .wrongPurpose), ("none", .wrongPurpose),
    ])
    func whatASignerMayNotBeIsRefused(name: String, reason: TimestampToken.Distrust) throws {
        #expect(throws: reason) { try Self.verify(name, by: Self.authority()) }
    }

    @Test(arguments: [
        ("no-ess", "the signed attributes lack the signer's certificate"), ("no-attributes", "signer lacks its signed attributes"),
        ("two-signers", "signers has something that does not belong there"),
    ])
    func whatASignerMustSayIsThere(name: String, message: String) throws {
        let malformed = #expect(throws: TimestampToken.Malformed.self) { try Self.verify(name, by: Self.authority()) }
        #expect(malformed?.message == message)
    }
}
