import Domain
import Testing

@Suite struct ApprovedRegistriesTests {
    @Test(arguments: ["ghcr.io/archipelag-io/x", "ghcr.io/archipelag-io/a/b", "docker.io/archipelag/x"])
    func theDocumentedRegistriesAreApproved(name: String) {
        #expect(ApprovedRegistries().contains(imageName: name))
    }

    @Test(arguments: [
        "ghcr.io/archipelag-io-evil/x", "ghcr.io/archipelag-iox", "ghcr.io/archipelag-io", "ghcr.io/archipelag/x", "ghcr.io/Archipelag-io/x",
        "docker.io/archipelag-io/x", "docker.io/archipelagx/x", "docker.io/library/archipelag", "evil.example/ghcr.io/archipelag-io/x",
        "ghcr.io.evil.example/archipelag-io/x", "ghcr.io:443/archipelag-io/x", "xghcr.io/archipelag-io/x", " ghcr.io/archipelag-io/x", "quay.io/x/y",
        "",
        "127.0.0.1:5000/x",
    ])
    func whatOnlyLooksLikeThemIsNot(name: String) {
        #expect(!ApprovedRegistries().contains(imageName: name))
    }

    @Test func anAddedRegistryCountsWithItsPortAndNoOther() {
        let approved = ApprovedRegistries(adding: ["127.0.0.1:5000"])
        #expect(approved.contains(imageName: "127.0.0.1:5000/x"))
        #expect(!approved.contains(imageName: "127.0.0.1:50000/x"))
        #expect(!approved.contains(imageName: "127.0.0.1/x"))
        #expect(approved.contains(imageName: "ghcr.io/archipelag-io/x"))
    }

    @Test func theRefusalNamesThePlacesThatWouldBeRight() {
        let words = ApprovedRegistries().refusal(of: "quay.io/x/y")
        for part in ["quay.io/x/y", "ghcr.io/archipelag-io", "docker.io/archipelag"] { #expect(words.contains(part)) }
    }
}
