import Domain
import Testing

@Suite struct SubmissionFieldsTests {
    /// The example of the product documentation.
    static let documented: SubmissionFields = {
        var fields = SubmissionFields()
        fields.name = "My Text Processor"
        fields.slug = "my-text-processor"
        fields.summary = "Processes text input and returns structured output"
        fields.runtimeType = "container"
        fields.containerImage = "ghcr.io/archipelag-io/my-text-processor:v1.0.0"
        fields.inputSchema = #"{"type":"object"}"#
        fields.outputSchema = #"{"type":"object"}"#
        fields.pricePerJob = 1
        fields.requiredCPUCores = 1
        fields.requiredRAMMegabytes = 256
        return fields
    }()

    @Test func theDocumentedExampleHasNoProblem() {
        #expect(Self.documented.problems() == [])
    }

    @Test func everythingMissingIsReportedAtOnceWithItsPointer() {
        let problems = SubmissionFields().problems()
        let pointers: Set = [
            "/name", "/slug", "/description", "/runtime_type", "/container_image", "/input_schema", "/output_schema", "/price_per_job",
        ]
        #expect(Set(problems.map(\.pointer)) == pointers)
        #expect(problems.count == pointers.count)
        #expect(problems.allSatisfy { !$0.message.isEmpty })
    }

    struct Change: Sendable, CustomTestStringConvertible {
        var name: String
        var pointer: String?
        var make: @Sendable (inout SubmissionFields) -> Void
        var testDescription: String { name }
    }

    static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let changes = [
        Change(name: "name of 200", pointer: nil) { $0.name = text(200) },
        Change(name: "name of 201", pointer: "/name") { $0.name = text(201) },
        Change(name: "empty name", pointer: "/name") { $0.name = "" },
        Change(name: "blank name", pointer: "/name") { $0.name = " \t\n" },
        Change(name: "description of 10000", pointer: nil) { $0.summary = text(10_000) },
        Change(name: "description of 10001", pointer: "/description") { $0.summary = text(10_001) },
        Change(name: "slug of 2", pointer: "/slug") { $0.slug = "ab" },
        Change(name: "slug of 3", pointer: nil) { $0.slug = "abc" },
        Change(name: "slug of 63", pointer: nil) { $0.slug = text(63) },
        Change(name: "slug of 64", pointer: "/slug") { $0.slug = text(64) },
        Change(name: "upper-case slug", pointer: "/slug") { $0.slug = "My-Cargo" },
        Change(name: "wasm", pointer: nil) { $0.runtimeType = "wasm" },
        Change(name: "coreml", pointer: nil) { $0.runtimeType = "coreml" },
        Change(name: "onnx", pointer: nil) { $0.runtimeType = "onnx" },
        Change(name: "Container", pointer: "/runtime_type") { $0.runtimeType = "Container" },
        Change(name: "docker", pointer: "/runtime_type") { $0.runtimeType = "docker" },
        Change(name: "no image", pointer: "/container_image") { $0.containerImage = nil },
        Change(name: "no input schema", pointer: "/input_schema") { $0.inputSchema = nil },
        Change(name: "no output schema", pointer: "/output_schema") { $0.outputSchema = nil },
        Change(name: "no price", pointer: "/price_per_job") { $0.pricePerJob = nil },
        Change(name: "all prices 0", pointer: "/price_per_job") { ($0.pricePerJob, $0.pricePerToken, $0.pricePerSecond) = (0, 0, 0) },
        Change(name: "only a token price", pointer: nil) { ($0.pricePerJob, $0.pricePerToken) = (nil, 1) },
        Change(name: "only a second price", pointer: nil) { ($0.pricePerJob, $0.pricePerSecond) = (0, 1) },
        Change(name: "price -1", pointer: "/price_per_job") { $0.pricePerJob = -1 },
        Change(name: "token price -1", pointer: "/price_per_token") { $0.pricePerToken = -1 },
        Change(name: "second price -1", pointer: "/price_per_second") { $0.pricePerSecond = -1 },
        Change(name: "highest price", pointer: nil) { $0.pricePerJob = 1_000_000_000 },
        Change(name: "price above the highest", pointer: "/price_per_job") { $0.pricePerJob = 1_000_000_001 },
        Change(name: "no cores", pointer: "/required_cpu_cores") { $0.requiredCPUCores = 0 },
        Change(name: "1 core", pointer: nil) { $0.requiredCPUCores = 1 },
        Change(name: "1024 cores", pointer: nil) { $0.requiredCPUCores = 1024 },
        Change(name: "1025 cores", pointer: "/required_cpu_cores") { $0.requiredCPUCores = 1025 },
        Change(name: "no memory", pointer: "/required_ram_mb") { $0.requiredRAMMegabytes = 0 },
        Change(name: "memory beyond all machines", pointer: "/required_ram_mb") { $0.requiredRAMMegabytes = Int.max },
        Change(name: "no GPU", pointer: nil) { $0.requiredVRAMMegabytes = 0 },
        Change(name: "GPU memory -1", pointer: "/required_vram_mb") { $0.requiredVRAMMegabytes = -1 },
        Change(name: "share -1", pointer: "/revenue_share") { $0.revenueShare = -1 },
        Change(name: "share 0", pointer: nil) { $0.revenueShare = 0 },
        Change(name: "share 100", pointer: nil) { $0.revenueShare = 100 },
        Change(name: "share 101", pointer: "/revenue_share") { $0.revenueShare = 101 },
        Change(name: "version v1.2.3", pointer: nil) { $0.version = "v1.2.3" },
        Change(name: "version latest", pointer: "/version") { $0.version = "latest" },
        Change(name: "empty version", pointer: "/version") { $0.version = "" },
        Change(name: "category of 64", pointer: nil) { $0.category = text(64) },
        Change(name: "category of 65", pointer: "/category") { $0.category = text(65) },
        Change(name: "32 tags", pointer: nil) { $0.tags = (0..<32).map(String.init) },
        Change(name: "33 tags", pointer: "/tags") { $0.tags = (0..<33).map(String.init) },
        Change(name: "empty tag", pointer: "/tags/1") { $0.tags = ["a", ""] },
        Change(name: "tag of 64", pointer: nil) { $0.tags = [text(64)] },
        Change(name: "tag of 65", pointer: "/tags/0") { $0.tags = [text(65)] },
    ]

    @Test(arguments: changes)
    func oneWrongFieldGivesOneProblemAtItsPlace(change: Change) {
        var fields = Self.documented
        change.make(&fields)
        #expect(fields.problems().map(\.pointer) == [change.pointer].compactMap(\.self))
    }

    @Test func severalWrongFieldsAreAllNamed() {
        var fields = Self.documented
        fields.name = ""
        fields.slug = "X"
        fields.runtimeType = "jar"
        fields.pricePerJob = -1
        fields.pricePerToken = -1
        fields.revenueShare = 200
        fields.tags = ["", "ok", ""]
        let expected: Set = ["/name", "/slug", "/runtime_type", "/price_per_job", "/price_per_token", "/revenue_share", "/tags/0", "/tags/2"]
        #expect(Set(fields.problems().map(\.pointer)) == expected)
    }

    @Test func theDefaultsAreTheDocumentedOnes() {
        #expect(SubmissionDefaults.requiredVRAMMegabytes == 0)
        #expect(SubmissionDefaults.requiredCPUCores == 1)
        #expect(SubmissionDefaults.requiredRAMMegabytes == 256)
        #expect(SubmissionDefaults.revenueShare == 70)
    }

    @Test func thePricesAreThoseOfTheFieldsOnceTheyAreRight() {
        #expect(Self.documented.prices == Prices(perJob: 1, perToken: 0, perSecond: 0))
        #expect(SubmissionFields().prices == nil)
    }
}
