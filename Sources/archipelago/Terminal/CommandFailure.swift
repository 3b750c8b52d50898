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

    init(_ exit: CommandExit, _ message: String) {
        self.exit = exit
        self.message = message
    }
}
