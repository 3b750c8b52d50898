import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// The chat door, by the `openai` package as it comes.
    @Suite struct ChatTests {
        /// A Cargo that says the words of its prompt, one token each, and of its messages the last one's; before each "slowly" it counts a second, since level 0 lets nobody sleep.
        private static let source = """
            #include <stdio.h>
            #include <string.h>
            #include <time.h>
            int main(void) {
                static char line[65536];
                if (!fgets(line, sizeof line, stdin)) return 1;
                char *text = strstr(line, "\\"prompt\\":\\"");
                if (text) text += 10;
                else { char *next = line; while ((next = strstr(next, "\\"content\\":\\""))) { next += 11; text = next; } }
                if (!text) return 1;
                *strchr(text, '"') = 0;
                for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) { if (!strcmp(word, "slowly")) for (time_t end = time(NULL) + 1; time(NULL) <= end;); printf("{\\"type\\":\\"token\\",\\"content\\":\\"%s \\"}\\n", word); fflush(stdout); }
                puts("{\\"type\\":\\"done\\"}");
                return 0;
            }
            """

        /// What the package is asked for, and what it found, as one JSON object.
        private static let client = """
            import json, sys, urllib.request
            from openai import OpenAI, APIStatusError
            url, key, prompted, messaged, plain = sys.argv[1:]
            client = OpenAI(base_url=url + "/api/v1", api_key=key, max_retries=0)
            found = {"models": sorted(m.id for m in client.models.list())}
            say = [{"role": "user", "content": "one two three"}]
            whole = client.chat.completions.create(model=prompted, messages=say)
            found["whole"] = [whole.choices[0].message.content, whole.choices[0].finish_reason, whole.usage.completion_tokens, whole.object]
            pieces, usage, reasons = [], None, []
            for chunk in client.chat.completions.create(model=prompted, messages=say, stream=True, stream_options={"include_usage": True}):
                if chunk.usage: usage = chunk.usage.completion_tokens
                for choice in chunk.choices:
                    if choice.delta.content: pieces.append(choice.delta.content)
                    if choice.finish_reason: reasons.append(choice.finish_reason)
            found["pieces"], found["usage"], found["reasons"] = pieces, usage, reasons
            talk = [{"role": "system", "content": "be brief"}, {"role": "user", "content": [{"type": "text", "text": "hello there"}]}]
            found["messages"] = client.chat.completions.create(model=messaged, messages=talk).choices[0].message.content
            found["several"] = client.chat.completions.create(model=prompted, messages=talk).choices[0].message.content
            limited = client.chat.completions.create(model=prompted, messages=say, max_tokens=3)
            found["limited"] = limited.choices[0].finish_reason
            def refusal(**wish):
                try: client.chat.completions.create(**wish)
                except APIStatusError as error: return [error.status_code, error.body.get("code")]
            found["unknown"] = refusal(model="no-such-cargo", messages=say)
            found["plain"] = refusal(model=plain, messages=say)
            found["empty"] = refusal(model=prompted, messages=[])
            found["picture"] = refusal(model=prompted, messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])
            found["two"] = refusal(model=prompted, messages=say, n=2)
            over = client.chat.completions.create(model=prompted, messages=say, max_tokens=2)
            found["overrun"] = [over.choices[0].message.content, over.choices[0].finish_reason]
            cut = list(client.chat.completions.create(model=prompted, messages=say, max_tokens=2, stream=True))
            found["overrun pieces"] = [c.choices[0].delta.content or "" for c in cut] + [cut[-1].choices[0].finish_reason]
            found["keyed"], found["erased"] = [], []
            for stream in (False, True):
                keyed = dict(model=prompted, messages=say, stream=stream, extra_headers={"Idempotency-Key": f"again {stream}".replace(" ", "-")})
                answers = [client.chat.completions.create(**keyed) for _ in range(2)]
                ids = {chunk.id for answer in answers for chunk in (answer if stream else [answer])}
                found["keyed"].append(len(ids))
                erase = urllib.request.Request(f"{url}/api/v1/jobs/{ids.pop().removeprefix('chatcmpl-')}/transcript", method="DELETE")
                erase.add_header("Authorization", "Bearer " + key)
                urllib.request.urlopen(erase)
                found["erased"].append(refusal(**keyed))
            # One after the other without a second try: no request may be sent into a connection that is about to be closed.
            found["in a row"] = [refusal(model="no-such-cargo", messages=say)[0] for _ in range(100)].count(404)
            print(json.dumps(found))
            """

        private func publish(_ slug: String, _ schema: JSONValue, _ network: DevNetwork, program: String) async throws {
            let image = try await network.push(program, "\(slug):v1.0.0")
            var fields = network.fields(slug: slug, image: image)
            fields["input_schema"] = schema
            fields["price_per_token"] = 1
            let id = try #require(try await network.publisher.data(.POST, "/workloads", .object(fields))["id"]?.int)
            _ = try await network.publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"])
            _ = try await network.scan(of: id)
            _ = try await network.approve(id)
            _ = try await network.publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "published"])
        }

        private func echo(in folder: String) async throws -> String {
            try Data(Self.source.utf8).write(to: URL(fileURLWithPath: folder + "/echo.c"))
            let compiled = try await ChildProcess.run("cc", ["-O1", "-static", "-o", folder + "/echo", folder + "/echo.c"])
            guard compiled.exit == 0 else { throw Unexpected("\(compiled)") }
            return folder + "/echo"
        }

        private func curl(_ body: JSONValue, _ network: DevNetwork, headers: [String] = []) throws -> ChildProcess {
            try ChildProcess(
                "curl",
                ["--silent", "--no-buffer", "--data", body.text, network.url + "/api/v1/chat/completions"]
                    + (["Authorization: Bearer \(network.keys["consumer"] ?? "")", "Content-Type: application/json"] + headers).flatMap {
                        ["--header", $0]
                    })
        }

        private func runningJob(_ network: DevNetwork) async throws -> String {
            try await pollUntil("the job runs", within: .seconds(30)) {
                try await network.consumer.data(.GET, "/jobs?status=running")[0]?["id"]?.string
            }
        }

        @Test func openAIsOwnClientWorksUnchanged() async throws {
            try await DevNetwork.withOwn("chat") { network in
                let folder = try Machine.makeFolder("chat-program")
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let program = try await echo(in: folder)
                let text: JSONValue = ["type": "string"]
                try await publish(
                    "by-prompt", ["type": "object", "properties": ["prompt": text, "max_tokens": ["type": "integer"]], "required": ["prompt"]],
                    network, program: program)
                try await publish(
                    "by-messages", ["type": "object", "properties": ["messages": ["type": "array"]], "additionalProperties": false], network,
                    program: program)
                try await publish("by-text", ["type": "object", "properties": ["text": text]], network, program: program)
                let key = network.keys["consumer"] ?? ""
                let result = try await ChildProcess.run(
                    "python3", ["-c", Self.client, network.url, key, "by-prompt", "by-messages", "by-text"],
                    environment: ["PYTHONPATH": Machine.checkout + "/.tools/python"], within: .seconds(120))
                try #require(result.exit == 0, "\(result)")
                let found = try JSONValue(parsing: result.stdout)
                #expect(found["models"] == ["by-messages", "by-prompt"])
                #expect(found["whole"] == ["one two three ", "stop", 3, "chat.completion"])
                #expect(found["pieces"] == ["one ", "two ", "three "])
                #expect(found["usage"] == 3)
                #expect(found["reasons"] == ["stop"])
                #expect(found["messages"] == "hello there ")
                #expect(found["several"]?.string?.hasPrefix("system: be brief") == true)
                #expect(found["limited"] == "length")
                #expect(found["unknown"] == [404, "not_found"])
                #expect(found["plain"] == [422, "validation_failed"])
                #expect(found["empty"] == [422, "validation_failed"])
                #expect(found["picture"] == [422, "validation_failed"])
                #expect(found["two"] == [422, "validation_failed"])
                // A Cargo that says more than was wanted is stopped at what is paid for, and that is the answer.
                #expect(found["overrun"] == ["one two ", "length"])
                #expect(found["overrun pieces"] == ["", "one ", "two ", "", "length"])
                #expect(found["keyed"] == [1, 1])
                #expect(found["erased"] == [[410, "transcript_erased"], [410, "transcript_erased"]])
                #expect(found["in a row"] == 100)
                let ledger = try await network.admin.data(.GET, "/admin/ledger/verify")
                #expect(ledger["balanced"] == true)
                #expect(ledger["credits_held"] == 0)
            }
        }

        /// Who hangs up while the Cargo still talks does not want it any more.
        @Test(arguments: [false, true]) func hangingUpCancelsTheJob(isStreamed: Bool) async throws {
            try await DevNetwork.withOwn("chat-hang-up") { network in
                try await publish(
                    "talker", ["type": "object", "properties": ["prompt": ["type": "string"]]], network,
                    program: try await Programs.path("misbehaving/ignores-time"))
                let body: JSONValue = ["model": "talker", "messages": [["role": "user", "content": "x"]], "stream": .bool(isStreamed)]
                let curl = try curl(body, network)
                let job = try await runningJob(network)
                curl.signal(SIGKILL)
                try await pollUntil("the job is cancelled", within: .seconds(30)) {
                    try await network.consumer.data(.GET, "/jobs/\(job)")["status"] == "cancelled"
                }
            }
        }

        /// With a key the answer can be asked for again, so nobody's hanging up ends it. The Cargo talks for longer than a hang-up takes to be noticed.
        @Test(arguments: [false, true]) func hangingUpOnAKeyedAnswerLeavesItToBeAskedFor(isStreamed: Bool) async throws {
            try await DevNetwork.withOwn("chat-keyed") { network in
                let folder = try Machine.makeFolder("chat-program")
                defer { try? FileManager.default.removeItem(atPath: folder) }
                try await publish(
                    "talker", ["type": "object", "properties": ["prompt": ["type": "string"]]], network, program: try await echo(in: folder))
                let body: JSONValue = [
                    "model": "talker", "messages": [["role": "user", "content": "slowly slowly slowly slowly slowly slowly"]],
                    "stream": .bool(isStreamed),
                ]
                let first = try curl(body, network, headers: ["Idempotency-Key: k"])
                let job = try await runningJob(network)
                first.signal(SIGKILL)
                let again = try await curl(body, network, headers: ["Idempotency-Key: k"]).end()
                #expect(again.stdout.contains("chatcmpl-\(job)") && again.stdout.contains("slowly"), "\(again)")
                #expect(!again.stdout.contains("cancelled"), "\(again)")
                #expect(try await network.consumer.data(.GET, "/jobs/\(job)")["status"] == "completed")
            }
        }
    }
}
