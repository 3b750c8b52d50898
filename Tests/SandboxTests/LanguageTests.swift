import Domain
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Sandbox

/// A language that Cargos are written in, with an image made of this machine's own programs.
enum Language: String, CaseIterable, Sendable {
    case c, busybox, swift, go, shell, python, node

    /// The lowest level that it lives at.
    var level: TrustLevel {
        switch self {
        case .c, .busybox, .swift: .untrusted
        case .go, .shell, .python, .node: .basic
        }
    }

    /// What its image starts.
    var command: [String] {
        switch self {
        case .c, .swift, .go: ["/cargo"]
        case .busybox: ["/bin/busybox", "echo", #"{"type":"done"}"#]
        case .shell: ["/bin/sh", "/cargo.sh"]
        case .python: ["/usr/bin/python3", "/cargo.py"]
        case .node: ["/usr/bin/node", "/cargo.js"]
        }
    }

    private static let tools = """
        sh cat mkdir cp mv ln chmod touch ls find tar gzip seq sort awk sed grep dd head wc timeout sleep mktemp date uname id df rm
        """.split(whereSeparator: \.isWhitespace)

    private static let sources = Programs.packageFolder + "/Tests/SandboxTests/Programs/languages"

    /// Fills a root folder.
    func makeRoot(_ root: String) throws {
        mkdir(root, 0o755)
        func copy(_ source: String) throws { try FileManager.default.copyItem(atPath: Self.sources + "/" + source, toPath: root + "/" + source) }
        switch self {
        case .c: try FileManager.default.copyItem(atPath: Programs.path("text-stats"), toPath: root + "/cargo")
        case .busybox: try run("/bin/sh", ["-ec", "mkdir -p \"$1/bin\" && cp /bin/busybox \"$1/bin/\"", "copy", root])
        case .swift: try run("/usr/bin/env", ["swiftc", "-O", "-static-executable", "-o", root + "/cargo", Self.sources + "/cargo.swift"])
        case .go: try run("/usr/bin/env", ["CGO_ENABLED=0", "go", "build", "-o", root + "/cargo", Self.sources + "/cargo.go"])
        case .shell:
            try copy("cargo.sh")
            try run(Self.sources + "/make-root.sh", [root] + Self.tools.map { "/bin/\($0)" }.map { access($0, X_OK) == 0 ? $0 : "/usr" + $0 })
        case .python:
            try copy("cargo.py")
            try run(Self.sources + "/make-root.sh", [root, "/usr/bin/python3"])
        case .node:
            try copy("cargo.js")
            try run(Self.sources + "/make-root.sh", [root, "/usr/bin/node"])
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = pipe
        try process.run()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(rawValue): \(text)")
    }
}

/// Images of languages, each made once a run of the tests.
private enum LanguageRoots {
    private static let folder = Result { try TemporaryFolder() }
    private static let made = Mutex<Set<Language>>([])

    static func root(_ language: Language) throws -> String {
        let root = try folder.get().path + "/" + language.rawValue
        try made.withLock { made in
            if !made.contains(language) { try language.makeRoot(root) }
            made.insert(language)
        }
        return root
    }
}

extension LiveSandbox {
    /// Cargos in the languages that people write, at the levels that the documents promise.
    @Suite struct LanguageTests {
        private static func job(_ language: Language, _ level: TrustLevel) throws -> CagedJob {
            try CagedJob(
                id: ContainerID("job-\(language.rawValue)-\(level.rawValue)"), rootFolder: LanguageRoots.root(language), command: language.command,
                level: level, timeout: .seconds(60), input: Array("{\"text\":\"hello\"}".utf8))
        }

        private static func isDone(_ end: JobEnd, _ output: String) -> Bool {
            end.cause == .exited(code: 0) && output.split(separator: "\n").last?.contains("\"done\"") == true
        }

        @Test(arguments: Language.allCases) func itLivesAtItsLevelAndAbove(language: Language) async throws {
            try await LiveHost.with { (host) async throws -> Void in
                for level in [TrustLevel.untrusted, .basic, .verified] {
                    let (end, output) = try await host.run(Self.job(language, level))
                    let error = String(decoding: end.standardError.suffix(2000), as: UTF8.self)
                    #expect(Self.isDone(end, output) == (level >= language.level), "\(level): \(end.cause) \(output.suffix(300)) \(error)")
                }
            }
        }

        /// Calls that are allowed though no program here may make them, and why.
        private static let kept = [
            "the C library musl, and programs linked to older ones": "fork open stat lstat pipe select readv time gettimeofday access",
            "arm64, which has no other name for it": "dup3 faccessat readlinkat fchmodat ppoll pselect6 renameat getpgid",
            "a stopped and continued sleep; made by the kernel's own answer to the signal": "restart_syscall",
            "locks of databases and package managers": "flock",
            "timers of event loops (systemd's, Boost.Asio, tokio)": "timerfd_create timerfd_settime",
            "run times that measure themselves, or wait for any child": "getrusage clock_getres waitid",
            "newer C libraries": "faccessat2 membarrier",
            "daemons in one process group of their own": "setsid",
        ].reduce(into: [String: String]()) { kept, group in
            for name in group.value.split(separator: " ") { kept[String(name)] = group.key }
        }

        /// The other side of a filter that is too wide: which calls it allows that none of these programs makes.
        @Test func whatTheFilterAllowsIsNeeded() async throws {
            let made = Mutex<Set<String>>([])
            try await LiveHost.with { (host) async throws -> Void in
                for language in Language.allCases {
                    let (end, calls, output) = try await host.record(Self.job(language, .basic))
                    #expect(Self.isDone(end, output), "\(language): \(end.cause) \(output.suffix(300))")
                    let killing = calls.forbidden(under: .default).filter { $0.verdict == .kills }
                    #expect(killing.isEmpty, "\(language): \(killing)")
                    made.withLock { $0.formUnion(calls.entries.map(\.call.name)) }
                }
            }
            let always = Set(MinimalCalls.allowed.map(\.name))
            let unmade = Set(DefaultCalls.allowed.map(\.name)).subtracting(always).subtracting(made.withLock { $0 })
            #expect(
                unmade.subtracting(Self.kept.keys).isEmpty, "allowed and needed by no program here: \(unmade.subtracting(Self.kept.keys).sorted())")
            #expect(Set(Self.kept.keys).isSubset(of: DefaultCalls.allowed.map(\.name)))
        }
    }
}
