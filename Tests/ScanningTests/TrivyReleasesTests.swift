import Foundation
import Testing

@testable import Scanning

/// An image says itself which release it is; only one that the database has advisories of can be called clean.
@Suite struct TrivyReleasesTests {
    @Test(arguments: [
        ("debian", "12.5", "debian 12"), ("debian", "12", "debian 12"), ("alpine", "3.19.1", "alpine 3.19"), ("alpine", "edge", "alpine edge"),
        ("ubuntu", "22.04", "ubuntu 22.04"), ("ubuntu", "16.04-ESM", "ubuntu 16.04-ESM"), ("rocky", "9.3", "rocky 9"),
        ("amazon", "2 (Karoo)", "amazon linux 2"), ("wolfi", "20230201", "wolfi"), ("redhat", "9.4", "Red Hat"),
    ])
    func aReleaseHasItsBucket(family: String, name: String, bucket: String) {
        #expect(TrivyReleases.bucket(of: .init(family: family, name: name, isEndOfLife: nil)) == bucket)
    }

    @Test(arguments: [
        ("debian", ""), ("debian", "trixie/sid"), ("debian", ".12"), ("debian", "12."), ("debian", "12 "), ("debian", "1\u{301}2"), ("alpine", "3"),
        ("alpine", "3..19"), ("ubuntu", "22"), ("ubuntu", "-ESM"), ("fedora", "40"), ("made-up", "12"), ("", ""),
    ])
    func whatIsNoReleaseHasNone(family: String, name: String) {
        #expect(TrivyReleases.bucket(of: .init(family: family, name: name, isEndOfLife: nil)) == nil)
    }

    private func contains(_ bucket: String, _ database: [UInt8]) throws -> Bool {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("db"), withIntermediateDirectories: true)
        try Data(database).write(to: URL(filePath: folder.path("db/trivy.db")))
        return try TrivyReleases().contains(bucket, state: TrivyDatabaseState(cacheFolder: folder.path("")), cacheFolder: folder.path(""))
    }

    @Test(arguments: [
        ("debian 12", true), ("debian 1", false), ("debian 13", false), ("alpine 3.1", false), ("alpine 3.19", true), ("alpine 3.2", false),
        ("ubuntu 16.04", false), ("ubuntu 16.04-ESM", true), ("rocky 9", true), ("rocky", true), ("wolfi", false),
    ])
    func onlyAWholeNameStandsInTheDatabase(bucket: String, isThere: Bool) throws {
        let text = "\u{1}debian 12{}debian 12.5 alpine 3.19\u{2}alpine 3.21{ubuntu 16.04-ESM{}alpine 3.1.rocky 9"
        #expect(try contains(bucket, Array(text.utf8)) == isThere)
    }

    @Test(arguments: (-12)...1) func aNameAcrossTwoReadsIsFound(offset: Int) throws {
        let before = [UInt8](repeating: 0, count: (1 << 20) + offset)
        #expect(try contains("debian 12", before + Array("debian 12{}".utf8)))
        #expect(try !contains("debian 1", before + Array("debian 12{}".utf8)))
        #expect(try contains("debian 12", before + Array("debian 12".utf8)))
    }

    @Test(arguments: [[UInt8](), [0x64], Array("debian 1".utf8)]) func aShortDatabaseHasNothing(bytes: [UInt8]) throws {
        #expect(try !contains("debian 12", bytes))
    }

    @Test func aMissingDatabaseIsNoAnswer() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: ScanFailure.self) {
            try TrivyReleases().contains("debian 12", state: TrivyDatabaseState(cacheFolder: folder.path("")), cacheFolder: folder.path(""))
        }
        #expect(error?.code == .databaseDamaged)
    }
}
