import Foundation
import Testing

@testable import Scanning

@Suite struct TrivyDatabaseTests {
    private func failure(_ cache: String) -> ScanFailure? {
        do {
            _ = try TrivyDatabase.check(cacheFolder: cache)
            return nil
        } catch {
            return error
        }
    }

    private func damaged(_ damage: (TemporaryFolder) throws -> Void) throws -> ScanFailure? {
        let folder = try TemporaryFolder()
        let cache = try folder.cache()
        try damage(folder)
        return failure(cache)
    }

    @Test func tellsWhenItWasBuilt() throws {
        #expect(try TrivyDatabase.check(cacheFolder: ScanFixtures.cache).updatedAt == "2026-11-01T00:00:00Z")
    }

    @Test(arguments: ["db/trivy.db", "db/metadata.json", "db"])
    func aMissingPartIsAMissingDatabase(part: String) throws {
        let found = try #require(try damaged { try FileManager.default.removeItem(atPath: $0.path("cache/" + part)) })
        #expect(found.code == .databaseMissing)
        #expect(found.remedy.hasPrefix("trivy image --download-db-only --cache-dir '"))
    }

    @Test(arguments: ["", "relative", "/nothing/here"])
    func aMissingCacheIsAMissingDatabase(cache: String) { #expect(failure(cache)?.code == .databaseMissing) }

    @Test(arguments: [
        ("", ScanFailure.Code.databaseDamaged), ("{", .databaseDamaged), ("{}", .databaseDamaged),
        (#"{"Version":2,"UpdatedAt":"yesterday"}"#, .databaseDamaged), (#"{"Version":"2","UpdatedAt":"2026-11-01T00:00:00Z"}"#, .databaseDamaged),
        (#"{"Version":1,"UpdatedAt":"2026-11-01T00:00:00Z"}"#, .databaseOutdated),
        (#"{"Version":3,"UpdatedAt":"2026-11-01T00:00:00Z"}"#, .scannerTooOld), (String(repeating: " ", count: 70_000), .databaseDamaged),
    ])
    func readsTheMetadataStrictly(metadata: String, code: ScanFailure.Code) throws {
        #expect(try damaged { try $0.write(metadata, to: "cache/db/metadata.json") }?.code == code)
    }

    @Test func anEmptyDatabaseIsDamaged() throws {
        #expect(try damaged { try $0.write("", to: "cache/db/trivy.db") }?.code == .databaseDamaged)
    }

    @Test(arguments: ["", "hello", "SQLite format 3\0"])
    func aDamagedJavaDatabaseIsRefused(content: String) throws {
        let found = try #require(try damaged { try $0.write(content, to: "cache/java-db/trivy-java.db") })
        #expect(found.code == .databaseDamaged)
        #expect(found.remedy.contains("trivy clean --java-db") && found.remedy.contains("trivy image --download-java-db-only"))
    }

    @Test func aJavaDatabaseCutShortIsRefused() throws {
        for length in [99, 100, 4096, 8192, 20480, 24575] {
            let found = try damaged { folder in
                let file = URL(filePath: folder.path("cache/java-db/trivy-java.db"))
                try Data(contentsOf: file).prefix(length).write(to: file)
            }
            #expect(found?.code == .databaseDamaged, "cut after \(length) bytes")
        }
    }

    @Test(arguments: [#"{"Version":0,"UpdatedAt":"2026-11-01T00:00:00Z"}"#, #"{"Version":2,"UpdatedAt":"2026-11-01T00:00:00Z"}"#, "{"])
    func aJavaDatabaseOfAnotherSchemaIsRefused(metadata: String) throws {
        #expect(try damaged { try $0.write(metadata, to: "cache/java-db/metadata.json") }?.code == .databaseDamaged)
    }

    @Test func javaMetadataWithoutADatabaseIsRefused() throws {
        #expect(try damaged { try FileManager.default.removeItem(atPath: $0.path("cache/java-db/trivy-java.db")) }?.code == .databaseDamaged)
    }

    @Test(arguments: ["java-db", "java-db/metadata.json"])
    func noJavaDatabaseIsForTrivyToMiss(part: String) throws {
        #expect(try damaged { try FileManager.default.removeItem(atPath: $0.path("cache/" + part)) } == nil)
    }
}
