import Foundation
import Scanning
import Testing

@Suite struct ScannerLookupTests {
    @Test func takesTheFirstProgramInTheOrderGiven() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "a/trivy")  // not executable
        try FileManager.default.createDirectory(atPath: folder.path("b/trivy"), withIntermediateDirectories: true)  // a folder
        try folder.write("x", to: "c/trivy", executable: true)
        try folder.write("x", to: "d/trivy", executable: true)
        let folders = ["none", "a", "b", "c", "d"].map(folder.path)
        #expect(ScannerLookup.find("trivy", in: folders) == folder.path("c/trivy"))
        #expect(ScannerLookup.find("trivy", in: Array(folders.prefix(3))) == nil)
        #expect(ScannerLookup.find("trivy", in: []) == nil)
    }

    @Test func followsALinkToAProgram() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "real/program", executable: true)
        try FileManager.default.createDirectory(atPath: folder.path("bin"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder.path("bin/trivy"), withDestinationPath: "../real/program")
        #expect(ScannerLookup.find("trivy", in: [folder.path("bin")]) == folder.path("bin/trivy"))
    }

    @Test(arguments: ["", ".", "..", "../trivy", "/bin/sh", "a\0b"])
    func refusesWhatIsNoFileName(name: String) {
        #expect(ScannerLookup.find(name, in: ["/bin", "/"]) == nil)
    }

    @Test(arguments: [
        ("/usr/bin:/bin", ["/usr/bin", "/bin"]), ("", []), (":/bin:", ["/bin"]), (".:/bin:relative:../up", ["/bin"]),
    ])
    func theCurrentFolderIsNeverSearched(path: String, folders: [String]) {
        #expect(ScannerLookup.folders(ofPath: path) == folders)
        #expect(ScannerLookup.find("sh", in: [".", "bin", ""]) == nil)
    }
}
