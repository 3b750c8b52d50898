import Coordinator
import Foundation
import Logging

/// This machine's clock, which may be set at any time, and what the process makes of it.
enum MachineClock {
    /// What the clock says now.
    ///
    /// The crash harness, which may not set a machine's clock, writes milliseconds into the file that ARCHIPELAGO_CLOCK_SHIFT names: the clock is so
    /// much ahead then.
    static func read() -> Timestamp {
        let shift = shiftFile.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }.flatMap { Int($0) } ?? 0
        return Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000) + shift)
    }

    private static let shiftFile = ProcessInfo.processInfo.environment["ARCHIPELAGO_CLOCK_SHIFT"]

    /// The time that everything in this process goes by.
    static let steady = SteadyTime(from: read())

    /// Chosen: more than any clock that is kept by NTP drifts away in months.
    private static let leadMax = 5000
    /// Chosen: who sets a clock wants to know soon.
    private static let interval: Duration = .seconds(60)

    /// Tells in the log when the clock was set; once for each time.
    static func watch(_ logger: Logger) async throws {
        var told = 0
        while true {
            try await ContinuousClock().sleep(for: interval)
            let lead = read().milliseconds - steady.now.milliseconds
            guard abs(lead - told) > leadMax else { continue }
            told = lead
            logger.warning(
                "the machine's clock was set; this process goes on by its own count until it is started again", metadata: ["ahead_ms": "\(lead)"])
        }
    }
}
