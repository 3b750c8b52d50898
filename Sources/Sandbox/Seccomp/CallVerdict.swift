/// What the kernel does with a system call that a Cargo makes.
public enum CallVerdict: Sendable, Hashable {
    /// Does it.
    case allowed
    /// Does it for some arguments, and answers EPERM for others; says for which it does it.
    case allowedIf(String)
    /// Answers EPERM, as for a missing right.
    case refused
    /// Answers ENOSYS, as a kernel that does not have the call.
    case noSuchCall
    /// Ends the Cargo.
    case kills

    /// A word or a few for a table.
    public var text: String {
        switch self {
        case .allowed: "allowed"
        case .allowedIf(let condition): "allowed for \(condition)"
        case .refused: "EPERM"
        case .noSuchCall: "ENOSYS"
        case .kills: "kills"
        }
    }
}
