import Domain
import Testing

@testable import Sandbox

@Suite struct MadeCallTests {
    private static func call(_ name: String, _ arguments: UInt64...) throws -> MadeCall {
        try MadeCall(number: #require(SystemCallNumbers.number(of: name, on: .x86_64)), arguments: arguments, on: .x86_64)
    }

    @Test func theArgumentsThatFiltersSeeDecide() throws {
        // The high half of an int is nothing that the kernel looks at.
        for high in [0, 0xFFFF_FFFF_0000_0000] as [UInt64] {
            #expect(try Self.call("socket", high | 1).verdict(under: .default) == .allowed)
            #expect(try Self.call("socket", high | 40).verdict(under: .gpu) == .refused)
            #expect(try Self.call("ioctl", 0, high | 0x5412).verdict(under: .default) == .refused)
            #expect(try Self.call("ioctl", 0, high | 0x5401).verdict(under: .default) == .allowed)
        }
        #expect(try Self.call("socket", 16).verdict(under: .default) == .refused)
        #expect(try Self.call("socket", 16).verdict(under: .network) == .allowed)
        #expect(try Self.call("clone", 0x3D0F00).verdict(under: .default) == .allowed)
        #expect(try Self.call("clone", 0x1000_0000).verdict(under: .default) == .refused)
        #expect(try Self.call("clone").verdict(under: .minimal) == .kills)
    }

    @Test func unknownCallsAreRefusedOrKill() {
        let call = MadeCall(number: 9999, arguments: [], on: .x86_64)
        #expect(call.description == "number 9999")
        #expect(call.verdict(under: .minimal) == .kills && call.verdict(under: .gpu) == .refused)
    }
}

extension LiveSandbox {
    @Suite struct CallRecordTests {
        @Test func whatALevelForbidsIsNamedAndCounted() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let (end, calls, output) = try await host.record(host.job("calls-many", level: .basic))
                #expect(end.cause == .exited(code: 0))
                // Nothing kills, and what no level allows does not happen.
                #expect(output == "open 0\nunix 0\nnetlink 0\nvsock 1\nunshare 1\nptrace 1\nclone3 38\n")
                func forbidden(_ profile: SeccompProfile, _ verdict: CallVerdict) -> [String] {
                    calls.forbidden(under: profile).filter { $0.verdict == verdict }.map { "\($0.entry.call.description) \($0.entry.count)" }
                }
                #expect(forbidden(.default, .kills) == ["ptrace 1", "unshare 1"])
                #expect(forbidden(.default, .refused) == ["socket(family 40) 1", "socket(netlink) 1"])
                #expect(forbidden(.default, .noSuchCall) == ["clone3 1"])
                #expect(forbidden(.network, .refused) == ["socket(family 40) 1"])
                let minimal = forbidden(.minimal, .kills)
                #expect(minimal.contains("clone 3") && minimal.contains("getppid 3") && minimal.contains("socket(unix) 1"), "\(minimal)")
                #expect(forbidden(.minimal, .refused).contains("openat 1"))
            }
        }

        @Test func aCargoOfLevel0MakesNoCallThatItsLevelForbids() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let (end, calls, output) = try await host.record(host.job("text-stats", input: #"{"text":"one two"}"#))
                #expect(end.cause == .exited(code: 0) && output.contains("done"))
                #expect(calls.forbidden(under: .minimal).allSatisfy { $0.verdict == .refused }, "\(calls)")
                #expect(calls.forbidden(under: .default).isEmpty, "\(calls)")
            }
        }

        /// Time and a wish to stop hold here too.
        @Test func aRecordedCargoThatDoesNotEndIsKilled() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let (end, _, _) = try await host.record(host.job("ignores-time", timeout: .milliseconds(300)))
                #expect(end.cause == .timedOut)
            }
        }

        @Test func aFloodOfCallsIsCounted() async throws {
            try await LiveHost.with { (host) async throws -> Void in
                let (end, calls, _) = try await host.record(host.job("fork-bomb", timeout: .seconds(1)))
                #expect(end.cause == .timedOut || end.cause == .exited(code: 0), "\(end)")
                #expect(calls.entries.contains { $0.call.name == "clone" && $0.count > 1 }, "\(calls)")
            }
        }
    }
}
