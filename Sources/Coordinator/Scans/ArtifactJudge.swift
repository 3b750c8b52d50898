public import Domain
import JSON
public import OCI
public import Scanning

/// Judges WebAssembly modules and models by their own structure, because no database knows the packages in them.
///
/// What it says is what was looked at, and how much of the bytes that was; a verdict never rests on what nobody can read.
public struct ArtifactJudge: Sendable {
    private let store: ContentStore
    private let scanner: ArtifactScanner
    private let now: @Sendable () -> Timestamp

    /// A judge of artifacts in a store.
    public init(store: ContentStore, scanner: ArtifactScanner = ArtifactScanner(), now: @escaping @Sendable () -> Timestamp) {
        self.store = store
        self.scanner = scanner
        self.now = now
    }

    /// Judges an artifact.
    ///
    /// - Throws: ``NotScannable`` for an unknown kind, and for files that are not what they say; `CancellationError`.
    public func judge(_ artifact: StoredArtifact, as runtime: RuntimeType?) async throws -> Judgement {
        let kind = try Self.kind(of: artifact, as: runtime)
        let files = artifact.files.map {
            ArtifactFile(name: StoredArtifact.name(of: $0), path: store.path(of: $0.digest))
        }
        let report: ArtifactReport
        do throws(ScanFailure) {
            report = try await scanner.scan(kind, files: files)
        } catch {
            guard error.code.speaksOfTheArtifact else { throw error }
            throw NotScannable(code: error.code.rawValue, error.message, remedy: error.remedy)
        }
        let bill = ArtifactBill(
            name: artifact.digest.description, report: report,
            files: zip(artifact.files, files).map { ArtifactBill.File(name: $1.name, sha256: $0.digest.hex, bytes: Int($0.size)) },
            created: Self.wholeSeconds(now()))
        return Judgement(
            findings: report.findings, reports: [Self.describe(report, artifact)], platforms: [], documents: Self.documents(report, bill),
            operatorWarnings: [], remarks: [Self.warning(report)], missingScanners: [])
    }

    /// What the artifact is, by the media types of its files. One that says several things, or nothing that is known, is not scannable.
    private static func kind(of artifact: StoredArtifact, as runtime: RuntimeType?) throws(NotScannable) -> ArtifactKind {
        let remedy =
            "Push the file as \(ArtifactKind.allCases.map { $0.mediaTypes[0] }.joined(separator: ", ")): archipelago cargo push FILE REFERENCE"
        guard runtime != .container else {
            throw NotScannable(
                code: "not_an_image", "The digest is no container image but \"\(printable(artifact.artifactType))\".",
                remedy: "Push a container image, or correct runtime_type.")
        }
        for file in artifact.files where ArtifactKind(mediaType: file.mediaType) == nil {
            throw NotScannable(
                code: "unknown_media_type",
                "The file \(printable(StoredArtifact.name(of: file))) has the media type \"\(printable(file.mediaType))\", which nothing here can look into.",
                remedy: remedy)
        }
        let kinds = Set(artifact.files.compactMap { ArtifactKind(mediaType: $0.mediaType) })
        guard let kind = kinds.first, kinds.count == 1 else {
            throw NotScannable(code: "mixed_artifact", "The artifact holds files of several kinds.", remedy: remedy)
        }
        guard runtime == nil || runtime?.rawValue == kind.rawValue else {
            throw NotScannable(
                code: "another_kind", "The artifact is of the kind \(kind.rawValue), and the submission says \(runtime?.rawValue ?? "").",
                remedy: "Correct runtime_type, or push the right file.")
        }
        return kind
    }

    private static func documents(_ report: ArtifactReport, _ bill: ArtifactBill) -> [Judgement.Document] {
        func document(_ kind: DocumentKind, _ bytes: [UInt8]) -> Judgement.Document {
            .init(kind: kind, source: ArtifactScanner.scannerName, platform: report.kind.rawValue, bytes: bytes)
        }
        return [
            document(.report, report.json()), document(.cyclonedx, bill.cycloneDX().bytes), document(.spdx, bill.spdx().bytes),
        ]
    }

    /// Nobody may take the verdict for more than it is.
    private static func warning(_ report: ArtifactReport) -> String {
        "No vulnerability database knows what is in a \(report.kind.rawValue) file; its structure was inspected, "
            + "\(Int(report.inspectedShare * 100)) % of \(report.bytesTotal) bytes."
    }

    private static func describe(_ report: ArtifactReport, _ artifact: StoredArtifact) -> JSONValue {
        [
            "scanner": .string(ArtifactScanner.scannerName), "version": .string(ArtifactScanner.version), "platform": .string(report.kind.rawValue),
            "image_id": .string(artifact.digest.description), "findings": .int(report.findings.count), "bytes": .int(report.bytesTotal),
            "inspected_bytes": .int(report.bytesInspected),
            "inspected_percent": .int(Int(report.inspectedShare * 100)),
            "facts": .array(report.facts.map { ["name": .string($0.name), "value": .string($0.value)] }),
        ]
    }

    /// SPDX takes no fraction of a second.
    private static func wholeSeconds(_ moment: Timestamp) -> String { moment.description.prefix(19) + "Z" }

    /// Names come from strangers.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(200)))
    }
}
