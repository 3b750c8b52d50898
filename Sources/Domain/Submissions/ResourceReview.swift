/// What a submission asks of an Island, beside what the two levels give that a reviewer can choose.
public struct ResourceReview: Sendable, Hashable {
    /// The field's name.
    public let name: String
    /// What is asked.
    public let asked: Int
    /// What level 0 gives.
    public let levelZero: Int
    /// What level 1 gives.
    public let levelOne: Int

    /// Every resource that the fields ask for: MB of GPU memory (no level up to 1 has a GPU), cores, MB of memory.
    public static func all(of fields: SubmissionFields) -> [ResourceReview] {
        let (zero, one) = (TrustLevel.untrusted.limits, TrustLevel.basic.limits)
        return [
            ResourceReview(
                name: "required_ram_mb", asked: fields.requiredRAMMegabytes ?? SubmissionDefaults.requiredRAMMegabytes,
                levelZero: zero.memoryBytes >> 20, levelOne: one.memoryBytes >> 20),
            ResourceReview(
                name: "required_cpu_cores", asked: fields.requiredCPUCores ?? SubmissionDefaults.requiredCPUCores, levelZero: zero.cpus,
                levelOne: one.cpus),
            ResourceReview(
                name: "required_vram_mb", asked: fields.requiredVRAMMegabytes ?? SubmissionDefaults.requiredVRAMMegabytes, levelZero: 0, levelOne: 0),
        ]
    }
}

extension ChecklistItem {
    /// What a reviewer answers by ticking it. Source: the product's documentation, "Manual Review".
    public var question: String {
        switch self {
        case .scan: "Are all critical and high findings resolved, and medium ones justified or acceptable?"
        case .schemas: "Are the input and output schemas well defined, and do they follow the I/O protocol?"
        case .resources: "Are the requested resources reasonable for what the Cargo does?"
        case .metadata: "Are name, description and metadata clear, accurate and complete?"
        case .policy: "Is it free of prohibited content and functionality?"
        }
    }
}
