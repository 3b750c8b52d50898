public import ArgumentParser
public import Domain
public import Sigstore

// Words of the network's rules that may stand on the command line; wrong ones are refused with the list of right ones.
extension RuntimeType: ExpressibleByArgument {}
extension Scope: ExpressibleByArgument {}
extension Tier: ExpressibleByArgument {}
extension VerificationPolicy.Requirement: ExpressibleByArgument {}
