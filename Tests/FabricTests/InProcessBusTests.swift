import Fabric
import Testing

@Suite(.timeLimit(.minutes(5))) struct InProcessBusTests {
    @Test func aSignalWakesItsListener() async {
        let bus = InProcessBus()
        let signals = bus.signals(on: "a")
        bus.signal("a")
        for await _ in signals { break }
    }

    @Test func aSignalThatNobodyHearsIsLost() async {
        let bus = InProcessBus()
        bus.signal("a")
        let signals = bus.signals(on: "a")
        bus.signal("b")
        let waiting = Task {
            for await _ in signals { return true }
            return false
        }
        waiting.cancel()
        #expect(await waiting.value == false)
    }

    @Test func signalsThatComeWhileTheListenerIsBusyAreOne() async {
        let bus = InProcessBus()
        let signals = bus.signals(on: "a")
        for _ in 0..<1000 { bus.signal("a") }
        var heard = 0
        for await _ in signals {
            heard += 1
            // Only what was signalled before is there: ending the stream now shows what is left in it.
            if heard == 1 { withUnsafeCurrentTask { $0?.cancel() } }
        }
        #expect(heard == 1)
    }

    @Test func aSignalAfterTheListenerLookedWakesItAgain() async {
        let bus = InProcessBus()
        let listener = bus.signals(on: "a").makeAsyncIterator()
        for _ in 0..<100 {
            bus.signal("a")
            #expect(await listener.next() != nil)
        }
    }

    @Test func everyListenerOfATopicIsWokenAndNoOther() async {
        let bus = InProcessBus()
        let first = bus.signals(on: "a")
        let second = bus.signals(on: "a")
        let other = bus.signals(on: "b")
        #expect(bus.listenerCount == 3)
        bus.signal("a")
        for await _ in first { break }
        for await _ in second { break }
        let waiting = Task {
            for await _ in other { return true }
            return false
        }
        waiting.cancel()
        #expect(await waiting.value == false)
    }

    @Test func aListenerWhoseTaskIsCancelledIsForgotten() async {
        let bus = InProcessBus()
        let tasks = (0..<50).map { number in
            let signals = bus.signals(on: "topic \(number % 5)")
            return Task { for await _ in signals {} }
        }
        #expect(bus.listenerCount == 50)
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        #expect(bus.listenerCount == 0)
    }

    @Test func aListenerThatIsDroppedIsForgotten() {
        let bus = InProcessBus()
        do { _ = bus.signals(on: "a") }
        #expect(bus.listenerCount == 0)
    }

    @Test func aTopicWithoutListenersTakesSignals() {
        let bus = InProcessBus()
        for number in 0..<1000 { bus.signal("topic \(number)") }
        #expect(bus.listenerCount == 0)
    }

    @Test func newsOfJoinedSignalsIsGatheredInOrder() async {
        let bus = InProcessBus()
        let signals = bus.signals(on: "a")
        for number in 0..<3 { bus.signal("a", news: number) }
        let signal = await signals.next()
        #expect(signal?.news as? [Int] == [0, 1, 2])
        #expect(signal?.mayBeMore == false)
        bus.signal("a", news: 3)
        bus.signal("a")
        let more = await signals.next()
        #expect(more?.news as? [Int] == [3])
        #expect(more?.mayBeMore == true)
    }

    @Test func aSlowListenerKeepsTheNewestNewsAndKnowsThatThereWasMore() async {
        let bus = InProcessBus()
        let signals = bus.signals(on: "a")
        for number in 0...SignalListener.newsMax { bus.signal("a", news: number) }
        let signal = await signals.next()
        #expect(signal?.news as? [Int] == Array(1...SignalListener.newsMax))
        #expect(signal?.mayBeMore == true)
    }

    @Test func newsReachesEveryListenerThatWaits() async {
        let bus = InProcessBus()
        let heard = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<10 {
                let signals = bus.signals(on: "a")
                group.addTask { await signals.next()?.news.first as? Int ?? -1 }
            }
            bus.signal("a", news: 7)
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(heard == Array(repeating: 7, count: 10))
    }

    @Test func manySendersAndListenersLoseNoLastSignal() async {
        let bus = InProcessBus()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                let signals = bus.signals(on: "topic \(number % 4)")
                group.addTask { for await _ in signals { break } }
            }
            for number in 0..<20 { group.addTask { for _ in 0..<100 { bus.signal("topic \(number % 4)") } } }
        }
        #expect(bus.listenerCount == 0)
    }
}
