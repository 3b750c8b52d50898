import ArgumentParser
import Foundation
import JSON
import Synchronization

/// `archipelago chaos`.
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos", abstract: "Run a network under load, kill its processes at random, and check that nothing is lost or paid twice.",
        discussion: """
            A coordinator ('serve') and Islands run as processes of their own; the Islands are real agents whose Cargos only count. Consumers \
            here send jobs, each under an Idempotency-Key until it is acknowledged, and cancel some. Meanwhile processes are killed (-9), at \
            random moments and at the coordinator's named write points, or stopped for a while; all links between Islands and coordinator are cut; \
            the coordinator's clock is set, by up to two hours; and its disk is full for a while (as root, who can give it one of its own). Two \
            signers let the log take signatures meanwhile. At the end all is left to come to rest, and then every acknowledged job must be over \
            once, its transcript whole, with one terminal record and the same for every reader, and paid as it ran; the books must balance with \
            nothing held; and the log must be whole, with every entry that it acknowledged and no other.
            """,
        subcommands: [ChaosRun.self, ChaosIsland.self], defaultSubcommand: ChaosRun.self)
}

/// `archipelago chaos run`.
struct ChaosRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Run it, and exit 1 with what is wrong.")

    @Option(help: "The seed of everything that is chosen.") var seed: UInt64 = 1
    @Option(help: "How many kills.") var kills = 20
    @Option(help: "How many jobs at least; more are sent while kills are left.") var jobs = 400
    @Option(help: "How many Islands.") var islands = 3
    @Option(help: "How many Consumers send at once.") var consumers = 24
    @Option(help: "Seconds after which it fails and says what it waited for; 0 for never.") var within = 0
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard [jobs, islands, consumers].allSatisfy({ $0 > 0 }), kills >= 0, within >= 0 else { throw ValidationError("Counts must be at least 1.") }
    }

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("archipelago-chaos-\(UUID().uuidString)").path
        let network = try await ChaosNetwork.start(folder: folder, islands: islands)
        let load = ChaosLoad(network: network, jobsMin: jobs, seed: seed)
        let log = ChaosLog(network: network)
        let killer = ChaosKiller(network: network, kills: kills, seed: seed)
        let verdict: ChaosVerdict
        do {
            // Interrupted, it takes its processes with it.
            verdict = try await Interruptible.run { try await inTime { try await play(network, load, log, killer) } }
        } catch {
            await network.stop(keepingData: true)
            Terminal.complain("What is left lies in \(folder).")
            throw error
        }
        await network.stop(keepingData: !verdict.faults.isEmpty)
        Terminal.progress("")
        show(verdict, logEntries: log.count, killer.counts, folder)
        guard verdict.faults.isEmpty else { throw ExitCode(CommandExit.failed.rawValue) }
        // What stays is only a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func inTime(_ body: @escaping @Sendable () async throws -> ChaosVerdict) async throws -> ChaosVerdict {
        try await withThrowingTaskGroup(of: ChaosVerdict.self) { group in
            group.addTask { try await body() }
            if within > 0 {
                group.addTask {
                    try await Task.sleep(for: .seconds(within))
                    throw CommandFailure(.failed, "Not over after \(within) s, while: \(ChaosPhase.current).")
                }
            }
            defer { group.cancelAll() }
            guard let verdict = try await group.next() else { throw CancellationError() }
            return verdict
        }
    }

    /// Chosen: an entry each 50 ms, so that a kill often meets one.
    private static let signers = 2

    private func play(
        _ network: ChaosNetwork, _ load: ChaosLoad, _ log: ChaosLog, _ killer: ChaosKiller
    ) async throws -> ChaosVerdict {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.signers { group.addTask { try await log.sign(number) { load.isOver } } }
            for number in 0..<consumers { group.addTask { try await load.consume(number) } }
            try await killer.run { ChaosPhase.enter("\($0) of \(kills) kills, \(load.acknowledged.count) jobs") }
            ChaosPhase.enter("waiting for Consumers to have sent enough")
            load.stopWhenEnough()
            try await group.waitForAll()
        }
        return try await ChaosVerdict.find(network, load.acknowledged, log)
    }

    private func show(_ verdict: ChaosVerdict, logEntries: Int, _ kills: [String: Int], _ folder: String) {
        let killed = kills.sorted { $0.key < $1.key }
        var members: JSONObject = ["seed": .string("\(seed)"), "jobs": .int(verdict.jobs), "restarted_attempts": .int(verdict.restarts)]
        members["log_entries"] = .int(logEntries)
        members["kills"] = .object(killed.reduce(into: JSONObject()) { $0[$1.key] = .int($1.value) })
        members["states"] = .object(verdict.states.sorted { $0.key < $1.key }.reduce(into: JSONObject()) { $0[$1.key] = .int($1.value) })
        members["faults"] = .array(verdict.faults.map(JSONValue.string))
        output.show(
            .object(members),
            [
                "seed \(seed), \(verdict.jobs) acknowledged jobs, \(verdict.restarts) attempts beyond the first, \(logEntries) log entries",
                "kills   " + killed.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
                "states  " + verdict.states.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "),
            ]
                + (verdict.faults.isEmpty
                    ? ["nothing lost, nothing doubled, books balanced, nothing held, the log whole"]
                    : ["WRONG; the network's folder is \(folder)"] + verdict.faults.prefix(50)))
    }
}

/// What the harness does at the moment, for whoever watches it.
enum ChaosPhase {
    private static let words = Mutex("starting")

    static var current: String { words.withLock(\.self) }

    static func enter(_ phase: String) {
        words.withLock { $0 = phase }
        Terminal.progress(phase)
    }
}
