import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import ServiceLifecycle
import Storage

/// A chat completion as server-sent events, piece by piece, with `[DONE]` at the end.
struct ChatStream: Sendable {
    let chat: Chat
    let jobs: Jobs
    let job: Job
    let request: ChatRequest
    let principal: Principal

    /// Chosen: a client that hung up is noticed within two of these, and its job is paid for no longer.
    private static let pulse: Duration = .seconds(2)

    private var documents: ChatDocuments { ChatDocuments(job: job, request: request) }

    var response: Response {
        Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                do {
                    try await write { try await writer.write(ByteBuffer(string: $0)) }
                } catch {
                    // Who hangs up does not want it any more; when the server stops, the job goes on.
                    // Unstructured: this task is cancelled, and what it still has to do must not be.
                    if !Task.isShuttingDownGracefully { await Task { await chat.abandon(job, by: principal) }.value }
                    throw error
                }
                try await writer.finish(nil)
            })
    }

    private func write(_ send: (String) async throws -> Void) async throws {
        func event(_ value: JSONValue) -> String { "data: \(value.text)\n\n" }
        try await send(event(documents.chunk(["role": "assistant", "content": ""])))
        var attempt: Int?
        for try await page in chat.pieces(of: job, pulse: Self.pulse).cancelOnGracefulShutdown() {
            var events = page.isEmpty ? EventStream.comment : ""
            for record in page where record.kind == "token" {
                // What another attempt wrote was sent and cannot be taken back.
                if let attempt, attempt != record.attempt { return try await send(events + event(Self.restarted)) }
                attempt = record.attempt
                let content = (try? JSONValue(parsing: record.body))?["content"]?.string ?? ""
                events += event(documents.chunk(["content": .string(content)]))
            }
            if !events.isEmpty { try await send(events) }
        }
        let over = try await jobs.job(job.row.id, for: principal)
        guard over.state.isTerminal else { throw CancellationError() }
        if let failure = over.chatFailure { return try await send(event(Self.error(failure))) }
        var events = ""
        if attempt == nil {
            // A Cargo without tokens says all at its end.
            let content = try await jobs.output(of: over, for: principal) ?? ""
            events += event(documents.chunk(["content": .string(content)]))
        }
        let isCutOff = Chat.Completion(job: over, content: "").isCutOff(tokensMax: request.tokensMax)
        events += event(documents.chunk([:], finish: isCutOff ? "length" : "stop"))
        if request.wantsUsage { events += event(documents.usageChunk(of: over)) }
        try await send(events + "data: [DONE]\n\n")
    }

    private static let restarted: JSONValue = [
        "error": [
            "code": "restarted", "message": "The Island was lost, and the job begins anew; read its output with GET /jobs.", "type": "server_error",
        ]
    ]

    private static func error(_ failure: ServiceError) -> JSONValue {
        var object: JSONObject = ["code": .string(failure.code), "message": .string(failure.message), "type": "job_failed"]
        for member in failure.context.members { object[member.name] = member.value }
        return ["error": .object(object)]
    }
}
