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
    /// The first record wanted: `?from=SEQ`, or one after `Last-Event-ID`, or 1.
    static func firstRecord(_ request: Request) throws -> Int {
        if let from = try request.number("from", in: 0...Int.max) { return from }
        guard let header = HTTPField.Name("Last-Event-ID"), let text = request.headers[header] else { return 1 }
        guard let last = Int(text), last >= 0, last < Int.max else {
            throw ServiceError.invalid([Problem("/last_event_id", "must be the number of a record")])
        }
        return last + 1
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
