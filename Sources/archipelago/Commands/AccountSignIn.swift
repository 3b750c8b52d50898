import ArgumentParser
import Domain
import Foundation
import JSON

/// `archipelago account sign-in`.
struct AccountSignIn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in", abstract: "Sign in: make an API key for this machine and store it.",
        discussion: """
            Asks for what is not given; the password is not shown. The key may read and write, unless --scope says otherwise, and \
            is stored with the coordinator's address in $XDG_CONFIG_HOME/archipelago/credentials.yaml (~/.config without it), \
            readable by you only. Every command then uses it where neither a flag nor the environment says otherwise. The \
            password and the session are not kept. Signing in again replaces the key.

              archipelago account sign-in --email ada@example.org
              archipelago account sign-in --scope read --scope write --scope review
            """)

    @Option(help: "Your e-mail address.") var email: String?
    @Flag(help: "Read the password from the first line of stdin.") var passwordStdin = false
    @Option(name: .customLong("scope"), help: "What the key may do; may be repeated (default: read and write).") var scopes: [Scope] = []
    @Option(help: "Days until the key ends, 1 to 3650 (default: never).") var expiresInDays: Int?
    @Option(help: "The key's name in your list of keys (default: this machine's).") var keyName: String?
    @OptionGroup var place: AddressOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let file = try CredentialFile.ours()
        let earlier = try file.load()
        let address = try APIClient(address: try place.forSignIn(), key: nil).address
        if let earlier, earlier.url != address {
            throw CommandFailure(
                .refused, "You are signed in at \(Terminal.printable(earlier.url)). Run 'archipelago account sign-out' first, or name that --url.")
        }
        let email = try SignInQuestions.email(email)
        let password =
            passwordStdin
            ? try Prompt.passwordFromStandardInput() : try Prompt.secret("Password: ", remedy: SignInQuestions.passwordRemedy)
        let answer = try await APIClient(address: address, key: nil).call(
            .post, "/sessions", ["email": .string(email), "password": .string(password)])
        guard let token = answer["token"]?.string else { throw CommandFailure(.unavailable, "The coordinator's answer has no session.") }
        let session = try APIClient(address: address, key: token)
        let result: Result<JSONValue, any Error>
        do { result = .success(try await makeKey(session, email, file)) } catch { result = .failure(error) }
        do {
            _ = try await session.call(.delete, "/sessions/current")
        } catch let failure as CommandFailure {
            Terminal.talk("The session could not be ended; it ends by itself. (\(failure.message))")
        }
        let key = try result.get()
        await Self.retire(earlier)
        let account = answer["data"]?["account"] ?? .null
        output.show(
            ["account": account, "url": .string(address), "key": key, "file": .string(file.path)],
            ["Signed in at \(address) as \(email).", "API key '\(key["name"].words)' (\(key["scopes"].words)) is in \(file.path)."])
        adviseOnRoles(account, key)
        if ProcessInfo.processInfo.environment["ARCHIPELAGO_API_KEY"]?.isEmpty == false {
            Terminal.talk("ARCHIPELAGO_API_KEY is set and goes before the stored key; unset it to use this one.")
        }
    }

    /// Makes this machine's key and stores it; a key that cannot be stored is revoked again.
    private func makeKey(_ session: APIClient, _ email: String, _ file: CredentialFile) async throws -> JSONValue {
        var wish: JSONObject = ["name": .string(keyName ?? "archipelago on \(ProcessInfo.processInfo.hostName)")]
        if !scopes.isEmpty { wish["scopes"] = .array(scopes.map { .string($0.rawValue) }) }
        wish["expires_in_days"] = expiresInDays.map(JSONValue.int)
        let answer = try await session.call(.post, "/api-keys", .object(wish))
        guard let secret = answer["key"]?.string, let id = answer["data"]?["id"]?.string else {
            throw CommandFailure(.unavailable, "The coordinator's answer has no API key.")
        }
        do {
            try file.save(Credentials(url: session.address, key: secret, keyID: id, account: email))
        } catch {
            do {
                _ = try await session.call(.delete, "/api-keys/\(id.asPathPart)")
            } catch let failure as CommandFailure {
                Terminal.talk("The new key \(id) could not be revoked; see 'archipelago keys list'. (\(failure.message))")
            }
            throw error
        }
        var described = answer["data"]?.object ?? JSONObject()
        // The answer repeats the secret for SDKs; what is shown here has none.
        for name in ["key", "data"] { described[name] = nil }
        return .object(described)
    }

    /// Revokes the key that an earlier sign-in left, now that its place is taken.
    private static func retire(_ earlier: Credentials?) async {
        guard let earlier else { return }
        do {
            try await SignedInKey.revoke(earlier)
        } catch {
            Terminal.talk("The key of the earlier sign-in (\(Terminal.printable(earlier.keyID))) could not be revoked; see 'archipelago keys list'.")
        }
    }

    private func adviseOnRoles(_ account: JSONValue, _ key: JSONValue) {
        let scopes = key["scopes"]?.array ?? []
        for (role, scope) in [("reviewer", "review"), ("admin", "admin")]
        where account["roles"]?.array?.contains(.string(role)) == true && !scopes.contains(.string(scope)) {
            Terminal.talk("The account is \(role), but this key is not for that: sign in with --scope read --scope write --scope \(scope).")
        }
    }
}

/// `archipelago account sign-out`.
struct AccountSignOut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out", abstract: "Revoke this machine's API key and remove the file that holds it.",
        discussion: "Keys in ARCHIPELAGO_API_KEY are left alone; 'archipelago keys revoke' ends them.")

    @Flag(help: "Only remove the file; the key stays good until it is revoked elsewhere or ends.") var local = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let file = try CredentialFile.ours()
        guard let stored = try file.load() else { throw CommandFailure(.notFound, "You are not signed in: there is no \(file.path).") }
        if !local {
            do {
                try await SignedInKey.revoke(stored)
            } catch let failure as CommandFailure {
                throw CommandFailure(
                    failure.exit,
                    "The key could not be revoked, so nothing was changed. \(failure.message)\n"
                        + "To forget it here only, run 'archipelago account sign-out --local' and revoke key \(stored.keyID) elsewhere.")
            }
        }
        try file.remove()
        output.show(
            ["signed_out": true, "revoked": .bool(!local), "url": .string(stored.url)],
            ["Signed out of \(stored.url)" + (local ? "; the key \(stored.keyID) is still good." : "; its key is revoked.")])
    }
}

/// The key that a sign-in stored.
enum SignedInKey {
    /// Revokes the key with itself; a key that the coordinator does not know any more is as good as revoked.
    static func revoke(_ stored: Credentials) async throws {
        do {
            _ = try await APIClient(address: stored.url, key: stored.key).call(.delete, "/api-keys/\(stored.keyID.asPathPart)")
        } catch let failure as CommandFailure where failure.code == "invalid_api_key" || failure.code == "not_found" {
            return
        }
    }
}

/// What people are asked before they are known.
enum SignInQuestions {
    static let passwordRemedy = "hand the password over on stdin with --password-stdin"

    static func email(_ given: String?) throws -> String {
        let email = try given ?? Prompt.line("E-mail: ", remedy: "give --email")
        guard !email.isEmpty else { throw CommandFailure(.usage, "An e-mail address is needed: give --email.") }
        return email
    }
}

extension AddressOptions {
    /// Where to send a password: what is named, else where one is signed in, else this machine.
    ///
    /// Says so when others on the way could read it.
    func forSignIn() throws -> String {
        let address = try named ?? CredentialFile(ProcessInfo.processInfo.environment)?.load()?.url ?? Self.standard
        let host = URL(string: address)?.host ?? ""
        if address.hasPrefix("http://"), !["localhost", "127.0.0.1", "::1", "[::1]"].contains(host), !host.hasPrefix("127.") {
            Terminal.talk("Careful: \(Terminal.printable(address)) is not encrypted; whoever is on the way can read the password. Use https.")
        }
        return address
    }
}
