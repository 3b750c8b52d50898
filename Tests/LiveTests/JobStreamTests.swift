import JSON
import NIOHTTP1
import Testing
import WebSockets

extension Live {
    /// Jobs and their transcripts, over WebSocket and SSE.
    @Suite struct JobStreamTests {
        private static let text = "To be, or not to be,\nthat is the question.\n"

        /// What every transcript must be: numbered from 1 without gaps, with one terminal record, which is the last.
        private func expectWhole(_ records: [JSONValue], terminal: String = "done") {
            #expect(records.compactMap { $0["seq"]?.int } == Array(1...max(1, records.count)))
            let terminals = records.filter { $0["status"] != nil && ["done", "error"].contains($0["type"]?.string) }
            #expect(terminals.count == 1)
            #expect(records.last?["type"]?.string == terminal)
            #expect(records.allSatisfy { $0["attempt"]?.int == 1 })
        }

        @Test func textStatsStreamsTheSameOverBothWays() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let job = try await network.consumer.submitJob(slug, input: ["text": .string(Self.text)])
            let (records, closeCode) = try await network.consumer.follow(job: job)
            expectWhole(records)
            #expect(closeCode == 1000)
            let events = try await network.consumer.events(job: job)
            #expect(events.map(\.record) == records)
            #expect(events.map(\.id) == records.compactMap { $0["seq"]?.int }.map(String.init))
            let messages = records.filter { $0["type"]?.string == "status" }.compactMap { $0["message"]?.string }
            #expect(messages.prefix(2) == ["queued", "running"])
            // The words of the text, counted by hand.
            let tokens = records.filter { $0["type"]?.string == "token" }.compactMap { $0["content"]?.string }
            #expect(tokens.prefix(2) == ["line 1: 6 words\n", "line 2: 4 words\n"])
            #expect(tokens.contains("1. be: 2\n") && tokens.contains("2. to: 2\n"))

            let done = try #require(records.last)
            #expect(done["status"]?.string == "completed")
            #expect(done["usage"]?["credits_used"]?.int == 1)
            let finished = try await network.consumer.data(.GET, "/jobs/\(job)")
            #expect(finished["status"]?.string == "completed")
            #expect(finished["output"]?.string == tokens.joined())
            #expect(finished["input"] == ["text": .string(Self.text)])
            #expect(finished["workload_slug"]?.string == slug)
            #expect(finished["error"]?.isNull == true)
            #expect(finished["usage"]?["completion_tokens"]?.int == tokens.count)
            let moments = ["created_at", "started_at", "completed_at"].compactMap { finished[$0]?.string }
            #expect(moments.count == 3 && moments == moments.sorted())
            #expect((finished["duration_ms"]?.int ?? -1) >= 0)
            #expect(try await network.consumer.data(.GET, "/jobs/\(job)/output")["output"]?.string == tokens.joined())
            let listed = try await network.consumer.data(.GET, "/jobs?status=completed").array ?? []
            #expect(listed.contains { $0["id"]?.string == job })
        }

        /// A Cargo that says it runs and never ends: what arrives, arrives while it runs.
        @Test func framesArriveWhileTheCargoStillRuns() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("ignores-time", network)
            let job = try await network.consumer.submitJob(slug, timeoutSeconds: 30)
            let consumer = network.consumer
            // The Cargo's own frame has no `status`; the state changes have one.
            let isFrame: @Sendable (JSONValue) -> Bool = { $0["type"]?.string == "status" && $0["status"] == nil }
            _ = try await consumer.events(job: job) { isFrame($0) }
            #expect(try await consumer.data(.GET, "/jobs/\(job)")["status"]?.string == "running")
            let (records, closeCode) = try await consumer.follow(job: job) { record in
                guard isFrame(record) else { return }
                #expect(try await consumer.data(.GET, "/jobs/\(job)")["status"]?.string == "running")
                let cancelled = try await consumer.call(.DELETE, "/jobs/\(job)")
                #expect(cancelled.status == 200)
                #expect(cancelled.data["status"]?.string == "cancelled")
            }
            expectWhole(records, terminal: "error")
            #expect(records.last?["status"]?.string == "cancelled")
            #expect(records.last?["fault"]?.string == "consumer")
            #expect(closeCode == 1000)
            #expect(try await consumer.call(.DELETE, "/jobs/\(job)").status == 409)
            try await pollUntil("the cancelled Cargo is gone") { Leftovers.caged(job).isEmpty && Leftovers.controlGroups([job]).isEmpty }
        }

        @Test func slowTokensComeOneByOne() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("slow-tokens", network)
            let job = try await network.consumer.submitJob(slug)
            let (records, _) = try await network.consumer.follow(job: job)
            expectWhole(records)
            #expect(records.filter { $0["type"]?.string == "token" }.compactMap { $0["content"]?.string } == (1...5).map { "token \($0) " })
            let shown = try await network.consumer.data(.GET, "/jobs/\(job)")
            // How long is measured here too, from when the start was heard of, which a busy machine does late.
            #expect((shown["duration_ms"]?.int ?? 0) >= 40, "\(shown.text)")
        }

        @Test func whoeverJoinsLateOrResumesGetsExactlyTheRest() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let consumer = network.consumer
            let job = try await consumer.submitJob(slug, input: ["text": .string(Self.text)])
            let (all, _) = try await consumer.follow(job: job)
            for from in [0, 1, 2, all.count - 1, all.count, all.count + 1, all.count + 1000] {
                let rest = Array(all.dropFirst(max(0, from - 1)))
                let (records, closeCode) = try await consumer.follow(job: job, query: "?from=\(from)")
                #expect(records == rest, "from \(from)")
                #expect(closeCode == 1000)
                #expect(try await consumer.events(job: job, query: "?from=\(from)").map(\.record) == rest, "from \(from)")
            }
            // Who connects again does so at the same address.
            for (last, query) in [(0, ""), (1, ""), (all.count - 1, ""), (all.count - 1, "?from=2"), (1, "?from=1"), (0, "?from=1")] {
                let events = try await consumer.events(job: job, query: query, headers: [("Last-Event-ID", "\(last)")])
                #expect(events.map(\.record) == Array(all.dropFirst(last)), "after \(last)")
            }
            // And who has all would connect for ever.
            for last in [all.count, all.count + 7] {
                let answer = try await consumer.send(.GET, "/jobs/\(job)/stream", body: nil, headers: [("Last-Event-ID", "\(last)")])
                #expect(answer.status == 204, "after \(last): \(answer)")
            }
        }

        /// Leaves in the middle of a running job and comes back for the rest.
        @Test func aBrokenConnectionIsTakenUpWithoutLossOrRepetition() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("slow-tokens", network)
            let consumer = network.consumer
            let job = try await consumer.submitJob(slug)
            let first = try await consumer.events(job: job) { $0["type"]?.string == "token" }.map(\.record)
            let last = try #require(first.last?["seq"]?.int)
            let rest = try await consumer.events(job: job, headers: [("Last-Event-ID", "\(last)")]).map(\.record)
            expectWhole(first.filter { ($0["seq"]?.int ?? 0) <= last } + rest)
        }

        @Test func manyReadersSeeTheSame() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("slow-tokens", network)
            let consumer = network.consumer
            let job = try await consumer.submitJob(slug)
            let transcripts = try await withThrowingTaskGroup(of: [JSONValue].self) { group in
                for reader in 0..<12 {
                    group.addTask {
                        reader.isMultiple(of: 2) ? try await consumer.follow(job: job).records : try await consumer.events(job: job).map(\.record)
                    }
                }
                return try await group.reduce(into: [[JSONValue]]()) { $0.append($1) }
            }
            #expect(Set(transcripts).count == 1)
            expectWhole(transcripts[0])
        }

        @Test(arguments: ["-1", "x", "1e3", "99999999999999999999", ""])
        func aStrangeStartIsRefused(from: String) async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let job = try await network.consumer.submitJob(slug, input: ["text": "x"])
            _ = try await network.consumer.finishedJob(job)
            let stream = try await network.consumer.call(.GET, "/jobs/\(job)/stream?from=\(from)")
            #expect(stream.status == 422, "\(stream)")
            #expect(stream.pointers == ["/from"])
            let refusal = await #expect(throws: WebSocketError.self) { _ = try await network.consumer.socket(job: job, query: "?from=\(from)") }
            #expect(refusal?.refusal?.status == 422, "\(String(describing: refusal?.refusal))")
        }

        @Test func aSocketWithoutAKeyOrOnNoJobIsRefusedLikeACall() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let job = try await network.consumer.submitJob(slug, input: ["text": "x"])
            for (api, id, status) in [(network.api(nil), job, 401), (network.publisher, job, 404), (network.consumer, "nothing", 404)] {
                let refusal = await #expect(throws: WebSocketError.self) { _ = try await api.socket(job: id) }
                #expect(refusal?.refusal?.status == status)
            }
            #expect(try await network.consumer.call(.GET, "/jobs/\(job)/ws").status == 400)
        }

        @Test func anErrorOfTheCargoItselfIsTheTerminalRecord() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.textStats(network)
            let job = try await network.consumer.submitJob(slug, input: ["wrong": 1])
            let (records, _) = try await network.consumer.follow(job: job)
            expectWhole(records, terminal: "error")
            let end = try #require(records.last)
            #expect(end["status"]?.string == "failed")
            #expect(end["message"]?.string?.isEmpty == false)
            #expect(end["error"]?.string == end["message"]?.string)
            #expect(end["code"]?.string?.isEmpty == false)
            #expect(end["usage"]?["credits_used"]?.int == 0)
        }

        @Test func whatASocketsClientSaysIsDropped() async throws {
            let network = try await SharedNetwork.network
            let slug = try await Catalog.shared.misbehaving("slow-tokens", network)
            let job = try await network.consumer.submitJob(slug)
            let connection = try await network.consumer.socket(job: job)
            try await connection.send(text: "{\"type\":\"done\"}")
            try await connection.send(binary: [0, 255])
            try await connection.send(text: String(repeating: "x", count: 1 << 20))
            let records = try await within(.seconds(30), "the end of the socket") {
                var records: [JSONValue] = []
                for await message in connection.incoming { records.append(try JSONValue(parsing: message.text ?? "null")) }
                return records
            }
            expectWhole(records)
        }
    }
}
