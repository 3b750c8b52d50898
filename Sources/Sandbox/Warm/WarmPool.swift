import Glibc
import Synchronization

/// Containers made ahead of the jobs that they will serve: each waits before its first program, is used once, and is like any other in
/// everything else.
///
/// Making one takes tens of milliseconds, starting one that is ready two. One that cannot be made, or has died while it waited, is no failure:
/// the job's own container is then made as if there were no pool.
final class WarmPool: Sendable {
    /// One that is ready.
    struct Ready: Sendable {
        let cage: Cage
        // Safety: the container is in one place at a time: in the pool, or with the one thread that took it out.
        struct Box: @unchecked Sendable { let prepared: Cage.Prepared }
        let box: Box
    }

    private struct State {
        var plan: WarmPlan
        var ready: [WarmKey: [Ready]] = [:]
        var samples: [WarmKey: CageContents] = [:]
        /// The names of containers that were taken from here and run a job.
        var inUse: Set<String> = []
        var isWorking = false
        var isClosed = false
        var made = 0
        var idleMark = 0
        var lastIdleCheck = ContinuousClock.now
    }

    private let state: Mutex<State>
    private let makeCage: @Sendable (CageContents) -> Cage
    private let memoryBytesMin: Int
    private let isOn: Bool

    /// Kinds that nobody asked for within this time are let go. Chosen: longer than pauses between jobs of one conversation.
    private static let idleTime = Duration.seconds(300)

    /// - Parameters:
    ///   - memoryBytesMin: memory that the host must have left for another container to be made ready.
    ///   - makeCage: a cage for contents.
    init(plan: WarmPlan, memoryBytesMin: Int, makeCage: @escaping @Sendable (CageContents) -> Cage) {
        isOn = plan.totalMax > 0 && plan.perKeyMax > 0
        state = Mutex(State(plan: plan))
        self.memoryBytesMin = memoryBytesMin
        self.makeCage = makeCage
    }

    /// The names of the containers that wait, run a job, or are being made.
    var names: Set<String> {
        state.withLock { state in
            Set(state.ready.values.joined().map(\.cage.job.id.text)).union(state.inUse).union(state.isWorking ? ["warm-\(state.made)"] : [])
        }
    }

    /// Containers that wait.
    var readyCount: Int { state.withLock { $0.ready.values.reduce(0) { $0 + $1.count } } }

    /// Runs a job in a container that is ready, or else in one of its own. Blocks; on the job's thread.
    func run(_ cage: Cage, link: CageLink) throws -> JobEnd {
        guard isOn, let key = WarmKey(cage.job) else { return try cage.run(link: link) }
        let ready = take(key, cage.job)
        defer { state.withLock { $0.plan.end(key) } }
        refill(key)
        guard let ready else { return try cage.run(link: link) }
        defer { state.withLock { _ = $0.inUse.remove(ready.cage.job.id.text) } }
        var own = ready.cage
        own.job.input = cage.job.input
        own.job.limits.timeout = cage.job.limits.timeout
        do {
            return try own.run(ready.box.prepared, link: link)
        } catch let error as SandboxError where error.code == .notStarted {
            // It died while it waited. Nothing of the job has run.
            return try cage.run(link: link)
        }
    }

    private func take(_ key: WarmKey, _ contents: CageContents) -> Ready? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            state.samples[key] = contents
            guard state.plan.begin(key) else { return nil }
            let ready = state.ready[key]?.popLast()
            if let ready { state.inUse.insert(ready.cage.job.id.text) }
            return ready
        }
    }

    /// Makes ready what the jobs so far let expect, on a thread of its own. Returns at once.
    private func refill(_ key: WarmKey) {
        let isMine = state.withLock { state -> Bool in
            guard !state.isWorking, !state.isClosed else { return false }
            state.isWorking = true
            return true
        }
        guard isMine else { return }
        do {
            try BlockingThread.start { [self] in work(for: key) }
        } catch {
            // No thread to be had: jobs go on without the pool.
            state.withLock { $0.isWorking = false }
        }
    }

    /// Ends every container that waits. Blocks; what is being made is ended by the thread that makes it.
    func close() {
        let all = state.withLock { state -> [Ready] in
            state.isClosed = true
            defer { state.ready = [:] }
            return Array(state.ready.values.joined())
        }
        all.forEach(Self.discard)
        // Chosen: 1 ms; the other thread needs tens of them for the container that it makes.
        while state.withLock({ $0.isWorking }) { usleep(1000) }
    }

    /// Ends every container that waits in a root folder. Blocks. No job of the folder runs or is about to.
    func forget(_ rootFolder: String) {
        let all = state.withLock { state in
            let keys = state.samples.keys.filter { $0.rootFolder == rootFolder }
            return keys.flatMap { key -> [Ready] in
                state.plan.forget(key)
                state.samples[key] = nil
                return state.ready.removeValue(forKey: key) ?? []
            }
        }
        all.forEach(Self.discard)
    }

    /// The job that has just begun writes its first bytes undisturbed. Chosen: ten times what that takes.
    private static let courtesyMicroseconds: UInt32 = 20_000

    private func work(for key: WarmKey) {
        usleep(Self.courtesyMicroseconds)
        for idle in takeIdle() { Self.discard(idle) }
        if let displaced = state.withLock({ state in state.plan.displaced(by: key).flatMap { state.ready[$0]?.popLast() } }) {
            Self.discard(displaced)
        }
        while let (key, contents) = nextToMake() {
            let cage = makeCage(contents)
            do {
                let ready = Ready(cage: cage, box: .init(prepared: try cage.prepare()))
                let isWanted = state.withLock { state -> Bool in
                    // It may have been forgotten meanwhile.
                    let isWanted = !state.isClosed && state.plan.knows(key)
                    state.plan.made(key, isReady: isWanted)
                    if isWanted { state.ready[key, default: []].append(ready) }
                    return isWanted
                }
                if !isWanted { Self.discard(ready) }
            } catch {
                // The next job of this kind meets the same reason, and says it.
                state.withLock { $0.plan.made(key, isReady: false) }
            }
        }
    }

    /// What is to be made next; `nil` ends the work.
    private func nextToMake() -> (WarmKey, CageContents)? {
        let hasRoom = Self.availableMemoryBytes() >= memoryBytesMin
        return state.withLock { state in
            guard !state.isClosed, hasRoom, let key = state.plan.next(), var contents = state.samples[key] else {
                state.isWorking = false
                return nil
            }
            state.made += 1
            guard let id = try? ContainerID("warm-\(state.made)") else { preconditionFailure("a name of ours is well formed") }
            contents.id = id
            contents.input = []
            return (key, contents)
        }
    }

    private func takeIdle() -> [Ready] {
        state.withLock { state in
            guard ContinuousClock.now - state.lastIdleCheck >= Self.idleTime else { return [] }
            state.lastIdleCheck = .now
            let idle = state.plan.forgetIdle(since: &state.idleMark).compactMap { state.ready[$0]?.popLast() }
            for (key, ready) in state.ready where ready.isEmpty { state.ready[key] = nil }
            state.samples = state.samples.filter { state.plan.knows($0.key) }
            return idle
        }
    }

    private static func discard(_ ready: Ready) {
        // What cannot be removed now is removed with the leftovers of the next start.
        try? ready.cage.discard(ready.box.prepared)
    }

    /// Memory that can be had without swapping. Source: Linux, Documentation/filesystems/proc.rst, `MemAvailable`.
    private static func availableMemoryBytes() -> Int {
        // A host that does not say gets no pool.
        guard let text = try? SmallFiles.read("/proc/meminfo"), let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") })
        else { return 0 }
        return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
