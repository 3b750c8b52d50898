public import Domain

/// What the inspection of one artifact found.
public struct ArtifactReport: Sendable, Hashable {
    /// What was inspected.
    public let kind: ArtifactKind
    /// What is objected to or pointed out, in the order of the file; each once, at most
    /// ``ArtifactInspectionLimits/findingsMax`` and one more that says how many are left out and is as bad as the worst of those.
    ///
    /// A finding's `id` is a rule's stable name in capitals; its `package` is the file's name, a colon and the thing itself, at most 200
    /// printable characters.
    public let findings: [Finding]
    /// What a reader wants to know of the artifact, in a fixed order.
    public let facts: [ArtifactFact]
    /// What the artifact says that it was made with, in its own order; each once. Nothing of it is proven.
    public let components: [ArtifactComponent]
    /// All files together, in bytes.
    public let bytesTotal: Int
    /// The bytes that were read and checked against the format, in `0...bytesTotal`. Not among them are function bodies, data segments,
    /// weights, debug information, and what the format does not explain; the facts give each of those.
    public let bytesInspected: Int

    /// The share of the bytes that was inspected, in `0...1`; 1 for an artifact of no bytes.
    public var inspectedShare: Double { bytesTotal == 0 ? 1 : Double(bytesInspected) / Double(bytesTotal) }

    init(
        kind: ArtifactKind, findings: [Finding], facts: [ArtifactFact], components: [ArtifactComponent], bytesTotal: Int, bytesInspected: Int
    ) {
        precondition((0...bytesTotal).contains(bytesInspected), "no byte is passed over twice")
        self.kind = kind
        self.findings = findings
        self.facts = facts
        self.components = components
        self.bytesTotal = bytesTotal
        self.bytesInspected = bytesInspected
    }
}

/// One thing worth knowing of an artifact, in words.
public struct ArtifactFact: Sendable, Hashable {
    /// What it is: `memory minimum pages`. Several facts may have one name, such as `import`.
    public let name: String
    /// Its value, at most 200 printable characters.
    public let value: String

    /// A fact as it is; nothing is checked here.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// Something that an artifact says it was made with.
public struct ArtifactComponent: Sendable, Hashable {
    /// Its part in the making, in the format's own word: `language`, `processed-by`, `sdk`, `producer`.
    public let role: String
    /// Its name, at most 200 printable characters, never empty.
    public let name: String
    /// Its version, as above; may be empty.
    public let version: String

    /// A component as it is; nothing is checked here.
    public init(role: String, name: String, version: String) {
        self.role = role
        self.name = name
        self.version = version
    }
}
