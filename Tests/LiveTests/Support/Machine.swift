import Foundation

/// What the live suite needs of the machine, and where things are.
enum Machine {
    /// The checkout that holds this file.
    static let checkout = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/").replacingOccurrences(of: "//", with: "/")

    /// The scanner's fixtures.
    static let scanFixtures = checkout + "/Tests/Fixtures/scan"

    /// The `archipelago` under test: what `ARCHIPELAGO_TEST_EXECUTABLE` names, else the one beside the test bundle.
    static func executable() throws -> String {
        let path = ProcessInfo.processInfo.environment["ARCHIPELAGO_TEST_EXECUTABLE"] ?? buildFolder + "/archipelago"
        for file in [path, URL(fileURLWithPath: path).deletingLastPathComponent().path + "/archipelago-cage-entry"] {
            guard FileManager.default.isExecutableFile(atPath: file) else { throw NotReady("there is no \(file); run `make build`") }
        }
        return path
    }

    /// Where SwiftPM puts executables: the folder of the test bundle.
    private static var buildFolder: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().path
    }

    /// PATH of every process that the suite starts.
    static let searchPath = [
        checkout + "/.tools/bin", ProcessInfo.processInfo.environment["PATH"] ?? "", "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin",
    ]
    .joined(separator: ":")

    /// Fails with the mending command when the machine cannot run the suite; a skip would hide that it proved nothing.
    static func requireReady() throws {
        guard getuid() == 0 else {
            throw NotReady("the live suite needs root: cages use user namespaces and cgroups; run it as root after `make setup`")
        }
        for program in ["runc", "docker-registry", "trivy", "cc", "curl"] where find(program) == nil {
            throw NotReady("'\(program)' is not installed; run `make setup`")
        }
        guard FileManager.default.fileExists(atPath: scanFixtures + "/trivy-cache/db/trivy.db") else {
            throw NotReady("the vulnerability test database is missing at \(scanFixtures)/trivy-cache")
        }
    }

    private static func find(_ program: String) -> String? {
        searchPath.split(separator: ":").map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// A new folder of this test's own, below the run's folder.
    static func makeFolder(_ name: String) throws -> String {
        let path = "\(runFolder.path)/\(name)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static let runFolder = RunFolder()
}

/// The folder of one run of the suite, removed when this process has ended, however that happens: a shell waits for a pipe
/// to close, then for whatever was started with a path below the folder.
private final class RunFolder: Sendable {
    let path = NSTemporaryDirectory() + "archipelago-live-\(UUID().uuidString.prefix(8))"
    private let lifeline = Pipe()
    private let process = Process()

    private static let script = """
        read -r _
        tries=0
        while printf %s "$LIVE_FOLDER" | grep -qsF -f - /proc/[0-9]*/cmdline && [ "$tries" -lt 150 ]; do sleep 0.1; tries=$((tries + 1)); done
        rm -rf -- "$LIVE_FOLDER"
        """

    init() {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", Self.script, "archipelago-live-cleaner"]
        process.environment = ["PATH": Machine.searchPath, "LIVE_FOLDER": path]
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // Without its cleaner the folder would only stay in the temporary folder, which the system empties.
        try? process.run()
    }
}

/// The machine lacks something that the suite needs.
struct NotReady: Error, CustomStringConvertible {
    let description: String
    init(_ reason: String) { description = "The live suite cannot run: \(reason)." }
}
