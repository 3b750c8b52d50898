import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// `archipelago island run`, as the owner of another machine starts it.
    @Suite(.serialized) struct IslandProcessTests {
        /// With what it needs to run the Cargos of a network.
        private static func island(_ network: DevNetwork, token: String, folder: String) throws -> ChildProcess {
            try ChildProcess(
                try Machine.executable(),
                ["island", "run", "--url", network.url, "--data-dir", folder, "--slots", "1", "--approve-registry", network.registry],
                environment: ["ARCHIPELAGO_ISLAND_TOKEN": token], guarded: true)
        }

        private static func register(_ network: DevNetwork) async throws -> (id: String, token: String) {
            let answer = try await network.publisher.call(.POST, "/islands", ["name": "theirs"]).json
            return (try (answer["data"]?["id"]?.string).orThrow("an id in \(answer)"), try (answer["token"]?.string).orThrow("a token in \(answer)"))
        }

        /// Machines that start together: who comes first waits, offers the same levels as one that came later, and runs jobs.
        @Test func anIslandThatIsUpBeforeItsCoordinatorWaitsForIt() async throws {
            let folder = try Machine.makeFolder("island-first")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let (home, root) = (folder + "/theirs", folder + "/theirs/trusted-root.json")
            let before = try await DevNetwork.start(folder: folder + "/network")
            try await before.publish("text-stats/text-stats", slug: "text-stats", version: "v1.0.0")
            let (id, token) = try await Self.register(before)
            #expect(try await before.stop().exit == 0)

            let island = try Self.island(before, token: token, folder: home)
            try await pollUntil("it waits") { island.stderr.contains("waiting for the coordinator") }
            #expect(island.isRunning && !FileManager.default.fileExists(atPath: root))

            let network = try await DevNetwork.start(folder: folder + "/network")
            let isConnected = { try await network.publisher.data(.GET, "/islands/\(id)")["connected"]?.bool }
            try await pollUntil("it is connected") { try await isConnected() == true }
            #expect(FileManager.default.fileExists(atPath: root))
            let islands = try (try await network.admin.data(.GET, "/islands").array).orThrow("a list")
            let own = try islands.first { $0["id"]?.string != id }.orThrow("the network's own Island")
            let levels = islands.map { $0["capabilities"]?["levels"] }
            #expect(levels == [[0, 1, 2, 3], [0, 1, 2, 3]])

            #expect(try await network.cli("island", "drain", own["id"]?.string ?? "", as: "admin").exit == 0)
            let job = try await network.consumer.submitJob("text-stats", input: ["text": "two words"])
            #expect(try await network.consumer.finishedJob(job)["status"]?.string == "completed")
            let placement = try await network.consumer.data(.GET, "/jobs/\(job)/placement")
            #expect(placement["decision"]?["island"]?.string == id, "\(placement)")

            island.signal(SIGTERM)
            #expect(try await island.end().exit == 0, "\(island.stderr)")
            try await pollUntil("it is known to be gone") { try await isConnected() == false }
            #expect(Leftovers.all(of: home, jobs: []) == [])
            #expect(try await network.stop().exit == 0)
        }

        @Test func anIslandThatWaitsCanBeStopped() async throws {
            let folder = try Machine.makeFolder("island-waits")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let network = try await DevNetwork.start(folder: folder + "/network")
            let (_, token) = try await Self.register(network)
            #expect(try await network.stop().exit == 0)
            let island = try Self.island(network, token: token, folder: folder + "/theirs")
            try await pollUntil("it waits") { island.stderr.contains("waiting for the coordinator") }
            island.signal(SIGTERM)
            #expect(try await island.end(within: .seconds(10)).exit == -SIGTERM)
        }

        /// A token that nobody gave is no reason to wait.
        @Test func anIslandThatIsNotKnownIsToldSo() async throws {
            let folder = try Machine.makeFolder("island-unknown")
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let island = try Self.island(try await SharedNetwork.network, token: "arch_island_0000", folder: folder)
            let end = try await island.end()
            #expect(end.exit == 4, "\(end)")
        }
    }
}
