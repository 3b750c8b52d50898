extension ScanFailure {
    /// A file that is not what it says.
    ///
    /// - Parameters:
    ///   - file: the file's name inside the artifact.
    ///   - offset: where reading stopped, in bytes from the file's start; `nil` when no byte is to blame.
    ///   - expected: what should have been there, as the rest of "expected …".
    static func malformed(_ file: String, at offset: Int?, expected: String) -> ScanFailure {
        let place = offset.map { "byte \($0) of " } ?? ""
        return ScanFailure(
            .malformedArtifact,
            message: "The artifact is not well formed: \(place)\(ArtifactText.shown(file)): expected \(ArtifactText.shown(expected)).",
            remedy: "Build the artifact again and submit it again.")
    }

    /// A file beyond its bound.
    static func tooLarge(_ file: String, bytes: Int, bytesMax: Int) -> ScanFailure {
        ScanFailure(
            .artifactTooLarge, message: "\(ArtifactText.shown(file)) has \(bytes) bytes; at most \(bytesMax) are inspected.",
            remedy: "Make the artifact smaller and submit it again.")
    }

    /// A format that Islands do not run.
    ///
    /// - Parameters:
    ///   - what: the sentence that says what the file is.
    ///   - remedy: the sentence that says what to submit instead.
    static func unsupported(_ what: String, remedy: String) -> ScanFailure {
        ScanFailure(.unsupportedArtifact, message: ArtifactText.shown(what), remedy: remedy)
    }

    /// A file that the machine could not read; it may be readable later.
    static func unreadable(artifact file: String, reason: String) -> ScanFailure {
        ScanFailure(
            .artifactUnreadable, message: "\(ArtifactText.shown(file)) cannot be read.",
            remedy: "Look at the disk and the rights of the content store.", retryable: true, detail: reason)
    }
}
