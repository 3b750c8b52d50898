/// What an image itself says of the packages in it, whatever a scanner makes of it.
///
/// A scanner that names fewer packages of the operating system than the system's own list has not looked, and its report is worth nothing.
public struct PackageTraces: Sendable, Hashable {
    /// The packages that the system's own lists name as installed, a lower bound; 0 when there is no list.
    public var systemPackages = 0
    /// A list of any package manager, the first by its path, as one line; `nil` when there is none.
    public var list: String?
    /// Where a list is reached through a link, which scanners do not follow; as one line.
    public var hidden: String?
    /// Whose lists of the operating system's packages there are, each with one of its paths.
    var managers: [PackageManager: String] = [:]

    /// No trace of any package.
    public init() {}

    /// How a trace lies in the image.
    public enum Entry: Sendable, Hashable {
        /// A file with its first bytes.
        case file(start: [UInt8], size: Int64)
        /// A link, and where it leads.
        case link(to: String)
    }

    /// How many bytes of a file's start are needed, or `nil` when it means nothing here.
    ///
    /// Source: where dpkg, apk and rpm keep their databases, and Python its installed distributions (PEP 376); what Trivy's documentation
    /// calls "OS packages" and "Python". Jars and single programs are left out: a scanner may well find no package in one.
    public static func startBytes(_ path: String) -> Int? {
        if texts.contains(path) { return textBytesMax }
        if isPart(path) { return partBytesMax }
        if databases.contains(path) || isDistribution(path) || folders.contains(path) { return 0 }
        return nil
    }

    /// Adds what lies at a path.
    ///
    /// - Parameter written: the path that its layer gives it, which is all that a scanner sees; another one where that leads through links.
    public mutating func add(_ path: String, _ entry: Entry, writtenAs written: String) {
        let manager = Self.manager(of: path)
        switch entry {
        case .link(let target):
            // Some systems link one known place to another, which is read there.
            guard manager != nil || Self.folders.contains(path), !Self.leadsToAKnownPlace(path, target) else { return }
            hide(path)
        case .file(let start, let size):
            guard size > 0, manager != nil || Self.isDistribution(path) else { return }
            list = list ?? ScannerText.oneLine(path)
            guard let manager else { return }
            if Self.manager(of: written) != manager { hide(written) }
            managers[manager] = managers[manager] ?? path
            if manager != .rpm { systemPackages += Self.count(start, isAlpine: manager == .apk) }
        }
    }

    /// The paths are the image's: they may hold anything.
    private mutating func hide(_ path: String) { hidden = hidden ?? ScannerText.oneLine(path) }

    /// Whose list lies at a path.
    private static func manager(of path: String) -> PackageManager? {
        if databases.contains(path) { return .rpm }
        guard texts.contains(path) || isPart(path) else { return nil }
        return path.hasSuffix("apk/db/installed") ? .apk : .dpkg
    }

    /// Chosen: several times the list of a full desktop system.
    private static let textBytesMax = 64 << 20

    /// Chosen: a hundred times the longest description of one package.
    private static let partBytesMax = 1 << 20

    /// Lists that are text.
    private static let texts: Set<String> = ["var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed"]
    private static let databases: Set<String> = [
        "var/lib/rpm/Packages", "var/lib/rpm/Packages.db", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/Packages",
        "usr/lib/sysimage/rpm/Packages.db", "usr/lib/sysimage/rpm/rpmdb.sqlite",
    ]
    /// One of the files of ``isPart(_:)``, whichever.
    private static let part = "var/lib/dpkg/status.d/base"
    /// Every folder above a list.
    private static let folders: Set<String> = Set(
        (Array(texts) + Array(databases) + [part]).flatMap { path -> [String] in
            let parts = path.split(separator: "/")
            return (1..<parts.count).map { parts[..<$0].joined(separator: "/") }
        })

    /// Distroless images have one file a package.
    private static func isPart(_ path: String) -> Bool { path.hasPrefix("var/lib/dpkg/status.d/") && !path.hasSuffix(".md5sums") }

    private static func isDistribution(_ path: String) -> Bool {
        path.hasSuffix(".dist-info/METADATA") && (path.contains("/site-packages/") || path.contains("/dist-packages/"))
    }

    /// Whether what is reached through a link is looked at under its own name: `lib` as a link to `usr/lib`, `var/lib/rpm` to
    /// `usr/lib/sysimage/rpm`.
    private static func leadsToAKnownPlace(_ path: String, _ target: String) -> Bool {
        var parts = target.hasPrefix("/") ? [] : path.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        let place = parts.joined(separator: "/")
        let below = texts.union(databases).union([part]).filter { $0 == path || $0.hasPrefix(path + "/") }
        return below.allSatisfy { list in
            let moved = place + list.dropFirst(path.count)
            return texts.contains(moved) || databases.contains(moved) || isPart(moved)
        }
    }

    /// Installed packages in a list: distinct pairs of name and version.
    ///
    /// Source: deb822(5) and dpkg's `Status` field; Alpine's apk, "installed database", fields `P` and `V`.
    private static func count(_ bytes: [UInt8], isAlpine: Bool) -> Int {
        let (nameField, versionField) = isAlpine ? ("P:", "V:") : ("Package:", "Version:")
        var packages: Set<String> = []
        var (name, version, isInstalled) = ("", "", true)
        func take() {
            if !name.isEmpty, !version.isEmpty, isInstalled { packages.insert("\(name) \(version)") }
            (name, version, isInstalled) = ("", "", true)
        }
        for var line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            // A stanza ends at a line of nothing but spaces, and a line may end as on other systems.
            while let last = line.last, [0x20, 0x09, 0x0D].contains(last) { line.removeLast() }
            if line.isEmpty {
                take()
                continue
            }
            // Only three fields matter; the rest, descriptions and file lists, is most of the text.
            guard let first = line.first, [0x50, 0x56, 0x53].contains(first) else { continue }
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix(nameField) { name = text.dropFirst(nameField.count).filter { $0 != " " } }
            if text.hasPrefix(versionField) { version = text.dropFirst(versionField.count).filter { $0 != " " } }
            if !isAlpine, text.hasPrefix("Status:") { isInstalled = text.hasSuffix(" installed") }
        }
        take()
        return packages.count
    }
}
