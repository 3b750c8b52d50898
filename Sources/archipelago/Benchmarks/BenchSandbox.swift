import ArgumentParser
import Foundation
import JSON
import Sandbox

/// `archipelago bench sandbox`.
struct BenchSandbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Start a small program in several ways and tell how long it takes to its first byte.",
        discussion: """
            The program writes one line and ends. The ways take turns, so that whatever else the machine does meets all of them: fork and exec
            without a cage, bare 'runc run' with the description of a level 0 job, our cage cold and warm, and 'podman run' where podman is
            installed. Milliseconds from the call to the first byte. Needs root.
            """)

    @Option(help: "How often each way is taken.") var rounds = 31
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1.") }
    }

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("archipelago-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        // What stays is only a temporary folder.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let sandbox = try IslandAssembly.makeSandbox(stateFolder: folder + "/cages")
        let warm = try IslandAssembly.makeSandbox(stateFolder: folder + "/warm", isWarm: true)
        let result: Result<[StartMeasurement.Way: [Double]], any Error>
        do { result = .success(try await measure(sandbox, warm, folder)) } catch { result = .failure(error) }
        await warm.shutdown()
        await sandbox.shutdown()
        do { show(try result.get()) } catch let error as SandboxError { throw CommandFailure(.failed, "\(error.message) \(error.cause ?? "")") }
    }

    private func measure(_ sandbox: RuncSandbox, _ warm: RuncSandbox, _ folder: String) async throws -> [StartMeasurement.Way: [Double]] {
        let measurement = try StartMeasurement(sandbox: sandbox, warm: warm, folder: folder, podman: Programs.find("podman"))
        try await measurement.preparePodman()
        var times: [StartMeasurement.Way: [Double]] = [:]
        for round in 0..<rounds {
            Terminal.progress("round \(round + 1) of \(rounds)")
            // The warm way comes last: its pool makes the next one while the others are measured, if they follow at once.
            for way in measurement.ways { times[way, default: []].append(try await measurement.measure(way, round: round) / .milliseconds(1)) }
        }
        Terminal.progress("")
        return times
    }

    private func show(_ times: [StartMeasurement.Way: [Double]]) {
        var lines = ["\(rounds) rounds; milliseconds from the call to the first byte", "way                                median      p10      p99"]
        var rows: [JSONValue] = []
        for way in StartMeasurement.Way.allCases {
            guard let measured = times[way] else { continue }
            let percentiles = Percentiles(measured)
            let numbers = [percentiles[50], percentiles[10], percentiles[99]]
            let cells = numbers.map { String(format: "%8.2f", $0) }.joined(separator: " ")
            lines.append(way.rawValue.padding(toLength: 33, withPad: " ", startingAt: 0) + cells)
            rows.append([
                "way": .string(way.rawValue), "median_ms": .number(JSONNumber(numbers[0])), "p10_ms": .number(JSONNumber(numbers[1])),
                "p99_ms": .number(JSONNumber(numbers[2])),
            ])
        }
        func median(_ way: StartMeasurement.Way) -> Double? { times[way].map { Percentiles($0)[50] } }
        func ratio(_ words: String, _ upper: Double?, _ lower: Double?) {
            if let upper, let lower, lower > 0 { lines.append("\(words): \(String(format: "%.2f", upper / lower))") }
        }
        ratio("cold to bare runc", median(.cold), median(.runcRun))
        ratio("podman to warm", median(.podman), median(.warm))
        output.show(["rounds": .int(rounds), "results": .array(rows)], lines)
    }
}
