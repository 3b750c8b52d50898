public import Domain
public import OCI
import Scanning

/// Judges what lies under a digest: scanners judge images, the project's own inspection judges other artifacts.
public struct ContentJudge: Sendable {
    private let images: ImageJudge
    private let artifacts: ArtifactJudge

    /// A judge of both.
    public init(images: ImageJudge, artifacts: ArtifactJudge) {
        self.images = images
        self.artifacts = artifacts
    }

    /// Judges a content.
    ///
    /// - Parameter runtime: what the submission says it is; `nil` to take it for what it looks like.
    /// - Throws: ``NotScannable`` when it can never be judged, ``ScanFailure`` when it could not be judged now; what the layouts threw.
    public func judge(_ content: StoredContent, as runtime: RuntimeType?) async throws -> Judgement {
        switch content {
        case .image(let image):
            guard runtime == nil || runtime == .container else {
                throw NotScannable(
                    code: "not_an_artifact", "The digest is a container image, and the submission says \(runtime?.rawValue ?? "").",
                    remedy: "Correct runtime_type, or push the file itself as an artifact: archipelago cargo push FILE REFERENCE")
            }
            return try await images.judge(image)
        case .artifact(let artifact):
            return try await artifacts.judge(artifact, as: runtime)
        }
    }
}

/// Something that no scan can ever judge, and that is therefore never approved.
public struct NotScannable: Error, Sendable, Hashable {
    /// Names the case, in snake case.
    public let code: String
    /// What is the matter, fit for the publisher.
    public let message: String
    /// What the publisher can do.
    public let remedy: String

    /// A case with its words.
    public init(code: String, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}
