import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// The command line as a script uses it: stdout is data, stderr is talk, and the exit code says how it went.
    @Suite(.serialized) struct CommandLineTests {
        @Test func runStreamsTokensToStdoutAndTalkToStderr() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let result = try await network.cli("run", slug, "--set", "text=To be or not to be", as: "consumer")
            #expect(result.exit == 0, "\(result)")
            #expect(result.stdout == "line 1: 6 words\ntotal: 6 words, 4 different\n1. be: 2\n2. to: 2\n3. not: 1\n4. or: 1\n")
            #expect(result.stderr.contains("Job "))
            #expect(result.stderr.contains("Done"))
        }

        @Test func runWithJSONWritesEachRecordAsALine() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let result = try await network.cli("run", slug, "--input", "-", "--json", as: "consumer", input: #"{"text": "one two"}"#)
            #expect(result.exit == 0, "\(result)")
            let records = try result.jsonLines()
            #expect(records.compactMap { $0["seq"]?.int } == Array(1...max(1, records.count)))
            #expect(records.last?["type"]?.string == "done")
            #expect(result.stderr.isEmpty, "\(result)")
        }

        /// Each clears away what dead ones left, and must leave the living alone.
        @Test func commandsThatNeedAFolderOfTheirOwnRunAtOnce() async throws {
            try Machine.requireReady()
            try await withThrowingTaskGroup(of: CommandResult.self) { group in
                for _ in 0..<24 {
                    group.addTask {
                        try await ChildProcess.run(
                            try Machine.executable(), ["cargo", "test", "\(Machine.scanFixtures)/images/clean.tar", "--input", "{}", "--json"])
                    }
                }
                for try await result in group { #expect(!result.stderr.contains("not writable") && !result.stderr.contains("no such"), "\(result)") }
            }
        }

        @Test func runReadsFilesAndTheReadme() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let readme = Machine.checkout + "/README.md"
            let result = try await network.cli("run", slug, "--set", "text=@\(readme)", as: "consumer")
            #expect(result.exit == 0, "\(result)")
            let lines = Leftovers.text(readme).split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(result.stdout.contains("line \(lines - 1): "))
        }

        /// Every command with `--json`, along the way of one Cargo.
        @Test func everyCommandAnswersJSON() async throws {
            let network = try await SharedNetwork.network
            let folder = try Machine.makeFolder("cli")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let program = try await Programs.path("text-stats/text-stats")
            // The administrator publishes: two of the three places are free.
            let reference = "\(network.registry)/live/cli:v2.0.0"
            let pushed = try await network.cli("cargo", "push", program, reference, "--json")
            #expect(try pushed.json()["reference"]?.string == reference)
            #expect(try pushed.json()["digest"]?.string?.hasPrefix("sha256:") == true)
            let file = folder + "/cargo.json"
            try Data(network.fields(slug: "command-line", image: reference).bytes).write(to: URL(fileURLWithPath: file))
            let submitted = try await network.cli("cargo", "submit", file, "--wait", "--json", as: "admin")
            #expect(submitted.exit == 0, "\(submitted)")
            #expect(try submitted.json()["verdict"]?.string == "clean")
            let mine = try await network.cli("cargo", "status", "--json", as: "admin").json()["data"]?.array ?? []
            let id = "\(try #require(mine.first { $0["slug"]?.string == "command-line" }?["id"]?.int))"
            let status = try await network.cli("cargo", "status", id, "--json", as: "admin").json()
            #expect(status["submission"]?["state"]?.string == "pending_review")
            #expect(status["scan"]?["state"]?.string == "finished")
            let queue = try await network.cli("review", "list", "--json", as: "reviewer").json()["data"]?.array ?? []
            #expect(queue.contains { $0["slug"]?.string == "command-line" })
            let checklist = "scan,schemas,resources,metadata,policy"
            let own = try await network.cli("review", "approve", id, "--level", "0", "--checked", checklist, as: "admin")
            #expect(own.exit == 4, "\(own)")
            let incomplete = try await network.cli("review", "approve", id, "--level", "0", "--checked", "scan", "--json", as: "reviewer")
            #expect(incomplete.exit == 4)
            #expect(incomplete.stderr.contains("/checklist/policy"))
            #expect(incomplete.stdout.isEmpty)
            let approved = try await network.cli("review", "approve", id, "--level", "0", "--checked", checklist, "--json", as: "reviewer")
            #expect(try approved.json()["state"]?.string == "approved", "\(approved)")
            let published = try await network.cli("cargo", "publish", id, "--json", as: "admin")
            #expect(try published.json()["state"]?.string == "published", "\(published)")
            let found = try await network.cli("registry", "search", "command-line", "--json", as: "consumer").json()
            #expect(found["data"]?[0]?["slug"]?.string == "command-line")
            let shown = try await network.cli("registry", "show", "command-line", "--json", as: "consumer").json()
            #expect(shown["version"]?.string == "v2.0.0")
            let run = try await network.cli("run", "command-line", "--set", "text=a", "--json", as: "consumer")
            #expect(try run.jsonLines().last?["status"]?.string == "completed")
            let jobs = try await network.cli("jobs", "list", "--json", as: "consumer").json()["data"]?.array ?? []
            let job = try #require(jobs.first { $0["workload_slug"]?.string == "command-line" }?["id"]?.string)
            #expect(try await network.cli("jobs", "show", job, "--json", as: "consumer").json()["status"]?.string == "completed")
            let logs = try await network.cli("jobs", "logs", job, "--from", "3", "--json", as: "consumer").jsonLines()
            #expect(logs == (try run.jsonLines()).filter { ($0["seq"]?.int ?? 0) >= 3 })
            let cancelled = try await network.cli("jobs", "cancel", job, "--json", as: "consumer")
            #expect(cancelled.exit == 4, "over already: \(cancelled)")
            let island = try await network.cli("island", "register", "--name", "by the command line", "--json", as: "admin").json()
            #expect(island["token"]?.string?.hasPrefix("it_") == true)
            let test = try await network.cli("cargo", "test", reference, "--input", #"{"text":"a"}"#, "--json")
            #expect(try test.json()["passes"]?.bool == true, "\(test)")
        }

        /// Of the suite's own tool: a child is over when it is over, though one that it started lives on with what it inherited.
        @Test func theEndOfAChildIsSeenThoughItsOwnChildLivesOn() async throws {
            let child = try ChildProcess("sh", ["-c", "sleep 60 & echo $!; exit 3"])
            let end = try await child.end(within: .seconds(20))
            #expect(end.exit == 3)
            if let left = Int32(end.stdout.trimmingCharacters(in: .whitespacesAndNewlines)) { kill(left, SIGKILL) }
        }

        /// Ctrl-C ends the job, not only the command; what it has written is still there, and `logs` does not wait for more.
        @Test func stoppingRunCancelsTheJob() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("ignores-time", network)
            let environment = ["ARCHIPELAGO_URL": network.url, "ARCHIPELAGO_API_KEY": network.keys["consumer"] ?? ""]
            let run = try ChildProcess(try Machine.executable(), ["run", slug, "--input", "{}", "--json"], environment: environment)
            try await pollUntil("the Cargo runs") { run.stdout.contains("\"running\"") }
            let job = try #require(try await network.cli("jobs", "list", "--json", as: "consumer").json()["data"]?[0]?["id"]?.string)
            let running = try await network.cli("jobs", "logs", job, "--json", as: "consumer")
            #expect(running.exit == 0)
            #expect(try running.jsonLines().contains { $0["message"]?.string == "running" })
            run.signal(SIGINT)
            let end = try await run.end()
            #expect(end.exit == 1, "\(end)")
            #expect(try await network.cli("jobs", "show", job, "--json", as: "consumer").json()["status"]?.string == "cancelled")
            let logs = try await network.cli("jobs", "logs", job, "--follow", "--json", as: "consumer").jsonLines()
            #expect(logs.last?["status"]?.string == "cancelled")
        }

        @Test func rejectByCommandNamesReasonAndRule() async throws {
            let network = try await SharedNetwork.network
            let image = try await network.push(try await Programs.path("text-stats/text-stats"), "cli-rejected:v1.0.0")
            let id = try await network.submit(slug: "cli-rejected", image: image, by: network.consumer)
            let rejected = try await network.cli("review", "reject", "\(id)", "--reason", "no", "--rule", "policy", "--json", as: "reviewer")
            #expect(try rejected.json()["rejection_rule"]?.string == "policy", "\(rejected)")
        }

        @Test func submitEndsWithFourWhenTheScanBlocks() async throws {
            let network = try await SharedNetwork.network
            let folder = try Machine.makeFolder("blocked")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let image = try await network.push("\(Machine.scanFixtures)/images/vulnerable.tar", "cli-vulnerable:v1.0.0")
            let file = folder + "/cargo.json"
            try Data(network.fields(slug: "cli-blocked", image: image).bytes).write(to: URL(fileURLWithPath: file))
            let result = try await network.cli("cargo", "submit", file, "--wait", "--json", as: "consumer")
            #expect(result.exit == 4, "\(result)")
            #expect(try result.json()["verdict"]?.string == "blocked")
            let mine = try await network.consumer.data(.GET, "/submissions?state=pending_review").array ?? []
            for submission in mine { try await network.discard(submission["id"]?.int ?? 0, by: network.consumer) }
        }

        /// `cargo test` says what an Island would.
        @Test(arguments: [
            ("not-json", "not_json"), ("eats-memory", "out_of_memory"), ("fork-bomb", "forbidden_syscall"), ("ignores-time", "timeout"),
        ])
        func testNamesTheViolation(program: String, code: String) async throws {
            let network = try await SharedNetwork.network
            let reference = try await network.push(try await Programs.path("misbehaving/\(program)"), "tested-\(program):v1.0.0")
            let result = try await network.cli("cargo", "test", reference, "--input", "{}", "--timeout-seconds", "2", "--json")
            #expect(result.exit == 1, "\(result)")
            #expect((try result.json()["violations"]?.array ?? []).contains { $0["code"]?.string == code }, "\(result)")
        }

        @Test func aJobThatFailsEndsWithOne() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("not-json", network)
            let result = try await network.cli("run", slug, "--input", "{}", as: "consumer")
            #expect(result.exit == 1, "\(result)")
            #expect(result.stderr.contains("not_json"))
        }

        /// A coordinator that takes a job and does not answer, until it is asked again under the same key.
        private static let slowToAnswer = """
            import http.server, json, sys, threading
            keys, heard = [], sys.argv[1]
            class Handler(http.server.BaseHTTPRequestHandler):
                def log_message(self, *_): pass
                def say(self):
                    body = json.dumps({"data": {"id": "j1"}}).encode()
                    self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
                def note(self, text):
                    with open(heard, "a") as file: file.write(text + "\\n")
                def do_POST(self):
                    self.rfile.read(int(self.headers["Content-Length"]))
                    keys.append(self.headers["Idempotency-Key"])
                    self.note("sent again" if keys.count(keys[0]) == 2 else "sent")
                    threading.Event().wait() if len(keys) == 1 else self.say()
                def do_DELETE(self):
                    self.note("delete " + self.path)
                    self.say()
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            print(server.server_port, flush=True)
            server.serve_forever()
            """

        @Test func stoppingBeforeTheAnswerCancelsTheJobAllTheSame() async throws {
            let folder = try Machine.makeFolder("early-stop")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let server = try ChildProcess("python3", ["-c", Self.slowToAnswer, folder + "/heard"], guarded: true)
            let port = try await pollUntil("it listens") { Int(server.stdout.trimmingCharacters(in: .newlines)) }
            let command = try ChildProcess(
                try Machine.executable(), ["run", "x", "--input", "{}"],
                environment: ["ARCHIPELAGO_URL": "http://127.0.0.1:\(port)", "ARCHIPELAGO_API_KEY": "ak_x"], guarded: true)
            try await pollUntil("the job is sent") { Leftovers.text(folder + "/heard") == "sent\n" }
            command.signal(SIGINT)
            let end = try await command.end()
            #expect(end.exit == 1 && end.stderr.contains("Job j1 is cancelled."), "\(end)")
            #expect(Leftovers.text(folder + "/heard") == "sent\nsent again\ndelete /api/v1/jobs/j1\n")
            server.signal(SIGKILL)
        }

        static let wrong: [[String]] = [
            ["--nonsense"], ["nonsense"], ["run"], ["run", "x", "--input", "{"], ["run", "x", "--input", "[]"], ["run", "x", "--set", "nothing"],
            ["run", "x", "--timeout-seconds", "soon"], ["run", "x", "--url", "nowhere"], ["run", "x", "--url", "ftp://127.0.0.1"],
            ["dev", "--port", "65536"], ["dev", "--port", "-1"], ["dev", "--registry-port", "x"], ["serve"], ["serve", "--data-dir"],
            ["cargo", "push"], ["cargo", "push", "/bin/true"], ["cargo", "push", "/bin/true", "UPPER/x"],
            ["cargo", "push", "/bin/true", "127.0.0.1:5/no-tag"], ["cargo", "push", "/etc", "127.0.0.1:5/a:v1.0.0"],
            ["cargo", "push", "/bin/true", "127.0.0.1:5/a:v1.0.0", "--platform", "x"],
            ["cargo", "push", "/bin/true", "127.0.0.1:5/a:v1.0.0", "--env", "x"],
            ["cargo", "status", "one"], ["cargo", "publish"], ["cargo", "test", "x y", "--level", "0"], ["cargo", "test", "a:v1", "--level", "4"],
            ["cargo", "test", "a:v1", "--level", "0", "--timeout-seconds", "61"], ["review", "approve", "1"],
            ["review", "approve", "x", "--level", "0"],
            ["review", "reject", "1", "--reason", "r"], ["jobs", "show"], ["jobs", "logs", "x", "--from", "y"], ["island", "register"],
            ["island", "run", "--slots", "0", "--token", "x"], ["island", "run"], ["registry", "show"],
        ]

        @Test(arguments: wrong) func wrongUsageEndsWithTwo(arguments: [String]) async throws {
            let environment = ["ARCHIPELAGO_API_KEY": "ak_none", "ARCHIPELAGO_URL": "http://127.0.0.1:9"]
            let result = try await ChildProcess.run(try Machine.executable(), arguments, environment: environment, within: .seconds(20))
            #expect(result.exit == 2, "\(result)")
            #expect(result.stderr.contains("Error: "))
            #expect(result.stdout.isEmpty)
        }

        @Test func noKeyIsWrongUsage() async throws {
            let result = try await ChildProcess.run(try Machine.executable(), ["jobs", "list"])
            #expect(result.exit == 2, "\(result)")
            #expect(result.stderr.contains("ARCHIPELAGO_API_KEY"))
        }

        @Test func whatIsNotThereEndsWithThree() async throws {
            let network = try await SharedNetwork.network
            for arguments in [
                ["run", "no-such-cargo"], ["jobs", "show", "nothing"], ["jobs", "logs", "nothing"], ["registry", "show", "nothing"],
                ["cargo", "status", "999999"],
            ] {
                let result = try await ChildProcess.run(
                    try Machine.executable(), arguments,
                    environment: ["ARCHIPELAGO_URL": network.url, "ARCHIPELAGO_API_KEY": network.keys["consumer"] ?? ""])
                #expect(result.exit == 3, "\(arguments) \(result)")
            }
            #expect(try await network.cli("cargo", "push", "/no/such/file", "\(network.registry)/a:v1.0.0").exit == 3)
            #expect(try await network.cli("cargo", "submit", "/no/such/file", as: "publisher").exit == 3)
            #expect(try await network.cli("cargo", "test", "\(network.registry)/no/such:v1.0.0", "--input", "{}").exit == 3)
        }

        @Test func whatARuleRefusesEndsWithFour() async throws {
            let network = try await SharedNetwork.network
            #expect(try await network.cli("jobs", "list", as: "reviewer").exit == 0)
            #expect(try await network.cli("review", "list", as: "consumer").exit == 4)
            let unknown = try await ChildProcess.run(
                try Machine.executable(), ["jobs", "list"], environment: ["ARCHIPELAGO_URL": network.url, "ARCHIPELAGO_API_KEY": "ak_unknown"])
            #expect(unknown.exit == 4, "\(unknown)")
        }

        @Test func whatDoesNotAnswerEndsWithFive() async throws {
            for arguments in [["jobs", "list"], ["run", "x"], ["jobs", "logs", "x"]] {
                let result = try await ChildProcess.run(
                    try Machine.executable(), arguments, environment: ["ARCHIPELAGO_URL": "http://127.0.0.1:9", "ARCHIPELAGO_API_KEY": "ak_x"],
                    within: .seconds(40))
                #expect(result.exit == 5, "\(arguments) \(result)")
            }
            let push = try await ChildProcess.run(try Machine.executable(), ["cargo", "push", "/bin/true", "127.0.0.1:9/a:v1.0.0"])
            #expect(push.exit == 5, "\(push)")
        }

        @Test func helpAndVersionEndWell() async throws {
            for arguments in [["--help"], ["--version"], ["cargo", "push", "--help"], ["help", "dev"]] {
                let result = try await ChildProcess.run(try Machine.executable(), arguments)
                #expect(result.exit == 0, "\(arguments) \(result)")
                #expect(!result.stdout.isEmpty)
            }
        }

        /// A Cargo's words must not steer the terminal of whoever runs it.
        @Test func controlCharactersOfACargoDoNotReachTheTerminal() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let result = try await network.cli("run", slug, "--set", "text=\u{1B}[2Jred \u{1B}]0;title\u{07}", as: "consumer")
            #expect(!result.stdout.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
            #expect(!result.stderr.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
        }
    }
}
