import Coordinator
import Domain
import Foundation
import Glibc
import JSON
import Logging
import Storage
import Synchronization

/// A coordinator and Islands as processes that can be killed and started again.
final class ChaosNetwork: Sendable {
    let url: String
    let key: String
    private let folder: String
    private let port: Int
    private let link: ChaosLink
    let disk: ChaosDisk
    private let tokens: Mutex<[String]>
    private let processes = Mutex<[Member: ChaosProcess]>([:])

    /// What can be killed.
    enum Member: Hashable {
        case coordinator
        case island(Int)
    }

    private init(folder: String, port: Int, link: ChaosLink, disk: ChaosDisk, key: String, tokens: [String]) {
        self.folder = folder
        self.link = link
        self.disk = disk
        self.port = port
        self.key = key
        self.tokens = Mutex(tokens)
        islands = tokens.count
        url = "http://127.0.0.1:\(port)"
    }

    /// Makes accounts, a Cargo and Islands, and starts all processes.
    static func start(folder: String, islands: Int) async throws -> ChaosNetwork {
        let disk = try ChaosDisk(folder: folder + "/coordinator")
        var configuration = CoordinatorConfiguration(dataFolder: folder + "/coordinator", port: 0, scanning: .laptop([:]))
        configuration.requestsPerMinute = nil
        let assembly = try CoordinatorAssembly(configuration, logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() })
        let account = try await assembly.accounts.open(name: "chaos", email: nil, standing: .firstParty, roles: [.admin])
        let principal = Principal(accountID: account, scopes: [.read, .write, .admin])
        let key = try await assembly.accounts.issueKey(accountID: account, name: "chaos", scopes: [.read, .write, .admin])
        _ = try await assembly.ledger.grant(try Ledger.Grant(["amount": .int(Transfer.creditsMax)]), to: account, by: principal)
        try await assembly.database.write { try MadeUpCargo.publish(by: account, pricePerSecond: 1, in: $0) }
        var tokens: [String] = []
        for number in 0..<islands { tokens.append(try await assembly.islands.register(name: "island-\(number)", by: principal).token) }
        try await assembly.close()
        let port = try await LoopbackRegistry.freePort(preferred: nil)
        let network = ChaosNetwork(folder: folder, port: port, link: try await .open(to: port), disk: disk, key: key, tokens: tokens)
        try Data("requests_per_minute: 0\nsign_ins_per_minute: 0\n".utf8).write(to: URL(fileURLWithPath: folder + "/serve.yaml"))
        try network.startCoordinator(crashAt: nil)
        for number in 0..<islands { try network.startIsland(number) }
        return network
    }

    let islands: Int

    /// Starts the coordinator, or starts it again.
    ///
    /// - Parameter crashAt: the write point at which it is to die, as `CrashPoints` reads it.
    func startCoordinator(crashAt: String?) throws {
        try start(
            .coordinator, ["serve", "--data-dir", folder + "/coordinator", "--port", "\(port)", "--config", folder + "/serve.yaml", "--json"],
            ["ARCHIPELAGO_CLOCK_SHIFT": clockFile].merging(crashAt.map { ["ARCHIPELAGO_CRASH_AT": $0] } ?? [:]) { $1 })
    }

    private var clockFile: String { folder + "/clock" }

    /// Sets the coordinator's clock, which is so much ahead from now on.
    func setClock(aheadBy milliseconds: Int) throws { try Data("\(milliseconds)".utf8).write(to: URL(fileURLWithPath: clockFile), options: .atomic) }

    /// Starts an Island, or starts it again.
    func startIsland(_ number: Int) throws {
        try start(
            .island(number), ["chaos", "island", "--url", "http://127.0.0.1:\(link.port)"],
            ["ARCHIPELAGO_ISLAND_TOKEN": tokens.withLock { $0[number] }])
    }

    /// Registers an Island anew, which then starts as another one: it loses karma each time it is killed, and one that has none gets no jobs.
    func renewIsland(_ number: Int) async throws {
        let client = try APIClient(address: url, key: key)
        while true {
            do {
                let answer = try await client.call(.post, "/islands", ["name": .string("island-\(number)")])
                guard let token = answer["token"]?.string else { throw CommandFailure(.failed, "An Island was registered without a token.") }
                return tokens.withLock { $0[number] = token }
            } catch let failure as CommandFailure where failure.exit == .unavailable {
                // The coordinator is dead or starts.
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func start(_ member: Member, _ arguments: [String], _ environment: [String: String]) throws {
        let process = try ChaosProcess(arguments, environment, log: "\(folder)/\(member).log".replacing("(", with: "-").replacing(")", with: ""))
        processes.withLock { $0[member] = process }
    }

    /// Whether a member has ended by itself.
    func hasEnded(_ member: Member) -> Bool { processes.withLock { $0[member]?.hasEnded ?? true } }

    /// Kills a member as a power cut does, and waits until it is gone.
    func kill(_ member: Member) { processes.withLock { $0[member]?.kill() } }

    /// Stops a member for a while, or lets it go on.
    func setPaused(_ isPaused: Bool, _ member: Member) { processes.withLock { $0[member]?.signal(isPaused ? SIGSTOP : SIGCONT) } }

    /// Cuts every connection between Islands and the coordinator.
    func cutLinks() { link.cut() }

    /// Ends everything; what is left on the coordinator's disk is copied into its folder when that is to be kept.
    func stop(keepingData: Bool) async {
        processes.withLock { processes in
            for process in processes.values { process.kill() }
            processes = [:]
        }
        await link.close()
        guard disk.canBeFull else { return }
        let coordinator = folder + "/coordinator"
        if keepingData { try? FileManager.default.copyItem(atPath: coordinator, toPath: folder + "/coordinator-at-the-end") }
        disk.remove()
    }
}

/// A child process of the harness.
struct ChaosProcess: Sendable {
    private let id: pid_t

    /// Starts this program with other arguments; what it says goes to the end of a file.
    init(_ arguments: [String], _ environment: [String: String], log: String) throws {
        // Connections, and what watches the end of this process, are not the child's.
        for descriptor in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.compactMap(CInt.init) ?? [] where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let program = "/proc/self/exe"
        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        // Safety: each copy is freed below, after the call that reads it.
        let words = ([program] + arguments).map { strdup($0) }
        let variables = all.map { strdup($0) }
        defer { (words + variables).forEach { free($0) } }
        var child = pid_t(0)
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: program)) ?? CommandLine.arguments[0]
        guard posix_spawn(&child, path, &actions, nil, words + [nil], variables + [nil]) == 0 else {
            throw CommandFailure(.failed, "A process of the harness cannot be started.")
        }
        id = child
    }

    var hasEnded: Bool {
        var facts = siginfo_t()
        // Safety: the record lives for the length of the call; the child is not reaped by it.
        return waitid(P_PID, id_t(id), &facts, WEXITED | WNOHANG | WNOWAIT) != 0 || facts.si_signo != 0
    }

    func signal(_ number: CInt) { _ = Glibc.kill(id, number) }

    /// Kills and reaps.
    func kill() {
        _ = Glibc.kill(id, SIGKILL)
        var status: CInt = 0
        waitpid(id, &status, 0)
    }
}
