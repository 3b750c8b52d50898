/// Jobs that wait for an Island, in an order that is fair between Consumers.
///
/// Each Consumer with waiting jobs has a clock of its own, which moves on with each of its jobs that is taken: by little for a job of high
/// priority, by much for one of low priority. The Consumer whose clock is furthest behind is next, and gives its own job of the highest priority,
/// the oldest of these. So nobody can hold up anybody: who sends a thousand jobs has every second one taken while another has any.
///
/// A Consumer that begins to wait, or that was passed over because nobody could take its jobs, has saved nothing up: its next job counts as one that
/// begins at the virtual time, which is the clock at which the last job was taken and never goes back. So it is first once, and then one of many.
///
/// Source: P. Goyal et al., "Start-time Fair Queueing", IEEE/ACM Transactions on Networking 5(5), 1997.
public struct FairQueue: Sendable {
    /// A job that waits.
    public struct Waiting: Sendable, Hashable {
        /// Its place in the order of arrival, unique and growing.
        public let number: Int
        /// The job.
        public let job: String
        /// Who sent it.
        public let consumer: String
        /// 0–100, higher first.
        public let priority: Int
        /// What it needs, as a key: jobs of one kind are placed alike.
        public let kind: Int

        /// A job that waits.
        public init(number: Int, job: String, consumer: String, priority: Int, kind: Int) {
            self.number = number
            self.job = job
            self.consumer = consumer
            self.priority = min(max(0, priority), 100)
            self.kind = kind
        }

        /// What its Consumer's clock moves on by. Chosen: a job of priority 100 a hundredth of one of priority 0.
        var cost: Int { 101 - priority }
        /// The smaller one is first.
        var rank: Rank { Rank(low: -priority, number: number) }
    }

    /// What became of a job that was offered.
    public enum Answer: Sendable {
        /// It is placed: it leaves, and its Consumer's clock moves on.
        case placed
        /// Nobody can take a job of its kind now: it stays.
        case unplaceable
        /// It waits no more, for example because it was cancelled: it leaves, and costs its Consumer nothing.
        case gone
    }

    /// High priority first, then the oldest.
    struct Rank: Sendable, Hashable, Comparable {
        let low: Int
        let number: Int

        static func < (left: Rank, right: Rank) -> Bool { left.low == right.low ? left.number < right.number : left.low < right.low }
    }

    private struct Line: Sendable {
        var clock = 0
        /// By kind; none is empty.
        var jobs: [Int: PriorityHeap<Waiting>] = [:]

        /// The kind of the first job whose kind is not left out.
        func first(skipping kinds: Set<Int>) -> Int? {
            var best: (kind: Int, rank: Rank)?
            for (kind, heap) in jobs where !kinds.contains(kind) {
                guard let rank = heap.first?.rank else { continue }
                if best.map({ rank < $0.rank }) ?? true { best = (kind, rank) }
            }
            return best?.kind
        }
    }

    private struct Turn: Sendable, Comparable {
        let clock: Int
        let consumer: String

        static func < (left: Turn, right: Turn) -> Bool { left.clock == right.clock ? left.consumer < right.consumer : left.clock < right.clock }
    }

    /// Consumers with waiting jobs.
    private var lines: [String: Line] = [:]
    /// One turn for each line.
    private var turns = PriorityHeap<Turn>()
    /// The virtual time: who comes anew begins here.
    private var now = 0
    /// Clocks of Consumers without waiting jobs that are ahead of the others.
    private var ahead: [String: Int] = [:]
    /// How many jobs wait of each kind; none is 0.
    private var countsByKind: [Int: Int] = [:]
    /// How many jobs wait, with those that are gone and were not found to be.
    public private(set) var count = 0

    /// Nothing waits.
    public init() {}

    /// How many jobs of a kind wait, with those that are gone and were not found to be.
    public func count(ofKind kind: Int) -> Int { countsByKind[kind] ?? 0 }

    /// Adds a job.
    public mutating func add(_ job: Waiting) {
        if lines[job.consumer] == nil {
            let clock = max(now, ahead.removeValue(forKey: job.consumer) ?? now)
            lines[job.consumer] = Line(clock: clock)
            turns.insert(Turn(clock: clock, consumer: job.consumer))
        }
        lines[job.consumer]?.jobs[job.kind, default: PriorityHeap()].insert(job)
        countsByKind[job.kind, default: 0] += 1
        count += 1
    }

    /// Takes jobs that can be placed, in their order; what cannot be placed stays where it is and holds nobody up.
    ///
    /// - Parameters:
    ///   - limit: jobs to place at most; those that are gone do not count.
    ///   - place: tries to place a job; it is asked once for each kind that cannot be placed.
    /// - Returns: how many were placed.
    @discardableResult
    public mutating func take(upTo limit: Int, place: (Waiting) -> Answer) -> Int {
        var unplaceable: Set<Int> = []
        var passedOver: [Turn] = []
        var taken = 0
        while taken < limit, let turn = turns.popFirst() {
            let isServed = serveOne(of: turn.consumer, &unplaceable, place)
            if isServed { taken += 1 }
            guard let clock = leaveIfEmpty(turn.consumer) else { continue }
            if isServed { turns.insert(Turn(clock: clock, consumer: turn.consumer)) } else { passedOver.append(turn) }
        }
        // With the clock that they had: who has waited longest for the same Island is the first to get it.
        for turn in passedOver { turns.insert(turn) }
        return taken
    }

    /// Removes jobs that wait no more, which costs their Consumers nothing. Takes as long as there are jobs.
    public mutating func remove(where isGone: (Waiting) -> Bool) {
        for consumer in Array(lines.keys) {
            for (kind, jobs) in lines[consumer]?.jobs ?? [:] {
                var left = jobs
                left.removeAll(where: isGone)
                guard left.count < jobs.count else { continue }
                lines[consumer]?.jobs[kind] = left.isEmpty ? nil : left
                forget(jobs.count - left.count, ofKind: kind)
            }
            _ = leaveIfEmpty(consumer)
        }
        let left = lines
        turns.removeAll { left[$0.consumer] == nil }
    }

    /// Offers a Consumer's jobs until one is placed; `false` if none was.
    private mutating func serveOne(of consumer: String, _ unplaceable: inout Set<Int>, _ place: (Waiting) -> Answer) -> Bool {
        var kindsTried = 0
        while kindsTried < Self.kindsTriedMax, let kind = lines[consumer]?.first(skipping: unplaceable), let job = lines[consumer]?.jobs[kind]?.first
        {
            switch place(job) {
            case .placed:
                removeFirst(of: kind, from: consumer)
                // Further behind than the virtual time is only who was passed over.
                now = max(now, lines[consumer]?.clock ?? now)
                lines[consumer]?.clock = now + job.cost
                return true
            case .unplaceable:
                unplaceable.insert(kind)
                kindsTried += 1
            case .gone: removeFirst(of: kind, from: consumer)
            }
        }
        return false
    }

    /// Chosen: kinds of one Consumer that are found unplaceable before the next Consumer's turn, so that nobody's strange wishes take all the time.
    private static let kindsTriedMax = 16

    private mutating func removeFirst(of kind: Int, from consumer: String) {
        _ = lines[consumer]?.jobs[kind]?.popFirst()
        if lines[consumer]?.jobs[kind]?.isEmpty == true { lines[consumer]?.jobs[kind] = nil }
        forget(1, ofKind: kind)
    }

    private mutating func forget(_ gone: Int, ofKind kind: Int) {
        count -= gone
        let left = count(ofKind: kind) - gone
        countsByKind[kind] = left > 0 ? left : nil
    }

    /// Ends the waiting of a Consumer that has no jobs left; the clock of one that has some.
    private mutating func leaveIfEmpty(_ consumer: String) -> Int? {
        guard let line = lines[consumer] else { return nil }
        guard line.jobs.isEmpty else { return line.clock }
        lines[consumer] = nil
        if line.clock > now { ahead[consumer] = line.clock }
        if ahead.count > Self.aheadMax { ahead = ahead.filter { $0.value > now } }
        return nil
    }

    /// Chosen: clocks that are kept before those that no longer matter are dropped.
    private static let aheadMax = 10_000
}

extension FairQueue.Waiting: Comparable {
    /// High priority first, then the oldest.
    public static func < (left: FairQueue.Waiting, right: FairQueue.Waiting) -> Bool { left.rank < right.rank }
}

/// A binary heap: the smallest element is first.
struct PriorityHeap<Element: Comparable & Sendable>: Sendable {
    private var elements: [Element] = []

    var isEmpty: Bool { elements.isEmpty }
    var count: Int { elements.count }
    var first: Element? { elements.first }

    mutating func insert(_ element: Element) {
        elements.append(element)
        var place = elements.count - 1
        while place > 0, elements[place] < elements[(place - 1) / 2] {
            elements.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func popFirst() -> Element? {
        guard let first = elements.first, let last = elements.popLast() else { return nil }
        if elements.isEmpty { return first }
        elements[0] = last
        sink(from: 0)
        return first
    }

    /// Takes as long as there are elements.
    mutating func removeAll(where isGone: (Element) -> Bool) {
        elements.removeAll(where: isGone)
        for place in (0..<elements.count / 2).reversed() { sink(from: place) }
    }

    private mutating func sink(from start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < elements.count && elements[child] < elements[least] { least = child }
            if least == place { return }
            elements.swapAt(place, least)
            place = least
        }
    }
}
