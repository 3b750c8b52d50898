import Foundation
import JSON
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Subprocess
import SystemPackage

/// The laptop network's own image registry: `docker-registry` on the loopback address, as a child process.
///
/// The child watches a pipe from this process and ends when it closes, so it never outlives us, however we end.
struct LoopbackRegistry: Service {
    let program: String
    let folder: String
    let port: Int
    let logger: Logger

    /// The registry's name in image references.
    var name: String { "127.0.0.1:\(port)" }

    /// Runs the registry in the background and ends it when its standard input ends.
    private static let script = """
        exec 3<&0 </dev/null
        registry= stopped=
        trap 'stopped=1; [ -z "$registry" ] || kill "$registry" 2>/dev/null' TERM INT
        "$1" serve "$2" 3<&- &
        registry=$!
        [ -z "$stopped" ] || kill "$registry" 2>/dev/null
        ( read -r _ <&3; kill "$registry" 2>/dev/null ) &
        watcher=$!
        wait "$registry"
        status=$?
        wait "$registry" 2>/dev/null
        kill "$watcher" 2>/dev/null
        exit "$status"
        """

    func run() async throws {
        let configuration = folder + "/registry.yml"
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: configuration))
        var options = PlatformOptions()
        // A group of its own: Ctrl-C in the terminal is for us, and we end the registry when its users have ended.
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(5))]
        let pipe = try FileDescriptor.pipe()
        // Other children must not hold the pipe open when we are gone.
        _ = fcntl(pipe.writeEnd.rawValue, F_SETFD, FD_CLOEXEC)
        let (platformOptions, input) = (options, pipe.readEnd)
        let program = program
        try await withThrowingTaskGroup(of: TerminationStatus?.self) { group in
            group.addTask {
                try await Subprocess.run(
                    .path("/bin/sh"), arguments: ["-c", Self.script, "archipelago-registry", program, configuration],
                    environment: .custom(["PATH": "/usr/local/bin:/usr/bin:/bin"]), platformOptions: platformOptions,
                    input: .fileDescriptor(input, closeAfterSpawningProcess: true), output: .discarded, error: .discarded
                ).terminationStatus
            }
            group.addTask {
                // Cancelled when the registry ends by itself; closing the pipe ends it otherwise.
                try? await gracefulShutdown()
                try pipe.writeEnd.close()
                return nil
            }
            if let ended = try await group.next() ?? nil, !Task.isShuttingDownGracefully, !Task.isCancelled {
                throw CommandFailure(
                    .unavailable, "The loopback registry on port \(port) ended (\(ended)); if it never ran, the port is taken: choose another.")
            }
            try await group.waitForAll()
        }
    }

    private var yaml: String {
        """
        version: 0.1
        log: { level: error }
        storage:
          filesystem: { rootdirectory: \(JSONValue.string(folder + "/images").text) }
          delete: { enabled: true }
        http: { addr: "127.0.0.1:\(port)" }

        """
    }

    /// Returns once the registry takes connections.
    ///
    /// - Throws: ``CommandFailure`` `unavailable` when it does not within 20 seconds.
    func waitUntilReady() async throws {
        let attempts = 400
        for _ in 0..<attempts {
            if let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port).get() {
                try await channel.close()
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure(.unavailable, "The loopback registry did not start on port \(port).")
    }

    /// A port that is free now; `preferred` when that one is.
    static func freePort(preferred: Int?) async throws -> Int {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        for port in [preferred, 0].compactMap(\.self) {
            guard let channel = try? await bootstrap.bind(host: "127.0.0.1", port: port).get(), let free = channel.localAddress?.port else {
                continue
            }
            try await channel.close()
            return free
        }
        throw CommandFailure(.unavailable, "There is no free port on 127.0.0.1.")
    }
}
