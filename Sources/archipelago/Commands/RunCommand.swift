import ArgumentParser
import Foundation
import JSON
import WebSockets

/// `archipelago run SLUG`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Send a job to a Cargo and stream what it writes.",
        discussion: """
            Tokens go to stdout as they come; with --json each record is one line. Exits 1 when the job fails.
            If the connection breaks, it is taken up again where it broke. Ctrl-C cancels the job.
            """)

    @Argument(help: "The Cargo's slug.") var slug: String
    @OptionGroup var job: JobInputOptions
    @Option(help: "Wall-clock seconds that the Cargo may take, at most its level's.") var timeoutSeconds: Int?
    @Option(help: "The most that the job may cost, in credits.") var maxCredits: Int?
    @Option(help: "0 to 100, higher first.") var priority: Int?
    @OptionGroup var coordinator: CoordinatorOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try coordinator.client()
        var body: JSONObject = ["workload": .string(slug), "input": .object(try job.object())]
        body["timeout_seconds"] = timeoutSeconds.map(JSONValue.int)
        body["max_credits"] = maxCredits.map(JSONValue.int)
        body["priority"] = priority.map(JSONValue.int)
        let submission = JobSubmission(client: client, body: body)
        let json = output.json
        let hasFailed = try await Interruptible.run {
            await submission.cancel()
        } _: {
            let id = try await submission.send()
            if !json { Terminal.talk("Job \(id)") }
            var printer = TranscriptPrinter(json: json)
            try await TranscriptFollower(client: client, job: id).follow(from: 1) { printer.show($0) }
            return printer.hasFailed
        }
        if hasFailed { throw ExitCode(CommandExit.failed.rawValue) }
    }
}

/// A job that is sent under a key, so that it can be found and cancelled even where the answer with its id has not come.
private struct JobSubmission: Sendable {
    let client: APIClient
    let body: JSONObject
    private let key = UUID().uuidString

    init(client: APIClient, body: JSONObject) {
        self.client = client
        self.body = body
    }

    /// Sends it, or asks for what was sent before.
    ///
    /// - Returns: its id.
    func send() async throws -> String {
        let data = try await client.data(.post, "/jobs", .object(body), idempotencyKey: key)
        guard let id = data["id"]?.string else { throw CommandFailure(.unavailable, "The coordinator's answer has no job id.") }
        return id
    }

    /// Ends it.
    ///
    /// - Returns: what the user is told.
    func cancel() async -> String {
        var job = "A job may still run; see 'archipelago jobs list'."
        do {
            let id = try await send()
            job = "Job \(id) may still run; see 'archipelago jobs show \(id)'."
            _ = try await client.data(.delete, "/jobs/\(id)")
            return "Job \(id) is cancelled."
        } catch {
            return "\(job) It could not be cancelled: \((error as? CommandFailure)?.message ?? "\(error)")"
        }
    }
}

/// The input of a job, from the command line.
struct JobInputOptions: ParsableArguments {
    @Option(help: "The input: a JSON object, or @FILE, or - for stdin.") var input: String?
    @Option(name: .customLong("set"), help: "Set a text member of the input: NAME=TEXT or NAME=@FILE. May be repeated.") var members: [String] = []

    /// The input object.
    func object() throws -> JSONObject {
        var object = JSONObject()
        if let input {
            let text = try input == "-" ? Self.standardInput() : input.hasPrefix("@") ? Self.file(String(input.dropFirst())) : input
            do {
                guard case .object(let parsed) = try JSONValue(parsing: text) else {
                    throw CommandFailure(.usage, "--input must be a JSON object, such as '{\"text\": \"Hello\"}'.")
                }
                object = parsed
            } catch let error as JSONError {
                throw CommandFailure(.usage, "--input is not JSON: \(error).")
            }
        }
        for member in members {
            guard let equals = member.firstIndex(of: "="), equals > member.startIndex else {
                throw CommandFailure(.usage, "--set takes NAME=TEXT or NAME=@FILE, not '\(member)'.")
            }
            let value = String(member[member.index(after: equals)...])
            object[String(member[..<equals])] = .string(value.hasPrefix("@") ? try Self.file(String(value.dropFirst())) : value)
        }
        return object
    }

    private static func standardInput() throws -> String {
        guard let text = String(data: FileHandle.standardInput.readDataToEndOfFile(), encoding: .utf8) else {
            throw CommandFailure(.usage, "stdin is not UTF-8 text.")
        }
        return text
    }

    private static func file(_ path: String) throws -> String {
        // Pipes too, as a shell's <(…) is one.
        guard let data = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).readToEnd() ?? Data() else {
            throw CommandFailure(.notFound, "There is no readable file '\(path)'.")
        }
        guard let text = String(data: data, encoding: .utf8) else { throw CommandFailure(.usage, "'\(path)' is not UTF-8 text.") }
        return text
    }
}

/// Follows a job's transcript over WebSocket, and takes it up again where a connection broke.
struct TranscriptFollower {
    let client: APIClient
    let job: String

    /// Chosen: a coordinator that restarts is back within seconds.
    private static let reconnectsMax = 30
    private static let reconnectDelay: Duration = .milliseconds(500)

    /// Shows every record from a number on, until the terminal one.
    ///
    /// - Parameter last: the record behind which it ends too.
    func follow(from first: Int, until last: Int = .max, show: (JSONObject) -> Void) async throws {
        if first > last { return }
        var next = first
        var reconnects = 0
        var hasConnected = false
        while true {
            do {
                let connection = try await client.transcript(job: job, from: next)
                hasConnected = true
                for await message in connection.incoming {
                    guard let text = message.text, case .object(let record) = try JSONValue(parsing: text, limits: .init(bytesMax: 40 << 20)),
                        let seq = record["seq"]?.int
                    else { throw CommandFailure(.unavailable, "The coordinator sent a record that cannot be read.") }
                    show(record)
                    next = seq + 1
                    reconnects = 0
                    if seq >= last || (["done", "error"].contains(record["type"]?.string) && record["status"] != nil) {
                        await connection.close()
                        return
                    }
                }
                // Closed as after a last record: there is nothing from that number on.
                if connection.closeCode == .normal { return }
            } catch let failure as CommandFailure where failure.exit != .unavailable {
                throw failure
            } catch {
                // What never answered is not waited for.
                if !hasConnected || reconnects >= Self.reconnectsMax { throw error }
            }
            reconnects += 1
            guard reconnects <= Self.reconnectsMax else {
                throw CommandFailure(.unavailable, "The job's stream broke too often; see 'archipelago jobs show \(job)'.")
            }
            try await Task.sleep(for: Self.reconnectDelay)
        }
    }
}

/// Writes a transcript for people, or as JSON Lines.
struct TranscriptPrinter {
    let json: Bool
    private(set) var hasFailed = false
    private var endsLine = true

    init(json: Bool) { self.json = json }

    mutating func show(_ record: JSONObject) {
        let type = record["type"]?.string ?? ""
        if type == "error", record["status"] != nil { hasFailed = true }
        if json { return Terminal.say(.object(record)) }
        switch type {
        case "token":
            let content = Terminal.printable(record["content"]?.string ?? "")
            Terminal.put(content)
            if !content.isEmpty { endsLine = content.hasSuffix("\n") }
        case "progress": Terminal.progress("  \(Self.count(record["step"]))/\(Self.count(record["total"]))")
        case "status": line("· \(record["message"]?.string ?? "")")
        case "done": line("Done: \(record["usage"]?.text ?? "{}")")
        case "error":
            line("Failed (\(record["fault"]?.string ?? "?"), \(record["code"]?.string ?? "?")): \(record["message"]?.string ?? "")")
        default: line("[\(type)]")
        }
    }

    /// A number as the Cargo wrote it; it may be beyond any integer.
    private static func count(_ value: JSONValue?) -> String {
        if case .number(let number)? = value { number.text } else { "?" }
    }

    private mutating func line(_ text: String) {
        Terminal.progress("")
        if !endsLine { Terminal.put("\n") }
        endsLine = true
        Terminal.talk(Terminal.printable(text))
    }
}
