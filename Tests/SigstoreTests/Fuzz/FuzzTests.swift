import Foundation
import Testing

/// Every parser of bytes from outside is fed with damaged ones.
///
/// `make fuzz` does it for long: with ARCHIPELAGO_FUZZ_SECONDS in the environment each parser is fed for so many seconds of this process'
/// own time, with the seed of ARCHIPELAGO_FUZZ_SEED or one by chance. ARCHIPELAGO_FUZZ_NUMBER with that seed repeats one input alone.
/// ARCHIPELAGO_FUZZ_PART, "1/2" for one, leaves the other parsers to other processes.
@Suite(.serialized) struct FuzzTests {
    private static func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }

    private static let seconds = number("ARCHIPELAGO_FUZZ_SECONDS").map(Int.init)
    private static let seed = number("ARCHIPELAGO_FUZZ_SEED") ?? (seconds == nil ? 1 : .random(in: 0...(.max)))
    private static let only = number("ARCHIPELAGO_FUZZ_NUMBER").map(Int.init)

    private static let targets: [FuzzTarget] = {
        let part = ProcessInfo.processInfo.environment["ARCHIPELAGO_FUZZ_PART"]?.split(separator: "/").compactMap { Int($0) } ?? [1, 1]
        precondition(part.count == 2 && (1...max(1, part[1])).contains(part[0]), "ARCHIPELAGO_FUZZ_PART is one part of some, such as 1/2")
        return FuzzTarget.all.enumerated().filter { $0.offset % part[1] == part[0] - 1 }.map(\.element)
    }()

    /// Chosen: all parsers together take some three seconds.
    private static let countUsual = 200

    @Test func everyParserReadsFilesOfItsCorpus() {
        #expect(FuzzTarget.all.count == 25)
        for target in FuzzTarget.all { #expect(!target.mutator.corpus.isEmpty, "\(target)") }
    }

    /// Otherwise a complaint about damage would be none.
    @Test(arguments: FuzzTarget.all) func wholeFilesHoldTogether(_ target: FuzzTarget) async {
        for bytes in target.mutator.corpus.prefix(20) {
            let complaint = await target.complaint(bytes)
            #expect(complaint == nil)
        }
    }

    @Test func theSameSeedAndNumberGiveTheSameBytesAndOthersMostlyOthers() {
        for target in FuzzTarget.all {
            let first = (0..<20).map { target.mutator.bytes(seed: 3, number: $0) }
            #expect(first == (0..<20).map { target.mutator.bytes(seed: 3, number: $0) }, "\(target)")
            #expect(Set(first).subtracting(target.mutator.corpus).count > 10, "\(target)")
        }
    }

    @Test(arguments: targets) func damagedBytesNeitherStopNorDeceiveAParser(_ target: FuzzTarget) async throws {
        if let only = Self.only {
            await feed(target, only)
        } else if let seconds = Self.seconds {
            try await feed(target, seconds: seconds)
        } else {
            for number in 0..<Self.countUsual { await feed(target, number) }
        }
    }

    /// Without a buffer, in which the last line would be lost with the process.
    private static func say(_ line: String) { FileHandle.standardError.write(Data("fuzz: \(line)\n".utf8)) }

    private func feed(_ target: FuzzTarget, _ number: Int) async {
        if let complaint = await target.complaint(target.mutator.bytes(seed: Self.seed, number: number)) {
            Issue.record("\(target): \(complaint); seed \(Self.seed), number \(number)")
        }
    }

    /// What this process has used of the processors, in nanoseconds: unlike a clock it does not run while the machine does something else.
    private static var timeUsed: UInt64 {
        var time = timespec()
        precondition(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "the process has a clock")
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Feeds for a time. The input is in a file before it is read, for a parser that takes the process with it.
    private func feed(_ target: FuzzTarget, seconds: Int) async throws {
        let name = "archipelago-fuzz-" + target.name.filter { $0.isLetter || $0.isNumber } + ".input"
        let file = FileManager.default.temporaryDirectory.appending(path: name)
        Self.say("\(target), seed \(Self.seed); the input is in \(file.path)")
        let end = Self.timeUsed + UInt64(seconds) * 1_000_000_000
        var number = 0
        while Self.timeUsed < end {
            let bytes = target.mutator.bytes(seed: Self.seed, number: number)
            try Data(bytes).write(to: file)
            let start = Self.timeUsed
            var complaint = await target.complaint(bytes)
            let taken = Double(Self.timeUsed - start) / 1e9
            if taken > Double(target.secondsMax) { complaint = complaint ?? "it takes \(taken) s" }
            if let complaint {
                let kept = file.path + ".\(Self.seed)-\(number)"
                try Data(bytes).write(to: URL(filePath: kept))
                Issue.record("\(target): \(complaint); seed \(Self.seed), number \(number), \(bytes.count) bytes, kept in \(kept)")
            }
            number += 1
        }
        Self.say("\(target): \(number) inputs")
        try FileManager.default.removeItem(at: file)
    }
}
