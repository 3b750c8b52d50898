import Domain
import Testing

/// The numbers of the product documentation ("Trust Levels"), and those of DESIGN §4.1 that the documentation leaves open.
@Suite struct TrustLevelTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var level: Int
        var tier: String
        var sandbox: String
        var megabytes: Int
        var timeout: Duration
        var cpus: Int
        var isOpen: Bool
        var signed: Bool
        var testDescription: String { "level \(level)" }
    }

    static let documented = [
        Row(level: 0, tier: "community", sandbox: "restricted", megabytes: 256, timeout: .seconds(60), cpus: 1, isOpen: false, signed: false),
        Row(level: 1, tier: "community", sandbox: "standard", megabytes: 1024, timeout: .seconds(300), cpus: 2, isOpen: false, signed: false),
        Row(level: 2, tier: "certified", sandbox: "standard", megabytes: 1024, timeout: .seconds(300), cpus: 2, isOpen: false, signed: true),
        Row(level: 3, tier: "official", sandbox: "elevated", megabytes: 8192, timeout: .seconds(600), cpus: 4, isOpen: true, signed: true),
    ]

    @Test(arguments: documented)
    func hasTheDocumentedLimits(row: Row) throws {
        let level = try #require(TrustLevel(rawValue: row.level))
        #expect(level.tier.rawValue == row.tier)
        #expect(level.sandboxProfile.rawValue == row.sandbox)
        #expect(level.limits.memoryBytes == row.megabytes * 1024 * 1024)
        #expect(level.limits.timeout == row.timeout)
        #expect(level.limits.cpus == row.cpus)
        #expect(level.limits.network == row.isOpen)
        #expect(level.limits.gpu == row.isOpen)
        #expect(level.requiresSignature == row.signed)
    }

    @Test(arguments: [(0, ["minimal"]), (1, ["default"]), (2, ["default"]), (3, ["gpu", "network"])])
    func hasTheDocumentedSystemCallFilter(level: Int, allowed: [String]) throws {
        #expect(allowed.contains(try #require(TrustLevel(rawValue: level)).limits.seccomp.rawValue))
    }

    @Test(arguments: [(0, 32, 64, 1, 8), (1, 256, 64, 8, 64), (2, 256, 64, 8, 64), (3, 1024, 256, 32, 512)])
    func hasTheChosenLimits(level: Int, processes: Int, temporary: Int, frame: Int, transcript: Int) throws {
        let limits = try #require(TrustLevel(rawValue: level)).limits
        let mebibyte = 1_048_576
        #expect(limits.processes == processes)
        #expect(limits.temporaryBytes == temporary * mebibyte)
        #expect(limits.frameBytesMax == frame * mebibyte)
        #expect(limits.transcriptBytesMax == transcript * mebibyte)
    }

    @Test(arguments: [-1, 4, 255, Int.max, Int.min])
    func noOtherNumberIsALevel(number: Int) {
        #expect(TrustLevel(rawValue: number) == nil)
    }

    @Test func reviewGivesLevels0And1Only() {
        #expect(TrustLevel.reviewMax(replacing: nil) == .basic)
        #expect(TrustLevel.allCases.map { TrustLevel.reviewMax(replacing: $0).rawValue } == [1, 1, 2, 2])
    }

    @Test func aHigherLevelNeverHasLessThanALowerOne() {
        for (lower, higher) in zip(TrustLevel.allCases, TrustLevel.allCases.dropFirst()) {
            #expect(lower < higher)
            #expect(lower.limits.memoryBytes <= higher.limits.memoryBytes)
            #expect(lower.limits.timeout <= higher.limits.timeout)
            #expect(lower.limits.cpus <= higher.limits.cpus)
            #expect(lower.limits.transcriptBytesMax <= higher.limits.transcriptBytesMax)
            #expect(!lower.requiresSignature || higher.requiresSignature)
        }
    }
}
