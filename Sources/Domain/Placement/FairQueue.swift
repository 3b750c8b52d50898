/// Jobs that wait for an Island, in an order that is fair between Consumers.
///
/// Each Consumer with waiting jobs has a clock of its own, which moves on with each of its jobs that is taken: by little for a job of high
/// priority, by much for one of low priority. The Consumer whose clock is furthest behind is next, and gives its own job of the highest priority,
/// the oldest of these. So nobody can hold up anybody: who sends a thousand jobs has every second one taken while another has any.
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

    private var lines: [String: Line] = [:]
    /// A turn for each line; one whose clock is no longer its line's is passed over.
    private var turns = PriorityHeap<Turn>()
    /// The clock of the Consumer that was served last: who comes anew begins here, and has saved nothing up.
    private var now = 0
    /// Clocks of Consumers without waiting jobs that are ahead of the others.
    private var ahead: [String: Int] = [:]
    /// How many jobs wait.
    public private(set) var count = 0

    /// Nothing waits.
    public init() {}

    /// Adds a job.
    public mutating func add(_ job: Waiting) {
        if lines[job.consumer] == nil {
            let clock = max(now, ahead.removeValue(forKey: job.consumer) ?? now)
            lines[job.consumer] = Line(clock: clock)
            turns.insert(Turn(clock: clock, consumer: job.consumer))
        }
        lines[job.consumer]?.jobs[job.kind, default: PriorityHeap()].insert(job)
        count += 1
    }

    /// Takes jobs that can be placed, in their order; what cannot be placed stays where it is and holds nobody up.
    ///
    /// - Parameters:
    ///   - limit: jobs to take at most.
    ///   - place: tries to place a job; it is asked once for each kind that cannot be placed.
    /// - Returns: how many were taken.
    @discardableResult
    public mutating func take(upTo limit: Int, place: (Waiting) -> Bool) -> Int {
        var unplaceable: Set<Int> = []
        var passedOver: [Turn] = []
        defer { passedOver.forEach { turns.insert($0) } }
        var taken = 0
        while taken < limit, let turn = turns.popFirst() {
            guard lines[turn.consumer]?.clock == turn.clock else { continue }
            if serveOne(of: turn.consumer, &unplaceable, place) { taken += 1 } else { passedOver.append(turn) }
        }
        return taken
    }

    /// Takes a Consumer's first job that can be placed.
    private mutating func serveOne(of consumer: String, _ unplaceable: inout Set<Int>, _ place: (Waiting) -> Bool) -> Bool {
        for _ in 0..<Self.kindsTriedMax {
            guard let kind = lines[consumer]?.first(skipping: unplaceable), let job = lines[consumer]?.jobs[kind]?.first else { return false }
            if place(job) {
                serve(job)
                return true
            }
            unplaceable.insert(kind)
        }
        return false
    }

    /// Chosen: kinds of one Consumer that are found unplaceable before the next Consumer's turn, so that nobody's strange wishes take all the time.
    private static let kindsTriedMax = 16

    private mutating func serve(_ job: Waiting) {
        guard var line = lines.removeValue(forKey: job.consumer) else { return }
        _ = line.jobs[job.kind]?.popFirst()
        if line.jobs[job.kind]?.isEmpty == true { line.jobs[job.kind] = nil }
        count -= 1
        now = line.clock
        line.clock += job.cost
        if line.jobs.isEmpty {
            ahead[job.consumer] = line.clock
            if ahead.count > Self.aheadMax { ahead = ahead.filter { $0.value > now } }
        } else {
            lines[job.consumer] = line
            turns.insert(Turn(clock: line.clock, consumer: job.consumer))
        }
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
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < elements.count && elements[child] < elements[least] { least = child }
            if least == place { return first }
            elements.swapAt(place, least)
            place = least
        }
    }
}
