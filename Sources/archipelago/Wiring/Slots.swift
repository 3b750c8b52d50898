/// A number of places that are taken and given back, first come first served.
actor Slots {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameter count: at least 1.
    init(_ count: Int) {
        precondition(count > 0, "somebody must get a place")
        free = count
    }

    /// Runs `body` in a place of its own. A cancelled task waits for its turn too, and finds out in `body`.
    nonisolated func with<Value: Sendable>(_ body: () async -> Value) async -> Value {
        await take()
        let value = await body()
        await giveBack()
        return value
    }

    private func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
