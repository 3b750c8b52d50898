import Domain
import TestSupport
import Testing

@Suite struct FairQueueTests {
    private static func job(_ number: Int, _ consumer: String = "a", priority: Int = 50, kind: Int = 0) -> FairQueue.Waiting {
        FairQueue.Waiting(number: number, job: "job-\(number)", consumer: consumer, priority: priority, kind: kind)
    }

    /// Takes all, in order.
    private static func drain(_ queue: inout FairQueue) -> [Int] {
        var numbers: [Int] = []
        queue.take(upTo: .max) { job in
            numbers.append(job.number)
            return .placed
        }
        return numbers
    }

    @Test func highPriorityFirstThenTheOldest() {
        var queue = FairQueue()
        for (number, priority) in [(1, 50), (2, 10), (3, 100), (4, 50), (5, 100), (6, 0)] { queue.add(Self.job(number, priority: priority)) }
        #expect(queue.count == 6)
        #expect(Self.drain(&queue) == [3, 5, 1, 4, 2, 6])
        #expect(queue.count == 0)
    }

    @Test func aConsumerWithAThousandJobsDoesNotHoldUpOneWithThree() {
        var queue = FairQueue()
        for number in 1...1000 { queue.add(Self.job(number, "many")) }
        for number in 1001...1003 { queue.add(Self.job(number, "few")) }
        let order = Self.drain(&queue)
        #expect(order.firstIndex(of: 1003).map { $0 < 8 } == true)
    }

    @Test func highPriorityGetsMoreAndLowPriorityIsNotStarved() {
        var queue = FairQueue()
        for number in 1...10_000 { queue.add(Self.job(number, "high", priority: 100)) }
        for number in 10_001...10_100 { queue.add(Self.job(number, "low", priority: 0)) }
        let order = Self.drain(&queue)
        let lows = order.indices.filter { order[$0] > 10_000 }
        #expect(lows[9] < 1100)
        #expect(lows[9] > 900)
    }

    @Test func whoWasAwayHasSavedNothingUp() {
        var queue = FairQueue()
        for number in 1...100 { queue.add(Self.job(number, "a")) }
        #expect(queue.take(upTo: 50) { _ in .placed } == 50)
        for number in 101...200 { queue.add(Self.job(number, "b")) }
        let order = Self.drain(&queue)
        // From here on in turns, and not all of b's first.
        #expect(order.prefix(20).filter { $0 > 100 }.count == 10)
    }

    @Test func whoComesBackAtOnceHasNotForgottenWhatItTook() {
        var queue = FairQueue()
        queue.add(Self.job(1, "b"))
        var served: [String] = []
        // a sends each job when the one before is taken; b has all of its jobs there.
        for number in 2...20 { queue.add(Self.job(number, "b")) }
        for number in 100..<120 {
            queue.add(Self.job(number, "a"))
            queue.take(upTo: 2) { job in
                served.append(job.consumer)
                return .placed
            }
        }
        #expect(abs(served.filter { $0 == "a" }.count - served.filter { $0 == "b" }.count) <= 2)
    }

    @Test func whatCannotBePlacedStaysAndHoldsNobodyUp() {
        var queue = FairQueue()
        queue.add(Self.job(1, "a", priority: 100, kind: 7))
        queue.add(Self.job(2, "a", kind: 0))
        queue.add(Self.job(3, "b", kind: 7))
        queue.add(Self.job(4, "b", kind: 0))
        var asked = 0
        var taken: [Int] = []
        queue.take(upTo: .max) { job in
            asked += 1
            if job.kind != 7 { taken.append(job.number) }
            return job.kind == 7 ? .unplaceable : .placed
        }
        #expect(taken == [2, 4])
        #expect(asked == 3)
        #expect(queue.count == 2)
        #expect(Set(Self.drain(&queue)) == [1, 3])
    }

    @Test func strangeWishesOfOneConsumerTakeNobodysTime() {
        var queue = FairQueue()
        for kind in 1...1000 { queue.add(Self.job(kind, "strange", kind: kind)) }
        queue.add(Self.job(2000, "plain"))
        var asked = 0
        #expect(
            queue.take(upTo: .max) { job in
                asked += 1
                return job.kind == 0 ? .placed : .unplaceable
            } == 1)
        #expect(asked == 17)
        #expect(queue.count == 1000)
    }

    // MARK: Who was passed over

    /// A queue in which "parked" has a job that nobody can take, kind 7, while many of "busy" are taken; some of these still wait.
    private static func queueWithAParkedJob() -> FairQueue {
        var queue = FairQueue()
        queue.add(job(1, "parked", kind: 7))
        for number in 2...1000 { queue.add(job(number, "busy")) }
        for _ in 1...800 { queue.take(upTo: 1) { $0.kind == 7 ? .unplaceable : .placed } }
        return queue
    }

    @Test func aParkedJobBuysItsConsumerNoPrecedence() {
        var queue = Self.queueWithAParkedJob()
        for number in 1001...1200 { queue.add(Self.job(number, "parked")) }
        let order = Self.drain(&queue)
        // From here on in turns, and not all of those that were sent later first.
        #expect((9...11).contains(order.prefix(20).filter { $0 > 1000 || $0 == 1 }.count))
    }

    /// The job that could not be taken is, in the end; who comes then begins where the others are.
    @Test func theVirtualTimeNeverGoesBack() {
        var queue = Self.queueWithAParkedJob()
        var first: Int?
        queue.take(upTo: 1) { job in
            first = job.number
            return .placed
        }
        #expect(first == 1)
        for number in 1001...1200 { queue.add(Self.job(number, "new")) }
        let order = Self.drain(&queue)
        #expect((9...11).contains(order.prefix(20).filter { $0 > 1000 }.count))
    }

    /// Two wait for the one Island of its kind, which is seldom free, while others are served all the time: neither has to wait for ever.
    @Test func aScarceIslandIsSharedByThoseWhoWaitForIt() {
        var queue = FairQueue()
        for number in 1...100 { queue.add(Self.job(number, "a", priority: 0, kind: 7)) }
        for number in 101...200 { queue.add(Self.job(number, "b", priority: 100, kind: 7)) }
        for number in 201...5000 { queue.add(Self.job(number, "busy")) }
        var scarce: [String] = []
        for round in 1...1000 {
            let isFree = round.isMultiple(of: 20)
            queue.take(upTo: 1) { job in
                guard job.kind == 7 else { return .placed }
                guard isFree else { return .unplaceable }
                scarce.append(job.consumer)
                return .placed
            }
        }
        #expect(scarce.count == 50)
        #expect(scarce.filter { $0 == "a" }.count >= 20)
        #expect(scarce.filter { $0 == "b" }.count >= 20)
    }

    // MARK: What waits no more

    @Test func whatIsGoneDoesNotCount() {
        var queue = FairQueue()
        for number in 1...300 { queue.add(Self.job(number)) }
        queue.add(Self.job(301, priority: 0))
        var placed: [Int] = []
        let taken = queue.take(upTo: 1) { job in
            if job.number <= 300 { return .gone }
            placed.append(job.number)
            return .placed
        }
        #expect(taken == 1)
        #expect(placed == [301])
        #expect(queue.count == 0)
    }

    /// Who cancels a hundred jobs has taken nothing, and stands where it stood.
    @Test(arguments: [true, false]) func whatIsGoneCostsNothing(isRemoved: Bool) {
        var queue = FairQueue()
        for number in 1...100 { queue.add(Self.job(number, "a", priority: 51)) }
        for number in 101...110 { queue.add(Self.job(number, "a")) }
        for number in 201...210 { queue.add(Self.job(number, "b")) }
        if isRemoved { queue.remove { $0.number <= 100 } }
        var order: [Int] = []
        queue.take(upTo: .max) { job in
            if job.number <= 100 { return .gone }
            order.append(job.number)
            return .placed
        }
        #expect(order == (1...10).flatMap { [100 + $0, 200 + $0] })
    }

    @Test func whoseJobsAreAllGoneHasNotForgottenWhatItTook() {
        var queue = FairQueue()
        for number in 1...3 { queue.add(Self.job(number, "a", priority: 0)) }
        for number in 11...20 { queue.add(Self.job(number, "b", priority: 100)) }
        #expect(queue.take(upTo: 1) { _ in .placed } == 1)
        queue.remove { $0.consumer == "a" }
        queue.add(Self.job(30, "a"))
        #expect(Self.drain(&queue).last == 30)
    }

    /// However often a Consumer comes and goes, it has one turn.
    @Test func removingLeavesNoTurnBehind() {
        var queue = FairQueue()
        queue.add(Self.job(1, "parked", kind: 7))
        for number in 2...2000 {
            queue.add(Self.job(number, "a"))
            queue.remove { $0.consumer == "a" }
        }
        #expect(queue.count == 1)
        queue.add(Self.job(3000, "a", kind: 8))
        var asked = 0
        queue.take(upTo: .max) { _ in
            asked += 1
            return .unplaceable
        }
        #expect(asked == 2)
        #expect(Set(Self.drain(&queue)) == [1, 3000])
    }

    @Test func jobsAreCountedByKind() {
        var queue = FairQueue()
        for (number, kind) in [(1, 0), (2, 0), (3, 1), (4, 2), (5, 2)] { queue.add(Self.job(number, number == 2 ? "b" : "a", kind: kind)) }
        #expect((0...3).map { queue.count(ofKind: $0) } == [2, 1, 2, 0])
        queue.take(upTo: 1) { $0.kind == 0 ? .placed : .unplaceable }
        #expect((0...3).map { queue.count(ofKind: $0) } == [1, 1, 2, 0])
        queue.take(upTo: 0) { _ in .placed }
        queue.take(upTo: 1) { $0.kind == 1 ? .gone : .unplaceable }
        #expect((0...3).map { queue.count(ofKind: $0) } == [1, 0, 2, 0])
        queue.remove { $0.number == 4 }
        #expect((0...3).map { queue.count(ofKind: $0) } == [1, 0, 1, 0])
        #expect(queue.count == 2)
        _ = Self.drain(&queue)
        #expect((0...3).map { queue.count(ofKind: $0) } == [0, 0, 0, 0])
    }

    // MARK: All of it

    /// Whatever comes, goes and is gone: each job is given once, and of two of one Consumer and kind the better one first.
    @Test func nothingIsLostOrGivenTwice() {
        var random = SplitMix64(state: 11)
        var queue = FairQueue()
        var waiting: [Int: FairQueue.Waiting] = [:]
        var gone: Set<Int> = []
        for number in 1...20_000 {
            let job = Self.job(
                number, "c\(Int.random(in: 0..<7, using: &random))", priority: Int.random(in: 0...100, using: &random),
                kind: Int.random(in: 0..<3, using: &random))
            queue.add(job)
            waiting[number] = job
            let cancelled = Int.random(in: max(1, number - 50)...number, using: &random)
            if Int.random(in: 0..<5, using: &random) == 0, waiting.removeValue(forKey: cancelled) != nil { gone.insert(cancelled) }
            if Int.random(in: 0..<100, using: &random) == 0 {
                queue.remove { gone.contains($0.number) }
                gone = []
                #expect(queue.count == waiting.count)
            }
            guard Bool.random(using: &random) else { continue }
            let closed = Int.random(in: 0..<4, using: &random)
            var taken: FairQueue.Waiting?
            queue.take(upTo: 1) { job in
                if gone.remove(job.number) != nil { return .gone }
                if job.kind != closed { taken = job }
                return job.kind == closed ? .unplaceable : .placed
            }
            guard let next = taken else {
                #expect(waiting.values.allSatisfy { $0.kind == closed })
                continue
            }
            #expect(waiting.removeValue(forKey: next.number) == next)
            let better = waiting.values.contains { $0.consumer == next.consumer && $0.kind == next.kind && $0 < next }
            #expect(!better)
            #expect(queue.count == waiting.count + gone.count)
            #expect((0..<3).map { queue.count(ofKind: $0) }.reduce(0, +) == queue.count)
        }
        queue.remove { gone.contains($0.number) }
        #expect(Set(Self.drain(&queue)) == Set(waiting.keys))
    }
}

@Suite struct KarmaTests {
    @Test func anHourOfGoodWorkIsAPoint() {
        var karma = Karma()
        #expect(karma.work(milliseconds: 3_599_999) == 0)
        #expect(karma.work(milliseconds: 1) == 1)
        #expect(karma.work(milliseconds: 2 * 3_600_000 + 5) == 2)
        #expect(karma.points == 3)
        #expect(karma.workMilliseconds == 5)
        #expect(karma.work(milliseconds: -1) == 0)
    }

    @Test(arguments: [
        (FaultClass.island, "lease_lost", 5), (.island, "overdue", 5), (.island, "island_restarted", 2), (.island, "level_not_enforced", 3),
        (.island, "not_found", 0), (.island, "digest_mismatch", 0), (.island, "hostile_layer", 0), (.island, "no_matching_platform", 0),
        (.island, "signature_invalid", 0), (.island, "registry_unavailable", 1), (.island, "rate_limited", 1), (.island, "storage_failure", 3),
        (.platform, "link_lost", 0), (.cargo, "timeout", 0), (.consumer, "cancelled", 0), (.input, "x", 0),
    ])
    func faultsCost(fault: FaultClass, code: String, penalty: Int) {
        #expect(KarmaRule.penalty(for: JobFailure(fault: fault, code: code, message: "")) == penalty)
    }

    /// What costs an incident once costs the next one again; other faults cost each time.
    @Test(
        arguments: [
            ("lease_lost", nil, 5), ("lease_lost", 0, 0), ("lease_lost", 59, 0), ("lease_lost", 60, 5), ("island_restarted", 59, 0),
            ("island_restarted", 60, 2), ("overdue", 0, 5), ("storage_failure", 0, 3), ("registry_unavailable", 59, 0),
            ("registry_unavailable", 60, 1),
        ] as [(String, Int?, Int)]) func anIncidentCostsOnce(code: String, seconds: Int?, penalty: Int)
    {
        let failure = JobFailure(fault: .island, code: code, message: "")
        #expect(KarmaRule.penalty(for: failure, sinceIncident: seconds.map { .seconds($0) }) == penalty)
    }

    @Test func timeMendsWhatIsBelowZero() {
        var karma = Karma(points: -3)
        #expect(karma.recover(after: 599_999) == 0)
        #expect(karma.recover(after: 1_200_000) == 2)
        #expect(karma.recover(after: 86_400_000) == 1)
        #expect(karma.recover(after: 86_400_000) == 0)
        #expect(karma.points == 0)
        karma.lose(4)
        #expect(karma.points == -4)
    }
}
