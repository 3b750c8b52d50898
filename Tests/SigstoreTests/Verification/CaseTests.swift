import Testing

@testable import Sigstore

/// Every case of the fixtures, with its verdict and, where it is refused, the link that is broken.
@Suite struct CaseTests {
    @Test(arguments: FixtureCase.bundles) func bundleByFile(_ one: FixtureCase) throws {
        guard let path = one.text("artifact") else { return }
        try require(one) { () throws(Refusal) in _ = try one.verify(.bytes((try? Fixture.bytes(path)) ?? [])) }
    }

    @Test(arguments: FixtureCase.bundles.filter { $0.text("digest") != nil }) func bundleByDigest(_ one: FixtureCase) throws {
        let artifact = try #require(Artifact(sha256Hexadecimal: String(one.text("digest")?.dropFirst(7) ?? "")))
        try require(one) { () throws(Refusal) in _ = try one.verify(artifact) }
    }

    @Test(arguments: FixtureCase.images) func image(_ one: FixtureCase) async throws {
        do {
            _ = try await one.verifyImage()
            try require(one) {}
        } catch let refusal as Refusal {
            try require(one) { () throws(Refusal) in throw refusal }
        }
    }

    @Test func everyRefusedCaseHasItsReason() {
        let refused = Set(FixtureCase.all.filter { !$0.isExpected }.map(\.name))
        #expect(refused == Set(Self.reasons.keys))
    }

    private func require(_ one: FixtureCase, _ verify: () throws(Refusal) -> Void) throws {
        do throws(Refusal) {
            try verify()
            #expect(one.isExpected, "accepted, though: \(one.text("why") ?? "")")
        } catch {
            #expect(!one.isExpected, "refused: \(error.code.rawValue): \(error.message)")
            #expect(error.code == Self.reasons[one.name], "\(error.message) — \(one.text("why") ?? "")")
        }
    }

    static let reasons: [String: Refusal.Code] = [
        "bundle-empty-certificate-chain": .bundleMalformed,
        "bundle-from-wrong-instance": .logUntrusted,
        "bundle-invalid-base64-signature": .bundleMalformed,
        "bundle-malformed-json": .bundleMalformed,
        "bundle-unknown-version": .bundleMalformed,
        "bundle-with-root-cert": .rootCertificateInBundle,
        "cosign-key-modified-manifest": .payloadOtherImage,
        "cosign-key-tlog-required": .logEntryMissing,
        "cosign-key-wrong": .signatureInvalid,
        "cosign-keyless-other-identity": .identityMismatch,
        "cosign-keyless-payload-changed": .signatureInvalid,
        "cosign-keyless-set-time-changed": .promiseInvalid,
        "dsse-invalid-sig": .signatureInvalid,
        "dsse-mismatch-envelope": .logEntryOtherSignature,
        "gen-bundle-manifest-subject-other": .referrerOtherImage,
        "gen-bundle-subject-other-image": .subjectMismatch,
        "gen-cert-eku-serverauth": .certificateWrongPurpose,
        "gen-cert-no-sct": .sctMissing,
        "gen-cert-sct-unknown-log": .sctUntrusted,
        "gen-cert-truncated": .certificateMalformed,
        "gen-cert-untrusted-ca-same-name": .certificateUntrusted,
        "gen-checkpoint-ascii-dash": .checkpointMalformed,
        "gen-checkpoint-bitflip": .checkpointSignatureInvalid,
        "gen-digest-wrong-algorithm": .artifactMismatch,
        "gen-dsse-signed-without-pae": .signatureInvalid,
        "gen-dsse-subject-mismatch": .subjectMismatch,
        "gen-dsse-two-signatures": .bundleMalformed,
        "gen-empty-file": .bundleMalformed,
        "gen-entry-other-certificate": .logEntryOtherSigner,
        "gen-entry-other-valid-signature": .logEntryOtherSignature,
        "gen-identity-only-in-build-signer-ext": .identityMismatch,
        "gen-identity-prefix": .identityMismatch,
        "gen-integrated-time-without-promise": .timeMissing,
        "gen-issuer-other": .issuerMismatch,
        "gen-issuer-trailing-slash": .issuerMismatch,
        "gen-keyed-wrong-key": .signatureInvalid,
        "gen-kind-version-mismatch": .logEntryKindMismatch,
        "gen-legacy-no-signature-annotation": .signatureInvalid,
        "gen-legacy-replayed-from-other-image": .payloadOtherImage,
        "gen-legacy-unsigned": .unsigned,
        "gen-log-index-overflow": .bundleMalformed,
        "gen-no-content": .bundleMalformed,
        "gen-no-tlog-entry": .logEntryMissing,
        "gen-proof-extra-hash": .inclusionProofInvalid,
        "gen-proof-short": .inclusionProofInvalid,
        "gen-proof-tree-size-not-checkpoint": .checkpointMismatch,
        "gen-root-ca-ended": .certificateOutsideValidity,
        "gen-set-log-index-changed": .promiseInvalid,
        "gen-trailing-garbage": .bundleMalformed,
        "gen-v2-tsa-late": .certificateOutsideValidity,
        "gen-v2-tsa-over-artifact": .timestampOtherMessage,
        "image-kubewarden-controller-other-digest": .subjectMismatch,
        "incorrect-public-key": .promiseInvalid,
        "intoto-expired-certificate": .certificateOutsideValidity,
        "intoto-missing-inclusion-proof": .inclusionProofMissing,
        "intoto-set-outside-signing-cert-validity": .certificateOutsideValidity,
        "invalid-checkpoint-signature": .checkpointSignatureInvalid,
        "invalid-inclusion-proof": .checkpointMissing,
        "java-dsse-rekor-v2-unknown-entry-type": .logEntryMalformed,
        "java-expired-cert": .certificateOutsideValidity,
        "java-mismatched-set": .promiseInvalid,
        "java-v2-no-inclusion-proof": .inclusionProofMissing,
        "managed-key-no-key": .keyNotExpected,
        "managed-key-wrong-key": .keyMalformed,
        "py-cve-2022-36056": .logEntryOtherSignature,
        "py-no-checkpoint": .checkpointMissing,
        "py-tsa-duplicate": .timestampDuplicate,
        "rekor2-checkpoint-missing-log-signature": .checkpointMalformed,
        "rekor2-checkpoint-missing-origin": .checkpointMalformed,
        "rekor2-checkpoint-missing-root-hash": .checkpointMalformed,
        "rekor2-checkpoint-missing-size": .checkpointMalformed,
        "rekor2-dsse-invalid-sig": .signatureInvalid,
        "rekor2-dsse-mismatch-envelope": .logEntryOtherSignature,
        "rekor2-no-inclusion-proof": .inclusionProofMissing,
        "rekor2-no-timestamp": .timeMissing,
        "rekor2-timestamp-outside-trust-root-tsa-validity": .timestampOutsideValidity,
        "rekor2-timestamp-untrusted-tsa-without-embedded-cert": .timestampUntrusted,
        "set-invalid-signature": .promiseInvalid,
        "signature-mismatch": .signatureInvalid,
        "wrong-hashedrekord-artifact": .logEntryOtherSignature,
        "wrong-hashedrekord-entry": .logEntryOtherSignature,
        "wrong-material": .artifactMismatch,
    ]
}
