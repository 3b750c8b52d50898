public import Domain
import IslandLink
public import Logging
import OCI

/// The Island's side of the network: stays connected, takes assignments, runs them, and brings back what they write.
public struct IslandAgent: Sendable {
    private let link: any CoordinatorLink
    private let runner: AttemptRunner
    private let capabilities: IslandCapabilities
    private let images: @Sendable () async -> [String]
    private let signatures: SignatureAdmission?
    private let clock: any Clock<Duration>
    private let jitter: @Sendable () -> Double
    private let logger: Logger

    /// An agent.
    ///
    /// - Parameters:
    ///   - images: the digests of the images that are here, those in most recent use first.
    ///   - signatures: told which are taken back; `nil` on an Island that runs nothing signed.
    ///   - jitter: gives random numbers in `0..<1` that spread reconnects of many Islands.
    public init(
        link: any CoordinatorLink, runner: AttemptRunner, capabilities: IslandCapabilities, images: @escaping @Sendable () async -> [String] = { [] },
        signatures: SignatureAdmission? = nil, clock: any Clock<Duration>, jitter: @escaping @Sendable () -> Double, logger: Logger
    ) {
        self.link = link
        self.runner = runner
        self.capabilities = capabilities
        self.images = images
        self.signatures = signatures
        self.clock = clock
        self.jitter = jitter
        self.logger = logger
    }

    /// Chosen: a coordinator that restarts is back within seconds; one that is down for long is not stormed.
    private static let backoffMin: Duration = .milliseconds(250)
    private static let backoffMax: Duration = .seconds(15)

    /// Works until the task is cancelled; running attempts are then ended.
    ///
    /// - Throws: ``LinkRefused`` when the coordinator refuses this Island.
    public func run() async throws {
        let holdings = Holdings()
        let (assignments, assign) = AsyncStream.makeStream(of: CoordinatorMessage.Assignment.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { attempts in
                    for await assignment in assignments { attempts.addTask { await runner.run(assignment, holdings) } }
                    attempts.cancelAll()
                }
            }
            group.addTask { try await stayConnected(holdings, assign) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func stayConnected(_ holdings: Holdings, _ assign: AsyncStream<CoordinatorMessage.Assignment>.Continuation) async throws {
        var backoff = Self.backoffMin
        while true {
            try Task.checkCancellation()
            do {
                let connection = try await link.connect()
                try await converse(connection, holdings, assign) {
                    logger.info("connected to the coordinator")
                    backoff = Self.backoffMin
                }
                let reason = await connection.closeReason ?? ""
                // Without a reason it stops or restarts, which is no cause for worry.
                logger.log(level: reason.isEmpty ? .info : .warning, "the coordinator closed the link", metadata: ["reason": "\(reason)"])
            } catch let refusal as LinkRefused {
                throw refusal
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.warning("no link to the coordinator", metadata: ["error": "\(error)"])
            }
            try await clock.sleep(for: backoff * (0.5 + jitter()))
            backoff = min(backoff * 2, Self.backoffMax)
        }
    }

    private func converse(
        _ connection: any CoordinatorConnection, _ holdings: Holdings, _ assign: AsyncStream<CoordinatorMessage.Assignment>.Continuation,
        onWelcome: () -> Void
    ) async throws {
        do {
            let hello = IslandMessage.hello(.init(capabilities: capabilities, attempts: await holdings.attempts, images: await images()))
            try await connection.send(hello.text)
            guard let text = try await connection.receive() else { return await connection.close(reason: "") }
            guard case .welcome(_, let resume) = try CoordinatorMessage(parsing: text) else {
                throw LinkError("the first message must be welcome")
            }
            try await holdings.resume(resume)
            onWelcome()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await read(connection, holdings, assign) }
                group.addTask { try await write(connection, holdings) }
                group.addTask { try await renewLeases(connection, holdings) }
                defer { group.cancelAll() }
                try await group.next()
            }
            await connection.close(reason: "")
        } catch {
            await connection.close(reason: error is LinkError ? "\(error)" : "")
            throw error
        }
    }

    private func read(
        _ connection: any CoordinatorConnection, _ holdings: Holdings, _ assign: AsyncStream<CoordinatorMessage.Assignment>.Continuation
    ) async throws {
        while let text = try await connection.receive() {
            switch try CoordinatorMessage(parsing: text) {
            case .welcome: throw LinkError("welcome is said once")
            case .assign(let assignment): if await holdings.take(assignment.attempt) { assign.yield(assignment) }
            case .stored(let attempt, let number): try await holdings.confirm(attempt, upTo: number)
            case .cancel(let attempt): await holdings.cancel(attempt)
            case .settled(let attempt): await holdings.forget(attempt)
            case .revoked(let digests):
                // What is no digest names no image.
                signatures?.revoke(digests.compactMap { try? Digest($0) })
            }
        }
    }

    private func write(_ connection: any CoordinatorConnection, _ holdings: Holdings) async throws {
        while true {
            while let message = await holdings.nextMessage() { try await connection.send(message.text) }
            try await holdings.waitForNews()
        }
    }

    private func renewLeases(_ connection: any CoordinatorConnection, _ holdings: Holdings) async throws {
        while true {
            try await clock.sleep(for: LeaseTerms.renewal)
            try await connection.send(IslandMessage.heartbeat(await holdings.attempts).text)
        }
    }
}
