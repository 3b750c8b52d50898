public import Domain

/// A system call that a Cargo made, as far as the profiles tell calls apart.
public struct MadeCall: Sendable, Hashable, CustomStringConvertible {
    /// The kernel's name of it; `number N` where this program knows none.
    public let name: String
    private let wish: Wish

    /// What a filter looks at beside the number.
    private enum Wish: Hashable {
        case any
        case socket(family: UInt64)
        case namespace
        case terminalInjection
    }

    /// - Parameters:
    ///   - number: on `architecture`.
    ///   - arguments: all six, as they came; addresses among them mean nothing here.
    init(number: Int, arguments: [UInt64], on architecture: Architecture) {
        name = SystemCallNumbers.name(of: number, on: architecture) ?? "number \(number)"
        // The kernel looks at the lower half of what is an int.
        func word(_ index: Int) -> UInt64 { index < arguments.count ? arguments[index] & 0xFFFF_FFFF : 0 }
        switch name {
        case "socket": wish = .socket(family: word(0))
        case "clone": wish = word(0) & DefaultCalls.namespaceFlags == 0 ? .any : .namespace
        case "ioctl": wish = word(1) == DefaultCalls.terminalInjection ? .terminalInjection : .any
        default: wish = .any
        }
    }

    /// What a profile does with exactly this call: never ``CallVerdict/allowedIf(_:)``.
    public func verdict(under profile: SeccompProfile) -> CallVerdict {
        let verdict = CallTable.verdict(of: name, under: profile)
        guard case .allowedIf = verdict else { return verdict }
        switch wish {
        case .any: return .allowed
        case .socket(let family): return OuterCalls(profile).addressFamilies.contains { $0.rawValue == family } ? .allowed : .refused
        case .namespace, .terminalInjection: return .refused
        }
    }

    /// The name, with what a filter looks at.
    public var description: String {
        switch wish {
        case .any: name
        case .socket(let family): "\(name)(\(AddressFamily(rawValue: family)?.name ?? "family \(family)"))"
        case .namespace: "\(name)(new namespace)"
        case .terminalInjection: "\(name)(TIOCSTI)"
        }
    }
}
