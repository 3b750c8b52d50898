/// Waits until a condition holds, for states that announce nothing (a channel that has gone, a reader that is held back): the one place
/// that looks again after a pause. 30 seconds are more than anything here takes;
/// whoever waits so long has found a mistake.
public func eventually(isolation: isolated (any Actor)? = #isolation, _ condition: () async -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(30)
    while clock.now < deadline {
        if await condition() { return true }
        // Cancelled when the test's time is up.
        guard (try? await clock.sleep(for: .milliseconds(2))) != nil else { break }
    }
    return await condition()
}
