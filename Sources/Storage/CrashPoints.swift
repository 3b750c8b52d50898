import Glibc
import Synchronization

/// A moment at which a coordinator may be made to die, to see that nothing is lost by it.
public enum CrashPoint: String, Sendable, Hashable, CaseIterable {
    /// Writes were made and are not yet committed.
    case beforeCommit = "before_commit"
    /// They are on disk, and nobody has been told.
    case afterCommit = "after_commit"
    /// Jobs were given to Islands, and no Island knows.
    case beforeAssign = "before_assign"
    /// Frames are stored, and their Island does not know.
    case beforeConfirm = "before_confirm"
    /// A job's end is stored and paid, and its Island does not know.
    case beforeSettled = "before_settled"
}

/// Makes this process die at a named moment, as with a power cut. For the crash harness; nobody else makes one.
public final class CrashPoints: Sendable {
    private let point: CrashPoint
    private let left: Mutex<Int>

    /// - Parameter text: `POINT:COUNT`: the process dies when it comes to the point for the COUNTth time; `nil` for another text.
    public init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let point = CrashPoint(rawValue: String(parts[0])), let count = Int(parts[1]), count > 0 else { return nil }
        self.point = point
        left = Mutex(count)
    }

    /// Tells that a moment has come.
    public func reach(_ reached: CrashPoint) {
        guard reached == point else { return }
        let isNow = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isNow { kill(getpid(), SIGKILL) }
    }
}
