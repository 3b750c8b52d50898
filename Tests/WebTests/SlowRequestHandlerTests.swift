import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Web

@Suite(.timeLimit(.minutes(5))) struct SlowRequestHandlerTests {
    private func connection() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: SlowRequestHandler(patience: .seconds(60)))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        return channel
    }

    private func wait(_ seconds: Int64, _ channel: EmbeddedChannel) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    private func ask(_ channel: EmbeddedChannel) throws {
        try channel.writeInbound(HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/")))
        try channel.writeInbound(HTTPRequestPart.end(nil))
    }

    private func answer(_ channel: EmbeddedChannel) throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    @Test func whoNeverAsksIsCutOff() throws {
        let channel = try connection()
        wait(59, channel)
        #expect(channel.isActive)
        wait(1, channel)
        #expect(!channel.isActive)
    }

    @Test func anAnswerMayTakeAsLongAsItNeedsAndThenTheNextRequestIsWaitedFor() throws {
        let channel = try connection()
        for _ in 0..<3 {
            try ask(channel)
            wait(3600, channel)
            #expect(channel.isActive)
            try answer(channel)
            wait(59, channel)
            #expect(channel.isActive)
        }
        wait(1, channel)
        #expect(!channel.isActive)
    }

    @Test func aRequestThatWasSentAheadIsStillAnswered() throws {
        let channel = try connection()
        for _ in 0..<2 { try ask(channel) }
        try answer(channel)
        wait(3600, channel)
        #expect(channel.isActive)
        try answer(channel)
        wait(60, channel)
        #expect(!channel.isActive)
    }

    @Test(arguments: [(SlowRequestHandler.leastBytes, true), (1, false)])
    func aBodyMustComeAtSomeRate(bytesAMinute: Int, stays: Bool) throws {
        let channel = try connection()
        try channel.writeInbound(HTTPRequestPart.head(HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/")))
        for _ in 0..<3 where channel.isActive {
            wait(50, channel)
            if channel.isActive { try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 0, count: bytesAMinute))) }
        }
        #expect(channel.isActive == stays)
    }

    @Test func aRemovedHandlerCutsNobodyOff() throws {
        let channel = try connection()
        let handler = try channel.pipeline.syncOperations.handler(type: SlowRequestHandler.self)
        try channel.pipeline.syncOperations.removeHandler(handler).wait()
        wait(3600, channel)
        #expect(channel.isActive)
    }
}
