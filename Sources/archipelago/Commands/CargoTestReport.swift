import Domain
import Foundation
import JSON
import Sandbox

/// What the test of a Cargo at one level came to.
struct CargoTestReport {
    struct Violation {
        let code: String
        let message: String
        let line: Int?
    }

    let level: TrustLevel
    let end: JobEnd
    let frames: Int
    /// All output, in bytes.
    let bytes: Int
    /// From the wish to run it to its first whole frame.
    let firstFrameAt: Duration?
    /// The `type` of the last frame.
    let lastType: String?
    let violations: [Violation]

    var passes: Bool { violations.isEmpty }

    var exit: String {
        switch end.cause {
        case .exited(let code): "exit \(code)"
        case .timedOut: "timeout"
        case .outOfMemory: "out of memory"
        case .forbiddenSyscall(let name): "forbidden system call \(name ?? "")"
        case .killed(let signal): "signal \(signal)"
        }
    }

    private func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }

    var json: JSONValue {
        let rows = violations.map { violation -> JSONValue in
            ["code": .string(violation.code), "message": .string(violation.message), "line": .optional(violation.line)]
        }
        return [
            "passes": .bool(passes), "trust_level": .int(level.rawValue), "violations": .array(rows), "exit": .string(exit), "frames": .int(frames),
            "output_bytes": .int(bytes), "first_frame_ms": .optional(firstFrameAt.map(milliseconds)), "wall_ms": .int(milliseconds(end.wallTime)),
            "cpu_ms": .int(milliseconds(end.cpuTime)), "peak_memory_bytes": .int(end.peakMemoryBytes),
            "stderr": .string(String(decoding: end.standardError, as: UTF8.self)),
        ]
    }

    var lines: [String] {
        var lines = ["", passes ? "PASS at level \(level.rawValue)" : "FAIL at level \(level.rawValue)"]
        lines += violations.map { "  \($0.code)\($0.line.map { " (line \($0))" } ?? ""): \($0.message)" }
        let first = firstFrameAt.map { ", first frame after \(milliseconds($0)) ms" } ?? ""
        lines.append(
            "  \(exit), \(frames) frames, \(bytes) bytes\(first), \(milliseconds(end.wallTime)) ms, CPU \(milliseconds(end.cpuTime)) ms, "
                + "peak memory \(end.peakMemoryBytes >> 10) KiB")
        if !end.standardError.isEmpty { lines += ["stderr:", String(decoding: end.standardError, as: UTF8.self)] }
        return lines
    }
}

/// Input that a good Cargo survives. Source: the product's documentation, "Best Practices": "Handle stdin EOF", "Emit clear errors".
struct BadInput {
    let name: String
    let bytes: [UInt8]

    /// Chosen: more than a pipe holds, and more than a Cargo that reads a line at a time expects.
    private static let hugeBytes = 8 << 20

    static func all(from good: [UInt8]) -> [BadInput] {
        let huge = Array("{\"text\":\"".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: hugeBytes) + Array("\"}".utf8)
        return [
            BadInput(name: "empty", bytes: []), BadInput(name: "malformed", bytes: Array("{not json]".utf8)),
            BadInput(name: "another type", bytes: Array("[1,2,3]".utf8)),
            BadInput(name: "cut off", bytes: Array(good.prefix(max(1, good.count / 2)))),
            BadInput(name: "huge", bytes: huge),
        ]
    }

    /// How a Cargo took it.
    struct Outcome {
        private let name: String
        private let report: CargoTestReport

        init(_ input: BadInput, _ report: CargoTestReport) {
            name = input.name
            self.report = report
        }

        private var verdict: String {
            switch (report.end.cause, report.lastType) {
            case (.exited, "error"): "well: an error frame"
            case (.exited(0), "done"): "well: it took it as input"
            case (.exited(0), _): "badly: it ended as if all were well, without done or error"
            case (.exited, _): "badly: it ended without an error frame"
            case (.timedOut, _): "badly: it waited until its time was up"
            case (.outOfMemory, _), (.forbiddenSyscall, _), (.killed, _): "badly: it did not end itself"
            }
        }

        var line: String { "  \(name): \(verdict) (\(report.exit), \(report.frames) frames)" }

        var json: JSONValue {
            [
                "input": .string(name), "taken_well": .bool(verdict.hasPrefix("well")), "verdict": .string(verdict), "exit": .string(report.exit),
                "frames": .int(report.frames),
            ]
        }
    }
}
