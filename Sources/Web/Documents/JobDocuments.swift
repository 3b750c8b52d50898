import Coordinator
import Domain
import JSON
import Storage

extension Job {
    /// The job in a list: `input` and `output`, which may be megabytes each, are null.
    var summary: JSONValue {
        var object = members
        (object["input"], object["output"]) = (.null, .null)
        return .object(object)
    }

    /// The job as the API shows it to its Consumer.
    ///
    /// - Parameter output: what the Cargo wrote, where the caller wants it.
    func json(output: String?) throws -> JSONValue {
        var object = members
        object["input"] = try JSONValue(parsing: row.input)
        object["output"] = .optional(output)
        return .object(object)
    }

    private var members: JSONObject {
        let usage: JSONValue = [
            "prompt_tokens": 0, "completion_tokens": .int(row.tokens), "total_tokens": .int(row.tokens),
            "credits_used": .int(row.creditsUsed ?? 0),
        ]
        return [
            "id": .string(row.id), "workload_id": .int(row.workloadID), "workload_slug": .string(slug), "version": .string(version),
            "status": .string(state.rawValue),
            "error": .optional(failure?.message), "fault": .optional(failure?.fault.rawValue), "code": .optional(failure?.code),
            "attempt": .int(row.attempt), "priority": .int(row.priority), "max_credits": .optional(row.maxCredits), "credits_held": .int(row.held),
            "timeout_seconds": .int(row.timeoutMilliseconds / 1000), "created_at": time(row.createdAt), "started_at": time(row.startedAt),
            "completed_at": time(row.completedAt), "duration_ms": .optional(row.runMilliseconds), "records": .int(row.records),
            "erased_at": time(row.erasedAt), "batch_id": .optional(row.batch?.id), "batch_index": .optional(row.batch?.index), "usage": usage,
        ]
    }
}

extension Batches.Batch {
    /// The batch in a list: how its jobs stand.
    var summary: JSONObject {
        var counts = JSONObject()
        for state in JobState.allCases { counts[state.rawValue] = .int(self.counts[state] ?? 0) }
        return [
            "id": .string(row.id), "workload_id": .int(row.workloadID), "workload_slug": .optional(jobs.first?.slug),
            "status": .string(isOver ? "finished" : "running"), "total": .int(row.jobs), "counts": .object(counts), "created_at": time(row.createdAt),
        ]
    }

    /// The batch with its jobs, each without `input` and `output`.
    var json: JSONValue {
        var object = summary
        object["jobs"] = .array(jobs.map(\.summary))
        return .object(object)
    }
}

extension KarmaEventRow {
    /// One change of an Island's karma.
    var json: JSONValue {
        ["at": time(at), "change": .int(change), "karma": .int(karma), "reason": .string(reason), "job_id": .optional(jobID)]
    }
}

extension IslandRow {
    /// The Island as the API shows it to its owner.
    func json(isConnected: Bool) throws -> JSONValue {
        [
            "id": .string(id), "name": .string(name), "connected": .bool(isConnected), "drained": .bool(drained), "karma": .int(karma),
            "capabilities": try capabilities.map { try JSONValue(parsing: $0) } ?? .null, "last_seen_at": time(lastSeenAt),
            "created_at": time(createdAt),
        ]
    }
}
