internal import Synchronization
internal import SystemPackage

/// Whether the database knows an operating system's release at all. Without advisories of a release everything in it looks clean.
final class TrivyReleases: Sendable {
    private let known = Mutex<(state: TrivyDatabaseState?, releases: [String: Bool])>((nil, [:]))

    /// The name under which Trivy keeps the advisories of a release, or a system's name where they are not kept by release; `nil` for
    /// systems of which it has none, and for releases that are none: an image may claim any.
    ///
    /// Source: the names of buckets in Trivy's database, schema 2, such as `debian 12`, `alpine 3.19`, `ubuntu 16.04-ESM`, `rocky 9`.
    static func bucket(of system: ScannerReport.OperatingSystem) -> String? {
        switch system.family {
        case "debian": return named("debian", system.name, parts: 1)
        case "alpine": return system.name == "edge" ? "alpine edge" : named("alpine", system.name, parts: 2)
        case "ubuntu":
            let ending = system.name.hasSuffix("-ESM") ? "-ESM" : ""
            return named("ubuntu", String(system.name.dropLast(ending.count)), parts: 2).map { $0 + ending }
        case "alma": return named("alma", system.name, parts: 1)
        case "rocky": return named("rocky", system.name, parts: 1)
        case "oracle": return named("Oracle Linux", system.name, parts: 1)
        case "amazon": return named("amazon linux", String(system.name.prefix { $0 != " " }), parts: 1)
        case "photon": return named("Photon OS", system.name, parts: 2)
        case "cbl-mariner": return named("CBL-Mariner", system.name, parts: 2)
        case "azurelinux": return named("Azure Linux", system.name, parts: 2)
        case "opensuse.leap", "opensuse-leap": return named("openSUSE Leap", system.name, parts: 2)
        case "redhat", "centos": return "Red Hat"
        case "wolfi", "chainguard": return system.family
        case let family where family.hasPrefix("suse") || family.hasPrefix("sle"): return "SUSE Linux Enterprise"
        case let family where family.hasPrefix("opensuse"): return "openSUSE Tumbleweed"
        default: return nil
        }
    }

    /// A system with the first numbers of a version; `nil` if it has not as many.
    private static func named(_ system: String, _ version: String, parts count: Int) -> String? {
        let parts = version.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count >= count, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }) else { return nil }
        return system + " " + parts.prefix(count).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Whether the database has a bucket. Reads the file once for each name and state; blocks.
    func contains(_ bucket: String, state: TrivyDatabaseState, cacheFolder: String) throws(ScanFailure) -> Bool {
        let found = known.withLock { known -> Bool? in
            if known.state != state { known = (state, [:]) }
            return known.releases[bucket]
        }
        if let found { return found }
        let isThere: Bool
        do {
            isThere = try Self.occurs(Array(bucket.utf8), in: FilePath(cacheFolder).appending("db").appending("trivy.db"))
        } catch {
            throw ScanFailure(
                .databaseDamaged, message: "Trivy's vulnerability database cannot be read.", remedy: TrivyRemedy(cacheFolder: cacheFolder).renew,
                retryable: true)
        }
        known.withLock { known in if known.state == state { known.releases[bucket] = isThere } }
        return isThere
    }

    /// Chosen: a thousand reads for a real database, which has hundreds of megabytes.
    private static let pieceBytes = 1 << 20

    /// Whether a name stands in a file as a whole: `debian 1` does not stand in `debian 12`.
    ///
    /// The names of buckets stand in the file as they are, at least once before the JSON object of their source; one that does not occur is
    /// certainly missing. Read, not mapped: a mapped file that somebody shortens ends the program.
    private static func occurs(_ name: [UInt8], in path: FilePath) throws -> Bool {
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }  // only read
        var bytes = [UInt8](repeating: 0, count: pieceBytes)
        var kept = 0
        while true {
            let count = try bytes.withUnsafeMutableBytes { buffer in
                // Safety: the slice lies within the array, which outlives the call.
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]))
            }
            let filled = kept + count
            if count == 0 { return ends(name, bytes[..<filled]) }
            if stands(name, in: bytes[..<filled]) { return true }
            // The last bytes may begin a name, and need the byte behind it.
            kept = min(name.count, filled)
            bytes.replaceSubrange(0..<kept, with: bytes[(filled - kept)..<filled])
        }
    }

    private static func ends(_ name: [UInt8], _ bytes: ArraySlice<UInt8>) -> Bool { bytes.suffix(name.count).elementsEqual(name) }

    private static func stands(_ name: [UInt8], in bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = name.first else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            while start + name.count < bytes.count {
                // Safety: every index lies within the buffer, by the condition above.
                if bytes[start] == first, bytes[start..<(start + name.count)].elementsEqual(name), !goesOn(bytes[start + name.count]) {
                    return true
                }
                start += 1
            }
            return false
        }
    }

    /// Whether a byte makes a version longer.
    private static func goesOn(_ byte: UInt8) -> Bool { isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") }
}
