import JSON
import Testing

@testable import Sigstore

/// ProtoJSON as others write it.
@Suite struct ProtobufReaderTests {
    private static let good = "bundles/happy-path-v0.3/bundle.sigstore.json"

    private func reader(_ text: String) throws -> ProtobufReader { try ProtobufReader(parsing: Array(text.utf8), limits: .init()) }

    @Test(arguments: [#"{"logId": {"keyId": "a"}}"#, #"{"log_id": {"key_id": "a"}}"#, #"{"log_id": {"keyId": "a"}, "keyID": 1}"#])
    func membersMayHaveTheNamesOfTheProtocol(text: String) throws {
        #expect(try reader(text).needChild("logId").needString("keyId") == "a")
    }

    @Test(arguments: [
        (#"{"logId": 1, "log_id": 1}"#, "/logId"), (#"{"log_id": 1, "logId": null}"#, "/logId"),
        (#"{"a": [{"b": 1}, {"x_y": 1, "xY": 1}]}"#, "/a/1/xY"),
    ])
    func aMemberUnderBothNamesIsAMistake(text: String, pointer: String) {
        let mistake = #expect(throws: ProtobufReader.Mistake.self) { try reader(text) }
        #expect(mistake?.pointer == pointer)
    }

    @Test func aBundleMayNotBeReadInTwoWays() throws {
        var object = try #require(try Fixture.json(Self.good).object)
        object["media_type"] = object["mediaType"]
        let mistake = #expect(throws: Sigstore.Bundle.Malformed.self) { try Sigstore.Bundle(parsing: object.bytes) }
        #expect(mistake?.pointer == "/mediaType")
    }

    /// The same moment in the ways of RFC 3339 §4 and §5.8.
    @Test(arguments: [
        "1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000000+00:00", "1985-04-13T01:20:50.52+02:00", "1985-04-12T15:20:50.52-08:00",
        "1985-04-12T23:20:50.52-00:00",
    ])
    func timesHaveOffsets(text: String) { #expect(Moment(rfc3339: text)?.milliseconds == 482_196_050_520) }

    @Test(arguments: [
        "1985-04-12T23:20:50", "1985-04-12T23:20:50.Z", "1985-04-12T23:20:50.1234567890Z", "1985-04-12T23:20:50+0200", "1985-04-12T23:20:50+02",
        "1985-04-12T23:20:50+24:00", "1985-04-12T23:20:50+02:60", "1985-04-12T23:20:50+02:00Z", "1985-04-12T23:20:50ZZ", "1985-04-12T23:20:50 Z",
        "1985-04-12t23:20:50z", "1985-04-12T23:20:50.1+", "",
    ])
    func whatIsNoTimeIsRefused(text: String) { #expect(Moment(rfc3339: text) == nil) }
}
