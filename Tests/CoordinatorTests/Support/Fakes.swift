import Domain
import Scanning
import Synchronization

@testable import Coordinator
@testable import OCI

/// Registries whose contents a test decides.
final class FakeImages: ImageSource {
    private struct State {
        var tags: [String: Digest] = [:]
        var failure: OCIError?
        var fetchFailure: OCIError?
        var platforms = [Platform.linuxAMD64]
        var beforeResolving: (@Sendable () async throws -> Void)?
        var kept: [Set<Digest>] = []
        var attached: [String] = []
        var ownAtAttaching: [Set<Digest>] = []
        var attachFailure: OCIError?
        var artifact: StoredArtifact?
    }

    private let state = Mutex(State())

    static func digest(of content: String) -> Digest { Digest.sha256(of: Array(content.utf8)) }

    /// Lets a tag point to an image; by default to one of its own.
    func push(_ reference: String, content: String? = nil) { state.withLock { $0.tags[reference] = Self.digest(of: content ?? reference) } }

    /// Lets a tag point to an image of a test's own.
    func push(_ reference: String, digest: Digest) { state.withLock { $0.tags[reference] = digest } }

    /// Every registry answers so; `nil` for as it should.
    func fail(_ error: OCIError?) { state.withLock { $0.failure = error } }
    func failFetching(_ error: OCIError?) { state.withLock { $0.fetchFailure = error } }
    func offer(_ platforms: [Platform]) { state.withLock { $0.platforms = platforms } }
    func beforeResolving(_ body: (@Sendable () async throws -> Void)?) { state.withLock { $0.beforeResolving = body } }

    func resolve(_ reference: ImageReference) async throws -> Digest {
        try await state.withLock(\.beforeResolving)?()
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            guard let digest = state.tags[reference.description] else { throw OCIError(.notFound, "no such tag") }
            return digest
        }
    }

    func keepOnly(_ digests: [Digest]) async throws { state.withLock { $0.kept.append(Set(digests)) } }

    func attach(
        _ bytes: [UInt8], mediaType: String, to subject: Descriptor, of reference: ImageReference, unlessThere own: Set<Digest>
    ) async throws -> Descriptor {
        if let failure = state.withLock(\.attachFailure) { throw failure }
        state.withLock { $0.ownAtAttaching.append(own) }
        state.withLock { $0.attached.append("\(mediaType) to \(subject.digest)") }
        return Descriptor(mediaType: MediaType.ociManifest, digest: .sha256(of: bytes), size: Int64(bytes.count))
    }

    /// What was said to be this network's own at each attaching.
    var ownAtAttaching: [Set<Digest>] { state.withLock(\.ownAtAttaching) }

    /// What was attached, oldest first.
    var attached: [String] { state.withLock(\.attached) }

    func refuseAttaching(_ error: OCIError) { state.withLock { $0.attachFailure = error } }

    /// Gives an artifact in place of an image.
    func offer(_ artifact: StoredArtifact) { state.withLock { $0.artifact = artifact } }

    /// What was to be kept, each time.
    var kept: [Set<Digest>] { state.withLock(\.kept) }

    func fetch(_ reference: ImageReference, digest: Digest) async throws -> StoredContent {
        let (failure, platforms, artifact) = state.withLock { ($0.failure ?? $0.fetchFailure, $0.platforms, $0.artifact) }
        if let failure { throw failure }
        if let artifact { return .artifact(artifact) }
        let manifest = Descriptor(mediaType: "application/vnd.oci.image.manifest.v1+json", digest: digest, size: 1)
        let images = platforms.map { platform in
            PlatformImage(
                manifest: manifest,
                config: Descriptor(
                    mediaType: "application/vnd.oci.image.config.v1+json", digest: Self.digest(of: "config \(digest) \(platform)"), size: 1),
                platform: platform, layers: [], configuration: ImageConfiguration(platform: platform, process: .init(), diffIDs: []))
        }
        return .image(StoredImage(descriptor: manifest, images: images, attachments: [], documents: []))
    }
}

/// Layouts that are only names.
final class FakeLayouts: ImageLayouts {
    private let folders = Mutex<(made: Int, kept: Set<String>)>((0, []))
    private let traces = Mutex(PackageTraces())

    /// Says what every image says of its packages.
    func leave(_ change: (inout PackageTraces) -> Void) { traces.withLock { change(&$0) } }

    func packageTraces(in image: PlatformImage) async throws -> PackageTraces { traces.withLock { $0 } }

    /// Folders made and not removed.
    var kept: Set<String> { folders.withLock(\.kept) }
    var made: Int { folders.withLock(\.made) }

    func makeLayout(of image: PlatformImage) async throws -> String {
        folders.withLock { folders in
            folders.made += 1
            folders.kept.insert("/layouts/\(folders.made)")
            return "/layouts/\(folders.made)"
        }
    }

    func removeLayout(_ folder: String) async { folders.withLock { _ = $0.kept.remove(folder) } }
}

/// A scanner that finds what a test says.
final class FakeScanner: VulnerabilityScanner {
    typealias Answer = @Sendable (ScanSubject) async -> Result<[Finding], ScanFailure>

    let name: String
    let databaseRemedy = "trivy image --download-db-only"
    private let builtAt: String
    private let packages: Int?
    private let state = Mutex<(answer: Answer, subjects: [ScanSubject])>(({ _ in .success([]) }, []))

    init(name: String = "trivy", builtAt: String = "2026-01-01T00:00:00Z", packages: Int? = 1) {
        self.packages = packages
        self.name = name
        self.builtAt = builtAt
    }

    /// What was scanned so far.
    var subjects: [ScanSubject] { state.withLock(\.subjects) }

    func find(_ severities: Severity...) {
        let findings = severities.enumerated().map { index, severity in
            Finding(
                id: "CVE-2026-\(index)", package: "zlib", version: "1.0", fixedVersion: "1.1", severity: severity, packageURL: nil,
                scanners: ["trivy"])
        }
        answer { _ in .success(findings) }
    }

    func fail(_ code: ScanFailure.Code) { answer { _ in .failure(ScanFailure(code, message: "It failed.", remedy: "Mend it.")) } }

    func answer(_ answer: @escaping Answer) { state.withLock { $0.answer = answer } }

    func scan(_ subject: ScanSubject) async throws(ScanFailure) -> ScannerReport {
        let answer = state.withLock { state in
            state.subjects.append(subject)
            return state.answer
        }
        let findings = try await answer(subject).get()
        return ScannerReport(
            scanner: name, scannerVersion: "0.76.0", databaseUpdatedAt: builtAt, imageID: subject.imageID, platform: subject.platform,
            operatingSystem: nil, packageCount: packages, systemPackageCount: packages,
            findings: findings, raw: Array("{\"scanner\":\"\(name)\"}".utf8))
    }
}

/// Bills of materials that name the image and nothing else.
final class FakeBilling: SBOMGenerator {
    let name = "trivy"
    private let failure = Mutex<ScanFailure?>(nil)

    func fail(_ code: ScanFailure.Code) { failure.withLock { $0 = ScanFailure(code, message: "It failed.", remedy: "Mend it.") } }

    func makeSBOM(of subject: ScanSubject, format: SBOMFormat) async throws(ScanFailure) -> SBOMDocument {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return SBOMDocument(format: format, generator: name, bytes: Array("{\"format\":\"\(format.rawValue)\",\"of\":\"\(subject.platform)\"}".utf8))
    }
}
