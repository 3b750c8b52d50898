/// Looks into artifacts that are no container images, on a thread of its own.
///
/// It is part of this program and runs in no cage: it reads bytes with checked bounds and starts nothing.
public struct ArtifactScanner: Sendable {
    /// The name in findings and reports.
    public static let scannerName = "inspector"
    /// Changes whenever the same file may be judged differently than before.
    public static let version = "1"

    private let inspector: ArtifactInspector
    private let queue = BlockingQueue(label: "scanning.artifacts")

    /// A scanner; nothing is read before the first scan.
    public init(inspector: ArtifactInspector = ArtifactInspector()) { self.inspector = inspector }

    /// Inspects the files of one artifact, which were checked against their digests before.
    ///
    /// - Throws: ``ScanFailure``; ``ScanFailure/Code/speaksOfTheArtifact`` tells a bad artifact from a scan that could not be done.
    public func scan(_ kind: ArtifactKind, files: [ArtifactFile]) async throws(ScanFailure) -> ArtifactReport {
        let inspector = inspector
        return try await queue.run { () throws(ScanFailure) in try inspector.inspect(kind, files: files) }
    }
}

extension ScanFailure.Code {
    /// Whether the failure says something of the artifact that no further try will change.
    public var speaksOfTheArtifact: Bool {
        switch self {
        case .malformedArtifact, .artifactTooLarge, .unsupportedArtifact: true
        default: false
        }
    }
}
