import ArgumentParser

/// `archipelago bench …`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure on this machine; build with '-c release' before you quote a number.",
        subcommands: [BenchJobs.self, BenchPlacement.self, BenchRegistry.self, BenchSandbox.self, BenchSigstore.self, BenchStreams.self])
}
