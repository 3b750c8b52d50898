import ArgumentParser
import Foundation
import JSON

/// `archipelago account …`.
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Register, sign in, and look after your account.",
        subcommands: [
            Register.self, AccountSignIn.self, AccountSignOut.self, Show.self, AccountLedger.self, Password.self, AccountIdentity.self,
            AccountSigningIdentity.self,
        ])

    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open an account that may publish Cargos and send jobs.",
            discussion: """
                Asks for what is not given. The password, 12 to 256 characters, is asked for twice without being shown; programs hand \
                it over as one line of stdin:

                  archipelago account register --email ada@example.org --name Ada
                  archipelago account register --email ci@example.org --password-stdin < password-file
                """)
        @Option(help: "Your e-mail address.") var email: String?
        @Option(help: "Your name, as reviewers and Consumers see it.") var name: String?
        @Flag(help: "Read the password from the first line of stdin.") var passwordStdin = false
        @OptionGroup var place: AddressOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let client = try APIClient(address: try place.forSignIn(), key: nil)
            let email = try SignInQuestions.email(email)
            let password =
                passwordStdin
                ? try Prompt.passwordFromStandardInput() : try Prompt.newPassword("New password: ", remedy: SignInQuestions.passwordRemedy)
            var body: JSONObject = ["email": .string(email), "password": .string(password)]
            body["name"] = name.map(JSONValue.string)
            let account = try await client.data(.post, "/accounts", .object(body))
            output.show(account, AccountLines.lines(account))
            Terminal.talk("Next: archipelago account sign-in --email \(Terminal.printable(email))")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show whose API key this is, and what the account may do.")
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let account = try await coordinator.client().data(.get, "/account")
            output.show(account, AccountLines.lines(account))
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change your password; every other session ends.",
            discussion: """
                Asks for the current password and twice for the new one. With --password-stdin the first line of stdin is the \
                current password and the second the new one. API keys go on working: see 'archipelago keys list'.
                """)
        @Flag(help: "Read both passwords from stdin, the current one first.") var passwordStdin = false
        @OptionGroup var coordinator: CoordinatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let client = try coordinator.client()
            let remedy = SignInQuestions.passwordRemedy
            let current = passwordStdin ? try Prompt.passwordFromStandardInput() : try Prompt.secret("Current password: ", remedy: remedy)
            let new = passwordStdin ? try Prompt.passwordFromStandardInput() : try Prompt.newPassword("New password: ", remedy: remedy)
            let body: JSONValue = ["current_password": .string(current), "new_password": .string(new)]
            output.show(try await client.data(.post, "/account/password", body), ["The password is changed; every other session has ended."])
        }
    }
}

/// Accounts in lines for people.
enum AccountLines {
    static func lines(_ account: JSONValue) -> [String] {
        FieldList.lines(
            [
                ("account", account["id"].words), ("name", account["name"].words), ("e-mail", account["email"].wordsIfAny),
                ("standing", account["standing"].words), ("verified", account["verified"].words), ("roles", account["roles"].words),
                ("credits", account["credits"].wordsIfAny), ("held for jobs", account["credits_held"].wordsIfAny),
                ("created", Moment.words(account["created_at"])),
            ], indentation: 0)
    }
}
