import Testing

@testable import Sandbox

struct EngineResponseTests {
    private func read(_ text: String, pieces: Int, most: Int = 1000) throws -> (response: EngineResponse, surplus: [UInt8]) {
        var response = EngineResponse(bodyBytesMax: most)
        var surplus: [UInt8] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            surplus += try response.take(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        return (response, surplus)
    }

    // The chunked example is RFC 9112, 7.1, with an extension and a trailer.
    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
            ("HTTP/1.1 200 OK\r\ncontent-length:  5 \r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
            ("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", 404, ""),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            ("HTTP/1.1 304\r\n\r\n", 304, ""),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\n5\r\npedia\r\n0\r\nX: y\r\n\r\n", 200, "Wikipedia"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", 201, "x"),
        ], [1, 3, 1000])
    func aWholeAnswerIsRead(answer: (text: String, status: Int, body: String), pieces: Int) throws {
        let (response, surplus) = try read(answer.text, pieces: pieces)
        #expect(response.isComplete)
        #expect(response.status == answer.status)
        #expect(String(decoding: response.body, as: UTF8.self) == answer.body)
        #expect(surplus.isEmpty)
    }

    @Test(arguments: [1, 7, 1000])
    func whatFollowsAnUpgradeIsHandedBack(pieces: Int) throws {
        let (response, surplus) = try read("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n\u{1}raw", pieces: pieces)
        #expect(response.status == 101 && response.isComplete)
        #expect(surplus == [1] + Array("raw".utf8))
    }

    @Test func anAnswerWithoutALengthEndsWithTheConnection() throws {
        var (response, _) = try read("HTTP/1.0 200 OK\r\n\r\nhello", pieces: 4)
        #expect(!response.isComplete)
        try response.end()
        #expect(response.isComplete)
        #expect(response.body == Array("hello".utf8))
    }

    private static let ok = "HTTP/1.1 200 OK\r\n"
    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static let cutOff: [String] = ["", ok, ok + "Content-Length: 6\r\n\r\nhello", chunked + "5\r\nhello\r\n"]
    private static let statusLines: [String] = [
        "SSH-2.0-OpenSSH_9\r\n", "HTTP/2 200\r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 999 X\r\n", "HTTP/1.1 -20 X\r\n", "\r\n",
    ]
    private static let headers: [String] = [ok + "no colon\r\n", ok + " folded: x\r\n", ok + ": x\r\n"]
    private static let lengths: [String] = [
        ok + "Content-Length: -1\r\n", ok + "Content-Length: +1\r\n", ok + "Content-Length:\r\n",
        ok + "Content-Length: 99999999999999999999\r\n", ok + "Content-Length: 1\r\nContent-Length: 2\r\n",
        ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]
    private static let codings: [String] = [
        ok + "Transfer-Encoding: gzip\r\n", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ]
    private static let chunks: [String] = [
        chunked + "zz\r\n", chunked + "\r\n", chunked + "-5\r\nhello", chunked + "ffffffffffffffff\r\n", chunked + "5\r\nhelloX\r\n",
    ]
    private static let bodies: [String] = [
        ok + "Content-Length: 1001\r\n\r\n" + String(repeating: "x", count: 1001), ok + "\r\n" + String(repeating: "x", count: 1001),
        chunked + String(repeating: "c8\r\n" + String(repeating: "x", count: 200) + "\r\n", count: 6),
    ]
    private static let heads: [String] = [
        ok + "X: " + String(repeating: "x", count: 20000), ok + String(repeating: "X: y\r\n", count: 4000),
        chunked + "0\r\n" + String(repeating: "X: y\r\n", count: 4000),
    ]

    private static let broken: [(String, EngineResponse.Malformed)] = {
        let table: [([String], EngineResponse.Malformed)] = [
            (cutOff, .cutOff), (statusLines, .statusLine), (headers, .header), (lengths, .length), (codings, .transferCoding), (chunks, .chunk),
            (bodies, .bodyTooLarge), (heads, .headTooLarge),
        ]
        return table.flatMap { texts, error in texts.map { ($0, error) } }
    }()

    /// By number, since some of the texts are long.
    @Test(arguments: broken.indices)
    func aBrokenAnswerIsRefused(number: Int) throws {
        let (text, error) = Self.broken[number]
        for pieces in [1, 11, 100_000] {
            #expect(throws: error) {
                var (response, _) = try read(text, pieces: pieces)
                try response.end()
            }
        }
    }

    @Test func aBodyOfExactlyTheBoundIsTaken() throws {
        let body = String(repeating: "x", count: 1000)
        #expect(try read("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\(body)", pieces: 100).response.body.count == 1000)
    }

    /// A million damaged bytes in 2,000 answers: each is read or refused, and what is kept stays in bounds.
    @Test func damagedAnswersNeverTrap() throws {
        let whole = Array("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n".utf8)
        var state: UInt64 = 0x5EED
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0...random(6) { bytes[random(bytes.count)] = UInt8(random(256)) }
            var response = EngineResponse(bodyBytesMax: 100)
            do {
                for byte in bytes { _ = try response.take([byte]) }
                try response.end()
            } catch is EngineResponse.Malformed {}
            #expect(response.body.count <= 100)
        }
    }
}
