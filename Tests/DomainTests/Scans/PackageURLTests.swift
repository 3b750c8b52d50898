import Domain
import Testing

@Suite struct PackageURLTests {
    @Test(arguments: [
        ("pkg:deb/debian/curl@7.88.1-10%2Bdeb12u1?arch=amd64&distro=debian-12.1", "pkg:deb/debian/curl@7.88.1-10+deb12u1"),
        ("pkg:deb/debian/curl@7.88.1-10+deb12u1?arch=amd64&upstream=curl", "pkg:deb/debian/curl@7.88.1-10+deb12u1"),
        ("pkg:deb/debian/bind9@9.18?epoch=1&arch=amd64", "pkg:deb/debian/bind9@1:9.18"),
        ("pkg:deb/debian/bind9@1%3A9.18?arch=amd64", "pkg:deb/debian/bind9@1:9.18"),
        ("pkg:deb/debian/bind9@1:9.18?epoch=1", "pkg:deb/debian/bind9@1:9.18"),
        ("pkg:rpm/rhel/avahi-libs@0:0.7-20.el8?arch=x86_64", "pkg:rpm/rhel/avahi-libs@0.7-20.el8"),
        ("pkg:rpm/rhel/avahi-libs@0.7-20.el8?epoch=0", "pkg:rpm/rhel/avahi-libs@0.7-20.el8"),
        ("pkg:PyPI/Zope_Interface@5.0", "pkg:pypi/zope-interface@5.0"), ("pkg:npm/%40angular/core@1.0#src", "pkg:npm/@angular/core@1.0"),
        ("pkg:npm/@angular/core", "pkg:npm/@angular/core"), ("pkg:golang/github.com/a/b@v1.2.3", "pkg:golang/github.com/a/b@v1.2.3"),
        ("pkg:maven/org.apache/log4j@2?type=jar", "pkg:maven/org.apache/log4j@2"), ("pkg:generic/a%zz@1", "pkg:generic/a%zz@1"),
    ])
    func onePackageHasOneCanonicalText(text: String, canonical: String) { #expect(PackageURL(text)?.canonical == canonical) }

    @Test(arguments: ["", "pkg:", "pkg:deb", "pkg:deb/", "pkg:/a", "deb/debian/curl@1", "PKG:deb/a@1", "pkg:?a=b", "pkg:deb/a/"])
    func whatIsNoneIsRefused(text: String) { #expect(PackageURL(text) == nil) }

    @Test func scannersThatWriteItInTheirOwnWayMeet() {
        let merged = FindingMerge.merged([
            FindingMergeTests.finding("CVE-1", "bind9", "1:9.18", .low, url: "pkg:deb/debian/bind9@9.18?epoch=1&arch=amd64", by: ["trivy"]),
            FindingMergeTests.finding("CVE-1", "bind9", "1:9.18", .high, url: "pkg:deb/debian/bind9@1%3A9.18?upstream=bind", by: ["grype"]),
            FindingMergeTests.finding("CVE-1", "Bind9", "1:9.18", .medium, by: ["other"]),
        ])
        #expect(merged.map(\.severity) == [.high])
        #expect(merged.first?.ratings == ["trivy": .low, "grype": .high, "other": .medium])
        #expect(merged.first?.isDisputed(among: ["trivy", "grype"]) == true)
    }

    @Test func aFindingIsDisputedWhenOneScannerIsSilent() {
        let finding = FindingMergeTests.finding("CVE-1", by: ["trivy"])
        #expect(finding.isDisputed(among: ["trivy", "grype"]))
        #expect(!finding.isDisputed(among: ["trivy"]))
        let both = FindingMergeTests.finding("CVE-1", by: ["trivy", "grype"])
        #expect(!both.isDisputed(among: ["trivy", "grype"]))
    }

    private static let day = 86_400

    @Test(
        arguments: [
            (-day, .fresh), (0, .fresh), (5 * day - 1, .fresh), (5 * day, .aging), (14 * day - 1, .aging), (14 * day, .stale), (2190 * day, .stale),
        ] as [(Int, DatabaseAgePolicy.Judgement)])
    func aDatabaseGrowsOld(seconds: Int, judgement: DatabaseAgePolicy.Judgement) {
        #expect(DatabaseAgePolicy().judge(age: .seconds(seconds)) == judgement)
    }
}
