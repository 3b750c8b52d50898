internal import Foundation
internal import SystemPackage

/// What a look at Trivy's cache folder tells before a scan. The functions that read files block.
struct TrivyDatabase: Sendable, Hashable {
    /// When the vulnerability database was built: RFC 3339.
    let updatedAt: String

    /// The schema of the vulnerability database that the accepted versions of Trivy read.
    static let schema = 2
    /// The schema of the Java database.
    static let javaSchema = 1
    /// The largest metadata file read, in bytes. Chosen: a real one has 150.
    private static let metadataBytesMax = 64 * 1024

    /// Checks the databases of a cache folder.
    ///
    /// The Java database may be missing, because only images with Java archives need it and Trivy fails by itself then.
    /// A damaged one is refused here: Trivy 0.76 takes it without a word, exit code 0, and finds fewer packages.
    static func check(cacheFolder: String) throws(ScanFailure) -> TrivyDatabase {
        let problems = TrivyDatabaseProblems(remedy: TrivyRemedy(cacheFolder: cacheFolder))
        guard cacheFolder.hasPrefix("/"), !cacheFolder.contains("\0") else { throw problems.missing("the path is not absolute") }
        let folder = FilePath(cacheFolder).appending("db")
        let metadata: [UInt8]
        do {
            metadata = try BoundedFile.read(folder.appending("metadata.json"), bytesMax: metadataBytesMax, followsLinks: true)
        } catch {
            throw error == .missing ? problems.missing("metadata.json: no such file") : problems.damaged(error.text)
        }
        switch FileSize.ofRegularFile(folder.appending("trivy.db")) {
        case nil: throw problems.missing("trivy.db: no such file")
        case 0: throw problems.damaged("trivy.db is empty")
        default: break
        }
        let database = try TrivyDatabaseMetadata(metadata, problems: problems)
        guard database.version >= schema else { throw problems.outdated("schema \(database.version)") }
        guard database.version == schema else { throw problems.tooNew("schema \(database.version)") }
        try checkJava(FilePath(cacheFolder).appending("java-db"), problems: problems)
        return TrivyDatabase(updatedAt: database.updatedAt)
    }

    private static func checkJava(_ folder: FilePath, problems: TrivyDatabaseProblems) throws(ScanFailure) {
        let metadataFile = folder.appending("metadata.json")
        let databaseFile = folder.appending("trivy-java.db")
        let metadata: [UInt8]
        do {
            metadata = try BoundedFile.read(metadataFile, bytesMax: metadataBytesMax, followsLinks: true)
        } catch {
            // Without metadata Trivy takes the database for missing, and refuses images that need it.
            if error == .missing { return }
            throw problems.damagedJava(error.text)
        }
        let database: TrivyDatabaseMetadata
        do {
            database = try TrivyDatabaseMetadata(metadata, problems: problems)
        } catch {
            throw problems.damagedJava(error.detail ?? "metadata.json")
        }
        guard database.version == javaSchema else { throw problems.damagedJava("schema \(database.version)") }
        guard let size = FileSize.ofRegularFile(databaseFile) else { throw problems.damagedJava("trivy-java.db: no such file") }
        let header: [UInt8]
        do {
            header = try FileSize.firstBytes(of: databaseFile, count: SQLiteHeader.bytes)
        } catch {
            throw problems.damagedJava(error.text)
        }
        guard SQLiteHeader.describesWholeFile(header, fileBytes: size) else {
            throw problems.damagedJava("trivy-java.db is not a whole SQLite database")
        }
    }
}

/// The first 100 bytes of a SQLite database.
///
/// Source: SQLite, "Database File Format", section 1.3.
enum SQLiteHeader {
    static let bytes = 100
    private static let magic = Array("SQLite format 3\0".utf8)

    /// Whether the header is one, and the file is as long as it says.
    ///
    /// The length stands at offset 28 in pages, and counts only when the change counter at 24 equals that at 92.
    static func describesWholeFile(_ header: [UInt8], fileBytes: Int) -> Bool {
        guard header.count == bytes, header.starts(with: magic) else { return false }
        let stored = Int(header[16]) << 8 | Int(header[17])
        let pageBytes = stored == 1 ? 65536 : stored
        guard pageBytes >= 512, pageBytes.nonzeroBitCount == 1, fileBytes % pageBytes == 0, fileBytes > 0 else { return false }
        let pages = number(header, at: 28)
        guard pages > 0, number(header, at: 24) == number(header, at: 92) else { return true }
        return pages * pageBytes == fileBytes
    }

    private static func number(_ header: [UInt8], at offset: Int) -> Int {
        header[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
}
