import Foundation
import JSON
import NIOHTTP1

/// The example Cargos, compiled once.
actor Programs {
    static let shared = Programs()
    private var folder: String?
    private var compiled: [String: String] = [:]

    /// Programs that only these tests need.
    private static let sources = [
        // Says done and exits with the code that its input names: {"exit":N}.
        "misbehaving/exits": """
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        int main(void) {
            char line[256] = "", *number;
            if (!fgets(line, sizeof line, stdin)) return 1;
            number = strchr(line, ':');
            puts("{\\"type\\":\\"done\\"}");
            return number ? atoi(number + 1) : 1;
        }
        """
    ]

    /// The static program of `Examples/NAME.c`, or of this file.
    static func path(_ name: String) async throws -> String { try await shared.compile(name) }

    private func compile(_ name: String) async throws -> String {
        if let path = compiled[name] { return path }
        let folder = try self.folder ?? Machine.makeFolder("programs")
        self.folder = folder
        let short = URL(fileURLWithPath: name).lastPathComponent
        var source = "\(Machine.checkout)/Examples/\(name).c"
        if let text = Self.sources[name] {
            source = "\(folder)/\(short).c"
            try Data(text.utf8).write(to: URL(fileURLWithPath: source))
        }
        let result = try await ChildProcess.run("cc", ["-O2", "-static", "-o", "\(folder)/\(short)", source])
        guard result.exit == 0 else { throw Unexpected("\(name).c to compile: \(result)") }
        compiled[name] = "\(folder)/\(short)"
        return "\(folder)/\(short)"
    }
}

/// The checklist with every point ticked.
let fullChecklist: JSONValue = ["scan": true, "schemas": true, "resources": true, "metadata": true, "policy": true]

extension DevNetwork {
    /// The fields of a submission that is right in everything.
    func fields(slug: String, image: String) -> JSONObject {
        [
            "name": .string("Live \(slug)"), "slug": .string(slug), "description": "Made by the live tests.", "runtime_type": "container",
            "container_image": .string(image), "input_schema": ["type": "object"], "output_schema": ["type": "object"], "price_per_job": 1,
        ]
    }

    /// Packs a program, or takes an image tar as it is, and pushes it.
    func push(_ source: String, _ name: String) async throws -> String {
        let reference = "\(registry)/live/\(name)"
        let result = try await cli("cargo", "push", source, reference, "--json")
        guard result.exit == 0 else { throw Unexpected("\(source) to be pushed: \(result)") }
        return reference
    }

    /// Makes a draft and returns its id.
    func draft(slug: String, image: String, by publisher: API? = nil) async throws -> Int {
        try (await (publisher ?? self.publisher).data(.POST, "/workloads", .object(fields(slug: slug, image: image))))["id"]?.int.orThrow("an id")
            ?? 0
    }

    /// Makes a draft and hands it in; returns its id.
    func submit(slug: String, image: String, by publisher: API? = nil) async throws -> Int {
        let id = try await draft(slug: slug, image: image, by: publisher)
        _ = try await (publisher ?? self.publisher).data(.POST, "/submissions/\(id)/transitions", ["to": "pending_review"])
        return id
    }

    /// The scan of a submission once it has ended.
    func scan(of id: Int) async throws -> JSONValue {
        try await pollUntil("submission \(id) is scanned", within: .seconds(60)) {
            let scan = try await admin.data(.GET, "/submissions/\(id)/scans")
            // Not `nil` alone: that would be the JSON null.
            return ["queued", "running"].contains(scan["state"]?.string ?? "") ? JSONValue?.none : scan
        }
    }

    /// Approves; the answer may be a refusal.
    func approve(_ id: Int, level: Int = 0, acceptMedium: Bool = false, note: String = "", by reviewer: API? = nil) async throws -> Answer {
        let body: JSONValue = [
            "trust_level": .int(level), "checklist": fullChecklist, "accept_medium": .bool(acceptMedium), "note": .string(note),
        ]
        return try await (reviewer ?? self.reviewer).call(.POST, "/review/submissions/\(id)/approve", body)
    }

    /// A program's whole way into the registry, as a version of a Cargo.
    func publish(_ program: String, slug: String, version: String) async throws {
        let image = try await push(try await Programs.path(program), "\(slug):\(version)")
        let id = try await submit(slug: slug, image: image)
        _ = try await scan(of: id)
        let approval = try await approve(id)
        guard approval.status == 200 else { throw Refused(call: "approve", answer: approval) }
        _ = try await publisher.data(.POST, "/submissions/\(id)/transitions", ["to": "published"])
    }

    /// Withdraws or leaves alone, then deletes: gives a place of the limit back.
    func discard(_ id: Int, by publisher: API? = nil) async throws {
        let publisher = publisher ?? self.publisher
        _ = try await publisher.call(.POST, "/submissions/\(id)/transitions", ["to": "draft"])
        _ = try await publisher.call(.DELETE, "/submissions/\(id)")
    }
}

/// What is published on the shared network, and under which version. A community publisher has three active Cargos, so the
/// many small programs are versions of one Cargo; a job runs the version that was published when it was sent.
actor Catalog {
    static let shared = Catalog()
    private var isTextStatsPublished = false
    private var version = 0
    private var newest: String?

    /// Publishes `text-stats` unless it is, and returns its slug.
    func textStats(_ network: DevNetwork) async throws -> String {
        if !isTextStatsPublished { try await network.publish("text-stats/text-stats", slug: "text-stats", version: "v1.0.0") }
        isTextStatsPublished = true
        return "text-stats"
    }

    /// Publishes a misbehaving program unless it is the newest one, and returns the slug to run it by.
    func misbehaving(_ program: String, _ network: DevNetwork) async throws -> String {
        if newest != program {
            version += 1
            try await network.publish("misbehaving/\(program)", slug: "misbehaving", version: "v1.0.\(version)")
            newest = program
        }
        return "misbehaving"
    }
}
