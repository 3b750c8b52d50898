import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// A network that is killed, stopped, or started where another runs.
    @Suite(.serialized) struct RecoveryTests {
        @Test func afterAKillEverythingAcknowledgedIsThere() async throws {
            let folder = try Machine.makeFolder("killed")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let first = try await DevNetwork.start(folder: folder)
            try await first.publish("text-stats/text-stats", slug: "text-stats", version: "v1.0.0")
            try await first.publish("misbehaving/ignores-time", slug: "endless", version: "v1.0.0")
            let finished = try await first.consumer.submitJob("text-stats", input: ["text": "kept"])
            let (transcript, _) = try await first.consumer.follow(job: finished)
            let before = try await first.consumer.data(.GET, "/jobs/\(finished)")
            let running = try await first.consumer.submitJob("endless", timeoutSeconds: 3)
            _ = try await first.consumer.events(job: running) { $0["type"]?.string == "status" && $0["status"] == nil }
            // Both slots and more: these wait when the end comes.
            var waiting: [String] = []
            for _ in 0..<3 { waiting.append(try await first.consumer.submitJob("endless", timeoutSeconds: 1)) }
            let draft = try await first.draft(slug: "kept-draft", image: "\(first.registry)/live/a:v1.0.0")

            first.process.signal(SIGKILL)
            #expect(try await first.process.end().exit == -SIGKILL)
            // The registry's own shell sees the pipe close and ends it; cages are ended by whoever comes next.
            try await pollUntil("the registry has ended", within: .seconds(10)) {
                Leftovers.processes(of: folder).filter { $0.contains("docker-registry") }.isEmpty
            }

            let second = try await DevNetwork.start(folder: folder)
            #expect(second.keys == first.keys)
            #expect(second.registry == first.registry)
            #expect(second.url == first.url)
            #expect(try await second.consumer.data(.GET, "/workloads/text-stats")["version"]?.string == "v1.0.0")
            #expect(try await second.publisher.data(.GET, "/submissions/\(draft)")["state"]?.string == "draft")
            #expect(try await second.consumer.data(.GET, "/jobs/\(finished)") == before)
            #expect(try await second.consumer.follow(job: finished).records == transcript)

            let (records, closeCode) = try await second.consumer.follow(job: running)
            #expect(closeCode == 1000)
            #expect(records.compactMap { $0["seq"]?.int } == Array(1...max(1, records.count)))
            #expect(records.contains { $0["message"]?.string == "restarted" && $0["attempt"]?.int == 2 }, "\(records.map(\.text))")
            #expect(records.last?["code"]?.string == "timeout")
            #expect(records.last?["attempt"]?.int == 2)
            #expect(records.filter { ["done", "error"].contains($0["type"]?.string) && $0["status"] != nil }.count == 1)
            for job in waiting { #expect(try await second.consumer.finishedJob(job)["status"]?.string == "timeout") }
            // And it goes on: the image comes from the same registry again.
            let next = try await second.consumer.submitJob("text-stats", input: ["text": "on"])
            #expect(try await second.consumer.finishedJob(next)["status"]?.string == "completed")

            let end = try await second.stop()
            #expect(end.exit == 0, "\(end)")
            #expect(Leftovers.all(of: folder, jobs: [running, finished, next] + waiting).isEmpty, "\(Leftovers.all(of: folder, jobs: [running]))")
        }

        /// A full disk is said, loses nothing that was acknowledged, and is over when there is room again.
        @Test func aFullDiskIsAnOutageAndNoMore() async throws {
            let folder = try Machine.makeFolder("full-disk")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let mount = { (words: [String]) async throws -> Void in
                let result = try await ChildProcess.run("/usr/bin/env", words)
                guard result.exit == 0 else { throw Unexpected("\(words): \(result)") }
            }
            try await mount(["mount", "-t", "tmpfs", "-o", "size=64m", "none", folder])
            do {
                let network = try await DevNetwork.start(folder: folder)
                let kept = try await network.draft(slug: "kept", image: "\(network.registry)/live/a:v1.0.0")
                let filling = FileManager.default.createFile(atPath: folder + "/filling", contents: nil)
                #expect(filling)
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/filling"))
                while (try? file.write(contentsOf: Data(repeating: 1, count: 4096))) != nil {}
                try file.close()
                // What fits into pages that the database has already is still taken.
                var refused: Answer?
                for number in 0..<50 where refused == nil {
                    let answer = try await network.publisher.call(
                        .POST, "/workloads", .object(network.fields(slug: "more-\(number)", image: "\(network.registry)/live/a:v1.0.0")))
                    if answer.status != 201 { refused = answer }
                }
                let answer = try refused.orThrow("a refusal on a full disk")
                #expect(answer.status == 503)
                #expect(answer.json["error"]?["code"]?.string == "storage_unavailable", "\(answer)")
                try FileManager.default.removeItem(atPath: folder + "/filling")
                _ = try await network.draft(slug: "after", image: "\(network.registry)/live/a:v1.0.0")
                #expect(try await network.publisher.data(.GET, "/submissions/\(kept)")["state"]?.string == "draft")
                #expect(try await network.stop().exit == 0)
            } catch {
                try? await mount(["umount", "--lazy", folder])
                throw error
            }
            try await mount(["umount", folder])
        }

        /// What nobody foresaw, here a table that is gone, is a 500 that names its request and nothing of the cause; the network goes on, and
        /// its operator finds the cause under the same name.
        @Test func anUnforeseenErrorIsAnAnswerAndNoMore() async throws {
            try await DevNetwork.withOwn("unforeseen") { network in
                let rename = { (from: String, to: String) async throws in
                    let statement = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('ALTER TABLE \(from) RENAME TO \(to)')"
                    let result = try await ChildProcess.run("python3", ["-c", statement, network.folder + "/coordinator/coordinator.sqlite"])
                    guard result.exit == 0 else { throw Unexpected("\(result)") }
                }
                try await rename("digest_revocations", "gone")
                let answer = try await network.publisher.call(.GET, "/account/revoked-digests")
                #expect(answer.status == 500)
                #expect(answer.json["error"]?["code"]?.string == "internal")
                let message = try (answer.json["error"]?["message"]?.string).orThrow("a message in \(answer)")
                #expect(!message.contains("digest_revocations") && !message.contains("SQL"), "\(message)")
                let request = try (message.firstMatch(of: /quote request (\S+) to/)?.output.1).orThrow("a request's name in \(message)")
                let line = network.process.stderr.split(separator: "\n").first { $0.contains(request) && $0.contains("digest_revocations") }
                #expect(line != nil, "\(network.process.stderr)")

                #expect(try await network.publisher.call(.GET, "/health").status == 200)
                try await rename("gone", "digest_revocations")
                #expect(try await network.publisher.call(.GET, "/account/revoked-digests").status == 200)
            }
        }

        @Test func aScanThatAKillInterruptedIsDoneAgain() async throws {
            let folder = try Machine.makeFolder("killed-scan")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let first = try await DevNetwork.start(folder: folder)
            let image = try await first.push("\(Machine.scanFixtures)/images/vulnerable.tar", "vulnerable:v1.0.0")
            let id = try await first.submit(slug: "vulnerable", image: image)
            first.process.signal(SIGKILL)
            _ = try await first.process.end()
            let second = try await DevNetwork.start(folder: folder)
            #expect(try await second.scan(of: id)["verdict"]?.string == "blocked")
            try await second.stop()
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func aStopLeavesNothing(signal: Int32) async throws {
            let folder = try Machine.makeFolder("stopped")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let network = try await DevNetwork.start(folder: folder)
            try await network.publish("misbehaving/ignores-time", slug: "endless", version: "v1.0.0")
            let job = try await network.consumer.submitJob("endless", timeoutSeconds: 60)
            _ = try await network.consumer.events(job: job) { $0["type"]?.string == "status" && $0["status"] == nil }
            #expect(!Leftovers.processes(of: folder).isEmpty)
            #expect(!Leftovers.caged(job).isEmpty)
            // Somebody watches, too: open streams must not hold the stop up.
            let consumer = network.consumer
            async let watching: Void = { _ = try? await consumer.follow(job: job) }()
            let began = ContinuousClock.now
            let end = try await network.stop(signal)
            let took = ContinuousClock.now - began
            await watching
            #expect(end.exit == 0, "\(end)")
            #expect(took < .seconds(10), "took \(took)")
            #expect(end.stdout.split(separator: "\n").count == 1, "one line of data: \(end)")
            #expect(Leftovers.all(of: folder, jobs: [job]).isEmpty, "\(Leftovers.all(of: folder, jobs: [job]))")
            #expect(Leftovers.caged(job).isEmpty)
        }

        /// Whoever presses Ctrl-C wants the job cancelled; whoever presses it again does not wait for a coordinator that does not answer.
        @Test func aSecondStopOfRunDoesNotWaitForTheCoordinator() async throws {
            let folder = try Machine.makeFolder("silent")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let network = try await DevNetwork.start(folder: folder)
            try await network.publish("misbehaving/ignores-time", slug: "endless", version: "v1.0.0")
            let environment = ["ARCHIPELAGO_URL": network.url, "ARCHIPELAGO_API_KEY": network.keys["consumer"] ?? ""]
            let run = try ChildProcess(try Machine.executable(), ["run", "endless", "--input", "{}", "--json"], environment: environment)
            try await pollUntil("the Cargo runs") { run.stdout.contains("\"running\"") }
            network.process.signal(SIGSTOP)
            defer { network.process.signal(SIGCONT) }
            // Two signals that are not yet heard are one: said until the command has ended.
            async let end = run.end(within: .seconds(20))
            while run.isRunning {
                run.signal(SIGINT)
                await Task.yield()
            }
            let ended = try await end
            #expect(ended.exit == 1, "\(ended)")
            #expect(ended.stderr.contains("Stopped at once"))
            network.process.signal(SIGCONT)
            try await network.stop()
        }

        @Test func aSecondNetworkOnTheSameFolderIsRefused() async throws {
            let network = try await SharedNetwork.network
            let second = try DevNetwork.launch(folder: network.folder)
            let end = try await second.end(within: .seconds(20))
            #expect(end.exit == 4, "\(end)")
            #expect(end.stderr.contains("--data-dir"))
            #expect(end.stdout.isEmpty)
            #expect(try await network.admin.call(.GET, "/health").status == 200)
        }

        @Test func theOwnersFolderMayBeClosedToOthers() async throws {
            let outer = try Machine.makeFolder("closed")
            defer { try? FileManager.default.removeItem(atPath: outer) }
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: outer)
            let network = try await DevNetwork.start(folder: outer + "/inner/data")
            try await network.publish("text-stats/text-stats", slug: "text-stats", version: "v1.0.0")
            let job = try await network.consumer.submitJob("text-stats", input: ["text": "x"])
            let finished = try await network.consumer.finishedJob(job)
            #expect(finished["status"]?.string == "completed", "\(finished.text)")
            let secrets = try FileManager.default.attributesOfItem(atPath: outer + "/inner/data/dev.json")[.posixPermissions] as? Int
            #expect(secrets == 0o600)
            try await network.stop()
        }

        /// Spaces and other characters that a shell or a URL would stumble over.
        @Test func aFolderWithAStrangeNameWorks() async throws {
            let outer = try Machine.makeFolder("strange")
            defer { try? FileManager.default.removeItem(atPath: outer) }
            let network = try await DevNetwork.start(folder: outer + "/it's \"quoted\" & spaced %20 é: {x}")
            try await network.publish("text-stats/text-stats", slug: "text-stats", version: "v1.0.0")
            let job = try await network.consumer.submitJob("text-stats", input: ["text": "x"])
            #expect(try await network.consumer.finishedJob(job)["status"]?.string == "completed")
            try await network.stop()
        }

        @Test func aNetworkWhoseRegistryDiesEndsAndSaysSo() async throws {
            let folder = try Machine.makeFolder("registry-died")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let network = try await DevNetwork.start(folder: folder)
            let registries = Leftovers.processes(of: folder).filter { $0.contains("docker-registry serve") && !$0.contains("/bin/sh") }
            let id = try #require(registries.first?.split(separator: " ").first.flatMap { Int32($0) })
            kill(id, SIGKILL)
            let end = try await network.process.end(within: .seconds(20))
            #expect(end.exit == 5, "\(end)")
            #expect(end.stderr.contains("registry"))
            #expect(Leftovers.all(of: folder, jobs: []).isEmpty)
        }

        @Test func aFileOfStateThatIsNoJSONIsRefusedInWords() async throws {
            let folder = try Machine.makeFolder("bad-state")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/dev.json"))
            let end = try await DevNetwork.launch(folder: folder).end(within: .seconds(20))
            #expect(end.exit == 1, "\(end)")
            #expect(end.stderr.contains("dev.json"), "\(end)")
        }

        @Test func aPortThatIsTakenIsRefusedInWords() async throws {
            let network = try await SharedNetwork.network
            let folder = try Machine.makeFolder("taken")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let process = try ChildProcess(
                try Machine.executable(), ["dev", "--json", "--port", "\(network.peer.port)", "--registry-port", "0", "--data-dir", folder],
                environment: DevNetwork.environment, guarded: true)
            let end = try await process.end(within: .seconds(30))
            #expect(end.exit != 0)
            #expect(end.stderr.contains("\(network.peer.port)"), "\(end)")
            #expect(end.stdout.isEmpty)
            #expect(Leftovers.all(of: folder, jobs: []).isEmpty)
        }
    }
}
