import ArgumentParser
import Foundation
import JSON
import Sigstore

/// `archipelago account signing-identity …`.
struct AccountSigningIdentity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signing-identity", abstract: "Say by what you sign images: a key, or a name that an issuer vouches for.",
        discussion: """
            Certified and official Cargos are signed by one of these:

              archipelago account signing-identity add --key cosign.key
              archipelago account signing-identity challenge > challenge.txt
              cosign sign-blob --bundle proof.sigstore.json challenge.txt
              archipelago account signing-identity add --issuer https://accounts.google.com --identity dev@example.org \\
                --challenge challenge.txt --bundle proof.sigstore.json
            """,
        subcommands: [Add.self, Challenge.self, List.self, Revoke.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a key or a name, and show that it is yours.",
            discussion: """
                With --key, a private key as cosign has it (its password from COSIGN_PASSWORD, else asked for) or a PEM document that is not
                encrypted: it signs the coordinator's challenge on this machine and never leaves it. With --issuer and --identity, a bundle
                over the challenge that 'challenge' printed. Exits 4 when it shows nothing.
                """)
        @Option(help: ArgumentHelp("A private key, a PEM file.", valueName: "file")) var key: String?
        @Option(help: ArgumentHelp("The OpenID Connect issuer that knows you.", valueName: "url")) var issuer: String?
        @Option(help: ArgumentHelp("The exact name in your certificates: an address or an e-mail address.", valueName: "name"))
        var identity: String?
        @Option(help: ArgumentHelp("The file with the challenge that was signed.", valueName: "file")) var challenge: String?
        @Option(help: ArgumentHelp("The bundle over the challenge, a JSON file.", valueName: "file")) var bundle: String?
        @Option(help: "Your own name for it.") var name: String?
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            let ofNames = [issuer, identity, challenge, bundle]
            guard key == nil ? !ofNames.contains(nil) : ofNames.allSatisfy({ $0 == nil }) else {
                throw ValidationError("Give --key, or all of --issuer, --identity, --challenge and --bundle.")
            }
            for path in [key, challenge, bundle].compactMap(\.self) { try InputFile.requireExists(path) }
        }

        func run() async throws {
            let client = try coordinator.client()
            var body = JSONObject()
            body["name"] = name.map(JSONValue.string)
            if let key {
                // The password is asked for before the challenge, which does not count for long.
                let signingKey = try PrivateKeyFile.open(key)
                let text = try await client.data(.post, "/account/signing-challenges")["challenge"].words
                body["challenge"] = .string(text)
                body["public_key"] = .string(signingKey.publicKey.pem)
                body["signature"] = .string(Data(try signingKey.sign(Array(text.utf8))).base64EncodedString())
            } else if let issuer, let identity, let challenge, let bundle {
                body["challenge"] = .string(String(decoding: try InputFile.bytes(challenge), as: UTF8.self))
                body["issuer"] = .string(issuer)
                body["identity"] = .string(identity)
                do { body["bundle"] = try JSONValue(parsing: try InputFile.bytes(bundle)) } catch {
                    throw CommandFailure(.usage, "'\(bundle)' is not JSON: \(error)")
                }
            }
            let registered = try await client.data(.post, "/account/signing-identities", .object(body))
            output.show(registered, AccountSigningIdentity.lines(registered))
        }
    }

    struct Challenge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a text to sign, without a line end: 'cosign sign-blob' is to sign exactly these bytes.",
            discussion: "It counts once, and for ten minutes.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let challenge = try await coordinator.client().data(.post, "/account/signing-challenges")
            if output.json { return Terminal.say(challenge) }
            Terminal.put(challenge["challenge"].words)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List by what you sign, newest first; revoked ones too.")
        @OptionGroup var page: PageOptions
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var query = Query()
            query.add(page)
            let answer = try await coordinator.client().call(.get, "/account/signing-identities\(query.text)")
            output.show(list: answer, empty: "No signing identity is registered.") { rows in
                Table(
                    [.left("ID"), .left("KIND"), .left("NAME"), .left("SIGNER"), .left("ISSUER"), .left("SINCE"), .left("REVOKED")],
                    rows.map { row in
                        [
                            row["id"].words, row["kind"].words, row["name"].words, AccountSigningIdentity.signer(row), row["issuer"].words,
                            Moment.words(row["created_at"]), Moment.words(row["revoked_at"]),
                        ]
                    })
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a signing identity at once.",
            discussion: """
                What it alone has signed counts as unsigned from now on. To change keys without a gap, register the new one and sign with it
                first.
                """)
        @Argument(help: "The signing identity's id.") var id: String
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let revoked = try await coordinator.client().data(.delete, "/account/signing-identities/\(id.asPathPart)")
            output.show(revoked, AccountSigningIdentity.lines(revoked))
        }
    }

    private static func signer(_ identity: JSONValue) -> String { (identity["fingerprint"].wordsIfAny ?? identity["identity"].wordsIfAny) ?? "-" }

    private static func lines(_ identity: JSONValue) -> [String] {
        FieldList.lines(
            [
                ("id", identity["id"].words), ("kind", identity["kind"].words), ("name", identity["name"].wordsIfAny),
                ("signer", signer(identity)), ("issuer", identity["issuer"].wordsIfAny), ("since", Moment.words(identity["created_at"])),
                ("revoked", identity["revoked_at"].wordsIfAny.map { _ in Moment.words(identity["revoked_at"]) }),
            ], indentation: 0)
    }
}

/// Private keys in files.
enum PrivateKeyFile {
    /// Chosen: four times the largest that is read.
    private static let bytesMax = 256 << 10

    /// Opens a key, with the password of the environment variable `COSIGN_PASSWORD` or else of whoever is at the terminal.
    ///
    /// - Throws: a failure of usage for what is no key, or another password.
    static func open(_ path: String) throws -> SigningKey {
        guard let text = String(validating: try InputFile.bytes(path, max: bytesMax), as: UTF8.self) else {
            throw CommandFailure(.usage, "'\(path)' is no PEM document.")
        }
        guard text.contains("ENCRYPTED") else {
            do throws(PublicKey.Unusable) { return try SigningKey(pem: text) } catch {
                throw CommandFailure(.usage, "'\(path)' cannot be used: \(error.message).")
            }
        }
        let password =
            try ProcessInfo.processInfo.environment["COSIGN_PASSWORD"]
            ?? Prompt.secret("Password of \(path): ", remedy: "set COSIGN_PASSWORD")
        do throws(EncryptedKey.Refusal) { return try EncryptedKey.open(text, password: Array(password.utf8)) } catch {
            throw CommandFailure(.usage, "'\(path)' cannot be opened: \(words(error)).")
        }
    }

    private static func words(_ refusal: EncryptedKey.Refusal) -> String {
        switch refusal {
        case .tooLarge: "it is too large for a key"
        case .notPEM: "it is not one PEM document"
        case .unknownType(let type): "it is a PEM document of the type \(type), not a private key"
        case .malformed(let place): "it is malformed at \"\(place)\""
        case .unsupportedParameters: "its password is kept in a way that is not supported"
        case .wrongPassword: "the password is another one, or the file was changed"
        case .unusableKey(let why): why.message
        case .unavailable: "there is not enough memory"
        }
    }
}
