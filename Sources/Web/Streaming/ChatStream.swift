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
    /// Whether the job ends when its client hangs up: one that was sent under a key may be asked for again.
    let isAbandonedOnHangUp: Bool

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
                    if isAbandonedOnHangUp, !Task.isShuttingDownGracefully { await Task { await chat.abandon(job, by: principal) }.value }
                    throw error
                }
                try await writer.finish(nil)
            })
    }

    private func write(_ send: (String) async throws -> Void) async throws {
        func event(_ value: JSONValue) -> String { "data: \(value.text)\n\n" }
        try await send(event(documents.chunk(["role": "assistant", "content": ""])))
        var answer = ChatAnswer(tokensMax: request.tokensMax)
        for try await page in chat.pieces(of: job, pulse: Self.pulse).cancelOnGracefulShutdown() {
            var events = page.isEmpty ? EventStream.comment : ""
            for record in page {
                // What another attempt wrote was sent and cannot be taken back.
                if answer.begins(with: record) { return try await send(events + event(Self.restarted)) }
                if let content = answer.piece(of: record) { events += event(documents.chunk(["content": .string(content)])) }
            }
            if !events.isEmpty { try await send(events) }
        }
        let over: Job
        do { over = try await chat.over(job, request, for: principal) } catch let failure as ServiceError {
            return try await send(event(Self.error(failure)))
        }
        var events = ""
        if !answer.hasTokens {
            // A Cargo without tokens says all at its end.
            let content = try await jobs.output(of: over, for: principal) ?? ""
            events += event(documents.chunk(["content": .string(content)]))
        }
        events += event(documents.chunk([:], finish: over.isCutOff(tokensMax: request.tokensMax) ? "length" : "stop"))
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
