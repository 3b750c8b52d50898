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
    private let folder: SignatureFolder
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
        /// What is being verified, by a number of its own.
        var verifying: [Int: Digest] = [:]
        /// Those of them that were taken back meanwhile.
        var takenBack: Set<Int> = []
    }

    /// Chosen: as many images as an Island runs in a day; some hundred bytes each.
    static let admittedMax = 1024

    /// - Parameters:
    ///   - root: whom this Island believes.
    ///   - folder: for copies of signatures, at most 1,024 with 256 MiB; made if missing.
    ///   - now: see ``Verifier``.
    ///   - origin: where signatures are read that are not on disk.
    /// - Throws: ``TrustedRoot/Malformed`` for a root that cannot be used; an error of the file system.
    public convenience init(
        root: TrustedRoot, folder: String, now: @escaping @Sendable () -> Sigstore.Moment,
        origin: @escaping @Sendable (ImageReference) -> any ImageSource
    ) throws {
        try self.init(root: root, folder: try SignatureFolder(path: folder), now: now, origin: origin)
    }

    init(
        root: TrustedRoot, folder: SignatureFolder, now: @escaping @Sendable () -> Sigstore.Moment,
        origin: @escaping @Sendable (ImageReference) -> any ImageSource
    ) throws {
        verifier = try Verifier(root)
        self.origin = origin
        self.folder = folder
        self.now = now
    }

    /// Insists that one of the signers signed an image.
    ///
    /// The assignment that names the signers is newer than every revocation that was heard before it.
    ///
    /// - Throws: ``JobRefusal`` `signature_missing`, `signature_invalid` or `signature_revoked`; `OCIError` when a registry cannot be asked,
    ///   which is no word against the signature; `CancellationError`.
    public func admit(_ reference: ImageReference, digest: Digest, signers: [CoordinatorMessage.Signer]) async throws {
        let wanted = Admitted(digest: digest, signers: Set(signers))
        guard let number = beginUnlessAdmitted(wanted) else { return }
        do {
            let signatures = ImageSignatures(verifier, VerificationPolicy(signer: .anyOf(try signers.map { try SignerPolicy($0) })))
            try await verify(signatures, reference, digest)
        } catch {
            _ = end(number, admitting: nil)
            guard let refusal = error as? Refusal else { throw error }
            let code = refusal.code == .unsigned ? "signature_missing" : "signature_invalid"
            throw JobRefusal(code, "The signature that the trust level needs is not accepted (\(refusal.code.rawValue)): \(refusal.message)")
        }
        guard end(number, admitting: wanted) else {
            throw JobRefusal("signature_revoked", "The image's signature was taken back while it was being verified.")
        }
    }

    /// Takes back what was admitted of some images, and refuses those that are being verified.
    public func revoke(_ digests: [Digest]) {
        let revoked = Set(digests)
        cache.withLock { cache in
            cache.uses = cache.uses.filter { !revoked.contains($0.key.digest) }
            for (number, digest) in cache.verifying where revoked.contains(digest) { cache.takenBack.insert(number) }
        }
    }

    /// A number for a verification that begins; `nil` for what is admitted already.
    private func beginUnlessAdmitted(_ wanted: Admitted) -> Int? {
        cache.withLock { cache -> Int? in
            cache.count += 1
            guard cache.uses[wanted] == nil else {
                cache.uses[wanted] = cache.count
                return nil
            }
            cache.verifying[cache.count] = wanted.digest
            return cache.count
        }
    }

    /// Ends a verification; `false` when the signature was taken back meanwhile, and nothing is admitted.
    private func end(_ number: Int, admitting admitted: Admitted?) -> Bool {
        cache.withLock { cache in
            cache.verifying[number] = nil
            guard cache.takenBack.remove(number) == nil else { return false }
            guard let admitted else { return true }
            if cache.uses.count >= Self.admittedMax, let oldest = cache.uses.min(by: { $0.value < $1.value })?.key { cache.uses[oldest] = nil }
            cache.uses[admitted] = number
            return true
        }
    }

    /// Verifies from the copy on disk; where there is none, or it is of no use any more, from the registry, and keeps what the accepted
    /// signature rests on.
    private func verify(_ signatures: ImageSignatures, _ reference: ImageReference, _ digest: Digest) async throws {
        if let copy = folder.copy(for: digest), (try? await signatures.verify(digest: digest.description, in: copy, now: now())) != nil {
            folder.touch(digest)
            return
        }
        let accepted = try await signatures.verify(digest: digest.description, inRegistry: origin(reference), now: now())
        // A signature that was verified counts, also where the disk is full: what is not kept is fetched anew.
        try? folder.keep(SignatureCopy(of: accepted, digest: digest.description), for: digest, recent: admitted)
    }

    /// The images that were admitted, the latest use last.
    private var admitted: [Digest] { cache.withLock { $0.uses.sorted { $0.value < $1.value }.map(\.key.digest) } }
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
