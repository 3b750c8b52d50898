import Coordinator
import Domain
import JSON
import Storage

extension PublishedCargo {
    /// The Cargo as the registry shows it to everybody.
    var json: JSONValue {
        let fields = submission.fields
        let said = fields.json
        var object: JSONObject = ["id": .int(workload.id), "slug": .string(workload.slug)]
        for name in ["name", "description", "runtime_type"] { object[name] = said[name] ?? .null }
        object["version"] = .string(submission.row.version)
        object["tier"] = .optional(submission.trustLevel?.tier.rawValue)
        object["trust_level"] = .optional(submission.trustLevel?.rawValue)
        object["verified"] = .bool(submission.trustLevel.map { $0 >= .verified } ?? false)
        object["container_image"] = said["container_image"] ?? .null
        object["image_digest"] = .optional(submission.row.imageDigest)
        for name in ["price_per_job", "price_per_token", "price_per_second"] { object[name] = said[name] ?? .int(0) }
        for name in ["required_vram_mb", "required_cpu_cores", "required_ram_mb", "category", "input_schema", "output_schema"] {
            object[name] = said[name] ?? .null
        }
        object["tags"] = said["tags"] ?? []
        object["stats"] = ["jobs_completed": .int(jobsCompleted), "jobs_failed": .int(jobsFailed)]
        object["is_enabled"] = true
        object["published_at"] = time(submission.row.publishedAt)
        return .object(object)
    }
}
