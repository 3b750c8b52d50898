import Foundation
public import IslandLink
public import OCI
import SignedImages
public import Sigstore
import Synchronization

/// Lets an image of a level that demands it run only once its signature is verified: before every execution, without a network, from the
/// trusted root that this Island holds and a copy of the signature that came with the image.
public final class SignatureAdmission: Sendable {
    private let verifier: Verifier
    private let origin: @Sendable (ImageReference) -> any ImageSource
    private let folder: String
    private let now: @Sendable () -> Sigstore.Moment
    private let cache = Mutex(Cache())

    /// What was verified. The root is one for the life of this object.
    private struct Admitted: Hashable {
        let digest: Digest
        let signers: Set<CoordinatorMessage.Signer>
    }

    private struct Cache {
        var uses: [Admitted: Int] = [:]
        var count = 0
        var revoked: Set<Digest> = []
    }

    /// Chosen: as many images as an Island runs in a day; some hundred bytes each.
    static let admittedMax = 1024

    /// - Parameters:
    ///   - root: whom this Island believes.
    ///   - folder: for copies of signatures; made if missing.
    ///   - now: see ``Verifier``.
    ///   - origin: where signatures are read that are not on disk.
    /// - Throws: ``TrustedRoot/Malformed`` for a root that cannot be used; an error of the file system.
    public init(
        root: TrustedRoot, folder: String, now: @escaping @Sendable () -> Sigstore.Moment,
        origin: @escaping @Sendable (ImageReference) -> any ImageSource
    ) throws {
        verifier = try Verifier(root)
        self.origin = origin
        self.folder = folder
        self.now = now
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Insists that one of the signers signed an image.
    ///
    /// - Throws: ``JobRefusal`` `signature_missing`, `signature_invalid` or `signature_revoked`; `OCIError` when a registry cannot be asked.
    public func admit(_ reference: ImageReference, digest: Digest, signers: [CoordinatorMessage.Signer]) async throws {
        let wanted = Admitted(digest: digest, signers: Set(signers))
        if try isAdmitted(wanted) { return }
        do {
            let signatures = ImageSignatures(verifier, VerificationPolicy(signer: .anyOf(try signers.map { try SignerPolicy($0) })))
            try await verify(signatures, reference, digest)
        } catch let refusal as Refusal {
            let code = refusal.code == .unsigned ? "signature_missing" : "signature_invalid"
            throw JobRefusal(code, "The signature that the trust level needs is not accepted (\(refusal.code.rawValue)): \(refusal.message)")
        }
        try remember(wanted)
    }

    /// Takes back what was admitted of some images; they are not admitted again.
    public func revoke(_ digests: [Digest]) {
        cache.withLock { cache in
            // Chosen: a list that a coordinator makes endless forgets all admissions instead, which are then verified anew.
            if cache.revoked.count + digests.count > Self.revokedMax { cache.revoked = [] }
            cache.revoked.formUnion(digests)
            cache.uses = cache.uses.filter { !cache.revoked.contains($0.key.digest) }
        }
    }

    private static let revokedMax = 100_000

    private func isAdmitted(_ wanted: Admitted) throws(JobRefusal) -> Bool {
        let (isKnown, isRevoked) = cache.withLock { cache in
            guard cache.revoked.isEmpty || !cache.revoked.contains(wanted.digest) else { return (false, true) }
            guard cache.uses[wanted] != nil else { return (false, false) }
            cache.count += 1
            cache.uses[wanted] = cache.count
            return (true, false)
        }
        if isRevoked { throw JobRefusal("signature_revoked", "The signature of the image was taken back.") }
        return isKnown
    }

    private func remember(_ wanted: Admitted) throws(JobRefusal) {
        let isRevoked = cache.withLock { cache in
            guard !cache.revoked.contains(wanted.digest) else { return true }
            if cache.uses.count >= Self.admittedMax, let oldest = cache.uses.min(by: { $0.value < $1.value })?.key { cache.uses[oldest] = nil }
            cache.count += 1
            cache.uses[wanted] = cache.count
            return false
        }
        if isRevoked { throw JobRefusal("signature_revoked", "The signature of the image was taken back.") }
    }

    /// Verifies from the copy on disk; where there is none, or it is of no use any more, from the registry, and keeps what was read.
    private func verify(_ signatures: ImageSignatures, _ reference: ImageReference, _ digest: Digest) async throws {
        if let bytes = try? Data(contentsOf: URL(fileURLWithPath: path(of: digest))), let copy = SignatureCopy(document: Array(bytes)),
            (try? await signatures.verify(digest: digest.description, in: copy, now: now())) != nil
        {
            return
        }
        let copy = SignatureCopy(of: origin(reference))
        _ = try await signatures.verify(digest: digest.description, in: copy, now: now())
        try Data(copy.document).write(to: URL(fileURLWithPath: path(of: digest)), options: .atomic)
    }

    private func path(of digest: Digest) -> String { "\(folder)/\(digest.algorithm.rawValue)-\(digest.hex).json" }
}

extension SignerPolicy {
    init(_ signer: CoordinatorMessage.Signer) throws(Refusal) {
        switch signer {
        case .identity(let name, let issuer): self = .identity(name, issuer: issuer)
        case .key(let pem):
            do throws(PublicKey.Unusable) { self = .key(try PublicKey(pem: pem)) } catch {
                throw Refusal(.keyMalformed, "The publisher's key cannot be used: \(error.message).")
            }
        }
    }
}
