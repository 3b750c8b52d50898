import NIOCore
import TestSupport
import Testing

@testable import WebSockets

/// The bytes of a hexadecimal text; spaces are ignored.
func hex(_ text: String) -> [UInt8] {
    // swift-format-ignore: NeverForceUnwrap
    let digits = text.filter { $0 != " " }.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func receive(_ bytes: [UInt8], isMasked: Bool, limits: WebSocketLimits = WebSocketLimits(), chunk: Int = .max) throws -> [WebSocketEvent] {
    var receiver = WebSocketReceiver(limits: limits, isMasked: isMasked)
    var events: [WebSocketEvent] = []
    var rest = bytes[...]
    repeat {
        receiver.append(ByteBuffer(bytes: rest.prefix(chunk)))
        rest = rest.dropFirst(chunk)
        while let event = try receiver.next() { events.append(event) }
    } while !rest.isEmpty
    return events
}

func failure(_ bytes: [UInt8], isMasked: Bool = false, limits: WebSocketLimits = WebSocketLimits()) -> UInt16? {
    do {
        _ = try receive(bytes, isMasked: isMasked, limits: limits)
        return nil
    } catch {
        return (error as? WebSocketFailure)?.code.rawValue
    }
}

struct WebSocketReceiverTests {
    // Source of the frames: RFC 6455 §5.7.
    @Test(arguments: [1, 2, 3, 7, .max])
    func theExamplesOfTheStandardAreUnderstood(chunk: Int) throws {
        let hello = hex("81 05 48 65 6c 6c 6f")
        #expect(try receive(hello, isMasked: false, chunk: chunk) == [.message(.text("Hello"))])
        let masked = hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")
        #expect(try receive(masked, isMasked: true, chunk: chunk) == [.message(.text("Hello"))])
        let fragmented = hex("01 03 48 65 6c 80 02 6c 6f")
        #expect(try receive(fragmented, isMasked: false, chunk: chunk) == [.message(.text("Hello"))])
        let ping = hex("89 05 48 65 6c 6c 6f")
        #expect(try receive(ping, isMasked: false, chunk: chunk) == [.ping(Array("Hello".utf8))])
        let pong = hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58")
        #expect(try receive(pong, isMasked: true, chunk: chunk) == [.pong])
        let middle = hex("82 7e 01 00") + [UInt8](repeating: 7, count: 256)
        #expect(try receive(middle, isMasked: false, chunk: chunk) == [.message(.binary([UInt8](repeating: 7, count: 256)))])
        let long = hex("82 7f 00 00 00 00 00 01 00 00") + [UInt8](repeating: 9, count: 65536)
        #expect(try receive(long, isMasked: false, chunk: max(chunk, 100)) == [.message(.binary([UInt8](repeating: 9, count: 65536)))])
    }

    @Test func aControlFrameMayStandBetweenFragments() throws {
        let bytes = hex("01 03 48 65 6c 89 01 21 80 02 6c 6f")
        #expect(try receive(bytes, isMasked: false) == [.ping([0x21]), .message(.text("Hello"))])
    }

    @Test func aCharacterMayBeCutBetweenFragments() throws {
        #expect(try receive(hex("01 01 c3 80 01 a9"), isMasked: false) == [.message(.text("é"))])
    }

    @Test(arguments: [
        ("c1 00", 1002), ("a1 00", 1002), ("91 00", 1002),  // reserved bits
        ("83 00", 1002), ("8b 00", 1002), ("8f 00", 1002),  // reserved opcodes
        ("09 00", 1002), ("89 7e 00 7e", 1002),  // a fragmented and a long control frame
        ("80 00", 1002), ("01 00 81 00", 1002),  // a continuation of nothing, a message inside another
        ("81 85 37 fa 21 3d 7f 9f 4d 51 58", 1002),  // a masked frame of a server
        ("82 7e 00 7d", 1002), ("82 7f 00 00 00 00 00 00 ff ff", 1002), ("82 7f 80 00 00 00 00 00 00 00", 1002),  // lengths
        ("81 01 ff", 1007), ("81 02 c3 28", 1007), ("81 03 ed a0 80", 1007), ("01 01 c3 80 00", 1007),  // not UTF-8
        ("88 01 03", 1002), ("88 02 03 ed", 1002), ("88 02 03 e7", 1002), ("88 02 0b b7", 1002), ("88 02 13 88", 1002),
        ("88 03 03 e8 ff", 1007),  // close frames: one byte; 1005, 999, 2999, 5000; a bad reason
    ])
    func whatTheStandardForbidsFails(bytes: String, code: UInt16) {
        #expect(failure(hex(bytes)) == code)
    }

    @Test func anUnmaskedFrameOfAClientFails() { #expect(failure(hex("81 05 48 65 6c 6c 6f"), isMasked: true) == 1002) }

    @Test(arguments: [("88 00", 1005, ""), ("88 02 03 e8", 1000, ""), ("88 04 03 e9 6f 6b", 1001, "ok"), ("88 02 0f a0", 4000, "")])
    func aCloseFrameIsRead(bytes: String, code: UInt16, reason: String) throws {
        #expect(try receive(hex(bytes), isMasked: false) == [.close(WebSocketCloseCode(rawValue: code), reason: reason)])
    }

    @Test(arguments: [(-1, nil), (0, nil), (1, 1009)])
    func theMessageLimitHolds(offset: Int, code: UInt16?) {
        let limits = WebSocketLimits(messageBytesMax: 100)
        #expect(failure([0x82, UInt8(100 + offset)] + [UInt8](repeating: 0, count: 100 + offset), limits: limits) == code)
        // In fragments of 50 and the rest.
        let first = [0x02, 50] + [UInt8](repeating: 0, count: 50)
        let second = [0x80, UInt8(50 + offset)] + [UInt8](repeating: 0, count: 50 + offset)
        #expect(failure(first + second, limits: limits) == code)
    }

    @Test(arguments: [(-1, nil), (0, nil), (1, 1009)])
    func theFrameLimitHolds(offset: Int, code: UInt16?) {
        let limits = WebSocketLimits(messageBytesMax: 1000, frameBytesMax: 100)
        #expect(failure([0x82, UInt8(100 + offset)] + [UInt8](repeating: 0, count: 100 + offset), limits: limits) == code)
    }

    @Test func aHugeAnnouncedFrameFailsBeforeItComes() {
        #expect(failure(hex("82 7f 7f ff ff ff ff ff ff ff")) == 1009)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func randomBytesNeverCrash(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for round in 0..<2000 {
            let bytes = (0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = failure(bytes, isMasked: round % 2 == 0)
        }
    }

    @Test(arguments: [UInt64(11), 12])
    func whatIsWrittenIsReadHoweverItIsCut(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        for _ in 0..<200 {
            let payload = (0..<Int.random(in: 0...70_000, using: &random)).map { UInt8(truncatingIfNeeded: $0) }
            let mask = Bool.random(using: &random) ? UInt32.random(in: .min ... .max, using: &random) : nil
            var buffer = ByteBuffer()
            buffer.writeWebSocketFrame(.binary, payload, mask: mask)
            let chunk = Int.random(in: 1...9000, using: &random)
            let events = try receive(Array(buffer.readableBytesView), isMasked: mask != nil, chunk: max(chunk, payload.count / 500 + 1))
            #expect(events == [.message(.binary(payload))], "seed \(seed), length \(payload.count), mask \(String(describing: mask))")
        }
    }
}

struct WebSocketHandshakeTests {
    @Test func theAcceptValueOfTheStandard() {  // RFC 6455 §1.3
        #expect(WebSocketHandshake.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    ])
    func sha1GivesThePublishedDigests(text: String, digest: String) {  // FIPS 180-4 examples
        #expect(SHA1.digest(of: Array(text.utf8)) == hex(digest))
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")])
    func base64GivesThePublishedTexts(plain: String, text: String) {  // RFC 4648 §10
        #expect(WebSocketHandshake.base64(Array(plain.utf8)) == text)
    }

    @Test(arguments: [
        ("ws://localhost", "localhost", 80, "/"), ("http://127.0.0.1:8080/a/b?c=d", "127.0.0.1", 8080, "/a/b?c=d"),
        ("WS://[::1]:99?x", "::1", 99, "/?x"), ("ws://[::1]", "::1", 80, "/"),
    ])
    func aURLIsTakenApart(text: String, host: String, port: Int, target: String) throws {
        let url = try WebSocketURL(text)
        #expect(url.host == host && url.port == port && url.target == target)
    }

    @Test(arguments: [
        ("wss://a", "unsupported_scheme"), ("https://a", "unsupported_scheme"), ("ftp://a", "unsupported_scheme"), ("a/b", "invalid_url"),
        ("ws://", "invalid_url"), ("ws://a:0", "invalid_url"), ("ws://a:65536", "invalid_url"), ("ws://a:+1", "invalid_url"),
        ("ws://u@a", "invalid_url"), ("ws://a/#f", "invalid_url"), ("ws://a b", "invalid_url"), ("ws://a/\r\nX: y", "invalid_url"),
        ("ws://[::1", "invalid_url"),
    ])
    func aBadURLIsRefused(text: String, code: String) {
        #expect { try WebSocketURL(text) } throws: { ($0 as? WebSocketError)?.code.rawValue == code }
    }

    @Test func aLongReasonIsCutBetweenCharacters() {
        let payload = WebSocketHandler.closePayload(.normal, String(repeating: "é", count: 100))
        #expect(payload.count == 124 && String(validating: payload.dropFirst(2), as: UTF8.self) != nil)
        #expect(WebSocketHandler.closePayload(.abnormal, "x") == [])
    }
}
