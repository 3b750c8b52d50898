import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WebSockets

@testable import Web

/// Observations of a test's handlers.
final class Observations: Sendable {
    private let state = Mutex<[String]>([])
    func note(_ word: String) { state.withLock { $0.append(word) } }
    func has(_ word: String) -> Bool { state.withLock { $0.contains(word) } }
}

/// Runs an application with HTTP and WebSockets on one free port; `stop` shuts it down gracefully.
func withApplication(
    observations: Observations = Observations(), idleTimeout: TimeAmount? = nil,
    _ body: @escaping @Sendable (_ port: Int, _ stop: @escaping @Sendable () -> Void) async throws -> Void
) async throws {
    let router = Router()
    router.get("hello") { _, _ in "hello" }
    router.get("ws") { _, _ -> Response in
        let body = ByteBuffer(string: #"{"error":{"code":"unauthorized"}}"#)
        return Response(status: .unauthorized, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
    }
    router.post("size") { request, context -> String in
        let bytes = try await request.body.collect(upTo: 1000)
        return "\(bytes.readableBytes)"
    }
    router.get("events") { request, _ -> Response in
        Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                let (gone, continuation) = AsyncStream.makeStream(of: Void.self)
                try await request.body.consumeWithInboundCloseHandler { _ in
                    for index in 1...5 { try await writer.write(ByteBuffer(string: "id: \(index)\ndata: {}\n\n")) }
                    for await _ in gone {}
                } onInboundClosed: {
                    observations.note("gone")
                    continuation.finish()
                }
                try await writer.finish(nil)
            })
    }
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let (ports, portContinuation) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
        router: router,
        server: .http1WebSocket(configuration: .init(idleTimeout: idleTimeout)) { request in
            guard request.path == "/ws", request.header("authorization") == "Bearer ak_good" else { return .pass }
            return .upgrade { connection in
                for await case .text(let text) in connection.incoming { try? await connection.send(text: "\(request.query ?? ""):\(text)") }
                observations.note("closed \(connection.closeCode?.rawValue ?? 0)")
            }
        },
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in portContinuation.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        do {
            try await body(port) { Task { await group.triggerGracefulShutdown() } }
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

/// Sends raw HTTP and reads until `enough` holds or the connection ends.
func exchange(port: Int, _ parts: [String], until enough: @escaping @Sendable (String) -> Bool = { _ in false }) async throws -> String {
    // A server that has said its last word may still read: its end must not keep us from sending ours.
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelOption(.allowRemoteHalfClosure, value: true)
    let channel = try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
    }
    return try await channel.executeThenClose { inbound, outbound in
        var all = ""
        var iterator = inbound.makeAsyncIterator()
        for part in parts {
            try await outbound.write(ByteBuffer(string: part))
            if parts.count > 1, let chunk = try await iterator.next() { all += String(buffer: chunk) }
        }
        while !enough(all), let chunk = try await iterator.next() { all += String(buffer: chunk) }
        return all
    }
}

@Suite(.timeLimit(.minutes(5)), .serialized)
struct HTTP1WebSocketChannelTests {
    @Test func httpAndWebSocketsShareAPort() async throws {
        try await withApplication { port, _ in
            let client = try await WebSocketClient.connect(url: "http://127.0.0.1:\(port)/ws?from=3", headers: [("Authorization", "Bearer ak_good")])
            try await client.send(text: "hi")
            var incoming = client.incoming.makeAsyncIterator()
            #expect(await incoming.next() == .text("from=3:hi"))
            let answer = try await exchange(port: port, ["GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("hello"))
            await client.close()
            #expect(client.closeCode == .normal)
        }
    }

    @Test func aRefusedHandshakeGetsTheRoutersAnswer() async throws {
        try await withApplication { port, _ in
            let error = await #expect(throws: WebSocketError.self) {
                _ = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/ws", headers: [("Authorization", "Bearer bad")])
            }
            #expect(error?.refusal?.status == 401)
            #expect(error?.refusal.map { String(decoding: $0.body, as: UTF8.self) } == #"{"error":{"code":"unauthorized"}}"#)
            let missing = await #expect(throws: WebSocketError.self) { _ = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/nowhere") }
            #expect(missing?.refusal?.status == 404)
        }
    }

    @Test func requestsOfOneConnectionAreKeptAlive() async throws {
        try await withApplication { port, _ in
            let get = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
            let answer = try await exchange(port: port, [get, get, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
            #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
        }
    }

    @Test func aLaterRequestOfAConnectionMayUpgrade() async throws {
        try await withApplication { port, _ in
            let upgrade =
                "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAuthorization: Bearer ak_good\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            let answer = try await exchange(port: port, ["GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", upgrade]) {
                $0.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            }
            #expect(answer.contains("HTTP/1.1 200 OK") && answer.contains("HTTP/1.1 101 Switching Protocols"))
        }
    }

    // RFC 9112 §9.3; option names have no case (RFC 9110 §7.6.1).
    @Test(arguments: [
        "GET /hello HTTP/1.0\r\n\r\n", "GET /hello HTTP/1.0\r\nConnection: close\r\n\r\n", "GET /hello HTTP/1.0\r\nConnection: other\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n",
    ])
    func theAnswerToARequestWithoutKeepAliveIsTheLast(request: String) async throws {
        try await withApplication { port, _ in
            // Ends only when the server closes: there is no idle time.
            let answer = try await exchange(port: port, [request])
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nhello"))
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
        }
    }

    @Test func http10WithKeepAliveIsKeptAlive() async throws {
        try await withApplication { port, _ in
            let get = "GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
            let answer = try await exchange(port: port, [get, get, "GET /hello HTTP/1.0\r\n\r\n"])
            #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
            #expect(answer.lowercased().components(separatedBy: "\r\nconnection: close\r\n").count == 2)
        }
    }

    /// What the server has not read when it answers must not cost the client the answer (RFC 9112 §9.6).
    @Test func anHTTP10AnswerAheadOfTheRequestsEndArrives() async throws {
        try await withApplication { port, _ in
            let head = "POST /size HTTP/1.0\r\nContent-Length: 2000\r\n\r\n"
            let answer = try await exchange(port: port, [head + String(repeating: "b", count: 1500), String(repeating: "b", count: 500)])
            #expect(answer.hasPrefix("HTTP/1.1 413") && answer.lowercased().contains("\r\nconnection: close\r\n"))
        }
    }

    @Test func requestBodiesKeepTheirLimit() async throws {
        try await withApplication { port, _ in
            for (length, status) in [(999, "200"), (1000, "200"), (1001, "413")] {
                let body = String(repeating: "b", count: length)
                let head = "POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(length)\r\n\r\n"
                let answer = try await exchange(port: port, [head + body])
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
            }
        }
    }

    @Test func eventsAreStreamedAndTheirEndIsNoticed() async throws {
        let observations = Observations()
        try await withApplication(observations: observations) { port, _ in
            // The answer has no end before the reader has gone.
            let answer = try await exchange(port: port, ["GET /events HTTP/1.1\r\nHost: x\r\n\r\n"]) { $0.contains("id: 5\n") }
            #expect(answer.contains("text/event-stream"))
            #expect(await eventually { observations.has("gone") })
        }
    }

    @Test func aGracefulShutdownClosesWith1001AndWaitsForTheHandler() async throws {
        let observations = Observations()
        try await withApplication(observations: observations) { port, stop in
            let client = try await WebSocketClient.connect(url: "ws://127.0.0.1:\(port)/ws", headers: [("Authorization", "Bearer ak_good")])
            stop()
            for await _ in client.incoming {}
            #expect(client.closeCode == .goingAway)
        }
        #expect(observations.has("closed 1001"))
    }

    @Test func theIdleTimeOfHTTPDoesNotEndAWebSocket() async throws {
        try await withApplication(idleTimeout: .milliseconds(100)) { port, _ in
            // On a busy machine the idle time may be over before the handshake is there: then once more.
            var connected: WebSocketConnection?
            #expect(
                await eventually {
                    connected = try? await WebSocketClient.connect(
                        url: "ws://127.0.0.1:\(port)/ws", headers: [("Authorization", "Bearer ak_good")])
                    return connected != nil
                })
            let client = try #require(connected)
            // Younger connections are ended by it, one after the other.
            for _ in 1...3 { #expect(try await exchange(port: port, []).isEmpty) }
            #expect(client.closure == nil)
            try await client.send(text: "still here")
            var incoming = client.incoming.makeAsyncIterator()
            #expect(await incoming.next() == .text(":still here"))
            await client.close()
        }
    }

    /// A second implementation, from a Python with the package `websockets`, named by `WEBSOCKETS_PYTHON`.
    @Test func aPythonClientUnderstandsUs() async throws {
        guard let python = ProcessInfo.processInfo.environment["WEBSOCKETS_PYTHON"] else {
            print("skipped aPythonClientUnderstandsUs: WEBSOCKETS_PYTHON names no Python with the package websockets")
            return
        }
        let script = """
            import asyncio, sys, websockets
            async def main():
                url = f"ws://127.0.0.1:{sys.argv[1]}/ws?q"
                async with websockets.connect(url, additional_headers={"Authorization": "Bearer ak_good"}, max_size=None) as ws:
                    assert ws.response.status_code == 101
                    for n in (0, 1, 125, 126, 65535, 65536, 1 << 20):
                        await ws.send("é" * (n // 2)); got = await ws.recv(); assert got == "q:" + "é" * (n // 2), n
                    await ws.send(["frag", "men", "ted"]); assert await ws.recv() == "q:fragmented"
                    latency = await (await ws.ping()); assert latency >= 0
                    await ws.close(4000, "bye"); assert ws.close_code == 4000, ws.close_code
                ws = await websockets.connect(url, additional_headers={"Authorization": "Bearer ak_good"})
                await ws.send("x" * ((1 << 20) + 1))
                try: await ws.recv(); assert False
                except websockets.ConnectionClosedError as error: assert error.rcvd.code == 1009, error
                try: await websockets.connect(url); assert False
                except websockets.InvalidStatus as error: assert error.response.status_code == 401
                print("ok", websockets.__version__)
            asyncio.run(main())
            """
        try await withApplication { port, _ in
            let output = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<String, any Error>) in
                let process = Process()
                let pipe = Pipe()
                process.executableURL = URL(fileURLWithPath: python)
                process.arguments = ["-c", script, "\(port)"]
                process.standardOutput = pipe
                process.standardError = pipe
                process.terminationHandler = { _ in
                    continuation.resume(returning: String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
                }
                do { try process.run() } catch { continuation.resume(throwing: error) }
            }
            print("python websockets:", output)
            #expect(output.hasPrefix("ok"))
        }
    }
}
