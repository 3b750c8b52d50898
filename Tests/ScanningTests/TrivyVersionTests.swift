import Testing

@testable import Scanning

@Suite struct TrivyVersionTests {
    @Test(arguments: ["0.76.0", "v0.76.0", "0.76.1", "0.77.0", "1.0.0", "0.77.0-rc.1", "0.76.0+build", "0.100.0"])
    func acceptsTheTestedVersionAndNewer(text: String) throws {
        #expect(try #require(TrivyVersion(text)).isAccepted)
    }

    @Test(arguments: ["0.75.9", "0.76.0-rc.1", "0.69.4", "v0.69.4", "0.69.4+x", "0.9.0", "0.0.0"])
    func refusesOlderAndMaliciousOnes(text: String) throws {
        #expect(try #require(TrivyVersion(text)).isAccepted == false)
    }

    @Test(arguments: ["", "dev", "0.76", "0.76.0.1", "0.76.x", "0.-76.0", "0.76.0-", " 0.76.0", "99999999999999999999.0.0", "٠.٧٦.٠"])
    func anythingElseIsNoVersion(text: String) {
        #expect(TrivyVersion(text) == nil)
    }
}
