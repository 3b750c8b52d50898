import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Storage

/// A transcript as server-sent events: `id` is the record's `seq`, `data` the record.
///
/// Source: WHATWG HTML, "Server-sent events".
enum EventStream {
    /// The first record wanted: `?from=SEQ`, or 1, and nothing before what `Last-Event-ID` says was received: who connects again does so at the same
    /// address.
    static func firstRecord(_ request: Request) throws -> Int {
        max(try request.number("from", in: 0...Int.max) ?? 1, try lastReceived(request).map { $0 + 1 } ?? 0)
    }

    private static func lastReceived(_ request: Request) throws -> Int? {
        guard let header = HTTPField.Name("Last-Event-ID"), let text = request.headers[header] else { return nil }
        guard let last = Int(text), last >= 0, last < Int.max else {
            throw ServiceError.invalid([Problem("/last_event_id", "must be the number of a record")])
        }
        return last
    }

    /// Whether a client that connects again has all that there is of a job. It is told so by 204, or would connect for ever.
    ///
    /// Source: WHATWG HTML, "Server-sent events", reestablishing the connection.
    static func hasEnded(_ job: Job, for request: Request) throws -> Bool {
        guard job.state.isTerminal, let last = try lastReceived(request) else { return false }
        return last >= job.row.records
    }

    /// A line that clients pass over; it keeps proxies from closing a silent connection, and tells the server of a dead one.
    static let comment = ": still here\n\n"
    /// Chosen: half of what proxies wait at least.
    static let pulse: Duration = .seconds(15)

    /// An answer that goes on until the terminal record or until the client leaves.
    static func response(_ feed: TranscriptFeed, to request: Request) -> Response {
        let body = ResponseBody { writer in
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                for try await page in feed.cancelOnGracefulShutdown() {
                    var buffer = ByteBuffer(string: page.isEmpty ? comment : "")
                    for record in page {
                        buffer.writeString("id: \(record.seq)\ndata: ")
                        buffer.writeBytes(record.body)
                        buffer.writeString("\n\n")
                    }
                    try await writer.write(buffer)
                }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store", .connection: Request.closes], body: body)
    }
}
