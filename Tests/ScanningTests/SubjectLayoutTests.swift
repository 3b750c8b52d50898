import Foundation
import Testing

@testable import Scanning

@Suite struct SubjectLayoutTests {
    private func code(_ subject: ScanSubject) -> ScanFailure.Code? {
        do {
            try SubjectLayout.check(subject)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(arguments: TrivyReportParserTests.images)
    func takesALayoutOfOneImage(name: String) throws {
        let folder = try TemporaryFolder()
        #expect(code(try folder.subject(name)) == nil)
    }

    @Test(arguments: ["bad/two-images", "bad/multi-platform"])
    func refusesALayoutOfSeveralImages(name: String) throws {
        let folder = try TemporaryFolder()
        #expect(code(try folder.subject(name)) == .imageAmbiguous)
    }

    @Test func refusesAnotherImage() throws {
        let folder = try TemporaryFolder()
        let other = try folder.subject("clean").imageID
        let layout = try folder.image("vulnerable")
        #expect(code(ScanSubject(layoutFolder: layout, imageID: other, platform: "linux/amd64")) == .wrongImage)
    }

    @Test(arguments: ["", "sha256:", "sha512:" + String(repeating: "a", count: 64), "sha256:" + String(repeating: "A", count: 64)])
    func refusesAnImageIDThatIsNoDigest(imageID: String) throws {
        let folder = try TemporaryFolder()
        let layout = try folder.image("clean")
        #expect(code(ScanSubject(layoutFolder: layout, imageID: imageID, platform: "linux/amd64")) == .wrongImage)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"manifests":[]}"#, #"{"manifests":[{}]}"#, #"{"manifests":[{"digest":"sha256:../../../../etc/passwd"}]}"#,
        #"{"manifests":[{"digest":"sha256:\#(String(repeating: "0", count: 64))"}]}"#, String(repeating: " ", count: 4 * 1024 * 1024 + 1),
    ])
    func refusesABrokenIndex(index: String) throws {
        let folder = try TemporaryFolder()
        let subject = try folder.subject("clean")
        try folder.write(index, to: "clean/index.json")
        #expect([.imageDamaged, .imageAmbiguous].contains(code(subject)))
    }

    @Test func refusesAnIndexBehindALinkAndAPipe() throws {
        let folder = try TemporaryFolder()
        let subject = try folder.subject("clean")
        let index = folder.path("clean/index.json")
        try FileManager.default.moveItem(atPath: index, toPath: folder.path("elsewhere"))
        try FileManager.default.createSymbolicLink(atPath: index, withDestinationPath: folder.path("elsewhere"))
        #expect(code(subject) == .imageDamaged)
        try FileManager.default.removeItem(atPath: index)
        #expect(mkfifo(index, 0o600) == 0)
        #expect(code(subject) == .imageDamaged)
    }

    @Test(arguments: ["", "relative/folder", "/nothing/here", "/a\0b"])
    func refusesAFolderThatIsNone(path: String) {
        let imageID = "sha256:" + String(repeating: "a", count: 64)
        #expect(code(ScanSubject(layoutFolder: path, imageID: imageID, platform: "linux/amd64")) == .imageDamaged)
    }
}
