import Domain
import OCI
public import Storage

/// The documents that scans leave: raw reports and bills of materials.
public struct ScanDocuments: Sendable {
    private let database: any Database

    /// The documents of a database's submissions.
    public init(database: any Database) { self.database = database }

    /// A document to hand out.
    public struct Content: Sendable, Hashable {
        /// Its media type.
        public let mediaType: String
        /// A file name for it.
        public let fileName: String
        /// The document, UTF-8 JSON.
        public let bytes: [UInt8]
    }

    /// A document of the newest scan of a submission's pinned digest.
    ///
    /// - Parameters:
    ///   - source: who wrote it; `nil` for whoever did.
    ///   - platform: the image's platform; may be left out where there is only one.
    /// - Throws: `not_found` (`no_document`); `invalid` naming the platforms when several have one.
    public func document(
        _ kind: DocumentKind, of id: Int, source: String? = nil, platform: String?, for principal: Principal
    ) async throws -> Content {
        try principal.require(.read)
        let (submission, rows) = try await database.read { reader in
            let submission = try Publishing.find(id, for: principal, in: reader)
            let rows = try submission.row.imageDigest.map {
                try reader.newestScanDocuments(submissionID: id, digest: $0, kind: kind.rawValue)
            }
            return (submission, rows ?? [])
        }
        let fitting = rows.filter { (source == nil || $0.source == source) && (platform == nil || $0.platform == platform) }
        guard let row = fitting.last else {
            throw ServiceError(.notFound, code: "no_document", "There is no such document; the image was not scanned, or not for this platform.")
        }
        guard Set(fitting.map(\.platform)).count == 1 else {
            let platforms = fitting.map(\.platform).sorted().joined(separator: ", ")
            throw ServiceError.invalid([Problem("/platform", "must name one of: \(platforms)")])
        }
        let platformName = row.platform.replacing("/", with: "-")
        return Content(
            mediaType: row.mediaType, fileName: "\(submission.slug)-\(submission.row.version)-\(platformName).\(row.source).\(kind.rawValue).json",
            bytes: try Gzip.decompressed(row.body, bytesMax: max(1, row.bodyBytes)))
    }
}
