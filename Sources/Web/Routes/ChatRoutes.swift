import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import ServiceLifecycle
import Storage

extension RouterGroup<APIContext> {
    /// What OpenAI's clients call.
    func addChat(_ chat: Chat, _ jobs: Jobs) {
        get("models") { _, context -> Response in
            .json(["object": "list", "data": .array(try await chat.models(for: context.principal).map(\.json))])
        }
        post("chat/completions") { request, context -> Response in
            let principal = try context.principal
            // Who hangs up while the job runs does not want it any more.
            return try await request.answerWhileWaitedFor { request in
                let object = try await request.object(bytesMax: Request.jobBodyBytesMax)
                let wish = try ChatRequest(object)
                let job = try await chat.begin(wish, key: try request.idempotencyKey(for: object), by: principal)
                if wish.isStreamed { return ChatStream(chat: chat, jobs: jobs, job: job, request: wish, principal: principal).response }
                do {
                    let completion = try await chat.completion(of: job, for: principal)
                    return .json(ChatDocuments(job: job, request: wish).completion(completion))
                } catch let error as CancellationError {
                    // Unstructured: this task is cancelled, and what it still has to do must not be.
                    await Task { await chat.abandon(job, by: principal) }.value
                    throw error
                }
            }
        }
    }
}
