import Domain
import JSON
import OCI
import Scanning
import Storage

/// Brings an image's bills of materials to its registry, as referrers of the image, for whoever has nothing but the image.
///
/// A registry that does not take them changes nothing: they are kept here too, and the scan says what became of them.
struct BillPublisher: Sendable {
    private let database: any Database
    private let images: any ImageSource

    init(database: any Database, images: any ImageSource) {
        self.database = database
        self.images = images
    }

    /// Attaches every bill of a judgement to the manifest that it describes, and notes on the scan what came of it.
    func publish(_ judgement: Judgement, of content: StoredContent, in reference: ImageReference, scanID: Int) async throws {
        let own = try await database.read { try Self.attached(to: scanID, in: $0) }
        var attached: [JSONValue] = []
        var refusal: String?
        for document in judgement.documents where document.kind != .report {
            do {
                let descriptor = try await images.attach(
                    document.bytes, mediaType: document.kind.mediaType, to: Self.subject(document, content), of: reference, unlessThere: own)
                attached.append([
                    "media_type": .string(document.kind.mediaType), "platform": .string(document.platform),
                    "digest": .string(descriptor.digest.description),
                ])
            } catch let error as OCIError {
                refusal = error.message
                break
            }
        }
        let note: JSONValue = ["attached": .array(attached), "refused": .optional(refusal)]
        try await database.write { writer in
            guard let scan = try writer.scan(id: scanID), var notes = try JSONValue(parsing: scan.notes).object else { return }
            notes["sbom_referrers"] = note
            try writer.noteScan(id: scanID, notes.text)
        }
    }

    /// What earlier scans of the submission attached.
    private static func attached(to scanID: Int, in reader: any SQLReader) throws -> Set<Digest> {
        guard let scan = try reader.scan(id: scanID) else { return [] }
        let notes = try reader.finishedScanNotes(submissionID: scan.submissionID).map { try JSONValue(parsing: $0) }
        let attached = notes.flatMap { $0["sbom_referrers"]?["attached"]?.array ?? [] }
        return Set(try attached.compactMap { try $0["digest"]?.string.map(Digest.init) })
    }

    /// The manifest of the document's platform; where several have it, and for an artifact, the one that was submitted.
    private static func subject(_ document: Judgement.Document, _ content: StoredContent) -> Descriptor {
        switch content {
        case .artifact(let artifact): return artifact.manifest
        case .image(let image):
            let manifests = image.images.filter { $0.platform.description == document.platform }.map(\.manifest)
            return manifests.count == 1 ? manifests[0] : image.descriptor
        }
    }
}
