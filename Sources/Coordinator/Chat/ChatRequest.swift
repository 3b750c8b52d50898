import Domain
public import JSON

/// A request for a chat completion. Source: OpenAI API reference, "Create chat completion".
public struct ChatRequest: Sendable, Hashable {
    /// Who said what.
    struct Message: Sendable, Hashable {
        /// `system`, `user`, `assistant` and so on.
        let role: String
        /// The text.
        let content: String

        var json: JSONValue { ["role": .string(role), "content": .string(content)] }
    }

    /// The Cargo's slug.
    public let model: String
    let messages: [Message]
    /// Whether the answer is wanted piece by piece.
    public let isStreamed: Bool
    /// Whether a stream tells the usage at its end.
    public let wantsUsage: Bool
    /// Tokens wanted at most.
    public let tokensMax: Int?
    let parameters: JSONObject

    /// Chosen: far more than any model reads at once.
    private static let messagesMax = 10_000
    private static let roles: Set<String> = ["system", "developer", "user", "assistant", "tool", "function"]

    /// Reads a request body and gathers everything wrong with it. Fields that nothing here answers to are passed over, as clients send many.
    public init(_ object: JSONObject) throws {
        var reader = FieldReader(object)
        let model = reader.required("model", reader.string("model"))
        let list = reader.required("messages", reader.array("messages"))
        isStreamed = reader.bool("stream") ?? false
        // The older name and the newer one of the same thing.
        let older = reader.int("max_tokens", in: 0...Int.max)
        tokensMax = reader.int("max_completion_tokens", in: 0...Int.max) ?? older
        wantsUsage = object["stream_options"]?["include_usage"]?.bool ?? false
        if let count = reader.int("n"), count != 1 { reader.note("n", "must be 1: a job has one answer") }
        for name in ["tools", "functions"] where object[name]?.array?.isEmpty == false { reader.note(name, "is not offered: Cargos call no tools") }
        var problems = reader.mistakes.map(Problem.init)
        var messages: [Message] = []
        if let list, list.isEmpty || list.count > Self.messagesMax {
            problems.append(Problem("/messages", "must have 1 to \(Self.messagesMax) messages"))
        } else {
            for (index, value) in (list ?? []).enumerated() {
                do throws(ChatProblem) { messages.append(try Self.message(value, "/messages/\(index)")) } catch { problems.append(error.problem) }
            }
        }
        guard problems.isEmpty, let model else { throw ServiceError.invalid(problems) }
        self.model = model
        self.messages = messages
        parameters = object
    }

    private struct ChatProblem: Error { let problem: Problem }

    private static func message(_ value: JSONValue, _ place: String) throws(ChatProblem) -> Message {
        func wrong(_ name: String, _ words: String) -> ChatProblem { ChatProblem(problem: Problem(place + name, words)) }
        guard let role = value["role"]?.string, roles.contains(role) else {
            throw wrong("/role", "must be one of \(roles.sorted().joined(separator: ", "))")
        }
        if let text = value["content"]?.string { return Message(role: role, content: text) }
        guard let parts = value["content"]?.array, !parts.isEmpty else { throw wrong("/content", "must be a text, or a list of parts of type text") }
        var content = ""
        for (index, part) in parts.enumerated() {
            guard part["type"]?.string == "text", let text = part["text"]?.string else {
                throw wrong("/content/\(index)", "must be a part of type text: Cargos are given texts alone")
            }
            content += text
        }
        return Message(role: role, content: content)
    }

    /// The conversation as one text: a single message as it is, more of them each behind its role.
    var prompt: String {
        guard messages.count > 1 else { return messages.first?.content ?? "" }
        return messages.map { "\($0.role): \($0.content)" }.joined(separator: "\n") + "\nassistant:"
    }
}
