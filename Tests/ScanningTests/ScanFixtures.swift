import Domain
import Foundation
import Scanning
import Testing

/// The test data beside the tests, and temporary folders.
enum ScanFixtures {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let root = package.appending(path: "Tests/Fixtures/scan")
    static let cache = root.appending(path: "trivy-cache").path

    /// The real Trivy: one on PATH, else the project's own.
    static let trivy: String? = ScannerLookup.find(
        "trivy",
        in: [package.appending(path: ".tools/bin").path]
            + ScannerLookup.folders(ofPath: ProcessInfo.processInfo.environment["PATH"] ?? ""))

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: path)))
    }

    // swift-format-ignore: NeverUseForceTry
    static let expected: Expected = try! JSONDecoder().decode(
        Expected.self, from: Data(contentsOf: root.appending(path: "expected.json")))

    struct Expected: Decodable {
        let images: [String: Image]
        let bad: [String: String]

        struct Image: Decodable {
            let blocks: Bool
            let os: System?
            let packages: Int
            let counts: [String: Int]
            let findings: [Row]
        }
        struct System: Decodable, Equatable {
            let Family: String
            let Name: String
            let EOSL: Bool?
        }
        struct Row: Decodable, Hashable {
            let id: String
            let package: String
            let version: String
            let severity: String
            let fixed: String
        }
    }
}

extension ScannerReport {
    /// The findings as `expected.json` writes them.
    var rows: Set<ScanFixtures.Expected.Row> {
        Set(
            findings.map {
                .init(
                    id: $0.id, package: $0.package, version: $0.version, severity: $0.severity.rawValue.uppercased(),
                    fixed: $0.fixedVersion ?? "")
            })
    }
}

/// A temporary folder that is removed with this object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = URL(filePath: NSTemporaryDirectory()).appending(path: "scanning-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func write(_ text: String, to name: String, executable: Bool = false) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: executable ? 0o755 : 0o644], ofItemAtPath: file.path)
    }

    /// A copy of the fixture cache that may be damaged.
    func cache() throws -> String {
        try FileManager.default.copyItem(atPath: ScanFixtures.cache, toPath: path("cache"))
        return path("cache")
    }

    /// Unpacks an image of the fixtures and returns its folder.
    func image(_ name: String) throws -> String {
        let folder = path((name as NSString).lastPathComponent)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "-xf", ScanFixtures.root.appending(path: "images/\(name).tar").path, "-C", folder]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        return folder
    }

    /// A subject for an image of the fixtures; its config digest is read from the layout.
    func subject(_ name: String, platform: String = "linux/amd64") throws -> ScanSubject {
        let folder = try image(name)
        return ScanSubject(layoutFolder: folder, imageID: try Self.configDigest(folder), platform: platform)
    }

    static func configDigest(_ folder: String) throws -> String {
        func json(_ path: String) throws -> [String: Any] {
            try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: folder).appending(path: path))) as? [String: Any])
        }
        let entries = try #require(try json("index.json")["manifests"] as? [[String: Any]])
        let digest = try #require(entries.first?["digest"] as? String)
        let manifest = try json("blobs/sha256/" + digest.dropFirst("sha256:".count))
        if let config = manifest["config"] as? [String: Any] { return try #require(config["digest"] as? String) }
        return digest
    }
}

/// Returns the failure that the work ends with.
func failure(_ work: () async throws(ScanFailure) -> some Sendable, sourceLocation: SourceLocation = #_sourceLocation) async throws -> ScanFailure {
    do {
        _ = try await work()
    } catch {
        return error
    }
    Issue.record("it should have failed", sourceLocation: sourceLocation)
    throw CancellationError()
}

/// Counts as `expected.json` writes them.
func counts(_ findings: [Finding]) -> [String: Int] {
    let counts = SeverityCounts(of: findings)
    return Dictionary(uniqueKeysWithValues: Severity.allCases.map { ($0.rawValue.uppercased(), counts[$0]) })
}
