/// A row of `digest_revocations`: an image that nobody may run any more.
public struct DigestRevocationRow: Sendable, Hashable {
    /// The image's digest.
    public let digest: String
    /// The publisher whose versions it concerns; `nil` for every publisher's.
    public let accountID: String?
    /// Who revoked it.
    public let revokedBy: String
    /// Why, in words.
    public let reason: String
    /// When, milliseconds since 1970 UTC.
    public let revokedAt: Int

    /// A row to store.
    public init(digest: String, accountID: String?, revokedBy: String, reason: String, revokedAt: Int) {
        self.digest = digest
        self.accountID = accountID
        self.revokedBy = revokedBy
        self.reason = reason
        self.revokedAt = revokedAt
    }

    init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        let account = try row.text("account_id")
        accountID = account.isEmpty ? nil : account
        revokedBy = try row.text("revoked_by")
        reason = try row.text("reason")
        revokedAt = try row.int("revoked_at")
    }
}

extension SQLReader {
    /// What takes a publisher's versions of an image out of use; `nil` where nothing does.
    public func digestRevocation(digest: String, publisherID: String) throws -> DigestRevocationRow? {
        try first(
            "SELECT * FROM digest_revocations WHERE digest = ? AND account_id IN ('', ?) ORDER BY account_id LIMIT 1",
            [.text(digest), .text(publisherID)]
        ).map(DigestRevocationRow.init)
    }

    /// Whether an image is revoked for every publisher.
    public func isRevokedForAll(digest: String) throws -> Bool {
        try count("SELECT count(*) AS n FROM digest_revocations WHERE digest = ? AND account_id = ''", [.text(digest)]) > 0
    }

    /// The jobs that are not over and are of revoked images.
    public func openJobsOfRevokedImages() throws -> [String] {
        // By the open jobs: there may be many revocations of old, and jobs have no index by version.
        try query(
            """
            SELECT jobs.id FROM jobs JOIN submissions ON submissions.id = jobs.submission_id WHERE jobs.completed_at IS NULL AND EXISTS
                (SELECT 1 FROM digest_revocations AS revoked
                WHERE revoked.digest = submissions.image_digest AND revoked.account_id IN ('', submissions.publisher_id))
            ORDER BY jobs.id
            """, []
        ).map { try $0.text("id") }
    }

    /// Revoked images, newest first, and how many there are.
    ///
    /// - Parameter publisherID: only what concerns versions of this publisher; `nil` for all there are.
    public func digestRevocations(publisherID: String?, limit: Int, offset: Int) throws -> (rows: [DigestRevocationRow], total: Int) {
        var (filter, values) = ("FROM digest_revocations", [SQLValue]())
        if let publisherID {
            filter += " WHERE account_id = ? OR account_id = '' AND digest IN (SELECT image_digest FROM submissions WHERE publisher_id = ?)"
            values = [.text(publisherID), .text(publisherID)]
        }
        let total = try count("SELECT count(*) AS n \(filter)", values)
        let rows = try query(
            "SELECT * \(filter) ORDER BY revoked_at DESC, digest, account_id LIMIT ? OFFSET ?", values + [.integer(limit), .integer(offset)])
        return (try rows.map(DigestRevocationRow.init), total)
    }

    /// The versions of an image, oldest first.
    ///
    /// - Parameter publisherID: only this publisher's; `nil` for everybody's.
    public func submissionIDs(imageDigest: String, publisherID: String?) throws -> [Int] {
        let rows =
            if let publisherID {
                try query(
                    "SELECT id FROM submissions WHERE image_digest = ? AND publisher_id = ? ORDER BY id", [.text(imageDigest), .text(publisherID)])
            } else {
                try query("SELECT id FROM submissions WHERE image_digest = ? ORDER BY id", [.text(imageDigest)])
            }
        return try rows.map { try $0.int("id") }
    }
}

extension SQLWriter {
    /// Stores a revocation. Throws `alreadyExists` when the image is revoked for the same publisher, or for all, already.
    public func insert(_ row: DigestRevocationRow) throws {
        try execute(
            "INSERT INTO digest_revocations (digest, account_id, revoked_by, reason, revoked_at) VALUES (?, ?, ?, ?, ?)",
            [.text(row.digest), .text(row.accountID ?? ""), .text(row.revokedBy), .text(row.reason), .integer(row.revokedAt)])
    }
}
