import Domain
import Foundation
import JSON
import Synchronization

/// Consumers of the harness: send jobs until there are enough, and note those that were acknowledged.
final class ChaosLoad: Sendable {
    /// A job that the coordinator has said it took.
    struct Acknowledged: Sendable {
        let key: String
        let id: String
        let count: Int
        /// Characters of the image that it makes; `nil` for none.
        let imageBytes: Int?
    }

    private struct State {
        var acknowledged: [Acknowledged] = []
        var faults: [String] = []
        var images = 0
        var mayStop = false
    }

    private let network: ChaosNetwork
    private let jobsMin: Int
    private let seed: UInt64
    private let state = Mutex(State())

    init(network: ChaosNetwork, jobsMin: Int, seed: UInt64) {
        self.network = network
        self.jobsMin = jobsMin
        self.seed = seed
    }

    var acknowledged: [Acknowledged] { state.withLock(\.acknowledged) }

    /// Lets Consumers end once there are enough jobs.
    func stopWhenEnough() { state.withLock { $0.mayStop = true } }

    /// Whether no more jobs are sent.
    var isOver: Bool { state.withLock { $0.mayStop && $0.acknowledged.count >= jobsMin } }

    /// Sends one job after the other.
    func consume(_ number: Int) async throws {
        var random = SeededRandom(seed: seed &* 1_000_003 &+ UInt64(number))
        let client = try APIClient(address: network.url, key: network.key)
        var sent = 0
        while !isOver {
            let key = "chaos-\(number)-\(sent)"
            sent += 1
            let count = Int.random(in: 0...20, using: &random)
            // Some run for seconds, so that a clock that is set finds them at it.
            let isLong = Int.random(in: 0..<6, using: &random) == 0
            let pause = isLong ? Int.random(in: 100...200, using: &random) : Int.random(in: 0...15, using: &random)
            let wish = Int.random(in: 0..<20, using: &random) == 0 ? Int.random(in: 300_000...900_000, using: &random) : nil
            let imageBytes = wish.flatMap { mayMakeImage() ? $0 : nil }
            let body: JSONValue = [
                "workload": .string(MadeUpCargo.slug),
                "input": ["count": .int(count), "pause_ms": .int(pause), "max_tokens": 100, "image_bytes": .optional(imageBytes)],
                // Longer, and for more, than any of them runs: a clock that was set could bill that, or end it for want of credits.
                "timeout_seconds": 300, "max_credits": 200,
            ]
            let id = try await submit(body, key, client)
            state.withLock { $0.acknowledged.append(Acknowledged(key: key, id: id, count: count, imageBytes: imageBytes)) }
            let cancels = Int.random(in: 0..<10, using: &random) == 0
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...200, using: &random)))
            // A cancellation that does not arrive is none; one that comes late is refused. Both are part of the play.
            if cancels { _ = try? await client.data(.delete, "/jobs/\(id)") }
        }
    }

    /// Chosen: some 600 MB of the coordinator's disk, whatever a fast machine makes of the time that all kills take.
    private static let imagesMax = 1000

    private func mayMakeImage() -> Bool {
        state.withLock { state in
            state.images += 1
            return state.images <= Self.imagesMax
        }
    }

    /// Asks until the coordinator has said yes.
    private func submit(_ body: JSONValue, _ key: String, _ client: APIClient) async throws -> String {
        while true {
            do {
                let job = try await client.data(.post, "/jobs", body, idempotencyKey: key)
                if let id = job["id"]?.string { return id }
            } catch let failure as CommandFailure where [.unavailable, .failed].contains(failure.exit) {
                // Dead, starting, or dying: nobody knows whether the job was taken, and the key lets it be asked again.
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// Kills members of the network, one after the other.
final class ChaosKiller: Sendable {
    private let network: ChaosNetwork
    private let kills: Int
    private let random: Mutex<SeededRandom>
    private let done = Mutex<[String: Int]>([:])

    init(network: ChaosNetwork, kills: Int, seed: UInt64) {
        self.network = network
        self.kills = kills
        random = Mutex(SeededRandom(seed: seed ^ 0xC0FFEE))
    }

    /// How often what was done.
    var counts: [String: Int] { done.withLock(\.self) }

    private func number(in range: ClosedRange<Int>) -> Int { random.withLock { Int.random(in: range, using: &$0) } }
    private func note(_ what: String) { done.withLock { $0[what, default: 0] += 1 } }

    /// Kills and starts again until all kills are done.
    func run(onKill: (Int) -> Void) async throws {
        for kill in 0..<kills {
            try await Task.sleep(for: .milliseconds(number(in: 100...900)))
            switch number(in: 0...12) {
            case 10:
                network.cutLinks()
                note("links cut")
            case 11:
                let isFull = network.disk.fill()
                try await Task.sleep(for: .milliseconds(number(in: 100...1500)))
                if isFull { network.disk.free() }
                note(isFull ? "disk full" : "nothing, without root")
            case 12:
                try network.setClock(aheadBy: number(in: -Self.clockShiftMax...Self.clockShiftMax))
                note("clock set")
                // Noticed at once, or by the next process only: both are part of the play.
                if number(in: 0...1) == 0 { try await killCoordinator(noting: nil) }
            case 0...2: try await killCoordinator()
            case 3...5: try await letItDieAtAWritePoint()
            case 6...8:
                let island = number(in: 0...network.islands - 1)
                network.kill(.island(island))
                note("island")
                try await Task.sleep(for: .milliseconds(number(in: 0...300)))
                if number(in: 0...3) == 0 { try await network.renewIsland(island) }
                try network.startIsland(island)
            default:
                let member: ChaosNetwork.Member = number(in: 0...1) == 0 ? .coordinator : .island(number(in: 0...network.islands - 1))
                network.setPaused(true, member)
                try await Task.sleep(for: .milliseconds(number(in: 200...1500)))
                network.setPaused(false, member)
                note("paused, then killed")
                if case .island(let island) = member {
                    network.kill(member)
                    try network.startIsland(island)
                } else {
                    try await killCoordinator(noting: nil)
                }
            }
            onKill(kill + 1)
        }
        try await revive()
    }

    /// Chosen: two hours, in which every lease, timeout and hold ends many times.
    private static let clockShiftMax = 7_200_000

    private func killCoordinator(noting what: String? = "coordinator") async throws {
        network.kill(.coordinator)
        if let what { note(what) }
        try await Task.sleep(for: .milliseconds(number(in: 0...300)))
        try network.startCoordinator(crashAt: nil)
    }

    private func letItDieAtAWritePoint() async throws {
        let point = ["before_commit", "after_commit", "before_assign", "before_confirm", "before_settled"][number(in: 0...4)]
        network.kill(.coordinator)
        try network.startCoordinator(crashAt: "\(point):\(number(in: 1...60))")
        // A point that does not come is given up, so that the play goes on.
        for _ in 0..<200 where !network.hasEnded(.coordinator) { try await Task.sleep(for: .milliseconds(50)) }
        note(network.hasEnded(.coordinator) ? point : "coordinator")
        network.kill(.coordinator)
        try network.startCoordinator(crashAt: nil)
    }

    private func revive() async throws {
        if network.hasEnded(.coordinator) { try network.startCoordinator(crashAt: nil) }
        for island in 0..<network.islands {
            network.kill(.island(island))
            try await network.renewIsland(island)
            try network.startIsland(island)
        }
    }
}
