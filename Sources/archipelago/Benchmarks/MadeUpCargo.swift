import Domain
import Storage

/// A published Cargo without an image, for networks whose Islands run nothing.
enum MadeUpCargo {
    static let slug = "bench-cargo"
    private static let digest = "sha256:" + String(repeating: "0", count: 64)

    /// - Parameter pricePerSecond: in credits.
    static func publish(by account: String, pricePerSecond: Int = 0, in writer: any SQLWriter) throws {
        let workload = try writer.insertWorkload(slug: slug, ownerID: account, at: 0)
        let fields = """
            {"name":"Bench","slug":"\(slug)","description":"Measures.","runtime_type":"container","container_image":"ghcr.io/archipelag-io/\(slug):v1.0.0",\
            "input_schema":{"type":"object"},"output_schema":{"type":"object"},"price_per_job":1,"price_per_token":1,\
            "price_per_second":\(pricePerSecond)}
            """
        var row = SubmissionRow(
            workloadID: workload.id, publisherID: account, state: SubmissionState.published.rawValue, fields: fields, version: "v1.0.0", createdAt: 0)
        row = try writer.insert(row)
        row.trustLevel = TrustLevel.basic.rawValue
        row.imageDigest = digest
        row.publishedAt = 0
        try writer.update(row)
        try writer.setPublishedSubmission(row.id, workloadID: workload.id)
    }
}
