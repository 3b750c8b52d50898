import Foundation
import Logging

extension Logger {
    /// The process's log: lines on stderr, at the level of `ARCHIPELAGO_LOG` (default `info`).
    static func process(_ label: String, default level: Logger.Level = .info) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = ProcessInfo.processInfo.environment["ARCHIPELAGO_LOG"].flatMap { Logger.Level(rawValue: $0) } ?? level
        return logger
    }
}
