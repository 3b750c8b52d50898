internal import Domain

/// What an inspection has gathered so far: a report in the making.
struct ArtifactDraft {
    private(set) var findings: [Finding] = []
    private(set) var facts: [ArtifactFact] = []
    private(set) var components: [ArtifactComponent] = []
    private let limits: ArtifactInspectionLimits
    /// What has been found, before its texts were cut.
    private var known: Set<[String]> = []
    private var omittedFindings = 0
    private var omittedWorst: Severity = .unknown
    private var omittedFacts = 0
    private var knownComponents: Set<ArtifactComponent> = []

    /// The name that findings carry as their scanner's.
    static let scanner = "inspector"

    init(limits: ArtifactInspectionLimits) { self.limits = limits }

    /// Adds a finding, once.
    ///
    /// - Parameters:
    ///   - file: the file's name inside the artifact.
    ///   - what: the thing that is found, with its name: `import env.system`.
    ///   - version: the version that goes with it, where there is one.
    mutating func find(_ rule: ArtifactRule, in file: String, _ what: String, version: String = "") {
        let key = [rule.rawValue, file, what, version]
        guard !known.contains(key) else { return }
        guard findings.count < limits.findingsMax else {
            omittedFindings += 1
            omittedWorst = max(omittedWorst, rule.severity)
            return
        }
        known.insert(key)
        findings.append(
            Finding(
                id: rule.rawValue, package: ArtifactText.shown("\(file): \(what)"), version: ArtifactText.shown(version), fixedVersion: nil,
                severity: rule.severity, packageURL: nil, scanners: [Self.scanner]))
    }

    /// Adds a fact.
    mutating func state(_ name: String, _ value: String) {
        guard facts.count < limits.factsMax else {
            omittedFacts += 1
            return
        }
        facts.append(ArtifactFact(name: ArtifactText.shown(name), value: ArtifactText.shown(value)))
    }

    /// Adds a number as a fact.
    mutating func state(_ name: String, _ value: Int) { state(name, String(value)) }

    /// Adds a fact for each name that is kept, and one for how many are not.
    mutating func state(_ name: String, _ names: ArtifactNames) {
        for one in names.first { state(name, one) }
        if names.count > names.first.count { state("\(name), not shown", names.count - names.first.count) }
    }

    /// Adds something that the artifact was made with, once; there are as many as facts at most.
    mutating func mention(_ role: String, name: String, version: String) {
        let component = ArtifactComponent(
            role: ArtifactText.shown(role), name: ArtifactText.shown(name), version: ArtifactText.shown(version))
        guard !component.name.isEmpty, knownComponents.count < limits.factsMax, knownComponents.insert(component).inserted else { return }
        components.append(component)
    }

    /// Judges what was passed over, and makes the report.
    mutating func report(_ kind: ArtifactKind, sources: [ArtifactBytes]) -> ArtifactReport {
        for source in sources {
            let opaque = source.passed[.opaque] ?? 0
            if opaque > limits.opaqueBytesMax, opaque * 100 > source.count * limits.opaquePercentMax {
                find(.opaqueBytes, in: source.name, "\(opaque) of \(source.count) bytes that the format does not explain")
            }
        }
        for use in PassedBytes.allCases {
            let bytes = sources.reduce(0) { $0 + ($1.passed[use] ?? 0) }
            if bytes > 0 { state("bytes of \(use.rawValue) not inspected", bytes) }
        }
        // Beyond the bounds: one line each says how much is left out.
        if omittedFacts > 0 { facts.append(ArtifactFact(name: "facts left out", value: String(omittedFacts))) }
        if omittedFindings > 0 {
            findings.append(
                Finding(
                    id: ArtifactRule.moreFindings.rawValue, package: "\(omittedFindings) findings left out", version: "", fixedVersion: nil,
                    severity: omittedWorst, packageURL: nil, scanners: [Self.scanner]))
        }
        let total = sources.reduce(0) { $0 + $1.count }
        return ArtifactReport(
            kind: kind, findings: findings, facts: facts, components: components, bytesTotal: total,
            bytesInspected: total - sources.reduce(0) { $0 + $1.passedBytes })
    }
}
