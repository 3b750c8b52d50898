import Domain
import Foundation
import TestSupport
import Testing

@testable import Scanning

/// Whatever the bytes are: a report or a refusal, and soon.
struct ArtifactPropertyTests {
    private static let seed: UInt64 = 20_261_125
    /// Changed copies of each artifact. 70 artifacts make some seventy thousand.
    private static let rounds = 1000

    @Test(arguments: ArtifactFixtures.all.map { ($0.kind, $0.name) })
    func changedArtifactsAreReportedOrRefused(kind: ArtifactKind, name: String) throws {
        var random = SplitMix64(state: Self.seed ^ UInt64(name.utf8.reduce(0) { $0 &* 31 &+ Int($1) } & 0xFFFF_FFFF))
        let files = try ArtifactFixtures.bytes(kind, name)
        let clock = ContinuousClock()
        for round in 0..<Self.rounds {
            var changed = files
            let index = Int.random(in: 0..<changed.count, using: &random)
            Self.change(&changed[index].bytes, &random)
            let total = changed.reduce(0) { $0 + $1.bytes.count }
            let took = clock.measure {
                do throws(ScanFailure) {
                    let report = try inspect(kind, changed)
                    #expect(report.bytesTotal == total && (0...total).contains(report.bytesInspected), "seed \(Self.seed), round \(round)")
                } catch {
                    #expect(
                        [.malformedArtifact, .unsupportedArtifact].contains(error.code), "seed \(Self.seed), round \(round): \(error.message)")
                }
            }
            // Chosen: a thousand times what it takes; only a loop or an allocation by an attacker's number takes longer.
            #expect(took < .seconds(5), "seed \(Self.seed), round \(round)")
        }
    }

    /// Bytes of no meaning behind the right beginning.
    @Test(arguments: ArtifactKind.allCases)
    func noiseIsReportedOrRefused(kind: ArtifactKind) {
        var random = SplitMix64(state: Self.seed)
        let start: [UInt8] = kind == .wasm ? WasmBuilder().bytes : []
        for _ in 0..<2000 {
            let noise = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            do throws(ScanFailure) {
                _ = try inspect(kind, start + noise)
            } catch {
                #expect([.malformedArtifact, .unsupportedArtifact].contains(error.code), "seed \(Self.seed): \(noise)")
            }
        }
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !bytes.isEmpty else { return }
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[index] = .random(in: .min ... .max, using: &random)
            case 2: bytes.removeLast(bytes.count - index)
            case 3: bytes.insert(.random(in: .min ... .max, using: &random), at: index)
            case 4: bytes.remove(at: index)
            default: bytes.replaceSubrange(index..<min(index + 5, bytes.count), with: [0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
            }
        }
    }
}
