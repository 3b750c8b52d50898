import Foundation
import Outbound
import Synchronization

/// Servers of strangers, whose answers a test decides.
final class FakeDoor: OutboundDoor {
    /// One call that came.
    struct Call: Sendable {
        let url: String
        let headers: [String: String]
        let body: String
    }

    private struct State {
        var calls: [Call] = []
        var answer: @Sendable (Call) throws(OutboundError) -> (status: Int, body: String) = { _ in (200, "") }
    }

    let policy = AddressPolicy(allowsLoopback: true)
    private let state = Mutex(State())

    /// Every call that came, in order.
    var calls: [Call] { state.withLock(\.calls) }

    /// Decides what every later call gets.
    func answer(_ body: @escaping @Sendable (Call) throws(OutboundError) -> (status: Int, body: String)) { state.withLock { $0.answer = body } }

    func post(_ url: OutboundURL, headers: [(name: String, value: String)], body: [UInt8]) async throws(OutboundError) -> Int {
        let pairs = Dictionary(headers.map { ($0.name, $0.value) }) { first, _ in first }
        return try call(Call(url: url.description, headers: pairs, body: String(decoding: body, as: UTF8.self))).status
    }

    func get(_ url: OutboundURL, bytesMax: Int) async throws(OutboundError) -> (status: Int, body: [UInt8]) {
        let answer = try call(Call(url: url.description, headers: [:], body: ""))
        guard answer.body.utf8.count <= bytesMax else { throw .tooLong(bytesMax: bytesMax) }
        return (answer.status, Array(answer.body.utf8))
    }

    private func call(_ call: Call) throws(OutboundError) -> (status: Int, body: String) {
        let answer = state.withLock { state in
            state.calls.append(call)
            return state.answer
        }
        return try answer(call)
    }
}

/// A mail program that keeps what it is given.
final class FakeMailer: Mailer {
    private let state = Mutex<[MailMessage]>([])

    /// Every message that came, in order.
    var messages: [MailMessage] { state.withLock(\.self) }

    func send(_ message: MailMessage) async throws(OutboundError) { state.withLock { $0.append(message) } }
}
