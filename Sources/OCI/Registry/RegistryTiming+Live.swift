extension RegistryTiming {
    /// The machine's monotonic clock and random numbers. For executables and other live places.
    public static var live: RegistryTiming {
        let clock = ContinuousClock()
        let start = clock.now
        return RegistryTiming(
            uptime: { start.duration(to: clock.now) },
            sleep: { try await clock.sleep(for: $0) },
            jitter: { Double.random(in: 0..<1) })
    }
}
