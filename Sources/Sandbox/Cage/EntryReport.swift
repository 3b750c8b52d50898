import Glibc

/// What the cage entry has said, two bytes a report: a stage and an errno (`Sources/CageEntry/main.c`).
enum EntryReport: Sendable, Hashable {
    /// Nothing yet, or half a report.
    case silent
    /// It waits for somebody to take the descriptor of this number, on which it hands over system calls.
    case listening(descriptor: CInt)
    /// The filter is in force and the Cargo started.
    case cargoStarted
    case failed(stage: Character, errorNumber: CInt)

    /// - Parameter bytes: all that came over the socket, in order.
    init(_ bytes: [UInt8]) {
        self = .silent
        var rest = bytes[...]
        while rest.count >= 2 {
            let stage = Character(UnicodeScalar(rest[rest.startIndex]))
            let number = CInt(rest[rest.startIndex + 1])
            self =
                switch stage {
                case "R": .cargoStarted
                case "L": .listening(descriptor: number)
                default: .failed(stage: stage, errorNumber: number)
                }
            rest = rest.dropFirst(2)
        }
    }

    /// Errors of execve and chdir that only the image can cause.
    private static let causedByImage: Set<CInt> = [ENOENT, EACCES, ENOEXEC, ENOTDIR, ELOOP, EINVAL, EISDIR, ELIBBAD, EPERM, ENAMETOOLONG]

    /// The error that the report stands for; `nil` if the Cargo started.
    var error: SandboxError? {
        switch self {
        case .cargoStarted: nil
        case .silent, .listening: SandboxError(.cageEntry, "The container ended before its filter was in force.")
        case .failed("X", let number) where Self.causedByImage.contains(number):
            SandboxError(
                .commandCannotStart, "The image's command is missing or is no static program for this machine.",
                cause: "errno \(number)")
        case .failed("W", let number) where Self.causedByImage.contains(number):
            SandboxError(.commandCannotStart, "The image's working folder cannot be entered.", cause: "errno \(number)")
        case .failed(let stage, let number):
            SandboxError(.cageEntry, "The filter of the level was not put in force.", cause: "stage \(stage), errno \(number)")
        }
    }
}
