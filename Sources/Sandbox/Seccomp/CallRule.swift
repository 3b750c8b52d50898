/// A system call in a filter, with the reason why it is there.
public struct CallRule: Sendable, Hashable {
    /// The kernel's name of the call.
    public let name: String
    /// Why the filter treats the call as it does.
    public let reason: String

    init(_ name: String, _ reason: String) {
        self.name = name
        self.reason = reason
    }

    static func group(_ reason: String, _ names: String) -> [CallRule] {
        names.split(separator: " ").map { CallRule(String($0), reason) }
    }
}
