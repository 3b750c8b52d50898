import Scanning
import Testing

@Suite struct PackageTracesTests {
    @Test(arguments: [
        "var/lib/dpkg/status", "var/lib/dpkg/status.d/base", "lib/apk/db/installed", "usr/lib/apk/db/installed",
        "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/python3/dist-packages/Flask-2.3.1.dist-info/METADATA",
        "app/venv/lib/python3.12/site-packages/x-1.dist-info/METADATA",
    ])
    func aListOfPackagesIsKnown(path: String) {
        #expect(PackageTraces.isPackageList(path, size: 1))
        #expect(!PackageTraces.isPackageList(path, size: 0), "an empty list says nothing")
    }

    @Test(arguments: [
        "bin/hello", "var/lib/dpkg/status-old", "var/lib/dpkg/status.d/base.md5sums", "srv/var/lib/dpkg/status", "app/log4j.jar",
        "app/package.json", "x.dist-info/METADATA", "site-packages/x.dist-info/RECORD", "",
    ])
    func otherFilesAreNot(path: String) { #expect(!PackageTraces.isPackageList(path, size: 1)) }
}
