import Testing

@testable import Sigstore

/// Times that a log signs and that no clock shows.
@Suite struct LogEntryTimeTests {
    /// A time beyond what milliseconds hold once stopped the process: found by reading what the fuzzing did not reach, since the log signs it.
    @Test(arguments: [253_402_300_800, 9_223_372_036_854_775, 9_223_372_036_854_776, .max]) func anImpossibleTimeIsRefused(time: Int) throws {
        let key = try SigningKey(pem: Fixture.text("vectors/keys/ecdsa_private.key"))
        let id = PublicKey.HashAlgorithm.sha256.hash(key.publicKey.spki)
        let body = Array("{}".utf8)
        let promise = try key.sign(LogPromise.signedBytes(body: body, integratedTime: time, logID: id, index: 0))
        let entry = Sigstore.Bundle.LogEntry(
            logIndex: 0, logID: id, kind: "hashedrekord", kindVersion: "0.0.1", integratedTime: time, signedEntryTimestamp: promise,
            inclusionProof: nil, canonicalizedBody: body)
        let log = TrustedRoot.Log(
            baseURL: "", id: id, checkpointKeyID: nil, key: key.publicKey, hash: .sha256, validity: Validity(start: Moment(milliseconds: 0)))
        let refusal = #expect(throws: Refusal.self) { try log.verify(entry, .promise) }
        #expect(refusal?.code == .logEntryMalformed)
    }
}
