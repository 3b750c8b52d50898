import Scanning
import Testing

@Suite struct PackageTracesTests {
    private static func traces(_ entries: [(String, PackageTraces.Entry)]) -> PackageTraces {
        var traces = PackageTraces()
        for (path, entry) in entries where PackageTraces.startBytes(path) != nil { traces.add(path, entry, writtenAs: path) }
        return traces
    }

    private static func file(_ text: String = "x") -> PackageTraces.Entry { .file(start: Array(text.utf8), size: Int64(text.utf8.count)) }

    @Test(arguments: [
        "var/lib/dpkg/status", "var/lib/dpkg/status.d/base", "lib/apk/db/installed", "usr/lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite",
        "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/python3/dist-packages/Flask-2.3.1.dist-info/METADATA",
        "app/venv/lib/python3.12/site-packages/x-1.dist-info/METADATA",
    ])
    func aListOfPackagesIsKnown(path: String) {
        #expect(Self.traces([(path, Self.file())]).list == path)
        #expect(Self.traces([(path, Self.file(""))]).list == nil, "an empty list says nothing")
    }

    @Test(arguments: [
        "bin/hello", "var/lib/dpkg/status-old", "var/lib/dpkg/status.d/base.md5sums", "srv/var/lib/dpkg/status", "app/log4j.jar",
        "app/package.json", "x.dist-info/METADATA", "site-packages/x.dist-info/RECORD", "",
    ])
    func otherFilesAreNot(path: String) { #expect(Self.traces([(path, Self.file())]).list == nil) }

    @Test func installedPackagesOfDebianAreCounted() {
        let status = """
            Package: curl
            Status: install ok installed
            Version: 7.88.1-10
            Description: a tool
             Package: not-one

            Package: gone
            Status: deinstall ok config-files
            Version: 1

            Package: curl
            Status: install ok installed
            Architecture: arm64
            Version: 7.88.1-10

            Package: held
            Status: hold ok installed
            Version: 2

            """
        #expect(Self.traces([("var/lib/dpkg/status", Self.file(status))]).systemPackages == 2)
        #expect(Self.traces([("var/lib/dpkg/status.d/base", Self.file("Package: base\nVersion: 1\n"))]).systemPackages == 1)
    }

    @Test func installedPackagesOfAlpineAreCounted() {
        let installed = "C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\n\nP:busybox\nV:1.36-r5\nF:bin\nR:busybox\n\nP:no-version\n\n"
        #expect(Self.traces([("lib/apk/db/installed", Self.file(installed))]).systemPackages == 2)
    }

    @Test(arguments: [
        ("var/lib/dpkg/status", "/var/lib/dpkg/status-real"), ("var/lib/dpkg/status", "elsewhere"), ("var/lib/dpkg", "../dpkg"), ("var", "/v"),
        ("lib/apk/db/installed", "/tmp/x"), ("lib/apk", "/apk"), ("var/lib/rpm", "/rpm"),
    ])
    func aListBehindALinkIsHidden(path: String, target: String) {
        #expect(Self.traces([(path, .link(to: target))]).hidden == path)
    }

    /// What distributions do: one tree for programs, one place for rpm.
    @Test(arguments: [
        ("lib", "usr/lib"), ("lib", "/usr/lib"), ("var/lib/rpm", "../../usr/lib/sysimage/rpm"), ("lib/apk/db/installed", "/usr/lib/apk/db/installed"),
        ("bin/sh", "busybox"),
    ])
    func aLinkToAnotherKnownPlaceIsNot(path: String, target: String) {
        #expect(Self.traces([(path, .link(to: target))]).hidden == nil)
    }

    /// A scanner reads the names in a layer, and not where they lead.
    @Test(arguments: [
        ("var/lib/dpkg/status", "alias/lib/dpkg/status"), ("lib/apk/db/installed", "l/apk/db/installed"), ("var/lib/rpm/rpmdb.sqlite", "p"),
    ])
    func aListWrittenThroughALinkIsHidden(path: String, written: String) {
        var traces = PackageTraces()
        traces.add(path, Self.file(), writtenAs: written)
        #expect(traces.hidden == written)
    }

    @Test func aListWrittenThroughALinkToAKnownPlaceIsNot() {
        var traces = PackageTraces()
        traces.add("usr/lib/apk/db/installed", Self.file("P:a\nV:1\n"), writtenAs: "lib/apk/db/installed")
        #expect(traces.hidden == nil && traces.systemPackages == 1)
    }

    /// A path is the publisher's text, and goes to a reviewer's terminal.
    @Test func pathsAreOneLine() {
        var traces = PackageTraces()
        traces.add("var/lib/dpkg/status.d/a\nError: \u{202E}b", Self.file(), writtenAs: "x\r\n\u{1B}[31my")
        #expect(traces.list == "var/lib/dpkg/status.d/a Error: b")
        #expect(traces.hidden == "x [31my")
    }

    @Test(arguments: ["\r\n", " \n", "\t\n"])
    func aStanzaEndsAtALineOfSpaces(end: String) {
        let list = ["Package: a", "Version: 1", "", "Package: b", "Status: install ok installed", "Version: 2", "", "Package: c", "Version: 3"]
        #expect(Self.traces([("var/lib/dpkg/status", Self.file(list.joined(separator: end)))]).systemPackages == 3)
    }
}

@Suite struct BlindReportTests {
    private static func report(
        _ system: (String, String)?, systemPackages: Int?, packages: Int? = 9
    ) -> ScannerReport {
        ScannerReport(
            scanner: "trivy", scannerVersion: "1", databaseUpdatedAt: "", imageID: "", platform: nil,
            operatingSystem: system.map { .init(family: $0.0, name: $0.1, isEndOfLife: nil) }, packageCount: packages,
            systemPackageCount: systemPackages, findings: [], raw: [])
    }

    private static func traces(_ paths: String...) -> PackageTraces {
        var traces = PackageTraces()
        for path in paths { traces.add(path, .file(start: Array("P:a\nV:1\n\nPackage: a\nVersion: 1\n".utf8), size: 9), writtenAs: path) }
        return traces
    }

    private static let (dpkg, apk, rpm) = ("var/lib/dpkg/status", "lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite")

    @Test(arguments: [
        ("debian", dpkg), ("ubuntu", dpkg), ("alpine", apk), ("wolfi", apk), ("chainguard", apk), ("rocky", rpm), ("redhat", rpm), ("photon", rpm),
        ("opensuse.leap", rpm), ("opensuse-tumbleweed", rpm), ("sles", rpm), ("almalinux", rpm), ("amazonlinux", rpm),
    ])
    func aSystemHasItsOwnPackageManager(family: String, list: String) throws {
        try Self.report((family, "1"), systemPackages: 9).require(sees: Self.traces(list), platform: "linux/amd64")
        try Self.report((family, "1"), systemPackages: nil, packages: nil).require(sees: Self.traces(list), platform: "linux/amd64")
        for other in [Self.dpkg, Self.apk, Self.rpm] where other != list {
            for lists in [Self.traces(other), Self.traces(list, other)] {
                let failure = #expect(throws: ScanFailure.self) {
                    try Self.report((family, "1"), systemPackages: 9).require(sees: lists, platform: "linux/amd64")
                }
                #expect(failure?.code == .blindReport)
                #expect(failure?.message.contains(other) == true, "\(failure?.message ?? "")")
            }
        }
    }

    @Test(arguments: [("made-up", "1"), ("debian\n", "12"), nil] as [(String, String)?], [dpkg, apk, rpm])
    func packagesOfNoKnownSystemWereNotLookedAt(system: (String, String)?, list: String) {
        for count in [9, nil] as [Int?] {
            let failure = #expect(throws: ScanFailure.self) {
                try Self.report(system, systemPackages: count).require(sees: Self.traces(list), platform: "linux/amd64")
            }
            #expect(failure?.code == .blindReport)
            #expect(failure?.message.contains("\n") == false)
        }
    }

    @Test func aDatabaseOfRPMIsNotEmpty() {
        let failure = #expect(throws: ScanFailure.self) {
            try Self.report(("rocky", "9"), systemPackages: 0).require(sees: Self.traces(Self.rpm), platform: "linux/amd64")
        }
        #expect(failure?.code == .blindReport)
    }
}
