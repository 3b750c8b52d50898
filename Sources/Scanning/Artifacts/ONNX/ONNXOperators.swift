/// The list of operators that models may use.
struct ONNXOperators: Sendable {
    /// The table of this program.
    static let known = ONNXOperators(ONNXOperatorTable.text)

    /// For each domain (empty: `ai.onnx`) and operator the operator sets at which it comes and goes, in rising order, coming first or
    /// withdrawn from the start.
    private let domains: [String: [String: [(version: Int, exists: Bool)]]]

    /// Reads a table of this program's own; a mistake in it is the program's.
    init(_ text: String) {
        var domains: [String: [String: [(Int, Bool)]]] = [:]
        var domain = ""
        for line in text.split(separator: "\n") {
            if line.first == "[" {
                domain = line == "[ai.onnx]" ? "" : String(line.dropFirst().dropLast())
                continue
            }
            let words = line.split(separator: " ")
            domains[domain, default: [:]][String(words[0])] = words.dropFirst().map { word in
                let isWithdrawn = word.first == "!"
                guard let version = Int(isWithdrawn ? word.dropFirst() : word) else { preconditionFailure("a line of the table: \(line)") }
                return (version, !isWithdrawn)
            }
        }
        self.domains = domains
    }

    /// Whether there is a list for a domain.
    func lists(domain: String) -> Bool { domains[domain] != nil }

    /// The newest operator set that the list knows of a domain; `nil` for one without a list.
    func newest(domain: String) -> Int? {
        switch domain {
        case "": ONNXOperatorTable.newestMain
        case "ai.onnx.ml": ONNXOperatorTable.newestMachineLearning
        default: nil
        }
    }

    /// Whether an operator, whose name is of ASCII alone, exists in an operator set.
    func contains(_ name: String, domain: String, opset: Int) -> Bool {
        guard let turns = domains[domain]?[name] else { return false }
        return turns.last { $0.version <= opset }?.exists ?? false
    }
}
