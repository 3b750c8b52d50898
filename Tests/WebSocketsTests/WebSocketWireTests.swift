import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import WebSockets

/// Against hand-made bytes: RFC 6455 is the other side.
@Suite(.timeLimit(.minutes(5)))
struct WebSocketWireTests {
    private static let answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    @Test func theHandshakeAndTheMaskedHelloOfTheStandard() async throws {
        try await TestServer.with(decide: echo) { server in
            let hello = hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")
            let bytes = try await RawPeer.exchange(port: server.port, send: [RawPeer.handshake("/chat"), hello]) {
                $0.count == Self.answer.utf8.count + 7
            }
            #expect(bytes == Array(Self.answer.utf8) + hex("81 05 48 65 6c 6c 6f"))
        }
    }

    @Test func aCloseFrameIsAnsweredAndTheSocketClosed() async throws {
        try await TestServer.with(decide: echo) { server in
            for (close, answer) in [("88 82 00 00 00 00 03 e8", "88 02 03 e8"), ("88 80 00 00 00 00", "88 00")] {
                let bytes = try await RawPeer.exchange(port: server.port, send: [RawPeer.handshake(), hex(close)])
                #expect(bytes == Array(Self.answer.utf8) + hex(answer))
            }
        }
    }

    @Test func framesRightBehindTheHandshakeAreNotLost() async throws {
        try await TestServer.with(decide: echo) { server in
            let all = RawPeer.handshake() + hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")
            let bytes = try await RawPeer.exchange(port: server.port, send: [all]) { $0.count == Self.answer.utf8.count + 7 }
            #expect(bytes == Array(Self.answer.utf8) + hex("81 05 48 65 6c 6c 6f"))
        }
    }

    @Test func aPingIsAnsweredWithItsPayload() async throws {
        try await TestServer.with(decide: echo) { server in
            let ping = hex("89 85 37 fa 21 3d 7f 9f 4d 51 58")
            let pong = hex("8a 05 48 65 6c 6c 6f")
            let bytes = try await RawPeer.exchange(port: server.port, send: [RawPeer.handshake(), ping]) { $0.suffix(7) == pong[...] }
            #expect(bytes.suffix(7) == pong[...])
        }
    }

    @Test(arguments: [
        ("81 05 48 65 6c 6c 6f", 1002),  // not masked
        ("c1 80 00 00 00 00", 1002),  // a reserved bit
        ("83 80 00 00 00 00", 1002),  // a reserved opcode
        ("81 81 00 00 00 00 ff", 1007),  // not UTF-8
        ("82 ff 00 00 00 00 00 10 00 01 00 00 00 00", 1009),  // 1 MiB and 1 byte
        ("80 80 00 00 00 00", 1002),  // a continuation of nothing
        ("88 81 00 00 00 00 03", 1002),  // a close frame of one byte
    ])
    func aBrokenFrameClosesWithItsCode(frame: String, code: UInt16) async throws {
        try await TestServer.with(limits: WebSocketLimits(closeTimeout: .milliseconds(300)), decide: echo) { server in
            let bytes = try await RawPeer.exchange(port: server.port, send: [RawPeer.handshake(), hex(frame)])
            let frames = bytes.dropFirst(Self.answer.utf8.count)
            #expect(frames.first == 0x88)
            #expect(Array(frames.dropFirst(2).prefix(2)) == [UInt8(code >> 8), UInt8(code & 0xFF)])
            #expect(await eventually { server.open == 0 })
        }
    }

    @Test func aRefusedUpgradeReachesTheOrdinaryHandlers() async throws {
        try await TestServer.with(decide: echo) { server in
            let bytes = try await RawPeer.exchange(port: server.port, send: [RawPeer.handshake("/pass")])
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 404 Not Found\r\n") && text.contains("Connection: close") && text.hasSuffix("GET /pass websocket"))
            let error = await #expect(throws: WebSocketError.self) { _ = try await server.connect("/pass") }
            #expect(error?.code == .refused && error?.refusal?.status == 404)
            #expect(error?.refusal?.body == Array("GET /pass websocket".utf8) && error?.refusal?.contentType == "text/plain")
        }
    }

    @Test func aLaterRequestOfAConnectionMayUpgrade() async throws {
        try await TestServer.with(decide: echo) { server in
            let plain = Array("GET /one HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
            let peer = try await RawPeer.connect(port: server.port)
            try await peer.channel.executeThenClose { inbound, outbound in
                var iterator = inbound.makeAsyncIterator()
                try await outbound.write(ByteBuffer(bytes: plain))
                var first = ""
                while !first.hasSuffix("GET /one "), let chunk = try await iterator.next() { first += String(buffer: chunk) }
                #expect(first.hasSuffix("GET /one "))
                try await outbound.write(ByteBuffer(bytes: RawPeer.handshake()))
                let second = try await iterator.next().map { String(buffer: $0) }
                #expect(second?.hasPrefix("HTTP/1.1 101") == true)
            }
        }
    }

    @Test(arguments: [
        "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nContent-Length: 1\r\n",
    ])
    func anImproperHandshakeIsOrdinaryHTTP(fields: String) async throws {
        try await TestServer.with(decide: echo) { server in
            let body = fields.contains("Length") ? "x" : ""
            let request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + fields + "\r\n" + body
            let bytes = try await RawPeer.exchange(port: server.port, send: [Array(request.utf8)])
            #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test func nobodyListeningIsUnreachable() async throws {
        let port = try await TestServer.with(decide: echo) { $0.port }
        let error = await #expect(throws: WebSocketError.self) { _ = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/") }
        #expect(error?.code == .unreachable)
    }

    @Test func aSilentServerTimesOut() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = silent.localAddress!.port!
        let error = await #expect(throws: WebSocketError.self) {
            _ = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/", timeout: .milliseconds(100))
        }
        #expect(error?.code == .timedOut)
        try await silent.close()
    }
}
