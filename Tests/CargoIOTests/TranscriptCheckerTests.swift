import JSON
import TestSupport
import Testing

@testable import CargoIO

let limits = TranscriptLimits(frameBytesMax: 1000, transcriptBytesMax: 10_000)

/// Feeds a text in chunks; what came, and the name of the violation.
func check(
    _ text: some Collection<UInt8>, exitCode: Int = 0, limits: TranscriptLimits = limits, chunk: () -> Int = { .max }
) -> (frames: [Frame], code: String?, line: Int?) {
    var checker = TranscriptChecker(limits: limits)
    var frames: [Frame] = []
    do throws(ProtocolViolation) {
        var rest = Array(text)[...]
        while !rest.isEmpty {
            let size = chunk()
            try checker.receive(rest.prefix(size), into: &frames)
            rest = rest.dropFirst(size)
        }
        if let last = try checker.finish(exitCode: exitCode) { frames.append(last) }
        return (frames, nil, nil)
    } catch {
        return (frames, error.code.rawValue, error.line)
    }
}

struct TranscriptCheckerTests {
    // The transcript of the product documentation, "I/O Protocol".
    private static let documented = """
        {"type": "status", "message": "Loading model..."}
        {"type": "token", "content": "Hello"}
        {"type": "token", "content": " world"}
        {"type": "done", "usage": {"tokens": 2}}

        """

    @Test func theDocumentedTranscriptPasses() {
        let (frames, code, _) = check(Self.documented.utf8)
        #expect(code == nil && frames.map(\.type) == ["status", "token", "token", "done"])
        #expect(frames[0].message == "Loading model..." && frames[1].content == "Hello" && frames[3].usage?["tokens"] == 2)
        #expect(frames[1].bytes == Array(#"{"type": "token", "content": "Hello"}"#.utf8) && frames[3].isTerminal && !frames[2].isTerminal)
    }

    @Test(arguments: [
        ("{\"type\":\"done\"}", 0), ("{\"type\":\"done\"}\r\n", 0), ("\n \t\r\n{\"type\":\"done\"}\n\n\r\n", 0),
        ("{\"type\":\"error\",\"message\":\"no\"}\n", 1),
        ("{\"type\":\"error\",\"message\":\"no\"}\n", 0), ("{\"type\":\"progress\",\"step\":1,\"total\":2.5,\"eta\":null}\n{\"type\":\"done\"}", 0),
        ("{\"type\":\"image\",\"data\":\"\",\"format\":\"png\",\"width\":1,\"height\":1}\n{\"type\":\"done\",\"usage\":null}", 0),
        ("{\"type\":\"my.own\",\"x\":[1]}\n{\"type\":\"done\",\"more\":true}", 0),
    ])
    func aGoodTranscriptPasses(text: String, exitCode: Int) { #expect(check(text.utf8, exitCode: exitCode).code == nil) }

    @Test(arguments: [
        ("hello\n", 0, "not_json", 1), ("{\"type\":\"done\"\n", 0, "not_json", 1), ("{\"type\":\"status\",\"type\":\"done\"}\n", 0, "not_json", 1),
        ("\n\n{'a'}\n", 0, "not_json", 3),
        ("[1]\n", 0, "not_object", 1), ("null", 0, "not_object", 1), ("{}\n", 0, "missing_type", 1), ("{\"type\":1}\n", 0, "missing_type", 1),
        ("{\"type\":\"\"}\n", 0, "missing_type", 1),
        ("{\"type\":\"status\"}\n", 0, "missing_field", 1), ("{\"type\":\"status\",\"message\":1}\n", 0, "missing_field", 1),
        ("{\"type\":\"token\"}\n", 0, "missing_field", 1),
        ("{\"type\":\"token\",\"content\":null}\n", 0, "missing_field", 1), ("{\"type\":\"progress\",\"step\":1}\n", 0, "missing_field", 1),
        ("{\"type\":\"progress\",\"step\":\"1\",\"total\":2}\n", 0, "missing_field", 1),
        ("{\"type\":\"image\",\"data\":\"\",\"format\":\"\",\"width\":1}\n", 0, "missing_field", 1),
        ("{\"type\":\"image\",\"data\":\"\",\"width\":1,\"height\":1}\n", 0, "missing_field", 1), ("{\"type\":\"error\"}\n", 1, "missing_field", 1),
        ("", 0, "no_terminal_frame", 0), ("\n\n", 0, "no_terminal_frame", 2), ("{\"type\":\"token\",\"content\":\"x\"}\n", 0, "no_terminal_frame", 1),
        ("{\"type\":\"done\"}\n{\"type\":\"done\"}\n", 0, "frame_after_terminal", 2), ("{\"type\":\"done\"}\nbye", 0, "frame_after_terminal", 2),
        ("{\"type\":\"done\"}\n", 1, "nonzero_exit", 1), ("{\"type\":\"token\",\"content\":\"x\"}\n", 137, "nonzero_exit", 1),
        ("", 1, "nonzero_exit", 0),
        ("{\"type\":\"tok", 139, "nonzero_exit", 1), ("{\"type\":\"tok", 0, "not_json", 1),
    ])
    func aViolationIsNamed(text: String, exitCode: Int, code: String, line: Int) {
        let result = check(text.utf8, exitCode: exitCode)
        #expect(result.code == code && result.line == line)
        let byByte = check(text.utf8, exitCode: exitCode, chunk: { 1 })
        #expect(byByte.code == code && byByte.line == line && byByte.frames == result.frames)
    }

    @Test(arguments: [-1, 0, 1], ["\n", "\r\n", ""])
    func theFrameLimitHolds(offset: Int, end: String) {
        let frame = #"{"type":"error","message":""# + String(repeating: "x", count: 1000 + offset - 29) + "\"}"
        #expect(frame.utf8.count == 1000 + offset)
        for size in [1, 7, 1000, 1001, .max] {
            #expect(check((frame + end).utf8, chunk: { size }).code == (offset > 0 ? "frame_too_large" : nil))
        }
    }

    @Test(arguments: [-1, 0, 1])
    func theTranscriptLimitHolds(offset: Int) {
        let done = "{\"type\":\"done\"}\n"
        let text = String(repeating: "\n", count: 10_000 + offset - done.utf8.count) + done
        for size in [1, 4096, .max] {
            let result = check(text.utf8, chunk: { size })
            #expect(result.code == (offset > 0 ? "transcript_too_large" : nil))
        }
    }

    @Test func framesBeforeAViolationAreKeptAndItStands() throws {
        var checker = TranscriptChecker(limits: limits)
        let frames = try checker.receive(Array("{\"type\":\"token\",\"content\":\"a\"}\nbad\n{\"type\":\"done\"}\n".utf8))
        #expect(frames.count == 1 && checker.violation?.code == .notJSON && checker.violation?.line == 2)
        #expect(throws: ProtocolViolation.self) { try checker.receive(Array("\n".utf8)) }
        #expect(throws: ProtocolViolation.self) { try checker.finish(exitCode: 0) }
        #expect(checker.violation?.description.hasPrefix("not_json at line 2: ") == true)
    }

    @Test func aFrameNestedTooDeepIsRefused() {
        for (depth, code) in [(63, nil), (64, "not_json")] as [(Int, String?)] {
            let text = "{\"type\":\"done\",\"x\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
            #expect(check(text.utf8).code == code)
        }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func anyChunkingGivesTheSame(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for round in 0..<200 {
            let text = Self.transcript(&random)
            let tight = TranscriptLimits(
                frameBytesMax: Int.random(in: 20...200, using: &random), transcriptBytesMax: Int.random(in: 50...2000, using: &random))
            let exitCode = Int.random(in: 0...1, using: &random)
            let whole = check(text, exitCode: exitCode, limits: tight)
            let parts = check(text, exitCode: exitCode, limits: tight, chunk: { Int.random(in: 1...40, using: &random) })
            #expect(whole.frames == parts.frames && whole.code == parts.code && whole.line == parts.line, "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: [UInt64(6), 7])
    func randomBytesNeverCrashAndAreNotKept(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for _ in 0..<100 {
            var splitter = LineSplitter(lineBytesMax: 50)
            for _ in 0..<200 {
                var output: [LineSplitter.Output] = []
                splitter.append((0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }, to: &output)
                for case .line(let bytes, _) in output { #expect(bytes.count <= 50) }
                #expect(splitter.pendingByteCount <= 51, "seed \(seed)")
            }
            _ = check((0..<500).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    private static func transcript(_ random: inout SplitMix64) -> [UInt8] {
        let pieces = [
            "{\"type\":\"token\",\"content\":\"abc\"}", "{\"type\":\"status\",\"message\":\"é\"}", "{\"type\":\"done\"}", "{\"type\":\"other\"}", "",
            " ", "\r", "{}", "x",
            String(repeating: "y", count: 100), "{\"type\":\"token\",\"content\":\"" + String(repeating: "z", count: 60) + "\"}",
        ]
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            text +=
                Int.random(in: 0..<4, using: &random) > 0
                ? Array(pieces[Int.random(in: 0...1, using: &random)].utf8)
                : Array(pieces[Int.random(in: pieces.indices, using: &random)].utf8)
            text += Bool.random(using: &random) ? [0x0A] : [0x0D, 0x0A]
        }
        return text + (Bool.random(using: &random) ? Array("{\"type\":\"done\"}".utf8) : [])
    }
}

struct TranscriptInspectorTests {
    @Test func everyViolationIsListed() {
        var inspector = TranscriptInspector(limits: limits)
        var frames: [Frame] = []
        let text =
            "x\n[]\n{}\n{\"type\":\"token\"}\n" + String(repeating: "y", count: 1001)
            + "\n{\"type\":\"token\",\"content\":\"ok\"}\n{\"type\":\"done\"}\nmore\n"
        inspector.receive(Array(text.utf8), into: &frames)
        inspector.finish(exitCode: 3, into: &frames)
        #expect(
            inspector.violations.map(\.code.rawValue) == [
                "not_json", "not_object", "missing_type", "missing_field", "frame_too_large", "frame_after_terminal", "nonzero_exit",
            ])
        #expect(inspector.violations.map(\.line) == [1, 2, 3, 4, 5, 8, 8])
        #expect(frames.map(\.type) == ["token", "done"] && !inspector.isTruncated)
    }

    @Test(arguments: [99, 100, 101])
    func theListIsBounded(count: Int) {
        var inspector = TranscriptInspector(limits: limits)
        var frames: [Frame] = []
        inspector.receive(Array((String(repeating: "x\n", count: count) + "{\"type\":\"done\"}").utf8), into: &frames)
        inspector.finish(exitCode: 0, into: &frames)
        #expect(inspector.violations.count == min(count, 100) && inspector.isTruncated == (count > 100))
    }

    @Test func nothingIsLookedAtBehindTheLimit() {
        var inspector = TranscriptInspector(limits: limits)
        var frames: [Frame] = []
        for _ in 0..<10 { inspector.receive([UInt8](repeating: 0x0A, count: 5000), into: &frames) }
        inspector.finish(exitCode: 0, into: &frames)
        #expect(inspector.violations.map(\.code) == [.transcriptTooLarge] && inspector.byteCount == 50_000)
    }
}

struct TranscriptRecordTests {
    @Test(arguments: [
        (#"{"type":"token","content":"Hi"}"#, #"{"type":"token","content":"Hi","seq":3,"attempt":1}"#),  // the documented example
        (#" { "type" : "x" , "n" : 1.0 } "#, #" { "type" : "x" , "n" : 1.0 ,"seq":3,"attempt":1}"#),
        (#"{"seq":"mine","type":"x","attempt":{"seq":1},"n":1.0}"#, #"{"type":"x","n":1.0,"seq":3,"attempt":1}"#),
        (#"{"\u0073eq":7,"type":"x"}"#, #"{"type":"x","seq":3,"attempt":1}"#),
        (#"{"type":"x","o":{"seq":9}}"#, #"{"type":"x","o":{"seq":9},"seq":3,"attempt":1}"#),
        ("{\"type\":\r\"x\",\r\"a\":\"}\"}", #"{"type":"x","a":"}","seq":3,"attempt":1}"#),
    ])
    func theNumbersAreAppended(line: String, expected: String) throws {
        let record = TranscriptRecord(frame: try Frame(parsing: Array(line.utf8)), seq: 3, attempt: 1)
        #expect(String(decoding: record.bytes, as: UTF8.self) == expected)
        let value = try JSONValue(parsing: record.bytes)
        #expect(value["seq"] == 3 && value["attempt"] == 1 && !record.bytes.contains(0x0A) && !record.bytes.contains(0x0D))
    }
}
