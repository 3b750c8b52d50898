/// A row of `scan_documents`: something that a scan wrote.
public struct ScanDocumentRow: Sendable, Hashable {
    /// What it is: `report`, or the format of a bill of materials.
    public let kind: String
    /// Who wrote it.
    public let source: String
    /// The image's platform.
    public let platform: String
    /// Its media type.
    public let mediaType: String
    /// Its length before it was compressed, in bytes.
    public let bodyBytes: Int
    /// The document, compressed with gzip.
    public let body: [UInt8]

    /// A document to store.
    public init(kind: String, source: String, platform: String, mediaType: String, bodyBytes: Int, body: [UInt8]) {
        self.kind = kind
        self.source = source
        self.platform = platform
        self.mediaType = mediaType
        self.bodyBytes = bodyBytes
        self.body = body
    }
}

extension SQLReader {
    /// The newest documents of a kind of a submission's pinned digest, one for each source and platform.
    public func newestScanDocuments(submissionID: Int, digest: String, kind: String) throws -> [ScanDocumentRow] {
        try query(
            """
            SELECT * FROM scan_documents WHERE id IN (
                SELECT max(id) FROM scan_documents WHERE submission_id = ? AND digest = ? AND kind = ? GROUP BY source, platform)
            ORDER BY id
            """, [.integer(submissionID), .text(digest), .text(kind)]
        ).map {
            ScanDocumentRow(
                kind: try $0.text("kind"), source: try $0.text("source"), platform: try $0.text("platform"),
                mediaType: try $0.text("media_type"), bodyBytes: try $0.int("body_bytes"), body: try $0.blob("body"))
        }
    }
}

extension SQLWriter {
    /// Stores a document of a scan.
    public func insert(_ row: ScanDocumentRow, submissionID: Int, scanID: Int, digest: String) throws {
        try execute(
            """
            INSERT INTO scan_documents (submission_id, scan_id, digest, kind, source, platform, media_type, body_bytes, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(submissionID), .integer(scanID), .text(digest), .text(row.kind), .text(row.source), .text(row.platform),
                .text(row.mediaType), .integer(row.bodyBytes), .blob(row.body),
            ])
    }

    /// Removes the documents of all but a submission's newest scans.
    public func pruneScanDocuments(submissionID: Int, scansKept: Int) throws {
        try execute(
            """
            DELETE FROM scan_documents WHERE submission_id = ? AND scan_id NOT IN (
                SELECT id FROM scans WHERE submission_id = ? ORDER BY id DESC LIMIT ?)
            """, [.integer(submissionID), .integer(submissionID), .integer(scansKept)])
    }
}
