import Coordinator
import Domain
import Hummingbird
import JSON
import Storage

extension RouterGroup<APIContext> {
    /// What Consumers call.
    func addJobs(_ jobs: Jobs, _ dispatcher: Dispatcher) {
        post("jobs") { request, context -> Response in
            // Who asks comes before what for.
            let principal = try context.principal
            let body = try await request.object(bytesMax: Request.jobBodyBytesMax)
            let wish = try Jobs.Request(body)
            let job = try await jobs.submit(wish, key: try request.idempotencyKey(for: body), by: principal)
            return .data(try job.json(output: nil), status: .created)
        }
        get("jobs") { request, context -> Response in
            let page = try await jobs.list(
                state: request.choice("status"), batch: request.query("batch"), page: request.page(), for: context.principal)
            return .list(page) { $0.summary }
        }
        get("jobs/:id") { _, context -> Response in
            let job = try await jobs.job(try context.text("id"), for: context.principal)
            guard job.state.isTerminal, job.row.erasedAt == nil else { return .data(try job.json(output: nil)) }
            let output: String?
            do { output = try await jobs.output(of: job, for: context.principal) } catch let error as ServiceError
                where error.code == "output_too_large"
            {
                output = nil
            }
            return .data(try job.json(output: output))
        }
        delete("jobs/:id") { _, context -> Response in
            .data(try await dispatcher.cancel(try context.text("id"), by: context.principal).json(output: nil))
        }
        delete("jobs/:id/transcript") { _, context -> Response in
            .data(try await jobs.erase(try context.text("id"), by: context.principal).json(output: nil))
        }
        get("jobs/:id/output") { _, context -> Response in
            let job = try await jobs.jobWithTranscript(try context.text("id"), for: context.principal)
            let output = try await jobs.output(of: job, for: context.principal)
            return .data(["id": .string(job.row.id), "status": .string(job.state.rawValue), "output": .optional(output)])
        }
        get("jobs/:id/placement") { _, context -> Response in
            .data(.object(try await dispatcher.explain(try context.text("id"), for: context.principal)))
        }
        get("jobs/:id/stream") { request, context -> Response in
            let job = try await jobs.jobWithTranscript(try context.text("id"), for: context.principal)
            if try EventStream.hasEnded(job, for: request) { return Response(status: .noContent) }
            return EventStream.response(jobs.transcript(of: job, from: try EventStream.firstRecord(request), pulse: EventStream.pulse), to: request)
        }
        get("jobs/:id/ws") { request, context -> Response in
            _ = try await jobs.jobWithTranscript(try context.text("id"), for: context.principal)
            _ = try EventStream.firstRecord(request)
            throw ServiceError(.malformed, code: "upgrade_required", "This address speaks WebSocket; use /stream for server-sent events.")
        }
    }
}
