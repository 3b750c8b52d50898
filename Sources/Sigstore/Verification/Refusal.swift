/// Why a signature is not accepted.
public struct Refusal: Error, Sendable, Hashable {
    /// The broken link.
    public let code: Code
    /// In words, for people.
    public let message: String

    /// A refusal.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The links of the chain from an artifact to whom it is trusted by; each breaks under its own name.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        // What was given.
        /// The bundle cannot be read.
        case bundleMalformed = "bundle_malformed"
        /// The trusted root cannot be read.
        case trustedRootMalformed = "trusted_root_malformed"
        /// The expected key cannot be read.
        case keyMalformed = "key_malformed"
        /// The bundle is signed with a key, and none is expected.
        case keyNotExpected = "key_not_expected"
        /// The bundle is signed with a certificate, and a key is expected.
        case keyExpected = "key_expected"

        // When it was signed.
        /// Nothing that is trusted says when it was signed.
        case timeMissing = "time_missing"
        /// A time stamp cannot be read.
        case timestampMalformed = "timestamp_malformed"
        /// A time stamp is there twice.
        case timestampDuplicate = "timestamp_duplicate"
        /// A time stamp is over something other than the signature.
        case timestampOtherMessage = "timestamp_other_message"
        /// A time stamp's own signature is wrong.
        case timestampSignatureInvalid = "timestamp_signature_invalid"
        /// No trusted authority made the time stamp.
        case timestampUntrusted = "timestamp_untrusted"
        /// The time stamp's time is outside what its authority or its certificate is trusted for.
        case timestampOutsideValidity = "timestamp_outside_validity"

        // Who signed.
        /// The signer's certificate cannot be read.
        case certificateMalformed = "certificate_malformed"
        /// No trusted authority issued the certificate.
        case certificateUntrusted = "certificate_untrusted"
        /// It was signed when the certificate, or its authority, did not count.
        case certificateOutsideValidity = "certificate_outside_validity"
        /// The certificate is not for signing code.
        case certificateWrongPurpose = "certificate_wrong_purpose"
        /// The bundle brings a root certificate along.
        case rootCertificateInBundle = "root_certificate_in_bundle"
        /// The certificate has no proof that its issue was logged.
        case sctMissing = "sct_missing"
        /// No trusted certificate log gave that proof.
        case sctUntrusted = "sct_untrusted"
        /// The certificate log's signature is wrong.
        case sctInvalid = "sct_invalid"
        /// Somebody else signed.
        case identityMismatch = "identity_mismatch"
        /// Another issuer vouches for the identity.
        case issuerMismatch = "issuer_mismatch"

        // What the transparency log says.
        /// No log entry is there.
        case logEntryMissing = "log_entry_missing"
        /// A log entry is there twice.
        case logEntryDuplicate = "log_entry_duplicate"
        /// The entry is of a log that is not trusted.
        case logUntrusted = "log_untrusted"
        /// The log was not trusted at that time.
        case logOutsideValidity = "log_outside_validity"
        /// The entry cannot be read, or is of an unknown kind.
        case logEntryMalformed = "log_entry_malformed"
        /// The entry is another kind than the bundle says.
        case logEntryKindMismatch = "log_entry_kind_mismatch"
        /// The log's promise is missing.
        case promiseMissing = "promise_missing"
        /// The log's promise is not signed by the log, or is for another entry.
        case promiseInvalid = "promise_invalid"
        /// The proof that the entry is in the log is missing.
        case inclusionProofMissing = "inclusion_proof_missing"
        /// The proof does not lead to the tree's hash.
        case inclusionProofInvalid = "inclusion_proof_invalid"
        /// The log's checkpoint is missing.
        case checkpointMissing = "checkpoint_missing"
        /// The log's checkpoint cannot be read.
        case checkpointMalformed = "checkpoint_malformed"
        /// The checkpoint is of another tree than the proof.
        case checkpointMismatch = "checkpoint_mismatch"
        /// The log has not signed the checkpoint.
        case checkpointUnsigned = "checkpoint_unsigned"
        /// The log's signature of the checkpoint is wrong.
        case checkpointSignatureInvalid = "checkpoint_signature_invalid"

        // What was signed.
        /// The signature is wrong.
        case signatureInvalid = "signature_invalid"
        /// The bundle is of another artifact.
        case artifactMismatch = "artifact_mismatch"
        /// The artifact's digest is given in another algorithm than was signed.
        case digestAlgorithmMismatch = "digest_algorithm_mismatch"
        /// The signed statement cannot be read.
        case statementMalformed = "statement_malformed"
        /// The signed statement is about something else.
        case subjectMismatch = "subject_mismatch"
        /// The log entry is of another artifact.
        case logEntryOtherArtifact = "log_entry_other_artifact"
        /// The log entry is of another signature.
        case logEntryOtherSignature = "log_entry_other_signature"
        /// The log entry is of another certificate or key.
        case logEntryOtherSigner = "log_entry_other_signer"

        // Images.
        /// The image has no signature.
        case unsigned
        /// What is stored beside the image cannot be read.
        case imageMalformed = "image_malformed"
        /// A blob is not what its digest says.
        case digestMismatch = "digest_mismatch"
        /// The stored signature belongs to another image.
        case referrerOtherImage = "referrer_other_image"
        /// The signature's payload cannot be read.
        case payloadMalformed = "payload_malformed"
        /// The signature's payload names another image.
        case payloadOtherImage = "payload_other_image"
    }
}

extension Refusal {
    /// A bundle that cannot be read.
    public init(_ error: Bundle.Malformed) {
        self.init(.bundleMalformed, "The bundle cannot be read at \"\(error.pointer)\": \(error.message).")
    }

    /// A trusted root that cannot be used.
    public init(_ error: TrustedRoot.Malformed) {
        self.init(.trustedRootMalformed, "The trusted root cannot be used at \"\(error.pointer)\": \(error.message).")
    }
}

extension Refusal {
    /// A time stamp that is not believed.
    init(_ distrust: TimestampToken.Distrust) {
        let code: Code =
            switch distrust {
            case .otherMessage: .timestampOtherMessage
            case .untrustedAuthority: .timestampUntrusted
            case .outsideCertificateValidity, .outsideAuthorityValidity: .timestampOutsideValidity
            case .unsupportedAlgorithm, .changedStatement, .otherSigner, .badSignature, .wrongPurpose, .unknownExtension: .timestampSignatureInvalid
            }
        self.init(code, "A time stamp over the signature is not believed: \(distrust.rawValue).")
    }
}
