import Crypto
import Foundation
import JSON
import Sigstore

/// Who signs, with what: a key of their own, or a key for this once with a certificate for it.
struct Signatory {
    let key: SigningKey
    /// In DER; `nil` for a key of one's own.
    let certificate: [UInt8]?
    let configuration: SigningConfiguration
    private let services = SigningServices()

    /// Who holds a key.
    init(key: SigningKey, _ configuration: SigningConfiguration) {
        self.key = key
        certificate = nil
        self.configuration = configuration
    }

    /// Who has an identity token, by which the configuration's authority knows them.
    init(token: String, _ configuration: SigningConfiguration) async throws {
        guard let authority = configuration.authority(at: .now) else {
            throw CommandFailure(.usage, "The signing configuration names no certificate authority; give --fulcio-url.")
        }
        let once = P256.Signing.PrivateKey()
        key = .p256(once)
        certificate = try await services.certificate(SigningRequests.certificate(of: once), token: token, authorityAt: authority.url)
        self.configuration = configuration
    }

    /// A signature and who vouches for it.
    struct Signed {
        let signature: [UInt8]
        let logEntries: [Sigstore.Bundle.LogEntry]
        let timestamps: [[UInt8]]
    }

    private var signer: RekorDocuments.Signer { certificate.map { .certificate($0) } ?? .key(key.publicKey) }

    /// How the bundle names the signer.
    var material: Sigstore.Bundle.Material {
        certificate.map { .certificates([$0]) } ?? .publicKey(hint: Sigstore.Bundle.hint(key.publicKey))
    }

    /// Signs a document.
    func sign(_ payload: [UInt8], type: String, logged: Bool) async throws -> (DSSEEnvelope, Signed) {
        let unsigned = DSSEEnvelope(payload: payload, payloadType: type, signatures: [])
        let signature = try key.sign(unsigned.signedBytes)
        let envelope = DSSEEnvelope(payload: payload, payloadType: type, signatures: [.init(bytes: signature)])
        return (envelope, try await witnessed(signature, over: unsigned.signedBytes, logged: logged, dsse: envelope))
    }

    /// Signs bytes.
    func sign(_ bytes: [UInt8], logged: Bool) async throws -> Signed {
        try await witnessed(try key.sign(bytes), over: bytes, logged: logged, dsse: nil)
    }

    /// Has clocks and logs vouch for a signature; the clocks first, so that no log keeps what then has no time.
    private func witnessed(_ signature: [UInt8], over bytes: [UInt8], logged: Bool, dsse: DSSEEnvelope?) async throws -> Signed {
        guard let clocks = configuration.clocks(at: .now), let logs = logged ? configuration.logs(at: .now) : [] else {
            throw CommandFailure(.usage, "The signing configuration names too few logs or clocks that are in use now.")
        }
        var timestamps: [[UInt8]] = []
        for clock in clocks { timestamps.append(try await services.timestamp(over: signature, clockAt: clock.url)) }
        let hash = key.publicKey.usualHash
        var entries: [Sigstore.Bundle.LogEntry] = []
        for log in logs {
            if log.majorVersion == 2 {
                let proposed = try RekorDocuments.hashedRekordV2(digest: hash.hash(bytes), signature: signature, by: signer, key: key.publicKey)
                entries.append(try await services.entryV2(proposed, logAt: log.url))
            } else {
                let proposed =
                    dsse.map { RekorDocuments.dsse($0, by: signer) }
                    ?? RekorDocuments.hashedRekord(digest: hash.hash(bytes), hash, signature: signature, by: signer)
                entries.append(try await services.entry(proposed, logAt: log.url))
            }
        }
        return Signed(signature: signature, logEntries: entries, timestamps: timestamps)
    }
}
