/// When an event that did not arrive is sent again.
public enum DeliveryTerms {
    /// Chosen: a receiver that restarts gets its events within seconds; one that is down for hours is asked every 10 minutes.
    static let delays: [Duration] = [
        .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(15), .seconds(30), .seconds(60), .seconds(120), .seconds(300), .seconds(600),
    ]

    /// How long to wait after a number of failures in a row (at least 1).
    public static func delay(afterFailures failures: Int) -> Duration { delays[min(max(failures, 1), delays.count) - 1] }

    /// Chosen: an event that could not be brought for three days is given up; it stays in the inbox and can be sent again by hand.
    public static let patience = Duration.seconds(3 * 86_400)

    /// Chosen: how long ended deliveries stay in the log.
    public static let logKept = Duration.seconds(30 * 86_400)

    /// Whether an answer means that the event arrived.
    public static func isAccepted(status: Int) -> Bool { (200...299).contains(status) }
}
