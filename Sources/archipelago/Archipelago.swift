import ArgumentParser
import Coordinator
import Foundation
import Storage

/// The one executable.
@main
struct Archipelago: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archipelago", abstract: "Publish, review, and run Cargos: sandboxed programs on other people's machines.",
        discussion: """
            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused by a rule, 5 unavailable.
            With --json, stdout is data and stderr is talk.
            """,
        version: "0.1.0",
        subcommands: [
            DevCommand.self, ServeCommand.self, AccountCommand.self, KeysCommand.self, CargoCommand.self, NotificationsCommand.self,
            WebhooksCommand.self, RegistryCommand.self, RunCommand.self, JobsCommand.self, IslandCommand.self, ReviewCommand.self,
            AdminCommand.self, SchemaCommand.self, LevelsCommand.self, SigstoreCommand.self, LogCommand.self, OpenAPICommand.self,
            BenchCommand.self, ChaosCommand.self,
        ])

    static func main() async {
        // A reader that goes away (`archipelago … | head`) is an error of `write`, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            Terminal.complain(failure.message)
            Foundation.exit(failure.exit.rawValue)
        } catch let error as ServiceError {
            Terminal.complain(error.message)
            Foundation.exit((error.kind == .unavailable ? CommandExit.unavailable : .failed).rawValue)
        } catch let error as StorageError {
            Terminal.complain("The database cannot be used: \(error.description)")
            Foundation.exit(CommandExit.unavailable.rawValue)
        } catch let error as CocoaError {
            Terminal.complain("\(error.filePath ?? "A file") cannot be used: \(error.localizedDescription)")
            Foundation.exit(CommandExit.failed.rawValue)
        } catch let code as ExitCode {
            Foundation.exit(code.rawValue)
        } catch {
            let code = exitCode(for: error)
            guard code != .success else { exit(withError: error) }
            Terminal.complain(fullMessage(for: error))
            Foundation.exit(code == .validationFailure ? CommandExit.usage.rawValue : CommandExit.failed.rawValue)
        }
    }
}
