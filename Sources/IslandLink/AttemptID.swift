import JSON

/// One run of a job on one Island.
public struct AttemptID: Sendable, Hashable, CustomStringConvertible {
    /// The job.
    public let job: String
    /// The fencing number, from 1.
    public let number: Int

    /// A run of a job.
    public init(job: String, number: Int) {
        self.job = job
        self.number = number
    }

    /// The job and the number, for logs.
    public var description: String { "\(job)#\(number)" }

    var members: JSONObject { ["job": .string(job), "attempt": .int(number)] }

    init(_ reader: inout FieldReader) throws(LinkError) {
        let job = reader.required("job", reader.string("job"))
        let number = reader.required("attempt", reader.int("attempt", in: 1...Int.max))
        guard let job, let number else { throw LinkError(reader.firstMistake) }
        try reader.requireSound()
        self.init(job: job, number: number)
    }
}

extension FieldReader {
    var firstMistake: String { mistakes.first.map { "\($0.pointer) \($0.message)" } ?? "a field is missing or wrong" }

    /// A string of at most so many characters; a longer one is a mistake.
    mutating func string(_ name: String, lengthMax: Int) -> String? {
        guard let text = string(name) else { return nil }
        if text.count <= lengthMax { return text }
        note(name, "must be at most \(lengthMax) characters")
        return nil
    }

    /// Throws when anything read so far was wrong, an optional member included.
    func requireSound() throws(LinkError) {
        guard mistakes.isEmpty else { throw LinkError(firstMistake) }
    }

    mutating func need<Value>(_ name: String, _ value: Value?) throws(LinkError) -> Value {
        guard let value = required(name, value) else { throw LinkError(firstMistake) }
        return value
    }
}
