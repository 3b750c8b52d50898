import Foundation

/// Programs that stand in for scanners. The real Grype cannot be had on the machines that build this project; Trivy's stand-ins misbehave.
enum StandIns {
    /// A folder with a `grype` that prints the prepared report of the image that it is shown.
    ///
    /// - Parameter change: changes a report before it is put there, by the image's name.
    static func grype(_ change: (_ image: String, _ report: String) -> String = { $1 }) throws -> String {
        let folder = try Machine.makeFolder("grype")
        let reports = Machine.scanFixtures + "/golden/grype/standin"
        for name in try FileManager.default.contentsOfDirectory(atPath: reports) where !name.contains("by-cve") {
            let report = try String(contentsOfFile: "\(reports)/\(name)", encoding: .utf8)
            try change(name.replacing(".json", with: ""), report).write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        try write(
            """
            #!/usr/bin/env python3
            import glob, json, os, sys
            layout = [a for a in sys.argv if a.startswith("oci-dir:")][0][8:]
            def blob(digest):
                return json.load(open(f"{layout}/blobs/sha256/{digest[7:]}"))
            image = blob(json.load(open(layout + "/index.json"))["manifests"][0]["digest"])["config"]["digest"]
            for path in glob.glob(os.path.dirname(os.path.abspath(__file__)) + "/*.json"):
                text = open(path).read()
                if json.loads(text)["source"]["target"]["imageID"] == image:
                    print(text)
                    sys.exit(0)
            sys.exit("failed to catalog: no report for " + image)
            """, to: folder + "/grype")
        return folder
    }

    /// A folder with a `trivy` that says a good version and then does what a shell script says.
    static func trivy(_ script: String) throws -> String {
        let folder = try Machine.makeFolder("trivy")
        try write("#!/bin/sh\n[ \"$1\" = version ] && { echo '{\"Version\":\"0.76.0\"}'; exit 0; }\n\(script)\n", to: folder + "/trivy")
        return folder
    }

    private static func write(_ program: String, to path: String) throws {
        try program.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    /// A PATH on which a folder comes first.
    static func path(_ folder: String) -> [String: String] { ["PATH": "\(folder):\(Machine.searchPath)"] }
}
