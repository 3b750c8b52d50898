import Coordinator
import JSON
import Storage

/// Chat completions as OpenAI's clients read them. Source: OpenAI API reference, "The chat completion object" and "chunk object".
struct ChatDocuments {
    let job: Job
    let request: ChatRequest

    private func envelope(_ object: String) -> JSONObject {
        [
            "id": .string("chatcmpl-\(job.row.id)"), "object": .string(object), "created": .int(job.row.createdAt / 1000),
            "model": .string(request.model),
        ]
    }

    /// The whole answer.
    func completion(_ completion: Chat.Completion) -> JSONValue {
        var object = envelope("chat.completion")
        let message: JSONValue = ["role": "assistant", "content": .string(completion.content), "refusal": nil]
        object["choices"] = [
            [
                "index": 0, "message": message, "logprobs": nil,
                "finish_reason": completion.isCutOff ? "length" : "stop",
            ]
        ]
        object["usage"] = usage(of: completion.job)
        return .object(object)
    }

    /// A piece of the answer.
    func chunk(_ delta: JSONObject, finish: String? = nil) -> JSONValue {
        var object = envelope("chat.completion.chunk")
        object["choices"] = [["index": 0, "delta": .object(delta), "logprobs": nil, "finish_reason": .optional(finish)]]
        return .object(object)
    }

    /// The last piece, which tells the usage.
    func usageChunk(of job: Job) -> JSONValue {
        var object = envelope("chat.completion.chunk")
        object["choices"] = []
        object["usage"] = usage(of: job)
        return .object(object)
    }

    private func usage(of job: Job) -> JSONValue {
        [
            "prompt_tokens": 0, "completion_tokens": .int(job.row.tokens), "total_tokens": .int(job.row.tokens),
            "credits_used": .int(job.row.creditsUsed ?? 0),
        ]
    }
}

extension Chat.Model {
    /// The Cargo as a model.
    var json: JSONValue { ["id": .string(slug), "object": "model", "created": .int(publishedAt / 1000), "owned_by": .string(publisherID)] }
}
