import ArgumentParser
import Foundation
import JSON
import Sigstore

/// `archipelago sigstore …`.
struct SigstoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sigstore", abstract: "Work with Sigstore's signatures of files, without a network.", subcommands: [SigstoreVerifyBundle.self])
}

/// `archipelago sigstore verify-bundle`.
struct SigstoreVerifyBundle: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-bundle", abstract: "Verify that a bundle is somebody's signature of a file.",
        discussion: """
            Nothing is fetched: the bundle and the trusted root hold all that is needed. Exit codes: 0 verified, 1 refused, 2 wrong usage.

              archipelago sigstore verify-bundle --bundle app.sigstore.json --key cosign.pub app
              archipelago sigstore verify-bundle --bundle app.sigstore.json --certificate-identity dev@example.org \\
                --certificate-oidc-issuer https://accounts.google.com app
            """)

    @Option(help: "The bundle, a JSON file.") var bundle: String
    @OptionGroup var signer: SignerOptions
    @OptionGroup var trust: TrustOptions
    @Argument(help: "The file, or its digest as sha256: and 64 hexadecimal digits.") var fileOrDigest: String
    @OptionGroup var output: OutputOptions

    func validate() throws { try signer.requireIssuer() }

    func run() throws {
        let bytes = try InputFile.bytes(bundle)
        let artifact = try artifact()
        try VerificationReport.show(output) { () throws(Refusal) in
            let policy = VerificationPolicy(signer: try signer.policy(), log: trust.tlog, certificateLog: trust.sct)
            let verifier = try trust.verifier()
            let parsed: Sigstore.Bundle
            do throws(Sigstore.Bundle.Malformed) { parsed = try Sigstore.Bundle(parsing: bytes) } catch { throw Refusal(error) }
            do throws(Refusal) { return (try verifier.verify(parsed, of: artifact, policy, now: .now), nil) } catch { throw trust.explained(error) }
        }
    }

    private func artifact() throws -> Artifact {
        let prefix = "sha256:"
        if fileOrDigest.hasPrefix(prefix), !FileManager.default.fileExists(atPath: fileOrDigest),
            let digest = Artifact(sha256Hexadecimal: String(fileOrDigest.dropFirst(prefix.count)))
        {
            return digest
        }
        return .bytes(try InputFile.bytes(fileOrDigest, max: InputFile.artifactBytesMax))
    }
}

/// Who must have signed.
struct SignerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A public key, a PEM file.", valueName: "file")) var key: String?
    @Option(help: ArgumentHelp("The exact name in the signer's certificate: an address or an e-mail address.", valueName: "name"))
    var certificateIdentity: String?
    @Option(help: ArgumentHelp("The exact OpenID Connect issuer that knows the signer.", valueName: "url")) var certificateOidcIssuer: String?

    func validate() throws {
        guard (key == nil) != (certificateIdentity == nil) else {
            throw ValidationError("Say who must have signed: --key, or --certificate-identity with --certificate-oidc-issuer.")
        }
        if key != nil, certificateOidcIssuer != nil { throw ValidationError("--certificate-oidc-issuer goes with --certificate-identity.") }
        for path in [key].compactMap(\.self) { try InputFile.requireExists(path) }
    }

    /// Insists that whoever names somebody also says who must vouch for the name: anybody could run an issuer that does. Only a private PKI
    /// needs none, where its certificates say who somebody is.
    func requireIssuer() throws {
        guard certificateIdentity == nil || certificateOidcIssuer != nil else {
            throw ValidationError("--certificate-identity needs --certificate-oidc-issuer: a name counts only with who vouches for it.")
        }
    }

    func policy() throws(Refusal) -> SignerPolicy {
        if let key {
            let pem = try InputFile.refusingText(key, .keyMalformed)
            do throws(PublicKey.Unusable) { return .key(try PublicKey(pem: pem)) } catch {
                throw Refusal(.keyMalformed, "\(key) cannot be used: \(error.message).")
            }
        }
        return .identity(certificateIdentity ?? "", issuer: certificateOidcIssuer)
    }
}

/// Whom to believe, and what must be there.
struct TrustOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A trusted root, a JSON file (default: that of Sigstore's public instance).", valueName: "file"))
    var trustedRoot: String?
    @Option(help: ArgumentHelp("Whether an entry of a transparency log must be there.", valueName: "required|not-required"))
    var tlog = VerificationPolicy.Requirement.required
    @Option(help: ArgumentHelp("Whether the certificate must have been logged when it was issued.", valueName: "required|not-required"))
    var sct = VerificationPolicy.Requirement.required

    func validate() throws { for path in [trustedRoot].compactMap(\.self) { try InputFile.requireExists(path) } }

    /// The refusal with what mends it, where it may only be that nobody said whom to believe.
    func explained(_ refusal: Refusal) -> Refusal {
        guard trustedRoot == nil, [.logUntrusted, .certificateUntrusted, .timestampUntrusted].contains(refusal.code) else { return refusal }
        return Refusal(
            refusal.code,
            refusal.message + " Only Sigstore's public instance is believed here; for what a network's own log vouches for, save the "
                + "coordinator's /api/v1/trusted-root.json and name it with --trusted-root.")
    }

    func root() throws(Refusal) -> TrustedRoot {
        let text = try trustedRoot.map { (path) throws(Refusal) in try InputFile.refusingText(path, .trustedRootMalformed) } ?? TrustedRoot.publicGood
        do throws(TrustedRoot.Malformed) { return try TrustedRoot(parsing: Array(text.utf8)) } catch { throw Refusal(error) }
    }

    func verifier() throws(Refusal) -> Verifier {
        let root = try root()
        do throws(TrustedRoot.Malformed) { return try Verifier(root) } catch { throw Refusal(error) }
    }
}

/// Files that a command is given.
enum InputFile {
    /// Chosen: what fits into memory beside everything else; larger files are verified by their digest.
    static let artifactBytesMax = 1 << 30
    /// Chosen: the largest bundle.
    private static let documentBytesMax = 64 << 20

    static func requireExists(_ path: String) throws {
        switch isFolder(path) {
        case nil: throw ValidationError("There is no file '\(path)'.")
        case true?: throw ValidationError("'\(path)' is a folder, and a file is needed.")
        case false?: return
        }
    }

    static func requireFolder(_ path: String) throws {
        guard isFolder(path) == true else { throw ValidationError("There is no folder '\(path)'.") }
    }

    /// `nil` for what is not there.
    private static func isFolder(_ path: String) -> Bool? {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
    }

    /// The bytes of a file.
    ///
    /// - Throws: a failure of usage for one that is not there, cannot be read or is too large.
    static func bytes(_ path: String, max: Int = documentBytesMax) throws -> [UInt8] {
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            data = try file.read(upToCount: max + 1) ?? Data()
        } catch {
            throw CommandFailure(.usage, "'\(path)' cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= max else { throw CommandFailure(.usage, "'\(path)' has more than \(max >> 20) MiB. Give its digest instead.") }
        return Array(data)
    }

    /// The text of a file; what cannot be read is a refusal.
    static func refusingText(_ path: String, _ code: Refusal.Code) throws(Refusal) -> String {
        guard let bytes = try? bytes(path), let text = String(validating: bytes, as: UTF8.self) else {
            throw Refusal(code, "'\(path)' cannot be read as text.")
        }
        return text
    }
}

/// What a verification found, for people and programs.
enum VerificationReport {
    /// Runs a verification, shows what came of it, and ends with its exit code.
    static func show(_ output: OutputOptions, _ verify: () throws(Refusal) -> (Verifier.Verified, ImageSignatures.Layout?)) throws {
        do throws(Refusal) {
            let (verified, layout) = try verify()
            accepted(verified, layout, output)
        } catch {
            try refused(error, output)
        }
    }

    static func accepted(_ verified: Verifier.Verified, _ layout: ImageSignatures.Layout?, _ output: OutputOptions) {
        var object: JSONObject = ["verified": true]
        var words = "Verified: signed "
        switch verified.signer {
        case .certificate(let certificate):
            object["signer"] = [
                "names": .array(certificate.names.map(JSONValue.string)), "issuer": certificate.issuer.map(JSONValue.string) ?? .null,
            ]
            words += "by \(certificate.names.joined(separator: ", "))" + (certificate.issuer.map { ", known to \($0)" } ?? "")
        case .key:
            object["signer"] = ["key": true]
            words += "with the key"
        }
        if let layout { object["layout"] = .string(layout.rawValue) }
        object["times"] = .array(verified.times.map { .string($0.rfc3339) })
        object["log_entries"] = .array(
            verified.logEntries.map { ["log_id": .string($0.logIDHexadecimal), "log_index": .int($0.logIndex), "kind": .string($0.kind)] })
        if let time = verified.times.first { words += ", at \(time.rfc3339)" }
        if let entry = verified.logEntries.first { words += ", log entry \(entry.logIndex)" }
        output.show(.object(object), [words])
    }

    static func refused(_ refusal: Refusal, _ output: OutputOptions) throws {
        if output.json {
            Terminal.say(["verified": false, "code": .string(refusal.code.rawValue), "message": .string(refusal.message)])
        } else {
            Terminal.talk(Terminal.printable("Refused (\(refusal.code.rawValue)): \(refusal.message)"))
        }
        throw ExitCode(CommandExit.failed.rawValue)
    }
}

extension Sigstore.Moment {
    /// This moment.
    static var now: Sigstore.Moment { Sigstore.Moment(milliseconds: Int(Date().timeIntervalSince1970 * 1000)) }

    /// As RFC 3339 in UTC.
    var rfc3339: String { Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601) }
}

extension TrustedRoot {
    /// The root in a file that a command is given.
    init(file path: String) throws {
        do throws(Malformed) { try self.init(parsing: (try? InputFile.bytes(path)) ?? []) } catch {
            throw CommandFailure(.usage, "The trusted root '\(path)' cannot be used at \"\(error.pointer)\": \(error.message).")
        }
    }
}
