import Domain
import Foundation
import Testing

@testable import Sandbox

extension LiveSandbox {
    /// Every system call that the kernel may have, made in a real cage of every profile.
    @Suite struct EveryCallTests {
        /// Above the newest call of any kernel, and the few numbers that x86-64 keeps for programs with 32-bit pointers.
        private static let ranges = ["0", "480", "512", "547"]

        /// What happened to each call: `NUMBER` or `NUMBER WORD`, and the verdict.
        private static func verdicts(_ profile: SeccompProfile) async throws -> [(call: String, verdict: String)] {
            var lines: [(String, String)] = []
            try await LiveHost.with { (host) async throws -> Void in
                let job = try host.job("every-call", command: ["/cargo"] + ranges, level: .basic)
                var contents = CageContents(job)
                // Level 0 has the filter of level 1 outside and its own inside. It may start no process, so each process puts on the inner one.
                contents.seccomp = profile == .minimal ? .default : profile
                contents.input = profile == .minimal ? MinimalCalls.filter(for: .current).flatMap(\.bytes) : []
                let (end, output) = try await host.run(contents)
                #expect(end.cause == .exited(code: 0), "\(String(decoding: end.standardError, as: UTF8.self))")
                lines = output.split(separator: "\n").compactMap { line in
                    line.lastIndex(of: " ").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
                }
            }
            return lines
        }

        @Test(.enabled(if: Architecture.current == .x86_64, "the program makes calls of x86-64"), arguments: SeccompProfile.allCases)
        func itGetsTheVerdictOfTheTable(profile: SeccompProfile) async throws {
            let verdicts = try await Self.verdicts(profile)
            #expect(verdicts.count > 520)
            let newest = try #require(SystemCallNumbers.number(of: DefaultCalls.highestNamedCall, on: .current))
            for (call, verdict) in verdicts {
                let words = call.split(separator: " ").map(String.init)
                let number = try #require(Int(words[0]))
                let name = SystemCallNumbers.name(of: number, on: .current) ?? ""
                let expected: CallVerdict =
                    number > newest && profile != .minimal ? .noSuchCall : CallTable.verdict(of: name, under: profile)
                let isAllowed: Bool
                switch (expected, words.dropFirst().first) {
                case (.allowed, _): isAllowed = true
                case (.allowedIf, "process"), (.allowedIf, "any"): isAllowed = true
                case (.allowedIf, let family?):
                    isAllowed = UInt64(family).map { family in OuterCalls(profile).addressFamilies.contains { $0.rawValue == family } } ?? false
                default: isAllowed = false
                }
                // Newer kernels ask no filter about these; there is nothing that could be done about them.
                if CallTable.unfiltered[number] != nil, verdict == "allowed" { continue }
                let wanted = isAllowed ? "allowed" : { if case .allowedIf = expected { "EPERM" } else { expected.text } }()
                #expect(verdict == wanted, "\(profile.rawValue): \(call) \(name)")
            }
        }

        /// The document says what the kernel does.
        @Test func theDocumentIsTheTable() throws {
            let document = try String(contentsOfFile: Programs.packageFolder + "/docs/SYSTEM_CALLS.md", encoding: .utf8)
            #expect(document == CallTable.markdown, "run: archipelago levels --system-calls > docs/SYSTEM_CALLS.md")
        }
    }
}
