import Domain
import JSON

/// How a Cargo takes a conversation, by the fields of its input schema.
///
/// A Cargo joins in if its schema names `messages` or `prompt` among its properties.
struct ChatInput: Sendable, Hashable {
    /// Whether it takes the messages as they are; else one text.
    let takesMessages: Bool
    /// Parameters of a request that its schema knows too.
    let parameters: [String]
    /// Whether it takes fields that its schema does not name.
    let isOpen: Bool

    /// What a request may say that is passed on under the same name, where the Cargo's schema has it.
    static let passedOn = ["temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty", "response_format"]

    /// Reads an input schema; `nil` for one of a Cargo that takes no conversation.
    init?(schema text: String?) {
        guard let text, case .object(let schema)? = try? JSONValue(parsing: text), let properties = schema["properties"]?.object else { return nil }
        let names = Set(properties.members.map(\.name))
        guard names.contains("messages") || names.contains("prompt") else { return nil }
        takesMessages = names.contains("messages")
        parameters = (Self.passedOn + ["max_tokens"]).filter(names.contains)
        isOpen = schema["additionalProperties"] != .bool(false)
    }

    /// The object that the Cargo reads.
    func object(for request: ChatRequest) -> JSONObject {
        var input = JSONObject()
        if takesMessages { input["messages"] = .array(request.messages.map(\.json)) } else { input["prompt"] = .string(request.prompt) }
        // The most tokens are also what is paid for at most, so a Cargo that does not forbid the field gets it.
        if let tokensMax = request.tokensMax, isOpen || parameters.contains("max_tokens") { input["max_tokens"] = .int(tokensMax) }
        for name in Self.passedOn where parameters.contains(name) {
            if let value = request.parameters[name] { input[name] = value }
        }
        return input
    }
}
