import JSON
import Testing

@testable import Sigstore

/// Answers of the public log.
@Suite struct RekorDocumentsTests {
    private func log() throws -> TrustedRoot.Log {
        let key = try PublicKey(pem: try Fixture.text("vectors/rekor/rekor.pub"))
        let always = Validity(start: Moment(milliseconds: 0))
        return TrustedRoot.Log(
            baseURL: "", id: PublicKey.HashAlgorithm.sha256.hash(key.spki), checkpointKeyID: nil, key: key, hash: .sha256, validity: always)
    }

    @Test func anEntryWithItsProofVerifies() throws {
        let entry = try RekorDocuments.entry(answer: try Fixture.bytes("vectors/rekor/entry.json"))
        #expect(try log().verify(entry, .promise) == Moment(seconds: entry.integratedTime))
        #expect(entry.inclusionProof != nil)
    }

    @Test func anEntryWithoutProofHasOnlyThePromise() throws {
        let entry = try RekorDocuments.entry(answer: try Fixture.bytes("vectors/rekor/entry-no-inclusion-proof.json"))
        #expect(try log().verify(entry, .promise) == Moment(seconds: entry.integratedTime))
        let refusal = #expect(throws: Refusal.self) { try log().verify(entry, .inclusion) }
        #expect(refusal?.code == .inclusionProofMissing)
    }

    @Test(arguments: ["", "{}", "[]", #"{"a":1}"#, #"{"a":{},"b":{}}"#, #"{"a":{"body":"e30=","logID":"zz"}}"#])
    func otherAnswersAreRefused(_ text: String) {
        let refusal = #expect(throws: Refusal.self) { try RekorDocuments.entry(answer: Array(text.utf8)) }
        #expect(refusal?.code == .logEntryMalformed)
    }

    @Test func whatIsWrittenIsRead() throws {
        for one in FixtureCase.bundles where one.isExpected {
            let bundle = try Bundle(parsing: try Fixture.bytes(try #require(one.text("bundle"))))
            let again = try? Bundle(parsing: Array(JSONValue.object(bundle.json).text.utf8))
            // Older bundles have a chain, of which only the signer's certificate is written.
            guard bundle.version == .v0_3 else { continue }
            #expect(again == bundle, "\(one.name)")
        }
    }
}
