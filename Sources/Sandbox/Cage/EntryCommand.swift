/// How the cage entry is called where it stays as the container's first process (`Sources/CageEntry/engine.h`).
struct EntryCommand: Sendable, Hashable {
    /// Proves that a report is the entry's: ``EntryRecords/nonceBytes`` characters that nobody else knows.
    let nonce: String
    let innerFilter: [BPFInstruction]
    let workingFolder: String
    /// The Cargo's whole environment, each `NAME=VALUE`.
    let environment: [String]
    let command: [String]

    /// The program's arguments, behind its own name.
    var arguments: [String] {
        let filter = innerFilter.flatMap(\.bytes).map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
        return ["--engine", nonce, filter, workingFolder, "\(environment.count)"] + environment + command
    }

    /// What the entry waits for on its standard input, in front of the Cargo's.
    static let start = UInt8(ascii: "G")

    /// A new nonce, of the system's randomness.
    static func newNonce() -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<EntryRecords.nonceBytes).map { _ in Self.digits[Int(generator.next(upperBound: UInt(Self.digits.count)))] })
    }

    private static let digits = Array("0123456789abcdef")
}
