/// What a publisher says of a finding, in the words of OpenVEX.
public enum VEXStatus: String, Sendable, Hashable, CaseIterable {
    /// The vulnerability does no harm in this image; a reason says why.
    case notAffected = "not_affected"
    /// It does, and a mitigation is described.
    case affected
}

/// Why a vulnerability does no harm. Source: OpenVEX specification 0.2.0, "Status Justifications".
public enum VEXReason: String, Sendable, Hashable, CaseIterable {
    case componentNotPresent = "component_not_present"
    case vulnerableCodeNotPresent = "vulnerable_code_not_present"
    case vulnerableCodeNotInExecutePath = "vulnerable_code_not_in_execute_path"
    case vulnerableCodeCannotBeControlledByAdversary = "vulnerable_code_cannot_be_controlled_by_adversary"
    case inlineMitigationsAlreadyExist = "inline_mitigations_already_exist"
}

/// A publisher's wish to justify one finding.
public struct JustificationRequest: Sendable, Hashable {
    /// The advisory's id.
    public var finding: String
    /// The package's name or URL; needed where several packages have the advisory.
    public var package: String?
    /// What is said of it.
    public var status: VEXStatus
    /// Why it does no harm; with `not_affected` only.
    public var reason: VEXReason?
    /// The impact (`not_affected`) or the mitigation (`affected`), in words.
    public var statement: String
    /// How long it holds, in days.
    public var validDays: Int

    /// Days that a justification holds when nothing is said, and at most. Chosen: half a year and a year; what is true of a
    /// dependency today is to be looked at again.
    public static let validDaysDefault = 180
    public static let validDaysMax = 365

    /// A wish.
    public init(
        finding: String, package: String?, status: VEXStatus, reason: VEXReason?, statement: String, validDays: Int = validDaysDefault
    ) {
        self.finding = finding
        self.package = package
        self.status = status
        self.reason = reason
        self.statement = statement
        self.validDays = validDays
    }

    /// What is wrong with the wish by itself, each with its JSON pointer.
    public func problems() -> [Problem] {
        var problems: [Problem] = []
        switch (status, reason) {
        case (.notAffected, nil):
            problems.append(Problem("/reason", "is required with not_affected: one of \(VEXReason.allCases.map(\.rawValue).joined(separator: ", "))"))
        case (.affected, .some): problems.append(Problem("/reason", "belongs to not_affected; describe the mitigation in statement"))
        case (.notAffected, .some), (.affected, nil): break
        }
        if !statement.contains(where: { !$0.isWhitespace }) {
            problems.append(Problem("/statement", status == .affected ? "must describe the mitigation" : "must say why in words"))
        }
        if !(1...Self.validDaysMax).contains(validDays) { problems.append(Problem("/valid_days", "must be 1 to \(Self.validDaysMax)")) }
        return problems
    }
}

extension Finding {
    /// The package in one text that is the same whichever scanner named it.
    public var packageKey: String { packageURL.flatMap(PackageURL.init)?.canonical ?? "\(package.lowercased())@\(version)" }

    /// Whether a text means this finding's package: its name, its URL, or the key.
    public func isOf(package text: String) -> Bool {
        text == package || text == packageURL || text == packageKey || PackageURL(text)?.canonical == packageKey
    }
}
