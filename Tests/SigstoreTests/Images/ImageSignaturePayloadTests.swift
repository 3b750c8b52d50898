import Foundation
import JSON
import TestSupport
import Testing

@testable import Sigstore

/// Payloads that cosign wrote, from the image layouts of the fixtures: the blob, what it is about, and of what repository.
private let real = [
    (
        "cosign-key/blobs/sha256/cf482371b51a7633b3f02e29b87fc3f4a18b3f127af61cb114af5f2c04fcdd75", "192.168.64.2:5000/cosign-signed-single-sample",
        "sha256:634a8f35b5f16dcf4aaa0822adc0b1964bb786fca12f6831de8ddc45e5986a00"
    ),
    (
        "cosign-byo-pki/blobs/sha256/e4ac82f3dec5dfe51cd6eeb4fc7c7fd2a0b8886f2ab569ca24a78939a72670f4", "localhost:5000/test",
        "sha256:253c890b744fe3efa923b68e3a1be07bd007eb44ba29da1e7deb1d4c53b3e212"
    ),
    (
        "cosign-keyless/blobs/sha256/2dcf9e65b95efb54d936085b0b4519b22fb2e9ab47312ded0ec0fa45384701ed",
        "192.168.64.2:5000/cosign-signed/fulcio-rekor-1",
        "sha256:0489474da8ea22426ece86ace6c1c0026ab2fd3cdfbbd62b7e94650266c37d9a"
    ),
]

@Suite struct SimpleSigningTests {
    private static let digest = "sha256:" + String(repeating: "0a", count: 32)

    private static func payload(
        digest: String = "\"\(digest)\"", type: String = "\"cosign container image signature\"", identity: String = #"{"docker-reference":"r"}"#
    ) -> [UInt8] {
        let image = #"{"docker-manifest-digest":\#(digest)}"#
        return Array(#"{"critical":{"identity":\#(identity),"image":\#(image),"type":\#(type)},"optional":{"creator":"me","n":[1]}}"#.utf8)
    }

    @Test(arguments: real)
    func payloadsOfCosignAreReadAndWrittenByteForByte(blob: String, reference: String, digest: String) throws {
        let bytes = try Fixture.bytes("oci/" + blob)
        let payload = try SimpleSigning(parsing: bytes)
        #expect(payload.digest == digest && payload.reference == reference)
        #expect(SimpleSigning.payload(reference: reference, digest: digest) == bytes)
    }

    /// Made with Go's `json.Marshal`, 1.19; `\b` and `\f` as Go writes them from 1.22 on (before: `\u0008`, `\u000c`).
    @Test func textsAreEscapedAsGoDoes() throws {
        let reference = "a<b>&c\u{2028}\u{2029}\"\\\n\r\t\u{08}\u{0C}\u{01}\u{7F}é😀/"
        let wanted =
            #"{"critical":{"identity":{"docker-reference":"a\u003cb\u003e\u0026c\u2028\u2029\"\\\n\r\t\b\f\u0001"# + "\u{7F}é😀/"
            + #""},"image":{"docker-manifest-digest":"sha256:x"},"type":"cosign container image signature"},"optional":null}"#
        let bytes = SimpleSigning.payload(reference: reference, digest: "sha256:x")
        #expect(String(decoding: bytes, as: UTF8.self) == wanted)
        #expect(try JSONValue(parsing: bytes)["critical"]?["identity"]?["docker-reference"]?.string == reference)
    }

    @Test func annotationsAndAMissingReferenceArePassedOver() throws {
        #expect(try SimpleSigning(parsing: Self.payload()).reference == "r")
        #expect(try SimpleSigning(parsing: Self.payload(identity: "{}")).reference == "")
        let long = "\"sha512:" + String(repeating: "0a", count: 64) + "\""
        #expect(try SimpleSigning(parsing: Self.payload(digest: long)).digest.utf8.count == 135)
    }

    @Test(arguments: [
        "null", "1", "\"\"", "\"sha256:\"", "\"\(String(repeating: "0a", count: 32))\"", "\"sha256:\(String(repeating: "0A", count: 32))\"",
        "\"sha256:\(String(repeating: "0a", count: 31))0\"", "\"sha256:\(String(repeating: "0a", count: 32))0\"",
        "\"sha256:\(String(repeating: "0a", count: 31))0g\"", "\"sha256:\(String(repeating: "0a", count: 32))\\n\"",
        "\"sha512:\(String(repeating: "0a", count: 32))\"", "\"md5:\(String(repeating: "0a", count: 16))\"",
    ])
    func whatIsNoDigestIsRefused(digest: String) {
        #expect(throws: SimpleSigning.Malformed(message: "it does not name an image by its digest")) {
            try SimpleSigning(parsing: Self.payload(digest: digest))
        }
    }

    @Test(arguments: [
        "null", "\"\"", "\"atomic container signature\"", "\"cosign container image signature \"", "[\"cosign container image signature\"]",
    ])
    func anotherTypeIsRefused(type: String) {
        #expect(throws: SimpleSigning.Malformed(message: "it is no signature of a container image")) {
            try SimpleSigning(parsing: Self.payload(type: type))
        }
    }

    @Test(arguments: ["", "{}", "[]", "{\"critical\":", "{\"critical\":1}", "\u{0}", #"{"critical":{"type":"cosign container image signature"}}"#])
    func whatIsNoPayloadIsRefused(text: String) {
        #expect(throws: SimpleSigning.Malformed.self) { try SimpleSigning(parsing: Array(text.utf8)) }
    }

    @Test func aReferenceOfAnotherKindIsRefused() {
        #expect(throws: SimpleSigning.Malformed.self) { try SimpleSigning(parsing: Self.payload(identity: #"{"docker-reference":1}"#)) }
    }

    @Test func twoDigestsAreRefused() {
        let twice = Self.payload(digest: "\"\(Self.digest)\",\"docker-manifest-digest\":\"\(Self.digest)\"")
        #expect(throws: SimpleSigning.Malformed.self) { try SimpleSigning(parsing: twice) }
    }

    @Test func aMebibyteIsTheMost() throws {
        let bytes = Self.payload()
        let space = [UInt8](repeating: 0x20, count: (1 << 20) - bytes.count)
        _ = try SimpleSigning(parsing: bytes + space)
        #expect(throws: SimpleSigning.Malformed.self) { try SimpleSigning(parsing: bytes + space + [0x20]) }
    }

    @Test func cutAndChangedPayloadsNeverStopTheProcess() {
        let bytes = Self.payload()
        for count in 0..<bytes.count { #expect(throws: SimpleSigning.Malformed.self) { try SimpleSigning(parsing: Array(bytes.prefix(count))) } }
        var random = SplitMix64(state: 3)
        for _ in 0..<2000 {
            var changed = bytes
            changed[Int(random.next() as UInt64 % UInt64(bytes.count))] = random.next()
            // Whether it is read does not matter here, only that nothing stops.
            _ = try? SimpleSigning(parsing: changed)
        }
    }
}

@Suite struct ImageStatementTests {
    private static let hex = String(repeating: "0a", count: 32)

    /// cosign, specs/BUNDLE_SPEC.md.
    @Test func theStatementIsThatOfTheSpecification() throws {
        let wanted =
            #"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"","digest":{"sha256":"\#(Self.hex)"},"annotations":{}}],"#
            + #""predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#
        #expect(String(decoding: ImageStatement.bytes(digest: Self.hex), as: UTF8.self) == wanted)
    }

    @Test func itReadsAsAStatementOnTheImage() throws {
        let statement = try InTotoStatement(parsing: ImageStatement.bytes(digest: Self.hex))
        #expect(statement.predicateType == ImageStatement.predicateType)
        #expect(statement.speaks(of: [UInt8](repeating: 0x0A, count: 32), .sha256))
        #expect(!statement.speaks(of: [UInt8](repeating: 0x0B, count: 32), .sha256))
    }
}
