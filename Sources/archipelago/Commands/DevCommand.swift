import ArgumentParser
import Coordinator
import Foundation
import JSON
import Logging
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// `archipelago dev`.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "Run a whole network on this machine: a coordinator, one Island, and a loopback registry.",
        discussion: """
            When it is ready it prints its address and keys; with --json one line on stdout. Ctrl-C ends all of it. The same
            --data-dir brings everything back.

            Scans need Trivy and its databases: on PATH or in .tools/bin (make setup), and in the folder that
            ARCHIPELAGO_TRIVY_CACHE names, or Trivy's own. Without them submissions wait as could_not_scan.
            """)

    @Option(help: "Where everything is kept.") var dataDir = ".archipelago"
    @Option(help: "The coordinator's port; 0 for any free one.") var port = 8080
    @Option(help: "The registry's port; 0 for any free one.") var registryPort = 5000
    @Option(help: "Requests a minute for each key, and with it 5 sign-ins a minute; without it there is no limit.") var rateLimit: Int?
    @OptionGroup var scanning: ScanOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let rateLimit, rateLimit < 1 { throw ValidationError("--rate-limit must be at least 1.") }
        for value in [port, registryPort] where !(0...65_535).contains(value) {
            throw ValidationError("A port is a number from 0 to 65535, not \(value).")
        }
    }

    func run() async throws {
        let folder = URL(fileURLWithPath: dataDir).path
        try FileManager.default.createDirectory(atPath: folder + "/registry", withIntermediateDirectories: true)
        let lock = try FolderLock(folder)
        defer { withExtendedLifetime(lock) {} }
        try await DevNetwork(folder: folder, port: port, registryPort: registryPort, rateLimit: rateLimit, scanning: scanning).run { ready in
            output.show(ready.json, ready.lines)
        }
    }
}

/// What the laptop network says of itself when it is ready.
struct DevReady {
    let url: String
    let registry: String
    let keys: JSONValue

    var json: JSONValue { ["url": .string(url), "registry": .string(registry), "keys": keys] }

    var lines: [String] {
        let keyLines = (keys.object?.members ?? []).map { "  \($0.name.padding(toLength: 10, withPad: " ", startingAt: 0)) \($0.value.string ?? "")" }
        return ["Archipelago is ready.", "  url        \(url)", "  registry   \(registry)", "API keys:"] + keyLines + ["Ctrl-C ends it."]
    }
}
