import Scanning
import Testing

@Suite struct PackageTracesTests {
    private static func traces(_ entries: [(String, PackageTraces.Entry)]) -> PackageTraces {
        var traces = PackageTraces()
        for (path, entry) in entries where PackageTraces.startBytes(path) != nil { traces.add(path, entry) }
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
}
