import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import WebSockets

/// Sends back every message.
let echo: WebSocketUpgradeGate.Decide = { request in
    guard request.path != "/pass" else { return .pass }
    return .upgrade { connection in
        for await message in connection.incoming {
            switch message {
            case .text(let text): try? await connection.send(text: text)
            case .binary(let bytes): try? await connection.send(binary: bytes)
            }
        }
    }
}

/// Pings at once, and waits for the answer longer than any machine is busy.
private let patient = WebSocketLimits(pingInterval: .milliseconds(20), pongTimeout: .seconds(600))

@Suite(.timeLimit(.minutes(5)))
struct WebSocketConnectionTests {
    @Test func messagesGoBothWays() async throws {
        try await TestServer.with(decide: echo) { server in
            let client = try await server.connect()
            var incoming = client.incoming.makeAsyncIterator()
            for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
                let text = String(repeating: "x", count: length)
                try await client.send(text: text)
                #expect(await incoming.next() == .text(text))
                try await client.send(binary: Array(text.utf8))
                #expect(await incoming.next() == .binary(Array(text.utf8)))
                try await client.send(utf8: Array(text.utf8))
                #expect(await incoming.next() == .text(text))
            }
            await client.close(.normal, reason: "bye")
            #expect(client.closure == WebSocketClosure(code: .normal, reason: "bye", isByPeer: false))
            #expect(await incoming.next() == nil)
            #expect(await eventually { server.open == 0 })
        }
    }

    @Test func bothSidesSeeTheCodeAndReason() async throws {
        let seen = Mutex<WebSocketClosure?>(nil)
        let decide: WebSocketUpgradeGate.Decide = { request in
            .upgrade { connection in
                if request.path == "/server" { await connection.close(WebSocketCloseCode(rawValue: 4001), reason: "enough") }
                for await _ in connection.incoming {}
                let closure = connection.closure
                seen.withLock { $0 = closure }
            }
        }
        try await TestServer.with(decide: decide) { server in
            let first = try await server.connect("/server")
            for await _ in first.incoming {}
            #expect(first.closure == WebSocketClosure(code: WebSocketCloseCode(rawValue: 4001), reason: "enough", isByPeer: true))
            await #expect(throws: WebSocketError.self) { try await first.send(text: "late") }
            #expect(await eventually { server.open == 0 })
            let second = try await server.connect("/client")
            await second.close(.goingAway, reason: "leaving")
            #expect(await eventually { seen.withLock { $0 } == WebSocketClosure(code: .goingAway, reason: "leaving", isByPeer: true) })
        }
    }

    @Test func aHandlerThatReturnsClosesWith1000() async throws {
        try await TestServer.with(decide: { _ in .upgrade { connection in try? await connection.send(text: "last") } }) { server in
            let client = try await server.connect()
            var messages: [WebSocketMessage] = []
            for await message in client.incoming { messages.append(message) }
            #expect(messages == [.text("last")])
            #expect(client.closeCode == .normal)
        }
    }

    @Test func aServerThatGoesDownClosesWith1001() async throws {
        try await TestServer.with(decide: echo) { server in
            let client = try await server.connect()
            server.quiesce()
            for await _ in client.incoming {}
            #expect(client.closeCode == .goingAway)
            #expect(await eventually { server.open == 0 })
        }
    }

    @Test func aVanishedPeerEndsTheConnection() async throws {
        let seen = Mutex<WebSocketCloseCode?>(nil)
        let decide: WebSocketUpgradeGate.Decide = { _ in
            .upgrade { connection in
                for await _ in connection.incoming {}
                let code = connection.closeCode
                seen.withLock { $0 = code }
            }
        }
        try await TestServer.with(decide: decide) { server in
            _ = try await RawPeer.exchange(port: server.port, send: [RawPeer.handshake()]) { !$0.isEmpty }
            #expect(await eventually { seen.withLock { $0 } == .abnormal })
            #expect(await eventually { server.open == 0 })
        }
    }

    @Test func aSilentPeerIsFoundByItsMissingPong() async throws {
        let limits = WebSocketLimits(pingInterval: .milliseconds(50), pongTimeout: .milliseconds(100))
        let reason = Mutex<String?>(nil)
        let decide: WebSocketUpgradeGate.Decide = { _ in
            .upgrade { connection in
                for await _ in connection.incoming {}
                let words = connection.closeReason
                reason.withLock { $0 = words }
            }
        }
        try await TestServer.with(limits: limits, decide: decide) { server in
            // Takes the ping (89 00) and says nothing, until the server gives up.
            let bytes = try await RawPeer.exchange(port: server.port, send: [RawPeer.handshake()])
            #expect(bytes.suffix(2) == [0x89, 0x00])
            #expect(await eventually { reason.withLock { $0 } == "the peer did not answer a ping" })
        }
    }

    @Test func pingsKeepAQuietConnectionOpen() async throws {
        try await TestServer.with(limits: patient, decide: echo) { server in
            try await RawPeer.connect(port: server.port).channel.executeThenClose { inbound, outbound in
                var bytes = RawBytes(inbound)
                try await outbound.write(ByteBuffer(bytes: RawPeer.handshake()))
                try await bytes.skip(past: Array("\r\n\r\n".utf8))
                // A ping is sent only when the one before it was answered.
                for _ in 1...3 {
                    #expect(try await bytes.next(2) == hex("89 00"))
                    try await outbound.write(ByteBuffer(bytes: hex("8a 80 00 00 00 00")))
                }
                // RFC 6455 §5.7: a masked "Hello". Its echo may stand behind one more ping.
                try await outbound.write(ByteBuffer(bytes: hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")))
                var frame = try await bytes.next(2)
                if frame == hex("89 00") { frame = try await bytes.next(2) }
                #expect(frame == hex("81 05"))
                #expect(try await bytes.next(5) == Array("Hello".utf8))
            }
        }
    }

    /// Measured by the peer's answers to pings; nobody can say it without being asked.
    @Test func theRoundTripIsMeasured() async throws {
        let (measured, continuation) = AsyncStream.makeStream(of: Duration?.self)
        let decide: WebSocketUpgradeGate.Decide = { _ in
            .upgrade { connection in
                for await _ in connection.incoming { continuation.yield(connection.roundTrip) }
            }
        }
        var found = measured.makeAsyncIterator()
        try await TestServer.with(limits: patient, decide: decide) { server in
            try await RawPeer.connect(port: server.port).channel.executeThenClose { inbound, outbound in
                var bytes = RawBytes(inbound)
                // A pong and a message before any ping was sent.
                try await outbound.write(ByteBuffer(bytes: RawPeer.handshake() + hex("8a 80 00 00 00 00") + hex("81 80 00 00 00 00")))
                try await bytes.skip(past: Array("\r\n\r\n".utf8))
                #expect(try await bytes.next(2) == hex("89 00"))
                try await outbound.write(ByteBuffer(bytes: hex("8a 80 00 00 00 00") + hex("81 80 00 00 00 00")))
                #expect(await found.next() == .some(nil))
                #expect((await found.next() ?? nil).map { $0 > .zero } == true)
            }
        }
    }

    @Test func pingsOfAClientKeepItsQuietConnectionOpen() async throws {
        try await RawServer.with { accepted in
            try await accepted.executeThenClose { inbound, outbound in
                var bytes = RawBytes(inbound)
                let request = String(decoding: try await bytes.skip(past: Array("\r\n\r\n".utf8)), as: UTF8.self)
                let key = request.components(separatedBy: "Sec-WebSocket-Key: ")[1].prefix(24)
                let accept = WebSocketHandshake.accept(for: String(key))
                try await outbound.write(
                    ByteBuffer(
                        string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            + "Sec-WebSocket-Accept: \(accept)\r\n\r\n"))
                for _ in 1...3 {
                    // A masked ping without payload: two bytes and the key.
                    #expect(try await bytes.next(6).prefix(2) == hex("89 80")[...])
                    try await outbound.write(ByteBuffer(bytes: hex("8a 00")))
                }
                try await outbound.write(ByteBuffer(bytes: hex("81 05 48 65 6c 6c 6f")))
                // Pings may still come, and then the client's Close frame.
                while try await bytes.next(6).first == 0x89 {}
            }
        } _: { port in
            let client = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/", limits: patient)
            var incoming = client.incoming.makeAsyncIterator()
            #expect(await incoming.next() == .text("Hello"))
            #expect(client.closure == nil)
            await client.close()
        }
    }

    @Test func aSlowReaderSlowsTheSenderAndLosesNothing() async throws {
        let limits = WebSocketLimits(inboundBytesMax: 64 << 10, outboundBytesMax: 64 << 10, pingInterval: nil)
        let sent = Mutex(0)
        let text = String(repeating: "y", count: 16 << 10)
        let total = 4000  // 64 MB, far more than the kernel's buffers hold
        let decide: WebSocketUpgradeGate.Decide = { request in
            .upgrade { connection in
                for _ in 0..<total {
                    guard (try? await connection.send(text: text)) != nil else { return }
                    if request.path == "/slow" { sent.withLock { $0 += 1 } }
                }
            }
        }
        try await TestServer.with(limits: limits, decide: decide) { server in
            let slow = try await server.connect("/slow", limits: limits)
            #expect(await eventually { slow.inbox.isPaused })
            // A connection made later takes all that it gets, and is done: the slow one had the time, too.
            let quick = try await server.connect("/quick", limits: limits)
            var count = 0
            for await message in quick.incoming where message == .text(text) { count += 1 }
            #expect(count == total)
            let before = sent.withLock { $0 }
            print("slow reader: the sender stopped after \(before) of \(total) messages")
            #expect(before < total)
            count = 0
            for await message in slow.incoming where message == .text(text) { count += 1 }
            #expect(count == total)
            #expect(slow.closeCode == .normal)
        }
    }

    @Test func aReaderThatIsCancelledStopsAndTheConnectionStays() async throws {
        try await TestServer.with(decide: echo) { server in
            let client = try await server.connect()
            let reader = Task { for await _ in client.incoming {} }
            #expect(await eventually { client.inbox.hasWaitingReader })
            reader.cancel()
            await reader.value
            #expect(client.closure == nil)
            try await client.send(text: "again")
            var incoming = client.incoming.makeAsyncIterator()
            #expect(await incoming.next() == .text("again"))
            await client.close()
        }
    }

    @Test func aWaitingSenderCanBeCancelled() async throws {
        let limits = WebSocketLimits(inboundBytesMax: 1, outboundBytesMax: 1, pingInterval: nil, closeTimeout: .milliseconds(100))
        let decide: WebSocketUpgradeGate.Decide = { _ in
            .upgrade { connection in await connection.waitUntilClosed() }
        }
        try await TestServer.with(limits: limits, decide: decide) { server in
            let client = try await server.connect(limits: limits)
            let sender = Task { while true { try await client.send(text: String(repeating: "z", count: 1 << 18)) } }
            #expect(await eventually { client.outbox.hasWaitingSender })
            sender.cancel()
            await #expect(throws: CancellationError.self) { try await sender.value }
            await client.close()
        }
    }

    @Test func aBodyEndsWithTheConnection() async throws {
        let ended = Mutex(false)
        let decide: WebSocketUpgradeGate.Decide = { _ in
            .upgrade { connection in
                connection.discardIncoming()
                try? await connection.whileOpen {
                    // Ends by cancellation only.
                    let (never, continuation) = AsyncStream.makeStream(of: Void.self)
                    for await _ in never {}
                    continuation.finish()
                }
                ended.withLock { $0 = true }
            }
        }
        try await TestServer.with(decide: decide) { server in
            let client = try await server.connect()
            for _ in 0..<3000 { try await client.send(text: "nobody reads this") }
            await client.close()
            #expect(await eventually { ended.withLock { $0 } })
        }
    }

    @Test func aThousandConnectionsLeaveNothing() async throws {
        try await TestServer.with(decide: echo) { server in
            for round in 0..<10 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<100 {
                        group.addTask {
                            let client = try await server.connect()
                            try await client.send(text: "\(round) \(index)")
                            var incoming = client.incoming.makeAsyncIterator()
                            let answer = await incoming.next()
                            #expect(answer == .text("\(round) \(index)"))
                            await client.close()
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(await eventually { server.open == 0 })
        }
    }

    @Test func connectionsAreFreedWhenTheyEnd() async throws {
        weak var leftover: WebSocketConnection?
        try await TestServer.with(decide: echo) { server in
            do {
                let client = try await server.connect()
                leftover = client
                await client.close()
            }
            #expect(await eventually { leftover == nil })
        }
    }
}
