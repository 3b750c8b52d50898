import Foundation
import JSON
import NIOHTTP1
import Testing

extension Live {
    /// What is published is scanned again with newer databases, and what follows; justifications and bills of materials on the way.
    @Suite struct RescanTests {
        /// Databases to change: the fixtures', or those with one advisory more.
        private static func databases(_ cache: String, critical: Bool) async throws {
            let build = Machine.scanFixtures + "/build"
            let text = try String(contentsOfFile: build + "/advisories.json", encoding: .utf8)
            var advisories = try JSONValue(parsing: text).object.orThrow("an object")
            if critical {
                var all = try advisories["advisories"]?.object.orThrow("advisories") ?? JSONObject()
                var debian = try all["debian 12"]?.object.orThrow("Debian's") ?? JSONObject()
                var openssl = debian["openssl"]?.object ?? JSONObject()
                openssl["CVE-2026-99999"] = ["fixed": "99.0", "severity": "CRITICAL"]
                debian["openssl"] = .object(openssl)
                all["debian 12"] = .object(debian)
                advisories["advisories"] = .object(all)
                var records = try advisories["vulnerabilities"]?.object.orThrow("records") ?? JSONObject()
                records["CVE-2026-99999"] = records["CVE-2023-5363"]
                advisories["vulnerabilities"] = .object(records)
            }
            try advisories.text.write(toFile: cache + ".json", atomically: true, encoding: .utf8)
            let fresh = cache + ".new"
            let result = try await ChildProcess.run("python3", [build + "/build_trivydb.py", cache + ".json", fresh])
            guard result.exit == 0 else { throw Unexpected("a database: \(result)") }
            try FileManager.default.removeItem(atPath: cache)
            try FileManager.default.moveItem(atPath: fresh, toPath: cache)
        }

        /// Changes a byte of every stored blob; what does not have its digest any more is fetched again.
        private static func damageBlobs(of network: DevNetwork) throws {
            let folder = network.folder + "/coordinator/blobs/blobs/sha256"
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!names.isEmpty)
            for name in names {
                let path = "\(folder)/\(name)"
                var bytes = [UInt8](try FileManager.default.contents(atPath: path).orThrow("a blob"))
                bytes[bytes.count / 2] ^= 1
                try FileManager.default.removeItem(atPath: path)
                try Data(bytes).write(to: URL(fileURLWithPath: path))
            }
        }

        private func rescan(_ network: DevNetwork, until state: String, _ id: Int) async throws {
            let result = try await network.cli("admin", "rescan", "--all", "--json", as: "admin")
            #expect(result.exit == 0, "\(result)")
            #expect(try result.json()["made_due"]?.int == 1)
            _ = try await pollUntil("submission \(id) is \(state)", within: .seconds(60)) { () async throws -> Bool? in
                try await network.publisher.data(.GET, "/submissions/\(id)")["state"]?.string == state ? true : nil
            }
        }

        @Test func aCriticalFindingSuspendsAndItsEndBringsBack() async throws {
            let cache = try Machine.makeFolder("cache")
            try await Self.databases(cache, critical: false)
            try await DevNetwork.withOwn("rescan", environment: ["ARCHIPELAGO_TRIVY_CACHE": cache]) { network in
                let image = try await network.push(Machine.scanFixtures + "/images/debian-patched.tar", "patched:v1.0.0")
                let id = try await network.submit(slug: "patched", image: image)
                #expect(try await network.scan(of: id)["verdict"]?.string == "clean")
                #expect(try await network.approve(id).status == 200)
                _ = try await network.publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "published"])
                // The image is gone from its registry, and nothing else is on its way there: what was stored is judged again.
                let digest = try await network.publisher.data(.GET, "/submissions/\(id)")["image_digest"]?.string ?? ""
                _ = try await Bills.referrers(of: "live/patched", digest, network)
                try FileManager.default.moveItem(
                    atPath: network.folder + "/registry/images/docker/registry/v2/repositories/live", toPath: network.folder + "/moved-away")

                try await Self.databases(cache, critical: true)
                try await rescan(network, until: "suspended", id)
                // The rescan leaves its bills there, in the repository that is empty now.
                _ = try await pollUntil("the rescan's bills are in the registry", within: .seconds(30)) { () async throws -> Bool? in
                    try await network.publisher.data(.GET, "/submissions/\(id)/scans")["sbom_referrers"]?.isNull == false ? true : nil
                }
                try FileManager.default.moveItem(
                    atPath: network.folder + "/registry/images/docker/registry/v2/repositories/live", toPath: network.folder + "/moved-too")
                try FileManager.default.moveItem(
                    atPath: network.folder + "/moved-away", toPath: network.folder + "/registry/images/docker/registry/v2/repositories/live")
                try Self.damageBlobs(of: network)
                let scan = try await network.publisher.data(.GET, "/submissions/\(id)/scans")
                #expect(scan["flagged"]?["severity"]?.string == "critical", "\(scan.text)")
                #expect((scan["findings"]?.array ?? []).first?["id"]?.string == "CVE-2026-99999")
                #expect(try await network.consumer.call(.POST, "/jobs", ["workload": "patched", "input": JSONValue.object([:])]).status != 201)
                for person in [network.publisher, network.reviewer] {
                    let kinds = try await person.data(.GET, "/notifications").array?.compactMap { $0["kind"]?.string } ?? []
                    #expect(kinds.contains("submission.flagged") && kinds.contains("submission.suspended"), "\(kinds)")
                }
                #expect(try await network.admin.data(.GET, "/admin/audit/verify")["intact"]?.bool == true)

                try await Self.databases(cache, critical: false)
                try await rescan(network, until: "published", id)
                #expect(try await network.publisher.data(.GET, "/submissions/\(id)/scans")["flagged"]?.isNull == true)
            }
        }

        @Test func aMediumFindingIsJustifiedCountersignedAndExported() async throws {
            let network = try await SharedNetwork.network
            let image = try await network.push(Machine.scanFixtures + "/images/medium-low.tar", "justified:v1.0.0")
            let id = try await network.submit(slug: "scanned", image: image)
            let scan = try await network.scan(of: id)
            let medium = (scan["findings"]?.array ?? []).filter { $0["severity"]?.string == "medium" }
            #expect(medium.count == 2)
            #expect(try await network.approve(id).errorCode == "scan_flagged")
            for finding in medium {
                let result = try await network.cli(
                    "cargo", "justify", "\(id)", finding["id"]?.string ?? "", "--package", finding["package"]?.string ?? "", "--reason",
                    "vulnerable_code_not_in_execute_path", "--statement", "Nothing calls it.", as: "publisher")
                #expect(result.exit == 0, "\(result)")
            }
            #expect(try await network.cli("cargo", "vex", "\(id)", as: "publisher").exit == 3, "no reviewer has agreed yet")
            #expect(try await network.approve(id).status == 200)
            let vex = try await network.cli("cargo", "vex", "\(id)", as: "publisher").json()
            #expect(vex["@context"]?.string == "https://openvex.dev/ns/v0.2.0")
            #expect(
                Set((vex["statements"]?.array ?? []).compactMap { $0["vulnerability"]?["name"]?.string })
                    == Set(medium.compactMap { $0["id"]?.string }))
            let bad = try await network.cli("cargo", "justify", "\(id)", "CVE-1", "--statement", "x", "--json", as: "publisher")
            #expect(bad.exit == 4 && "\(bad)".contains("/reason"), "\(bad)")
        }

        @Test func theBillsOfAnImageAreValidStoredAndInItsRegistry() async throws {
            let network = try await SharedNetwork.network
            let image = try await network.push(Machine.scanFixtures + "/images/vulnerable.tar", "billed:v1.0.0")
            let id = try await network.submit(slug: "scanned", image: image)
            _ = try await network.scan(of: id)
            try await Bills.expectValid(of: id, naming: ["libssl3", "Flask"], network)
            let digest = try await network.publisher.data(.GET, "/submissions/\(id)")["image_digest"]?.string ?? ""
            let listed = try await Bills.referrers(of: "live/billed", digest, network)
            #expect(Set(listed) == ["application/vnd.cyclonedx+json", "application/spdx+json"], "\(listed)")
            try await network.discard(id)
        }
    }
}

/// Bills of materials as outsiders see them.
enum Bills {
    /// Fetches both forms by the command line and lets the formats' own validators judge them.
    static func expectValid(of id: Int, naming names: [String], _ network: DevNetwork) async throws {
        let folder = try Machine.makeFolder("bills")
        for format in ["cyclonedx", "spdx"] {
            let result = try await network.cli("cargo", "sbom", "\(id)", "--format", format, as: "publisher")
            #expect(result.exit == 0, "\(result)")
            for name in names { #expect(result.stdout.contains(name), "\(format) names \(name)") }
            let file = "\(folder)/bill.\(format).json"
            try result.stdout.write(toFile: file, atomically: true, encoding: .utf8)
            let check = try await ChildProcess.run(
                "python3", [Machine.checkout + "/Tests/SBOM/validate.py", format, file],
                environment: ["PYTHONPATH": Machine.checkout + "/.tools/python"])
            #expect(check.exit == 0, "\(check)")
        }
    }

    /// The types of the artifacts that the fallback tag lists, once both are there. Source: OCI distribution specification 1.1.
    static func referrers(of name: String, _ digest: String, _ network: DevNetwork) async throws -> [String] {
        let pusher = PlainPusher(registry: network.registry)
        return try await pollUntil("bills of \(digest)", within: .seconds(30)) {
            let answer = try await pusher.peer.exchange(
                .init(
                    path: "/v2/\(name)/manifests/\(digest.replacing(":", with: "-"))",
                    headers: [("Accept", "application/vnd.oci.image.index.v1+json")]))
            guard answer.status == 200 else { return nil }
            let types = (answer.json["manifests"]?.array ?? []).compactMap { $0["artifactType"]?.string }
            return types.count < 2 ? nil : types
        }
    }
}
