import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

/// Static programs to run in cages, each compiled once a run of the tests: those of `Programs` beside this file, and the package's examples.
enum Programs {
    private static let built = Mutex<Set<String>>([])
    private static let folder = URL(fileURLWithPath: cageEntryPath).deletingLastPathComponent().path + "/sandbox-programs"
    private static let testFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    /// The folder of the whole package.
    static let packageFolder = testFolder.deletingLastPathComponent().deletingLastPathComponent().path
    private static let sourceFolders = [
        testFolder.path + "/Programs", packageFolder + "/Examples/text-stats", packageFolder + "/Examples/misbehaving",
    ]

    /// Returns the path of the static program made of `NAME.c`.
    static func path(_ name: String) throws -> String {
        try built.withLock { built in
            let path = "\(folder)/\(name)"
            if !built.contains(name) {
                let sources = sourceFolders.map { "\($0)/\(name).c" }
                let source = try #require(sources.first { FileManager.default.fileExists(atPath: $0) }, "\(name).c")
                mkdir(folder, 0o755)
                let nothing = try Descriptor.open("/dev/null", O_RDWR)
                let standardError = Descriptor(taking: fcntl(2, F_DUPFD_CLOEXEC, 3))
                let compiler = try ChildProcess(
                    path: "/usr/bin/cc", arguments: ["-O2", "-static", "-o", path, source], environment: ["PATH=/usr/bin:/bin"],
                    descriptors: [nothing, nothing, standardError])
                try #require(try compiler.reap() == 0, "cc \(name).c")
                built.insert(name)
            }
            return path
        }
    }
}
