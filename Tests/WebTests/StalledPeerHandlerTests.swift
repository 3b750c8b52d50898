import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite(.timeLimit(.minutes(5))) struct StalledPeerHandlerTests {
    private func connection() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: StalledPeerHandler(patience: .seconds(60)))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        return channel
    }

    private func set(_ isWritable: Bool, _ channel: EmbeddedChannel) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    @Test func whoTakesNothingIsCutOff() throws {
        let channel = try connection()
        set(false, channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func whoTakesEnoughStays() throws {
        let channel = try connection()
        for _ in 0..<10 {
            set(false, channel)
            channel.embeddedEventLoop.advanceTime(by: .seconds(50))
            set(true, channel)
            channel.embeddedEventLoop.advanceTime(by: .seconds(50))
        }
        #expect(channel.isActive)
    }

    /// A long answer keeps a connection full for as long as its peer needs to read it.
    @Test func whoReadsALongAnswerStays() throws {
        let channel = try connection()
        // Written and not flushed: what EmbeddedChannel counts as waiting to be sent.
        let piece = ByteBuffer(repeating: 0, count: StalledPeerHandler.leastBytes)
        for _ in 0..<5 { channel.write(piece, promise: nil) }
        set(false, channel)
        #expect(try channel.syncOptions?.getOption(.bufferedWritableBytes) == 5 * StalledPeerHandler.leastBytes)
        channel.flush()
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(channel.isActive, "it took all of it in this minute")
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(!channel.isActive, "and nothing in the next")
    }

    @Test func aSilentConnectionStays() throws {
        let channel = try connection()
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
    }

    @Test func aRemovedHandlerCutsNobodyOff() throws {
        let channel = try connection()
        set(false, channel)
        let handler = try channel.pipeline.syncOperations.handler(type: StalledPeerHandler.self)
        try channel.pipeline.syncOperations.removeHandler(handler).wait()
        channel.embeddedEventLoop.advanceTime(by: .minutes(5))
        #expect(channel.isActive)
    }
}
