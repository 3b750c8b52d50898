import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// The lifecycle's rules through the real server, command line and receivers.
    @Suite struct LifecycleTests {
        private func ok(_ result: CommandResult) throws -> JSONValue {
            guard result.exit == 0 else { throw Unexpected("exit 0: \(result)") }
            return try result.json()
        }

        @Test func twoTerminalsAtTheLimitAreBothRefused() async throws {
            try await DevNetwork.withOwn("limit") { network in
                let image = try await network.push(Machine.scanFixtures + "/images/clean.tar", "limit:v1.0.0")
                for index in 1...3 { _ = try await network.submit(slug: "limit-\(index)", image: image) }
                let ids = [try await network.draft(slug: "limit-4", image: image), try await network.draft(slug: "limit-5", image: image)]
                try await withThrowingTaskGroup(of: CommandResult.self) { group in
                    for id in ids { group.addTask { try await network.cli("cargo", "hand-in", "\(id)", "--json", as: "publisher") } }
                    for try await result in group {
                        #expect(result.exit == 4)
                        #expect("\(result)".contains("active_cargo_limit"))
                    }
                }
                for id in ids {
                    let submission = try await network.publisher.data(.GET, "/submissions/\(id)")
                    #expect(submission["state"]?.string == "draft")
                    #expect(submission["image_digest"]?.isNull == true)
                    #expect(try await network.publisher.call(.GET, "/submissions/\(id)/scans").status == 404)
                }
            }
        }

        @Test func everyWrongStepIs409WithTheStateAndWhatIsAllowed() async throws {
            // A network of its own: Cargos that stay active would fill the shared publisher's limit.
            try await DevNetwork.withOwn("steps") { network in
                let image = try await network.push(Machine.scanFixtures + "/images/clean.tar", "steps:v1.0.0")
                func conflict(_ api: API, _ method: HTTPMethod, _ path: String, _ body: JSONValue, state: String) async throws {
                    let answer = try await api.call(method, path, body)
                    #expect(answer.status == 409, "\(answer)")
                    #expect(answer.json["error"]?["code"]?.string == "state_conflict")
                    #expect(answer.json["error"]?["state"]?.string == state)
                    #expect(answer.json["error"]?["allowed_actions"]?.array != nil)
                }
                let approval: JSONValue = ["trust_level": 0, "checklist": fullChecklist]
                let id = try await network.draft(slug: "wrong-steps", image: image)
                try await conflict(network.publisher, .POST, "/submissions/\(id)/transitions", ["to": "published"], state: "draft")
                try await conflict(network.reviewer, .POST, "/review/submissions/\(id)/approve", approval, state: "draft")
                _ = try await network.publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"])
                _ = try await network.scan(of: id)
                _ = try await network.reviewer.data(.POST, "/review/submissions/\(id)/approve", approval)
                try await conflict(network.reviewer, .POST, "/review/submissions/\(id)/approve", approval, state: "approved")
                _ = try await network.publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "published"])
                try await conflict(network.publisher, .PATCH, "/submissions/\(id)", ["name": "Other"], state: "published")
                let other = try await network.submit(slug: "wrong-steps-2", image: image)
                _ = try await network.reviewer.data(.POST, "/review/submissions/\(other)/reject", ["reason": "r", "rule": "policy"])
                try await conflict(network.reviewer, .POST, "/review/submissions/\(other)/approve", approval, state: "rejected")
                let draft = try await network.publisher.data(.POST, "/submissions/\(other)/resubmit")
                #expect(draft["resubmitted_from"]?.int == other)
            }
        }

        /// The receiver is Python's own HTTP server; it is down at first, and keeps what it is sent in a file.
        @Test func aReceiverThatWasDownGetsEveryEventOnceInOrderAndSigned() async throws {
            try await DevNetwork.withOwn("hooks") { network in
                let folder = try Machine.makeFolder("receiver")
                let port = try freePort()
                let hook = try await network.publisher.call(.POST, "/webhooks", ["url": .string("http://127.0.0.1:\(port)/hook")])
                let secret = try hook.json["secret"]?.string.orThrow("a secret") ?? ""
                let image = try await network.push(Machine.scanFixtures + "/images/clean.tar", "hooks:v1.0.0")
                let id = try await network.submit(slug: "hooks", image: image)
                _ = try await network.scan(of: id)
                _ = try await network.reviewer.data(
                    .POST, "/review/submissions/\(id)/approve", ["trust_level": 0, "checklist": fullChecklist])
                let receiver = try ChildProcess(
                    "python3", ["-c", Self.receiver, "\(port)", folder + "/events", secret], guarded: true)
                defer { receiver.signal(SIGKILL) }
                let lines = try await pollUntil("three events arrived", within: .seconds(40)) { () -> [JSONValue]? in
                    let text = (try? String(contentsOfFile: folder + "/events", encoding: .utf8)) ?? ""
                    let lines = try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
                    return lines.count >= 3 ? lines : nil
                }
                #expect(lines.map { $0["type"]?.string } == ["submission.pending_review", "submission.scanned", "submission.approved"])
                #expect(lines.allSatisfy { $0["signed"]?.bool == true })
                #expect(Set(lines.compactMap { $0["id"]?.string }).count == 3)
                let inbox = try await network.publisher.call(.GET, "/notifications?limit=3")
                #expect(Set((inbox.data.array ?? []).compactMap { $0["event_id"]?.string }) == Set(lines.compactMap { $0["id"]?.string }))
            }
        }

        /// Checks the signature as the Standard Webhooks specification says it, with Python's own HMAC.
        private static let receiver = """
            import base64, hashlib, hmac, http.server, json, sys
            port, path, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
            key = base64.b64decode(secret.removeprefix("whsec_"))
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    body = self.rfile.read(int(self.headers["content-length"]))
                    signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), body])
                    code = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
                    event = json.loads(body)
                    right = hmac.compare_digest(code, self.headers["webhook-signature"]) and event["id"] == self.headers["webhook-id"]
                    with open(path, "a") as file:
                        file.write(json.dumps({"id": event["id"], "type": event["type"], "signed": right}) + "\\n")
                    self.send_response(204)
                    self.end_headers()
            http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
            """

        /// What the SDKs of Archipelag.io insist on (their models): names and types of members.
        @Test func theAnswersHaveWhatTheSDKsInsistOn() async throws {
            // A network of its own: Cargos that stay active would fill the shared publisher's limit.
            try await DevNetwork.withOwn("sdk") { network in
                let account = try await network.publisher.data(.GET, "/account")
                for name in ["id", "email", "created_at"] { #expect(account[name]?.string != nil, "\(name)") }
                #expect(account["credits"]?.double != nil)
                let made = try await network.publisher.call(.POST, "/api-keys", ["name": "sdk"])
                #expect(made.json["key"]?.string?.hasPrefix("ak_") == true)
                for place in [made.json["data"], made.json["data"]?["data"]] {
                    for name in ["id", "name", "prefix", "created_at"] { #expect(place?[name]?.string != nil, "\(name)") }
                }
                #expect(made.json["data"]?["key"]?.string == made.json["key"]?.string, "the JavaScript SDK looks for it here")
                let id = made.json["data"]?["id"]?.string ?? ""
                #expect(try await network.publisher.call(.DELETE, "/api-keys/\(id)").status == 200)
                let image = try await network.push(Machine.scanFixtures + "/images/clean.tar", "sdk:v1.0.0")
                let submission = try await network.submit(slug: "sdk-cargo", image: image)
                _ = try await network.scan(of: submission)
                _ = try await network.reviewer.data(
                    .POST, "/review/submissions/\(submission)/approve", ["trust_level": 0, "checklist": fullChecklist])
                _ = try await network.publisher.data(.POST, "/submissions/\(submission)/transitions", ["to": "published"])
                for workload in [
                    try await network.consumer.data(.GET, "/workloads?query=sdk-cargo")[0],
                    try await network.consumer.data(.GET, "/workloads/sdk-cargo"),
                ] {
                    #expect(workload?["id"]?.int != nil)
                    for name in ["name", "slug", "description", "runtime_type"] { #expect(workload?[name]?.string != nil, "\(name)") }
                    for name in ["price_per_job", "required_vram_mb", "required_ram_mb"] { #expect(workload?[name]?.double != nil, "\(name)") }
                    #expect(workload?["is_enabled"]?.bool == true)
                }
            }
        }

        /// A server that redirects must not learn where else a password goes: the second one hears nothing.
        @Test func thePasswordDoesNotFollowARedirect() async throws {
            let folder = try Machine.makeFolder("redirect")
            let (first, second) = (try freePort(), try freePort())
            let servers = try ChildProcess("python3", ["-c", Self.redirecting, "\(first)", "\(second)", folder + "/heard"], guarded: true)
            defer { servers.signal(SIGKILL) }
            try await pollUntil("both servers listen") { FileManager.default.fileExists(atPath: folder + "/heard") }
            let result = try await ChildProcess.run(
                try Machine.executable(),
                ["account", "sign-in", "--email", "a@example.org", "--password-stdin", "--url", "http://127.0.0.1:\(first)"],
                input: "correct horse battery\n")
            #expect(result.exit == 5, "\(result)")
            #expect(result.stderr.contains("redirect"), "\(result)")
            #expect(try String(contentsOfFile: folder + "/heard", encoding: .utf8) == "")
        }

        private static let redirecting = """
            import http.server, sys, threading
            first, second, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
            class Redirect(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    self.rfile.read(int(self.headers["content-length"]))
                    self.send_response(307)
                    self.send_header("location", f"http://127.0.0.1:{second}{self.path}")
                    self.send_header("content-length", "0")
                    self.end_headers()
            class Listen(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    with open(path, "ab") as file:
                        file.write(self.rfile.read(int(self.headers["content-length"])))
                    self.send_response(201)
                    self.send_header("content-length", "11")
                    self.end_headers()
                    self.wfile.write(b'{"data":{}}')
            servers = [http.server.HTTPServer(("127.0.0.1", port), kind) for port, kind in ((first, Redirect), (second, Listen))]
            open(path, "w").close()
            threading.Thread(target=servers[1].serve_forever, daemon=True).start()
            servers[0].serve_forever()
            """

        @Test func schemasAreCheckedOnTheCommandLine() async throws {
            let folder = try Machine.makeFolder("schema")
            func file(_ name: String, _ text: String) throws -> String {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
                return "\(folder)/\(name)"
            }
            let network = try await SharedNetwork.network
            try FileManager.default.createDirectory(atPath: folder + "/documents", withIntermediateDirectories: true)
            _ = try file("documents/integer.json", #"{"type":"integer"}"#)
            let schema = try file("schema.json", #"{"$ref":"http://localhost:1234/integer.json"}"#)
            let (one, text) = (try file("one.json", "1"), try file("text.json", #""x""#))
            let documents = "http://localhost:1234/=\(folder)/documents"
            #expect(try await network.cli("schema", "validate", schema, one, "--documents", documents).exit == 0)
            let invalid = try await network.cli("schema", "validate", schema, text, "--documents", documents, "--json")
            #expect(invalid.exit == 1)
            #expect(try invalid.json()["valid"]?.bool == false)
            #expect(try await network.cli("schema", "validate", schema, one).exit == 2)
            #expect(try await network.cli("schema", "validate", schema, folder + "/missing.json").exit == 2)
        }

        @Test func aLimitTellsWhenToComeBack() async throws {
            let folder = try Machine.makeFolder("limits")
            let network = try await DevNetwork.start(folder: folder, more: ["--rate-limit", "20"])
            for left in stride(from: 19, through: 0, by: -1) {
                let answer = try await network.consumer.call(.GET, "/account")
                #expect(answer.status == 200)
                #expect(answer.headers.first(name: "X-RateLimit-Limit") == "20")
                #expect(answer.headers.first(name: "X-RateLimit-Remaining") == "\(left)")
            }
            let refused = try await network.consumer.call(.GET, "/account")
            #expect(refused.status == 429)
            #expect(refused.errorCode == "rate_limited")
            #expect((1...60).contains(refused.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0))
            #expect(try await network.publisher.call(.GET, "/account").status == 200, "each key has a count of its own")
            for attempt in 1...6 {
                let answer = try await network.api(nil).call(.POST, "/sessions", ["email": "a@example.com", "password": "x"])
                #expect(answer.status == (attempt <= 5 ? 401 : 429))
                if attempt == 6 { #expect(answer.headers.first(name: "Retry-After") != nil) }
            }
            _ = try await network.stop()
        }
    }
}

/// A port that nobody listens on now.
private func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer -> Int? in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            guard bind(descriptor, address, length) == 0, getsockname(descriptor, address, &length) == 0 else { return nil }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
    }
    return try port.orThrow("a free port")
}
