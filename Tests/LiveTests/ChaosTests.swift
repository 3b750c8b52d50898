import JSON
import Testing

extension Live {
    /// The short form of the crash harness; `make chaos` runs the long one.
    @Suite struct ChaosTests {
        @Test func nothingIsLostOrPaidTwiceWhoeverIsKilled() async throws {
            try Machine.requireReady()
            let result = try await ChildProcess.run(
                try Machine.executable(), ["chaos", "--seed", "1", "--kills", "12", "--jobs", "300", "--within", "200", "--json"],
                within: .seconds(240))
            let found = try? JSONValue(parsing: result.stdout)
            #expect(result.exit == 0, "\(result)")
            #expect(found?["faults"] == [])
            #expect((found?["jobs"]?.int ?? 0) >= 300)
        }
    }
}
