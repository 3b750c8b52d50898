import Synchronization

/// Counts requests in windows of one minute, one count for each asker.
///
/// The windows live in this process's memory: of several coordinators each counts by itself.
final class RequestLimiter: Sendable {
    /// What one more request found.
    struct Decision: Sendable, Hashable {
        /// Whether the request may go on.
        let isAllowed: Bool
        /// Requests of a window.
        let limit: Int
        /// Requests left in this window.
        let remaining: Int
        /// When the window ends, milliseconds since 1970 UTC.
        let endsAt: Int
    }

    private struct Window {
        var used: Int
        let endsAt: Int
    }

    /// A minute, in milliseconds.
    private static let windowLength = 60_000
    /// Chosen: about 10 MB. Askers beyond share one window, so that a flood of addresses neither takes memory nor slips through.
    static let windowsMax = 100_000
    private static let overflow = "overflow"

    /// Requests of a window, at least 1.
    let limit: Int
    private let now: @Sendable () -> Int
    private let windows = Mutex<[String: Window]>([:])

    /// A limiter.
    ///
    /// - Parameter now: milliseconds since 1970 UTC.
    init(limit: Int, now: @escaping @Sendable () -> Int) {
        self.limit = max(1, limit)
        self.now = now
    }

    /// Counts one request of an asker.
    func count(_ asker: String) -> Decision {
        let now = now()
        return windows.withLock { windows in
            if windows[asker] == nil, windows.count >= Self.windowsMax { windows = windows.filter { $0.value.endsAt > now } }
            let name = windows[asker] == nil && windows.count >= Self.windowsMax ? Self.overflow : asker
            var window = windows[name] ?? Window(used: 0, endsAt: 0)
            if window.endsAt <= now { window = Window(used: 0, endsAt: now + Self.windowLength) }
            let isAllowed = window.used < limit
            if isAllowed { window.used += 1 }
            windows[name] = window
            return Decision(isAllowed: isAllowed, limit: limit, remaining: limit - window.used, endsAt: window.endsAt)
        }
    }
}
