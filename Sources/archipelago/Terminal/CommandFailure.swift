/// How a command ends. Source: DESIGN §5.2.
enum CommandExit: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    case notFound = 3
    case refused = 4
    case unavailable = 5
}

/// Why a command did not do what was asked: what happened, why, and what mends it.
struct CommandFailure: Error {
    let exit: CommandExit
    let message: String
    /// The server's name for what went wrong, where a server said it.
    let code: String?
    /// How long the server asks to wait before the next try, where it said so.
    let retryAfter: Duration?

    init(_ exit: CommandExit, _ message: String, code: String? = nil, retryAfter: Duration? = nil) {
        self.exit = exit
        self.message = message
        self.code = code
        self.retryAfter = retryAfter
    }
}
