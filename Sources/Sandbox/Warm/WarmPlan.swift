/// Decides how many containers are kept ready, and which: pure, so that it can be tested without any.
///
/// Each kind of job gets as many as it lately had at once, at most ``perKeyMax``; all together at most ``totalMax``. What was not asked for
/// longest gives way.
struct WarmPlan: Sendable {
    /// Containers ready for one kind of job, at most.
    let perKeyMax: Int
    /// Containers ready in all, at most.
    let totalMax: Int

    private struct Kind {
        var running = 0
        /// The most that ran at once since the demand was last forgotten.
        var demand = 0
        var ready = 0
        /// Being made.
        var coming = 0
        var lastAskedAt: Int
    }

    private var kinds: [WarmKey: Kind] = [:]
    private var clock = 0

    init(perKeyMax: Int, totalMax: Int) {
        precondition(perKeyMax >= 0 && totalMax >= 0, "there is no negative container")
        self.perKeyMax = perKeyMax
        self.totalMax = totalMax
    }

    /// A job begins.
    ///
    /// - Returns: whether a container is ready for it; it then is taken.
    mutating func begin(_ key: WarmKey) -> Bool {
        clock += 1
        var kind = kinds[key] ?? Kind(lastAskedAt: clock)
        kind.lastAskedAt = clock
        kind.running += 1
        kind.demand = max(kind.demand, kind.running)
        let isReady = kind.ready > 0
        if isReady { kind.ready -= 1 }
        kinds[key] = kind
        return isReady
    }

    /// A job is over.
    mutating func end(_ key: WarmKey) { kinds[key]?.running -= 1 }

    /// What to make now, if anything: one of a kind that has fewer than it needs. It counts as coming until ``made(_:_:)``.
    mutating func next() -> WarmKey? {
        guard kinds.values.reduce(0, { $0 + $1.ready + $1.coming }) < totalMax else { return nil }
        let wanting = kinds.filter { min($0.value.demand, perKeyMax) > $0.value.ready + $0.value.coming }
        guard let key = wanting.max(by: { $0.value.lastAskedAt < $1.value.lastAskedAt })?.key else { return nil }
        kinds[key]?.coming += 1
        return key
    }

    /// What was coming is there, or could not be made.
    mutating func made(_ key: WarmKey, isReady: Bool) {
        kinds[key]?.coming -= 1
        if isReady { kinds[key]?.ready += 1 } else { kinds[key]?.demand = 0 }
    }

    /// Makes room for a kind that is asked for and has none, when the total is reached: the kind to take one from.
    mutating func displaced(by key: WarmKey) -> WarmKey? {
        guard kinds.values.reduce(0, { $0 + $1.ready + $1.coming }) >= totalMax, let asking = kinds[key], asking.ready + asking.coming == 0 else {
            return nil
        }
        let oldest = kinds.filter { $0.key != key && $0.value.ready > 0 && $0.value.lastAskedAt < asking.lastAskedAt }
            .min { $0.value.lastAskedAt < $1.value.lastAskedAt }?.key
        if let oldest { kinds[oldest]?.ready -= 1 }
        return oldest
    }

    /// Forgets every kind that nobody asked for since the last call, and lowers the others' demand to what runs now.
    ///
    /// - Returns: a kind for each container that is not wanted any more.
    mutating func forgetIdle(since mark: inout Int) -> [WarmKey] {
        var surplus: [WarmKey] = []
        for (key, kind) in kinds {
            let isIdle = kind.lastAskedAt <= mark && kind.running == 0 && kind.coming == 0
            let wanted = isIdle ? 0 : min(max(kind.demand, 1), perKeyMax)
            surplus += Array(repeating: key, count: max(0, kind.ready - wanted))
            kinds[key]?.ready = min(kind.ready, wanted)
            kinds[key]?.demand = kind.running
            if isIdle { kinds[key] = nil }
        }
        mark = clock
        return surplus
    }

    /// Forgets a kind, whatever it has.
    mutating func forget(_ key: WarmKey) { kinds[key] = nil }

    /// Whether a kind was asked for lately.
    func knows(_ key: WarmKey) -> Bool { kinds[key] != nil }

    /// Containers ready now, for tests and figures.
    var readyCount: Int { kinds.values.reduce(0) { $0 + $1.ready } }
}
