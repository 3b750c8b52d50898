import Domain
import IslandLink
import JSON
import TestSupport
import Testing

@Suite struct CoordinatorMessageTests {
    @Test(arguments: LinkSamples.fromCoordinator)
    func everyMessageComesOutAsItWentIn(message: CoordinatorMessage) throws {
        #expect(try CoordinatorMessage(parsing: message.text) == message)
        #expect(message.text.hasPrefix(#"{"type":""#))
    }

    /// As text it goes over the link untouched, whatever stands in it.
    @Test func anInputIsPutInAsText() throws {
        let input = #"{"a":[1,2.50],"}":"\u00e9\"","input":{}}"#
        for case .assign(let assignment) in LinkSamples.fromCoordinator {
            #expect(assignment.text(withInput: input).hasPrefix(#"{"type":""#))
            #expect(assignment.text(withInput: input).contains(input))
            guard case .assign(let read) = try CoordinatorMessage(parsing: assignment.text(withInput: input)) else {
                Issue.record("it is no assignment any more")
                continue
            }
            #expect(try JSONValue.object(read.input) == JSONValue(parsing: input))
            #expect(try CoordinatorMessage(parsing: assignment.text(withInput: assignment.input.text)) == .assign(assignment))
        }
    }

    static let welcome: JSONObject = ["type": "welcome", "version": .int(LinkVersion.current), "island": "i", "resume": []]
    static let assign: JSONObject = [
        "type": "assign", "job": "j", "attempt": 1, "slug": "my-cargo", "runtime_type": "container", "image": "ghcr.io/archipelag-io/x:v1.0.0",
        "digest": "sha256:x", "trust_level": 0, "timeout_ms": 1, "input": [:],
    ]

    static let malformed: [(String, JSONObject)] = [
        ("no type", [:]), ("a type of the Island", ["type": "heartbeat", "attempts": []]),
        ("welcome of another version", welcome.with("version", .int(LinkVersion.current + 1))), ("welcome of version 0", welcome.with("version", 0)),
        ("welcome without version", welcome.with("version", nil)), ("welcome without island", welcome.with("island", nil)),
        ("welcome without resume", welcome.with("resume", nil)), ("a resumption that is a text", welcome.with("resume", ["x"])),
        ("a resumption without its number", welcome.with("resume", [["job": "j", "attempt": 1]])),
        ("a resumption from -1", welcome.with("resume", [["job": "j", "attempt": 1, "stored_up_to": -1]])),
        ("a resumption of attempt 0", welcome.with("resume", [["job": "j", "attempt": 0, "stored_up_to": 0]])),
        ("assign without job", assign.with("job", nil)), ("assign with attempt 0", assign.with("attempt", 0)),
        ("assign without slug", assign.with("slug", nil)),
        ("an unknown runtime", assign.with("runtime_type", "quantum")), ("assign without runtime", assign.with("runtime_type", nil)),
        ("assign without image", assign.with("image", nil)), ("assign without digest", assign.with("digest", nil)),
        ("an unknown level", assign.with("trust_level", 4)), ("level -1", assign.with("trust_level", -1)),
        ("a level that is a text", assign.with("trust_level", "0")),
        ("assign without level", assign.with("trust_level", nil)), ("no time", assign.with("timeout_ms", 0)),
        ("negative time", assign.with("timeout_ms", -1)),
        ("assign without time", assign.with("timeout_ms", nil)), ("assign without input", assign.with("input", nil)),
        ("an input that is an array", assign.with("input", [])), ("an input that is null", assign.with("input", .null)),
        ("stored without number", ["type": "stored", "job": "j", "attempt": 1]),
        ("stored up to -1", ["type": "stored", "job": "j", "attempt": 1, "up_to": -1]),
        ("a signer that is a text", assign.with("signers", ["me"])), ("a signer without a name", assign.with("signers", [["issuer": "https://x"]])),
        ("a signer without an issuer", assign.with("signers", [["identity": "me"]])), ("revoked without digests", ["type": "revoked"]),
        ("more signers than an account has", assign.with("signers", .array(Array(repeating: ["key": "k"], count: 65)))),
        ("cancel without job", ["type": "cancel", "attempt": 1]), ("settled without attempt", ["type": "settled", "job": "j"]),
    ]

    @Test(arguments: malformed.indices)
    func aMessageOfAWrongShapeIsRefused(row: Int) {
        let (name, object) = Self.malformed[row]
        #expect(throws: LinkError.self, "\(name)") { try CoordinatorMessage(parsing: object.text) }
    }

    @Test func theSamplesBehindTheMalformedOnesAreRight() throws {
        for object in [Self.welcome, Self.assign] { _ = try CoordinatorMessage(parsing: object.text) }
    }

    @Test func aRefusedVersionSaysWhatToDo() throws {
        let error = #expect(throws: LinkError.self) { try CoordinatorMessage(parsing: Self.welcome.with("version", 99).text) }
        #expect(error?.description.contains("version 99") == true)
        #expect(error?.description.contains("update") == true)
    }

    @Test(arguments: UInt64(0)..<8)
    func noMutationOfAMessageCrashesAndWhatIsReadIsReadAgain(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let samples = LinkSamples.fromCoordinator.map(\.text)
        for _ in 0..<1500 {
            let text = mutated(samples.randomElement(using: &random) ?? "", &random)
            guard let message = try? CoordinatorMessage(parsing: text) else { continue }
            #expect((try? CoordinatorMessage(parsing: message.text)) == message, "seed \(seed): \(text)")
        }
    }
}
