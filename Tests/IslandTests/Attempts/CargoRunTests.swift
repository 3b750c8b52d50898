import CargoIO
import Domain
import JSON
import Testing

@testable import Island
@testable import Sandbox

@Suite struct CargoRunTests {
    /// What a run comes to: `done`, or the fault and code of its failure.
    static func outcome(_ lines: [String], _ cause: EndCause, level: TrustLevel = .untrusted) async -> String {
        let run = CargoRun(level: level)
        for line in lines {
            if let refusal = await run.receive(Array((line + "\n").utf8)).refusal { return "\(refusal.failure.fault) \(refusal.failure.code)" }
        }
        switch await run.result(of: .ended(cause)) {
        case .success(let frame): return "done \(frame["answer"]?.int ?? 0)"
        case .failure(let refusal): return "\(refusal.failure.fault) \(refusal.failure.code)"
        }
    }

    static let token = #"{"type":"token","content":"x"}"#
    static let done = #"{"type":"done","answer":42}"#
    static let error = #"{"type":"error","message":"I give up"}"#

    /// DESIGN §4.7: the last frame is `done` or `error`, exit code 0 on success; every violation has its own code.
    @Test(
        arguments: [
            ([token, done], EndCause.exited(code: 0), "done 42"), ([done], .exited(code: 0), "done 42"),
            ([done], .exited(code: 1), "cargo nonzero_exit"), ([token], .exited(code: 1), "cargo nonzero_exit"),
            ([], .exited(code: 255), "cargo nonzero_exit"),
            ([token], .exited(code: 0), "cargo no_terminal_frame"), ([], .exited(code: 0), "cargo no_terminal_frame"),
            ([error], .exited(code: 0), "cargo cargo_error"), ([token, error], .exited(code: 1), "cargo cargo_error"),
            ([done], .timedOut, "cargo timeout"), ([token], .timedOut, "cargo timeout"), ([error], .timedOut, "cargo timeout"),
            ([done], .outOfMemory, "cargo out_of_memory"), ([], .outOfMemory, "cargo out_of_memory"),
            ([done], .forbiddenSyscall(name: "socket"), "cargo forbidden_syscall"), ([], .forbiddenSyscall(name: nil), "cargo forbidden_syscall"),
            ([done], .killed(signal: 11), "cargo killed"), ([], .killed(signal: 9), "cargo killed"),
            ([done, token], .exited(code: 0), "cargo frame_after_terminal"), ([error, error], .exited(code: 0), "cargo frame_after_terminal"),
            (["hello"], .exited(code: 0), "cargo not_json"), (["[1]"], .exited(code: 0), "cargo not_object"),
            (["{}"], .exited(code: 0), "cargo missing_type"),
            ([#"{"type":"token"}"#], .exited(code: 0), "cargo missing_field"), (["", "  ", done, ""], .exited(code: 0), "done 42"),
        ] as [([String], EndCause, String)])
    func comesTo(lines: [String], cause: EndCause, expected: String) async {
        #expect(await Self.outcome(lines, cause) == expected)
    }

    @Test func theLastLineMayLackItsEnd() async throws {
        let run = CargoRun(level: .untrusted)
        let (frames, refusal) = await run.receive(Array(Self.done.utf8))
        #expect(frames == [] && refusal == nil)
        #expect(try await run.result(of: .ended(.exited(code: 0))).get()["answer"] == 42)
    }

    @Test func aFailureSaysTheCargosOwnWordsAndTheLevelsNumbers() async {
        let run = CargoRun(level: .untrusted)
        _ = await run.receive(Array((Self.error + "\n").utf8))
        guard case .failure(let own) = await run.result(of: .ended(.exited(code: 1))) else {
            Issue.record("an error frame is a failure")
            return
        }
        #expect(own.failure.message == "I give up")
        guard case .failure(let memory) = await CargoRun(level: .untrusted).result(of: .ended(.outOfMemory)) else {
            Issue.record("no memory is a failure")
            return
        }
        #expect(memory.failure.message.contains("256 MiB"))
    }

    @Test func theTerminalFrameIsNotAmongTheFramesAndThoseBeforeAViolationAre() async {
        let run = CargoRun(level: .untrusted)
        let (frames, refusal) = await run.receive(Array("\(Self.token)\n\(Self.token)\nnonsense\n\(Self.token)\n".utf8))
        #expect(frames.map(\.type) == ["token", "token"])
        #expect(refusal?.failure.code == "not_json")
        let other = CargoRun(level: .untrusted)
        #expect(await other.receive(Array("\(Self.token)\n\(Self.done)\n".utf8)).frames.map(\.type) == ["token"])
    }

    /// A level 0 frame has at most 1 MiB, a transcript 8 MiB (DESIGN §4.1).
    @Test(arguments: [(-1, nil), (0, nil), (1, "frame_too_large")] as [(Int, String?)])
    func aFrameIsAsLongAsItsLevelAllows(extra: Int, code: String?) async {
        let run = CargoRun(level: .untrusted)
        let overhead = #"{"type":"token","content":""}"#.utf8.count
        let line = #"{"type":"token","content":"\#(String(repeating: "x", count: (1 << 20) - overhead + extra))"}"#
        let (frames, refusal) = await run.receive(Array((line + "\n").utf8))
        #expect(refusal?.failure.code == code)
        #expect(frames.count == (code == nil ? 1 : 0))
    }

    @Test func aTranscriptIsAsLongAsItsLevelAllows() async {
        let run = CargoRun(level: .untrusted)
        let line = #"{"type":"token","content":"\#(String(repeating: "x", count: (1 << 19) - 30))"}"# + "\n"
        #expect(line.utf8.count == 1 << 19)
        for _ in 0..<16 { #expect(await run.receive(Array(line.utf8)).refusal == nil) }
        #expect(await run.receive([UInt8(ascii: "\n")]).refusal?.failure.code == "transcript_too_large")
    }
}
