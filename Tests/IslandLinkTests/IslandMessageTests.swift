import Domain
import IslandLink
import JSON
import TestSupport
import Testing

@Suite struct IslandMessageTests {
    @Test(arguments: LinkSamples.fromIsland)
    func everyMessageComesOutAsItWentIn(message: IslandMessage) throws {
        #expect(try IslandMessage(parsing: message.text) == message)
        #expect(message.text.hasPrefix(#"{"type":""#))
    }

    /// DESIGN §5.3, as another program would write it: other orders, white space, and members of a newer version.
    @Test func messagesOfAnotherProgramAreRead() throws {
        let text = """
            { "attempts" : [ { "attempt": 2, "job": "j", "new": 1 } ], "version": 1, "type": "hello", "more": {},
              "capabilities": {"slots": 2, "region": "", "platform": "linux/arm64", "vram_mb": 0, "memory_mb": 2048, "cores": 4,
                               "levels": [0, 1, 7], "runtimes": ["container", "quantum"], "colour": "red"} }
            """
        let expected = IslandMessage.hello(
            .init(
                version: 1,
                capabilities: IslandCapabilities(
                    runtimes: [.container], levels: [.untrusted, .basic], cores: 4, memoryMegabytes: 2048, vramMegabytes: 0, platform: "linux/arm64",
                    region: "", slots: 2), attempts: [AttemptID(job: "j", number: 2)]))
        #expect(try IslandMessage(parsing: text) == expected)
    }

    static let hello: JSONObject = [
        "type": "hello", "version": 2, "attempts": [],
        "capabilities": .object(LinkSamples.smallest.json),
    ]
    static let frames: JSONObject = ["type": "frames", "job": "j", "attempt": 1, "first": 1, "frames": [["type": "x"]]]
    static let finished: JSONObject = [
        "type": "finished", "job": "j", "attempt": 1, "frames": 0, "done": ["type": "done"], "run_ms": 0, "cpu_ms": 0, "peak_memory_bytes": 0,
    ]
    static let failure: JSONValue = ["fault": "cargo", "code": "c", "message": "m"]

    static func hello(_ name: String, _ value: JSONValue?) -> JSONObject {
        hello.with("capabilities", .object(LinkSamples.smallest.json.with(name, value)))
    }

    static let malformed: [(String, JSONObject)] = [
        ("no type", [:]), ("a type that is no text", ["type": 1]), ("an unknown type", ["type": "gossip"]),
        ("a type of the coordinator", ["type": "settled", "job": "j", "attempt": 1]), ("an empty type", ["type": ""]),
        ("hello without version", hello.with("version", nil)), ("hello with a text as version", hello.with("version", "1")),
        ("hello with a version that is no whole number", hello.with("version", .number(JSONNumber(1.5)))),
        ("hello without capabilities", hello.with("capabilities", nil)), ("hello with capabilities null", hello.with("capabilities", .null)),
        ("hello without attempts", hello.with("attempts", nil)), ("hello with an attempt that is a text", hello.with("attempts", ["x"])),
        ("hello with an attempt without a number", hello.with("attempts", [["job": "j"]])),
        ("hello with attempt 0", hello.with("attempts", [["job": "j", "attempt": 0]])),
        ("hello with too many attempts", hello.with("attempts", .array(Array(repeating: ["job": "j", "attempt": 1], count: 4097)))),
        ("no runtimes", hello("runtimes", nil)), ("runtimes that are numbers", hello("runtimes", [1])), ("no levels", hello("levels", nil)),
        ("levels that are no array", hello("levels", 1)), ("0 cores", hello("cores", 0)), ("65537 cores", hello("cores", 65_537)),
        ("no cores", hello("cores", nil)), ("negative memory", hello("memory_mb", -1)), ("no memory", hello("memory_mb", nil)),
        ("negative GPU memory", hello("vram_mb", -1)), ("no platform", hello("platform", nil)), ("a number as region", hello("region", 1)),
        ("a number as registry", hello("registries", [1])), ("registries that are a text", hello("registries", "x")),
        ("an image that is a number", hello.with("images", ["sha256:1", 2])), ("images that are an object", hello.with("images", [:])),
        ("an image with U+0000", hello.with("images", ["sha256:\u{0}"])),
        ("0 slots", hello("slots", 0)), ("4097 slots", hello("slots", 4097)),
        ("a heartbeat without attempts", ["type": "heartbeat"]), ("a heartbeat with an object", ["type": "heartbeat", "attempts": [:]]),
        ("started without a job", ["type": "started", "attempt": 1]), ("started without an attempt", ["type": "started", "job": "j"]),
        ("started with attempt 0", ["type": "started", "job": "j", "attempt": 0]),
        ("started with attempt -1", ["type": "started", "job": "j", "attempt": -1]),
        ("a job with U+0000", ["type": "started", "job": "j\u{0}", "attempt": 1]),
        ("started with a number as job", ["type": "started", "job": 1, "attempt": 1]),
        ("frames without first", frames.with("first", nil)), ("frames from 0 on", frames.with("first", 0)), ("no frames", frames.with("frames", [])),
        ("frames missing", frames.with("frames", nil)), ("a frame that is a text", frames.with("frames", [["type": "x"], "y"])),
        ("a frame too many", frames.with("frames", .array(Array(repeating: ["type": "x"], count: LinkLimits.framesMax + 1)))),
        ("neither done nor failure", finished.with("done", nil)), ("both done and failure", finished.with("failure", failure)),
        ("done that is a text", finished.with("done", "done")), ("a failure that is a text", finished.with("done", nil).with("failure", "x")),
        ("done that is a text beside a failure", finished.with("done", "x").with("failure", failure)),
        ("a failure that is a text beside done", finished.with("failure", "x")),
        ("a failure without fault", finished.with("done", nil).with("failure", ["code": "c", "message": "m"])),
        ("a failure of an unknown fault", finished.with("done", nil).with("failure", ["fault": "moon", "code": "c", "message": "m"])),
        ("a failure without code", finished.with("done", nil).with("failure", ["fault": "cargo", "message": "m"])),
        ("a failure without message", finished.with("done", nil).with("failure", ["fault": "cargo", "code": "c"])),
        ("finished without frames", finished.with("frames", nil)), ("finished after -1 frames", finished.with("frames", -1)),
        ("a negative run time", finished.with("run_ms", -1)), ("a run of more than a day", finished.with("run_ms", 86_400_001)),
        ("a negative CPU time", finished.with("cpu_ms", -1)), ("negative memory used", finished.with("peak_memory_bytes", -1)),
        ("no run time", finished.with("run_ms", nil)),
        ("a number beyond 64 bits", finished.with("peak_memory_bytes", .number(JSONNumber(1e30)))),
    ]

    @Test(arguments: malformed.indices)
    func aMessageOfAWrongShapeIsRefused(row: Int) {
        let (name, object) = Self.malformed[row]
        #expect(throws: LinkError.self, "\(name)") { try IslandMessage(parsing: object.text) }
    }

    @Test func anIslandThatNamesMoreThanIsKeptIsHeardAllTheSame() throws {
        let images = (0..<5000).map { JSONValue.string("sha256:\($0)") } + [.string(String(repeating: "x", count: 1_000_000))]
        let registries = (0..<500).map { JSONValue.string("r\($0)" + String(repeating: "x", count: 500)) }
        let text = Self.hello.with("images", .array(images))
            .with("capabilities", .object(LinkSamples.smallest.json.with("registries", .array(registries)))).text
        guard case .hello(let hello) = try IslandMessage(parsing: text) else {
            Issue.record("it is no hello")
            return
        }
        #expect(hello.images.count == LinkLimits.imagesMax)
        #expect(hello.images.first == "sha256:0")
        #expect(hello.capabilities.registries.count == 64)
        #expect(hello.capabilities.registries.allSatisfy { $0.count <= 100 })
    }

    /// An Island of an earlier version says neither images nor registries.
    @Test func anEarlierVersionsHelloIsHeard() throws {
        let earlier = Self.hello.with("capabilities", .object(LinkSamples.smallest.json.with("registries", nil)))
        guard case .hello(let hello) = try IslandMessage(parsing: earlier.text) else {
            Issue.record("it is no hello")
            return
        }
        #expect(hello.images.isEmpty && hello.capabilities.registries.isEmpty)
    }

    @Test func theSamplesBehindTheMalformedOnesAreRight() throws {
        for object in [Self.hello, Self.frames, Self.finished, Self.finished.with("done", nil).with("failure", Self.failure)] {
            _ = try IslandMessage(parsing: object.text)
        }
    }

    @Test(arguments: ["", " ", "hello", "null", "[]", "1", "\"hello\"", "{", #"{"type":"heartbeat","attempts":[]"#, #"{"type":"a","type":"b"}"#])
    func textThatIsNoObjectIsRefused(text: String) {
        #expect(throws: LinkError.self) { try IslandMessage(parsing: text) }
    }

    @Test func aTextThatIsNestedTooDeepIsRefused() {
        let deep = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        #expect(throws: LinkError.self) { try IslandMessage(parsing: #"{"type":"heartbeat","attempts":\#(deep)}"#) }
    }

    /// The number of a message's last frame must fit beside that of its first: whoever adds them may not overflow.
    @Test func aFirstFrameWhoseLastCannotBeCountedIsRefused() {
        let object = Self.frames.with("first", .int(Int.max)).with("frames", [["type": "x"], ["type": "x"]])
        #expect(throws: LinkError.self) { try IslandMessage(parsing: object.text) }
    }

    @Test(arguments: UInt64(0)..<8)
    func noMutationOfAMessageCrashesAndWhatIsReadIsReadAgain(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let samples = LinkSamples.fromIsland.map(\.text).filter { $0.utf8.count < 2000 }
        for _ in 0..<1500 {
            let text = mutated(samples.randomElement(using: &random) ?? "", &random)
            // Most mutations are refused; what counts is that each either is, or is a message that stays the same.
            guard let message = try? IslandMessage(parsing: text) else { continue }
            #expect((try? IslandMessage(parsing: message.text)) == message, "seed \(seed): \(text)")
        }
    }
}

/// A text with a few bytes changed, left out, doubled or replaced by what parsers stumble over.
func mutated(_ text: String, _ random: inout SplitMix64) -> String {
    let nasty = [
        "9223372036854775807", "-9223372036854775808", "1e999", "null", "{}", "[]", "\"", "\\u0000", "\\ud800", ",", "-1", "0", "true", "\u{301}",
    ]
    var bytes = Array(text.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<max(1, bytes.count), using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where !bytes.isEmpty: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1 where !bytes.isEmpty: bytes.remove(at: index)
        case 2: bytes.insert(contentsOf: (nasty.randomElement(using: &random) ?? "").utf8, at: min(index, bytes.count))
        case 3 where !bytes.isEmpty:
            // Replaces the number at or after the place.
            let digits = bytes[index...].firstIndex { (0x30...0x39).contains($0) } ?? index
            let end = bytes[digits...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.endIndex
            bytes.replaceSubrange(digits..<end, with: (nasty.randomElement(using: &random) ?? "").utf8)
        default: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 0..<20, using: &random)))
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
