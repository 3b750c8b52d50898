/// Verifies signatures against one trusted root; makes the root's own chains once.
///
/// Source of the steps: sigstore/architecture-docs, client-spec.md §4.
public struct Verifier: Sendable {
    private let logs: [[UInt8]: [TrustedRoot.Log]]
    private let certificateLogs: [[UInt8]: [TrustedRoot.Log]]
    private var authorities: [CertificateAuthority]
    /// The anchors of a private PKI of which nothing else was named, so that a signature may bring the certificates in between along.
    private let lonelyRoots: [[UInt8]]
    private let timestampAuthorities: [TimestampAuthority]

    /// Prepares a trusted root.
    ///
    /// - Throws: ``TrustedRoot/Malformed`` when the chain of an authority is broken; none of the root is used then.
    public init(_ root: TrustedRoot) throws(TrustedRoot.Malformed) {
        logs = Dictionary(grouping: root.logs, by: \.id)
        certificateLogs = Dictionary(grouping: root.certificateLogs, by: \.id)
        var authorities: [CertificateAuthority] = []
        for (index, authority) in root.certificateAuthorities.enumerated() {
            do throws(CertificateAuthority.Broken) {
                authorities += try CertificateAuthority.all(in: authority.certificates, validity: authority.validity)
            } catch {
                throw .init(pointer: "/certificateAuthorities/\(index)/certChain", message: error.message)
            }
        }
        self.authorities = authorities
        lonelyRoots = []
        var timestampAuthorities: [TimestampAuthority] = []
        for authority in root.timestampAuthorities { timestampAuthorities.append(try TimestampAuthority(authority)) }
        self.timestampAuthorities = timestampAuthorities
    }

    /// Prepares a root whose signers have certificates of a private PKI instead; its logs and clocks stay.
    ///
    /// - Parameters:
    ///   - root: for logs and clocks; `nil` for none.
    ///   - roots: anchors in DER.
    ///   - intermediates: further certificates in DER; where there is none, those of cosign's older layout may come with the signature.
    public init(_ root: TrustedRoot?, roots: [[UInt8]], intermediates: [[UInt8]]) throws(TrustedRoot.Malformed) {
        let base = try root.map { (root) throws(TrustedRoot.Malformed) in try Verifier(root) }
        logs = base?.logs ?? [:]
        certificateLogs = base?.certificateLogs ?? [:]
        timestampAuthorities = base?.timestampAuthorities ?? []
        lonelyRoots = intermediates.isEmpty ? roots : []
        do throws(CertificateAuthority.Broken) {
            authorities = try CertificateAuthority.chains(roots: roots, intermediates: intermediates)
        } catch {
            throw .init(pointer: "", message: "The private PKI cannot be used: \(error.message).")
        }
    }

    /// Whether it knows the roots of a private PKI and nothing below them.
    var lacksIntermediates: Bool { !lonelyRoots.isEmpty }

    /// The same, for one signature that came with certificates of a private PKI between its own and the roots. They count only where they lead
    /// to a root; with too many ways there they are of no use.
    func adding(intermediates: [[UInt8]]) -> Verifier {
        guard let found = try? CertificateAuthority.chains(roots: lonelyRoots, intermediates: intermediates) else { return self }
        var verifier = self
        verifier.authorities = found
        return verifier
    }

    /// What was found of an accepted signature.
    public struct Verified: Sendable {
        /// Who signed.
        public let signer: Signer
        /// When, as far as somebody trusted says so.
        public let times: [Moment]
        /// The log entries that prove it.
        public let logEntries: [Bundle.LogEntry]

        /// Who signed.
        public enum Signer: Sendable {
            case certificate(SigningCertificate)
            case key(PublicKey)
        }
    }

    /// Verifies that a bundle is a signature of an artifact as a policy wants it.
    ///
    /// - Parameter now: for what has no trusted time: a certificate of a private PKI counts while it is valid, and an entry of a log while that
    ///   is trusted.
    public func verify(_ bundle: Bundle, of artifact: Artifact, _ policy: VerificationPolicy, now: Moment) throws(Refusal) -> Verified {
        let content: SignedContent
        let signature: [UInt8]
        switch bundle.content {
        case .message(let bytes, let hint):
            try hint?.require(artifact)
            (content, signature) = (.message(artifact, hint?.algorithm), bytes)
        case .envelope(let envelope):
            try InTotoStatement.require(envelope, speaksOf: artifact)
            (content, signature) = (.envelope(envelope), envelope.signatures.first?.bytes ?? [])
        }
        return try verify(
            SignedThing(
                material: bundle.material, signature: signature, content: content, logEntries: bundle.logEntries, timestamps: bundle.timestamps,
                proofRule: bundle.version == .v0_1 ? .promise : .inclusion), policy, now: now)
    }

    /// Verifies a signature, in the order of the client specification.
    func verify(_ thing: SignedThing, _ policy: VerificationPolicy, now: Moment) throws(Refusal) -> Verified {
        // 1. Times: only what an authority stamped or a log signed counts.
        let stamped = try stampedTimes(thing)
        // 2. The transparency log's promise and proof of each entry.
        let logged: (times: [Moment], untimed: [[TrustedRoot.Log]])
        do throws(Refusal) { logged = try loggedTimes(thing, policy) } catch { throw stamped.obstacle(for: thing.material) ?? error }
        let times = stamped.times + logged.times
        if times.isEmpty, let obstacle = stamped.obstacle(for: thing.material) { throw obstacle }
        try Self.requireTrust(in: logged.untimed, at: times.isEmpty ? [now] : times)
        let signer: Verified.Signer
        switch thing.material {
        case .certificates(let chain):
            guard let leaf = chain.first else { throw Refusal(.certificateMalformed, "The signer's certificate is missing.") }
            let certificate = try SigningCertificate(der: leaf)
            try Self.refuseRoots(in: chain)
            // 3. The certificate's chain to a trusted authority at every one of these times.
            let authority = try authority(of: certificate, times: times, policy, now: now)
            try certificate.requirePurpose(needsCodeSigning: authority.needsCodeSigning)
            // 4. The certificate log's promise.
            if policy.certificateLog == .required { try requirePromise(certificate, authority) }
            // 5. Who it is.
            try policy.signer.check(certificate)
            // 6. The signature, and 7. that the log's entry is of all this and nothing else.
            let bodies = try thing.bodies()
            try thing.requireSignature(by: certificate.publicKey, bodies)
            try thing.requireEntries(bodies, of: certificate.der)
            signer = .certificate(certificate)
        case .publicKey:
            let keys = policy.signer.keys
            guard !keys.isEmpty else { throw Refusal(.keyNotExpected, "It is signed with a key, and none is expected.") }
            let bodies = try thing.bodies()
            let key = try thing.signingKey(among: keys, bodies)
            try thing.requireEntries(bodies, of: key.spki)
            signer = .key(key)
        }
        return Verified(signer: signer, times: times, logEntries: thing.logEntries)
    }

    /// Insists that a certificate would be believed: its chain when it was issued, its purpose and the certificate log's promise. For who
    /// signs, before a public log keeps what nobody will accept.
    public func requireTrusted(_ certificate: SigningCertificate, _ policy: VerificationPolicy) throws(Refusal) {
        // At its own beginning: the authority's clock may be ahead of this one.
        let start = certificate.validity.start
        let authority = try authority(of: certificate, times: [start], policy, now: start)
        try certificate.requirePurpose(needsCodeSigning: authority.needsCodeSigning)
        if policy.certificateLog == .required { try requirePromise(certificate, authority) }
    }

    // MARK: 1. Times

    /// What trusted authorities stamped.
    private struct Stamps {
        let times: [Moment]
        /// Why a stamp of another does not count.
        let untrusted: Refusal?

        /// A stamp of somebody unknown says nothing and does no harm, unless a certificate needs a time and nothing else says one.
        func obstacle(for material: Bundle.Material) -> Refusal? {
            guard times.isEmpty, case .certificates = material else { return nil }
            return untrusted
        }
    }

    private func stampedTimes(_ thing: SignedThing) throws(Refusal) -> Stamps {
        var tokens: [TimestampToken] = []
        for stamp in thing.timestamps {
            do throws(TimestampToken.Malformed) { tokens.append(try TimestampToken(parsing: stamp)) } catch {
                throw Refusal(.timestampMalformed, "A time stamp cannot be read: \(error.message).")
            }
        }
        guard Set(tokens.map(\.statement)).count == tokens.count else { throw Refusal(.timestampDuplicate, "A time stamp is there twice.") }
        var times: [Moment] = []
        var untrusted: Refusal?
        for token in tokens {
            do throws(TimestampToken.Distrust) {
                times.append(try token.verify(over: thing.signature, by: timestampAuthorities))
            } catch {
                guard error == .untrustedAuthority else { throw Refusal(error) }
                untrusted = Refusal(error)
            }
        }
        return Stamps(times: times, untrusted: untrusted)
    }

    // MARK: 2. The log

    /// What the logs sign of when they took the entries; and for each entry of which none says that, the logs that have it.
    private func loggedTimes(
        _ thing: SignedThing, _ policy: VerificationPolicy
    ) throws(Refusal) -> (times: [Moment], untimed: [[TrustedRoot.Log]]) {
        if thing.logEntries.isEmpty {
            guard policy.log == .notRequired else { throw Refusal(.logEntryMissing, "There is no entry of a transparency log.") }
            return ([], [])
        }
        guard Set(thing.logEntries.map(\.place)).count == thing.logEntries.count else {
            throw Refusal(.logEntryDuplicate, "A log entry is there twice.")
        }
        var times: [Moment] = []
        var untimed: [[TrustedRoot.Log]] = []
        for entry in thing.logEntries {
            guard let known = logs[entry.logID] else {
                if policy.log == .notRequired { continue }
                throw Refusal(.logUntrusted, "The log entry is of a log that is not trusted.")
            }
            let found = try Self.verify(entry, in: known, thing.proofRule)
            if let time = found.time { times.append(time) } else { untimed.append(found.logs) }
        }
        return (times, untimed)
    }

    /// Verifies an entry in the logs of one name, of which one must have it.
    ///
    /// - Returns: when it was taken, where that is signed; else the logs that have it, at least one.
    private static func verify(
        _ entry: Bundle.LogEntry, in known: [TrustedRoot.Log], _ rule: LogProofRule
    ) throws(Refusal) -> (time: Moment?, logs: [TrustedRoot.Log]) {
        var logs: [TrustedRoot.Log] = []
        var last: Refusal?
        for log in known {
            do throws(Refusal) {
                if let time = try log.verify(entry, rule) { return (time, [log]) }
                logs.append(log)
            } catch { last = error }
        }
        if logs.isEmpty, let last { throw last }
        return (nil, logs)
    }

    /// Insists that logs were trusted when they took their entries. They did not sign when that was, so whatever else says when it was signed
    /// counts, entries of other logs too; where nothing does, a log must be trusted still.
    private static func requireTrust(in untimed: [[TrustedRoot.Log]], at times: [Moment]) throws(Refusal) {
        for logs in untimed where !logs.contains(where: { times.allSatisfy($0.validity.contains) }) {
            throw Refusal(.logOutsideValidity, "The log was not trusted when it took the entry.")
        }
    }

    // MARK: 3. The certificate

    /// Certificates of authorities that a bundle brings along are of no use, and a root's is a mistake (client-spec.md §4.1).
    private static func refuseRoots(in chain: [[UInt8]]) throws(Refusal) {
        for der in chain.dropFirst() {
            guard let link = ChainCertificate(der) else {
                throw Refusal(.certificateMalformed, "A certificate that came with the signer's cannot be read.")
            }
            guard !link.isRoot else {
                throw Refusal(.rootCertificateInBundle, "The bundle brings a root certificate along, which nobody may believe.")
            }
        }
    }

    private func authority(
        of certificate: SigningCertificate, times: [Moment], _ policy: VerificationPolicy, now: Moment
    ) throws(Refusal) -> CertificateAuthority {
        let issuers = authorities.filter { $0.hasIssued(certificate) }
        guard let first = issuers.first else { throw Refusal(.certificateUntrusted, "No trusted authority issued the signer's certificate.") }
        var times = times
        if times.isEmpty {
            guard policy.log == .notRequired, !first.needsCodeSigning else {
                throw Refusal(.timeMissing, "Nothing that is trusted says when it was signed.")
            }
            times = [now]
        }
        guard let found = issuers.first(where: { issuer in times.allSatisfy { issuer.counts(at: $0) && certificate.validity.contains($0) } }) else {
            throw Refusal(.certificateOutsideValidity, "The certificate, or its authority, did not count when it was signed.")
        }
        return found
    }

    // MARK: 4. The certificate log

    private func requirePromise(_ certificate: SigningCertificate, _ authority: CertificateAuthority) throws(Refusal) {
        let malformed = Refusal(.sctInvalid, "The certificate log's promise cannot be read.")
        guard let value = certificate.promises else { throw Refusal(.sctMissing, "The certificate has no promise of a certificate log.") }
        guard let promises = try? SignedCertificateTimestamp.all(in: value) else { throw malformed }
        guard !promises.isEmpty else { throw Refusal(.sctMissing, "The certificate has no promise of a certificate log.") }
        var isVerified = false
        for promise in promises {
            let known = (certificateLogs[promise.logID] ?? []).filter { $0.validity.contains(promise.time) }
            guard !known.isEmpty else { continue }
            guard let bytes = try? promise.signedBytes(of: certificate.signedPart, issuerKeyHash: authority.issuerKeyHash) else { throw malformed }
            guard known.contains(where: { $0.key.isSignature(promise.signature, over: bytes, hash: promise.hash) }) else {
                throw Refusal(.sctInvalid, "The certificate log has not signed a promise of this certificate.")
            }
            isVerified = true
        }
        guard isVerified else { throw Refusal(.sctUntrusted, "No trusted certificate log promised to log the certificate.") }
    }
}
