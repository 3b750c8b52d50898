import Foundation
import JSON
import NIOHTTP1
import Testing
import WebSockets

/// One wrong body and what it must be called.
struct BadBody: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    var status = 400
    var code = "malformed_json"
    var contentType: String? = "application/json"

    var testDescription: String { name }

    init(_ name: String, _ text: String, status: Int = 400, code: String = "malformed_json", contentType: String? = "application/json") {
        self.init(name, bytes: [UInt8](text.utf8), status: status, code: code, contentType: contentType)
    }

    init(_ name: String, bytes: [UInt8], status: Int = 400, code: String = "malformed_json", contentType: String? = "application/json") {
        self.name = name
        self.bytes = bytes
        self.status = status
        self.code = code
        self.contentType = contentType
    }

    static let all = [
        BadBody("nothing", ""), BadBody("a brace", "{"), BadBody("a word", "nope"), BadBody("two values", "{} {}"), BadBody("an array", "[]"),
        BadBody("null", "null"), BadBody("a string", "\"x\""), BadBody("a number", "1"), BadBody("a trailing comma", "{\"a\":1,}"),
        BadBody("single quotes", "{'a':1}"), BadBody("a comment", "{/**/}"), BadBody("a NaN", "{\"a\":NaN}"), BadBody("a leading zero", "{\"a\":01}"),
        BadBody("a repeated name", "{\"slug\":\"a\",\"slug\":\"b\"}"), BadBody("a lone surrogate", "{\"a\":\"\\ud800\"}"),
        BadBody("a raw control character", "{\"a\":\"\u{01}\"}"), BadBody("a byte-order mark", "\u{FEFF}{}"),
        BadBody("invalid UTF-8", bytes: [UInt8]("{\"a\":\"".utf8) + [0xFF, 0xFE] + [UInt8]("\"}".utf8)),
        BadBody("overlong UTF-8", bytes: [UInt8]("{\"a\":\"".utf8) + [0xC0, 0xAF] + [UInt8]("\"}".utf8)),
        BadBody("UTF-16", bytes: [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00]),
        BadBody("100,000 arrays deep", "{\"a\":" + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}"),
        BadBody("100,000 open objects", String(repeating: "{\"a\":", count: 100_000)),
        BadBody("10 MB", "{\"a\":\"" + String(repeating: "x", count: 10_000_000) + "\"}", status: 413, code: "too_large"),
        BadBody("1,200,000 values", "{\"a\":[" + String(repeating: "1,", count: 1_200_000) + "1]}", status: 413, code: "too_large"),
        BadBody("a form", "a=1", status: 415, code: "unsupported_media_type", contentType: "application/x-www-form-urlencoded"),
        BadBody("no type", "{}", status: 415, code: "unsupported_media_type", contentType: nil),
        BadBody("a type that only looks right", "{}", status: 415, code: "unsupported_media_type", contentType: "application/jsonx"),
        BadBody("a strange number", "{\"price_per_job\":1e400}", status: 422, code: "validation_failed"),
        BadBody("a huge number", "{\"price_per_job\":" + String(repeating: "9", count: 5000) + "}"),
        BadBody("a number beyond 64 bits", "{\"price_per_job\":99999999999999999999}", status: 422, code: "validation_failed"),
    ]
}

extension Live {
    /// Wrong input at every door: a clear error each time, never a 500, and the network goes on.
    @Suite(.serialized) struct BadInputTests {
        /// Every call that takes a body; `DRAFT` stands for the id of one.
        private static let doors: [(HTTPMethod, String, String)] = [
            (.POST, "/workloads", "publisher"), (.PATCH, "/submissions/DRAFT", "publisher"), (.POST, "/submissions/DRAFT/transitions", "publisher"),
            (.POST, "/review/submissions/DRAFT/approve", "reviewer"), (.POST, "/review/submissions/DRAFT/reject", "reviewer"),
            (.POST, "/jobs", "consumer"), (.POST, "/islands", "consumer"),
        ]

        private func withDraft(_ network: DevNetwork, _ body: (Int) async throws -> Void) async throws {
            let id = try await network.draft(slug: "at-every-door", image: "\(network.registry)/live/a:v1.0.0")
            try await body(id)
            try await network.discard(id)
        }

        @Test(arguments: BadBody.all) func aWrongBodyIsNamedAtEveryDoor(body: BadBody) async throws {
            let network = try await SharedNetwork.network
            try await withDraft(network) { draft in
                for (method, door, person) in Self.doors {
                    let path = door.replacingOccurrences(of: "DRAFT", with: "\(draft)")
                    let answer = try await network.api(person).send(method, path, body: body.bytes, contentType: body.contentType)
                    #expect(answer.status == body.status, "\(method) \(path): \(answer)")
                    #expect(answer.errorCode == body.code, "\(method) \(path): \(answer)")
                    #expect(answer.isProper)
                }
            }
        }

        @Test(arguments: doors) func aFieldOfTheWrongTypeIsNamedWithItsPointer(method: HTTPMethod, path: String, person: String) async throws {
            let network = try await SharedNetwork.network
            let wrong: JSONValue = [
                "name": [:], "slug": 1, "to": 1, "trust_level": "0", "checklist": [], "reason": 1, "rule": [], "workload": false, "input": "x",
                "priority": "high", "timeout_seconds": [], "max_credits": -1, "accept_medium": "yes", "note": 1,
            ]
            try await withDraft(network) { draft in
                let answer = try await network.api(person).call(method, path.replacingOccurrences(of: "DRAFT", with: "\(draft)"), wrong)
                #expect(answer.status == 422, "\(answer)")
                #expect(answer.pointers.count >= 2)
                #expect(answer.pointers.allSatisfy { $0.hasPrefix("/") })
            }
        }

        /// What is no HTTP within a request is the sender's mistake.
        @Test(arguments: ["ZZ\r\n", "FFFFFFFFFFFFFFFFF\r\n", "-1\r\n"]) func aBrokenChunkIs400(chunk: String) async throws {
            let network = try await SharedNetwork.network
            let head =
                "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(network.keys["consumer"] ?? "")\r\n"
                + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            let answer = try await network.peer.raw(Array((head + chunk).utf8))
            #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
        }

        @Test func aBodyThatSaysItIsTooLongNeedNotBeSent() async throws {
            let network = try await SharedNetwork.network
            let head =
                "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(network.keys["consumer"] ?? "")\r\n"
                + "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
            let answer = try await network.peer.raw(Array(head.utf8))
            #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
        }

        /// U+0000 ends a text in C and is refused by PostgreSQL; it must neither cut a text short nor be a 500.
        @Test func aNulCharacterCutsNothingShort() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let job = try await network.consumer.call(.POST, "/jobs", ["workload": .string(slug + "\0x"), "input": ["text": "x"]])
            #expect([404, 422].contains(job.status), "\(job)")
            let search = try await network.consumer.call(.GET, "/workloads?query=%00nothing-has-this")
            #expect(search.status == 422 || search.data.array?.isEmpty == true, "\(search)")
            let island = try await network.consumer.call(.POST, "/islands", ["name": "one\0two"])
            #expect(island.status == 422 || island.data["name"]?.string == "one\0two", "\(island)")
            var fields = network.fields(slug: "with-nul", image: "\(network.registry)/live/a:v1.0.0")
            fields["name"] = "one\0two"
            let draft = try await network.publisher.call(.POST, "/workloads", .object(fields))
            #expect(draft.status == 422 || draft.data["name"]?.string == "one\0two", "\(draft)")
            if let id = draft.data["id"]?.int { try await network.discard(id) }
        }

        @Test(arguments: [
            "/nope", "/", "//", "/jobs/../../etc/passwd", "/jobs/%00", "/jobs/%ff", "/jobs/%2e%2e%2f", "/workloads/%F0%9F%8F%9D",
            "/submissions/99999999999999999999", "/submissions/-1", "/submissions/0", "/submissions/abc", "/submissions/1e3", "/islands/x",
            "/jobs/" + String(repeating: "a", count: 4000), "/workloads/" + String(repeating: "%41", count: 1000),
        ])
        func whatNamesNothingIs404(path: String) async throws {
            let answer = try await SharedNetwork.network.admin.call(.GET, path)
            #expect(answer.status == 404, "\(answer)")
            #expect(answer.isProper)
        }

        @Test(arguments: [
            "limit=0", "limit=101", "limit=-1", "limit=x", "limit=1.5", "limit=99999999999999999999", "offset=-1", "offset=x", "limit=", "limit=%00",
            "state=nonsense&status=nonsense",
        ])
        func aStrangePageIs422(query: String) async throws {
            let network = try await SharedNetwork.network
            for path in ["/jobs", "/submissions"] {
                let answer = try await network.publisher.call(.GET, "\(path)?\(query)")
                #expect(answer.status == 422, "\(path)?\(query): \(answer)")
                #expect(answer.isProper)
            }
        }

        @Test(arguments: [
            "%", "_", "%25", "'", "%27%3B%20DROP%20TABLE%20jobs%3B--", "%E2%80%AE", String(repeating: "a", count: 3000), "*", "%5C", "price_per",
            "%22",
        ])
        func aSearchTakesAnyText(query: String) async throws {
            let network = try await SharedNetwork.network
            let answer = try await network.consumer.call(.GET, "/workloads?query=\(query)")
            #expect(answer.status == 200, "\(answer)")
            #expect(
                answer.data.array?.isEmpty == true, "no Cargo says this of itself; wildcards and names of fields are texts like any other: \(answer)")
        }

        @Test(arguments: [HTTPMethod.PUT, .PATCH, .DELETE, .OPTIONS, .TRACE, .RAW(value: "BREW")])
        func aMethodThatIsNotThereIsRefused(method: HTTPMethod) async throws {
            let answer = try await SharedNetwork.network.admin.call(method, "/jobs")
            #expect([400, 404, 405, 501].contains(answer.status), "\(answer)")
        }

        static let garbage: [(name: String, bytes: [UInt8])] = [
            ("words", [UInt8]("hello there\r\n\r\n".utf8)), ("binary", [0, 1, 2, 255, 254, 13, 10, 13, 10]),
            ("TLS", [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]),
            ("a wrong version", [UInt8]("GET /api/v1/health HTTP/9.9\r\nHost: a\r\n\r\n".utf8)),
            ("a negative length", [UInt8]("POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n".utf8)),
            ("a huge length", [UInt8]("POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n".utf8)),
            ("two lengths", [UInt8]("POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello".utf8)),
            (
                "a length and chunks",
                [UInt8]("POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".utf8)
            ),
            ("a line feed in a header", [UInt8]("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n".utf8)),
            ("a long header", [UInt8]("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n".utf8)),
            ("many headers", [UInt8](("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 20_000) + "\r\n").utf8)),
            ("a long address", [UInt8]("GET /\(String(repeating: "x", count: 200_000)) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
        ]

        @Test(arguments: garbage.map(\.name)) func garbageOnThePortIsAnsweredOrClosed(name: String) async throws {
            let network = try await SharedNetwork.network
            let bytes = try #require(Self.garbage.first { $0.name == name }).bytes
            do {
                let answer = try await network.peer.raw(bytes)
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            } catch let error as TooLate {
                Issue.record("neither answered nor closed: \(error)")
            } catch {
                // Closed while we still wrote: refused all the same.
            }
            #expect(try await network.admin.call(.GET, "/health").status == 200)
        }

        // MARK: The Island's link

        private func link(_ network: DevNetwork, token: String) async throws -> WebSocketConnection {
            try await WebSocketClient.connect(
                url: "ws://127.0.0.1:\(network.peer.port)/api/v1/islands/link", headers: [(name: "Authorization", value: "Bearer \(token)")])
        }

        /// An Island that never gets a job: it can enforce no level.
        private static let hello =
            #"{"type":"hello","version":2,"capabilities":{"runtimes":[],"levels":[],"cores":1,"memory_mb":1,"vram_mb":0,"platform":"linux/none","region":"","slots":1},"attempts":[]}"#

        @Test func theLinkNeedsAnIslandsToken() async throws {
            let network = try await SharedNetwork.network
            for token in ["it_unknown", network.keys["admin"] ?? "", "x"] {
                let refusal = await #expect(throws: WebSocketError.self) { _ = try await link(network, token: token) }
                #expect(refusal?.refusal?.status == 401, "\(token.prefix(3)): \(String(describing: refusal))")
            }
        }

        static let nonsense: [(name: String, messages: [String])] = [
            ("a word", ["hello"]), ("nothing", [""]), ("an array", ["[]"]), ("no type", ["{}"]), ("an unknown type", [#"{"type":"surprise"}"#]),
            ("not hello first", [#"{"type":"heartbeat","attempts":[]}"#]), ("hello without anything", [#"{"type":"hello"}"#]),
            ("another version", [hello.replacingOccurrences(of: "\"version\":2", with: "\"version\":99")]),
            ("capabilities of wrong types", [hello.replacingOccurrences(of: "\"cores\":1", with: "\"cores\":\"many\"")]),
            ("no slots", [hello.replacingOccurrences(of: "\"slots\":1", with: "\"slots\":0")]),
            ("a negative number", [hello.replacingOccurrences(of: "\"memory_mb\":1", with: "\"memory_mb\":-1")]),
            ("a huge number", [hello.replacingOccurrences(of: "\"cores\":1", with: "\"cores\":1e300")]),
            ("deep", [String(repeating: "[", count: 100_000)]), ("hello twice", [hello, hello]), ("words after hello", [hello, "nonsense"]),
            ("a platform's fault", [hello, finished(#""failure":{"fault":"platform","code":"x","message":"y"}"#)]),
            ("a fault that is none", [hello, finished(#""failure":{"fault":"everybody","code":"x","message":"y"}"#)]),
            ("both ends", [hello, finished(#""done":{"type":"done"},"failure":{"fault":"island","code":"x","message":"y"}"#)]),
            ("neither end", [hello, finished(#""x":1"#)]),
            ("no frames", [hello, #"{"type":"frames","job":"x","attempt":1,"first":1,"frames":[]}"#]),
            ("frames from 0", [hello, #"{"type":"frames","job":"x","attempt":1,"first":0,"frames":[{}]}"#]),
            ("frames that are none", [hello, #"{"type":"frames","job":"x","attempt":1,"first":1,"frames":[1]}"#]),
            (
                "too many attempts",
                [
                    hello,
                    #"{"type":"heartbeat","attempts":["# + Array(repeating: #"{"job":"x","attempt":1}"#, count: 5000).joined(separator: ",") + "]}",
                ]
            ),
        ]

        private static func finished(_ rest: String) -> String {
            #"{"type":"finished","job":"x","attempt":1,"frames":0,"run_ms":1,"cpu_ms":1,"peak_memory_bytes":1,"# + rest + "}"
        }

        @Test(arguments: nonsense.map(\.name)) func nonsenseOnTheLinkClosesItWithTheReason(name: String) async throws {
            let network = try await SharedNetwork.network
            let token = try #require(try await network.consumer.call(.POST, "/islands", ["name": "nonsense"]).json["token"]?.string)
            let connection = try await link(network, token: token)
            for message in try #require(Self.nonsense.first { $0.name == name }).messages { try await connection.send(text: message) }
            try await within(.seconds(15), "the link closes") { for await _ in connection.incoming {} }
            #expect(connection.closure?.code.rawValue == 1008, "\(String(describing: connection.closure))")
            #expect(connection.closure?.reason.isEmpty == false)
            #expect(try await network.admin.call(.GET, "/health").status == 200)
        }

        @Test func bytesOnTheLinkCloseIt() async throws {
            let network = try await SharedNetwork.network
            let token = try #require(try await network.consumer.call(.POST, "/islands", ["name": "binary"]).json["token"]?.string)
            let connection = try await link(network, token: token)
            try await connection.send(binary: [0, 1, 2, 3])
            try await within(.seconds(15), "the link closes") { for await _ in connection.incoming {} }
            #expect(connection.closure != nil)
        }

        /// Right in form, but about what is not this Island's.
        @Test func anIslandCannotSpeakOfAnotherIslandsJob() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("ignores-time", network)
            let job = try await network.consumer.submitJob(slug, timeoutSeconds: 30)
            _ = try await network.consumer.events(job: job) { $0["type"]?.string == "status" && $0["status"] == nil }
            let token = try #require(try await network.consumer.call(.POST, "/islands", ["name": "thief"]).json["token"]?.string)
            let connection = try await link(network, token: token)
            try await connection.send(text: Self.hello)
            try await connection.send(text: #"{"type":"heartbeat","attempts":[{"job":"\#(job)","attempt":1}]}"#)
            try await connection.send(text: #"{"type":"started","job":"\#(job)","attempt":1}"#)
            try await connection.send(
                text: #"{"type":"frames","job":"\#(job)","attempt":1,"first":1,"frames":[{"type":"token","content":"stolen"}]}"#)
            try await connection.send(
                text:
                    #"{"type":"finished","job":"\#(job)","attempt":1,"frames":0,"done":{"type":"done"},"run_ms":1,"cpu_ms":1,"peak_memory_bytes":1}"#)
            // The answer to the last message says that all of them were heard.
            let heard = try await within(.seconds(15), "the messages are heard") {
                for await message in connection.incoming { if message.text?.contains("settled") == true { return true } }
                return false
            }
            #expect(heard)
            #expect(try await network.consumer.data(.GET, "/jobs/\(job)")["status"]?.string == "running")
            _ = try await network.consumer.data(.DELETE, "/jobs/\(job)")
            let (records, _) = try await network.consumer.follow(job: job)
            #expect(!records.contains { $0["content"]?.string == "stolen" })
            #expect(records.last?["status"]?.string == "cancelled")
            await connection.close()
        }

        @Test func theNetworkIsStillWell() async throws {
            let network = try await SharedNetwork.network
            #expect(network.process.isRunning)
            let islands = try await network.admin.data(.GET, "/islands?limit=100").array ?? []
            #expect(islands.contains { $0["name"]?.string == "this machine" && $0["connected"]?.bool == true })
            let slug = try await Catalog.shared.textStats(network)
            let job = try await network.consumer.submitJob(slug, input: ["text": "still well"])
            #expect(try await network.consumer.finishedJob(job)["status"]?.string == "completed")
            #expect(!network.process.stderr.contains("unexpectedly"), "\(network.process.stderr)")
        }
    }
}
