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
            // Who hangs up while the job runs does not want it any more, unless it has a key under which it can be asked for again.
            return try await request.answerWhileWaitedFor { request in
                let object = try await request.object(bytesMax: Request.jobBodyBytesMax)
                let wish = try ChatRequest(object)
                let key = try request.idempotencyKey(for: object)
                let job = try await chat.begin(wish, key: key, by: principal)
                if wish.isStreamed {
                    return ChatStream(chat: chat, jobs: jobs, job: job, request: wish, principal: principal, isAbandonedOnHangUp: key == nil).response
                }
                do {
                    let completion = try await chat.completion(of: job, wish, for: principal)
                    return .json(ChatDocuments(job: job, request: wish).completion(completion))
                } catch let error as CancellationError where key == nil && Task.isCancelled {
                    // Unstructured: this task is cancelled, and what it still has to do must not be.
                    await Task { await chat.abandon(job, by: principal) }.value
                    throw error
                }
            }
        }
    }
}
