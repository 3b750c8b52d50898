import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// The chat door, by the `openai` package as it comes.
    @Suite struct ChatTests {
        /// A Cargo that says the words of its prompt, one token each, and of its messages the last one's.
        private static let source = """
            #include <stdio.h>
            #include <string.h>
            int main(void) {
                static char line[65536];
                if (!fgets(line, sizeof line, stdin)) return 1;
                char *text = strstr(line, "\\"prompt\\":\\"");
                if (text) text += 10;
                else { char *next = line; while ((next = strstr(next, "\\"content\\":\\""))) { next += 11; text = next; } }
                if (!text) return 1;
                *strchr(text, '"') = 0;
                for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) { printf("{\\"type\\":\\"token\\",\\"content\\":\\"%s \\"}\\n", word); fflush(stdout); }
                puts("{\\"type\\":\\"done\\"}");
                return 0;
            }
            """

        /// What the package is asked for, and what it found, as one JSON object.
        private static let client = """
            import json, sys
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
            found["overrun"] = refusal(model=prompted, messages=say, max_tokens=2)
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

        @Test func openAIsOwnClientWorksUnchanged() async throws {
            try await DevNetwork.withOwn("chat") { network in
                let folder = try Machine.makeFolder("chat-program")
                defer { try? FileManager.default.removeItem(atPath: folder) }
                try Data(Self.source.utf8).write(to: URL(fileURLWithPath: folder + "/echo.c"))
                let compiled = try await ChildProcess.run("cc", ["-O1", "-static", "-o", folder + "/echo", folder + "/echo.c"])
                try #require(compiled.exit == 0)
                let text: JSONValue = ["type": "string"]
                try await publish(
                    "by-prompt", ["type": "object", "properties": ["prompt": text, "max_tokens": ["type": "integer"]], "required": ["prompt"]],
                    network, program: folder + "/echo")
                try await publish(
                    "by-messages", ["type": "object", "properties": ["messages": ["type": "array"]], "additionalProperties": false], network,
                    program: folder + "/echo")
                try await publish("by-text", ["type": "object", "properties": ["text": text]], network, program: folder + "/echo")
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
                // A Cargo that says more than was wanted is stopped at what is paid for.
                #expect(found["overrun"] == [422, "credits_exhausted"])
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
                let curl = try ChildProcess(
                    "curl",
                    [
                        "--silent", "--no-buffer", "--header", "Authorization: Bearer \(network.keys["consumer"] ?? "")", "--header",
                        "Content-Type: application/json", "--data", body.text, network.url + "/api/v1/chat/completions",
                    ])
                let job = try await pollUntil("the job runs", within: .seconds(30)) {
                    try await network.consumer.data(.GET, "/jobs?status=running")[0]?["id"]?.string
                }
                curl.signal(SIGKILL)
                try await pollUntil("the job is cancelled", within: .seconds(30)) {
                    try await network.consumer.data(.GET, "/jobs/\(job)")["status"] == "cancelled"
                }
            }
        }
    }
}
