import Coordinator
import Domain
import JSON
import Storage

extension Registry.Hit {
    /// The Cargo in a list.
    var json: JSONValue { .object(cargoDocument(entry, submission)) }
}

extension PublishedCargo {
    /// The Cargo as the registry shows it to everybody.
    var json: JSONValue {
        var object = cargoDocument(entry, submission)
        object["publisher"] = ["id": .string(publisher.id), "name": .string(publisher.name), "verified": .bool(publisher.isVerified)]
        object["signature"] = submission.signature?.json ?? .null
        object["resources"] = submission.trustLevel.map(\.document) ?? .null
        return .object(object)
    }
}

private func cargoDocument(_ entry: RegistryEntryRow, _ submission: Submission) -> JSONObject {
    let said = submission.fields.json
    var object: JSONObject = ["id": .int(entry.workloadID), "slug": .string(entry.slug)]
    for name in ["name", "description", "runtime_type"] { object[name] = said[name] ?? .null }
    object["version"] = .string(submission.row.version)
    object["tier"] = .string(entry.tier)
    object["trust_level"] = .int(entry.trustLevel)
    object["verified"] = .bool(entry.verified)
    object["container_image"] = said["container_image"] ?? .null
    object["image_digest"] = .optional(submission.row.imageDigest)
    for name in ["price_per_job", "price_per_token", "price_per_second"] { object[name] = said[name] ?? .int(0) }
    for name in ["required_vram_mb", "required_cpu_cores", "required_ram_mb", "category", "input_schema", "output_schema"] {
        object[name] = said[name] ?? .null
    }
    object["tags"] = said["tags"] ?? []
    object["reputation"] = entry.reputation.map { .number(JSONNumber(Double($0) / 1000)) } ?? .null
    object["stats"] = ["jobs_completed": .int(entry.jobsCompleted), "jobs_failed": .int(entry.jobsFailed)]
    object["is_enabled"] = .bool(submission.state == .published)
    object["published_at"] = time(submission.row.publishedAt)
    return object
}

extension TrustLevel {
    /// What a Cargo of the level may use during one job.
    fileprivate var document: JSONValue {
        [
            "memory_mb": .int(limits.memoryBytes >> 20), "timeout_seconds": .int(Int(limits.timeout.components.seconds)),
            "cpus": .int(limits.cpus), "network": .bool(limits.network), "gpu": .bool(limits.gpu),
            "sandbox_profile": .string(sandboxProfile.rawValue),
        ]
    }
}

extension PublishedVersion {
    /// The version in the list of versions.
    var json: JSONValue {
        [
            "version": .string(submission.row.version), "state": .string(submission.state.rawValue),
            "trust_level": .optional(submission.trustLevel?.rawValue), "tier": .optional(submission.trustLevel?.tier.rawValue),
            "image_digest": .optional(submission.row.imageDigest), "published_at": time(submission.row.publishedAt),
            "is_current": .bool(isCurrent),
        ]
    }
}

extension RegistryFacets {
    /// For each facet an object from value to number of Cargos, the most frequent first.
    var json: JSONValue {
        func counts(_ counts: [Count]) -> JSONValue {
            var object = JSONObject()
            for count in counts { object[count.value] = .int(count.count) }
            return .object(object)
        }
        return [
            "category": counts(category), "tag": counts(tags), "runtime_type": counts(runtimeType), "tier": counts(tier),
            "trust_level": counts(trustLevel), "verified": counts(verified),
        ]
    }
}
