import Testing

@testable import Sandbox

struct AttachedStreamsTests {
    /// Two frames and a third that is longer than what is read at once. Source: the format's own description.
    private let bytes: [UInt8] =
        [1, 0, 0, 0, 0, 0, 0, 3] + Array("abc".utf8) + [2, 0, 0, 0, 0, 0, 0, 2] + Array("EF".utf8) + [1, 0, 0, 0, 0, 0, 1, 0]
        + [UInt8](repeating: 0x78, count: 256) + [1, 0, 0, 0, 0, 0, 0, 0] + [2, 0, 0, 0, 0, 0, 0, 1, 0x47]

    @Test(arguments: [1, 2, 7, 8, 9, 4096])
    func framesAreTakenApartWhereverTheyAreCut(pieces: Int) throws {
        var streams = AttachedStreams()
        var whole = AttachedStreams.Piece()
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            let piece = try streams.take(bytes[start..<min(start + pieces, bytes.count)])
            whole.output += piece.output
            whole.error += piece.error
        }
        #expect(whole.output == Array("abc".utf8) + [UInt8](repeating: 0x78, count: 256))
        #expect(whole.error == Array("EFG".utf8))
        #expect(!streams.isInsideFrame)
    }

    @Test(arguments: [[0, 0, 0, 0, 0, 0, 0, 1], [3, 0, 0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 0, 1], Array("HTTP/1.1".utf8)])
    func whatIsNoFrameIsRefused(bytes: [UInt8]) {
        #expect(throws: AttachedStreams.Malformed.self) {
            var streams = AttachedStreams()
            _ = try streams.take(bytes)
        }
    }
}

struct EntryRecordsTests {
    private let nonce = "0123456789abcdef0123456789abcdef"

    private func record(_ stage: Character, _ values: [Int64], nonce: String? = nil) -> [UInt8] {
        var bytes = Array((nonce ?? self.nonce).utf8) + Array(String(stage).utf8) + [UInt8](repeating: 0, count: 7)
        for value in values { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        return bytes
    }

    @Test(arguments: [1, 5, 31, 32, 33, 71, 72, 73, 4096])
    func recordsAreFoundBetweenOtherText(pieces: Int) {
        let bytes =
            record("A", [0, 0, 0, 0]) + record("R", [0, 0, 0, 0]) + Array("one 0123456789abcdef0123456789abcd two".utf8)
            + record("E", [9, 1_500_000, 20_000, 4096]) + Array("rest 0123".utf8)
        var records = EntryRecords(nonce: nonce)
        var found: [EntryRecords.Record] = []
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            let part = records.take(Array(bytes[start..<min(start + pieces, bytes.count)]))
            found += part.records
            text += part.text
        }
        text += records.end()
        #expect(String(decoding: text, as: UTF8.self) == "one 0123456789abcdef0123456789abcd tworest 0123")
        #expect(found.map(\.stage) == ["A", "R", "E"])
        #expect(found.last?.value == 9)
        #expect(found.last?.wallTime == .milliseconds(1500))
        #expect(found.last?.cpuTime == .milliseconds(20))
        #expect(found.last?.largestProcessBytes == 4 << 20)
    }

    @Test func anotherNonceIsText() {
        let forged = record("E", [0, 0, 0, 0], nonce: String(repeating: "0", count: 32))
        var records = EntryRecords(nonce: nonce)
        let part = records.take(forged)
        #expect(part.records.isEmpty)
        #expect(part.text + records.end() == forged)
    }

    @Test func halfARecordIsKeptAsText() {
        var records = EntryRecords(nonce: nonce)
        let half = Array(record("E", [0, 0, 0, 0]).prefix(60))
        #expect(records.take(half).text.isEmpty)
        #expect(records.end() == half)
    }
}
