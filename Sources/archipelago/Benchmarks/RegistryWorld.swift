import Coordinator
import Domain
import Foundation
import Storage

/// Made-up Cargos for measuring the registry, the same for the same seed.
///
/// Words follow Zipf's law over a made-up vocabulary, as words of a language do: the most frequent one stands in about every third Cargo,
/// most stand in a handful.
struct RegistryWorld {
    private var random: SeededRandom
    let words: [String]
    /// Running sums of the words' weights 1/rank.
    private let sums: [Double]
    static let categories = ["text", "image", "audio", "video", "llm", "code", "science", "finance", "games", "tools"]
    private static let tags = (0..<200).map { "tag-\($0)" }

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        let syllables = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "an", "er", "il", "or", "us"]
        var words: [String] = []
        for index in 0..<8000 { words.append(syllables[index % 20] + syllables[index / 20 % 20] + syllables[index / 400 % 20]) }
        self.words = words
        var sum = 0.0
        sums = words.indices.map { rank in
            sum += 1 / Double(rank + 3)
            return sum
        }
    }

    /// A word, the frequent ones more often.
    mutating func word() -> String {
        let wanted = Double.random(in: 0..<(sums.last ?? 1), using: &random)
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return words[low]
    }

    private mutating func text(_ count: Int) -> String { (0..<count).map { _ in word() }.joined(separator: " ") }

    /// One Cargo of an account, published; its jobs and reputation too.
    mutating func publish(_ index: Int, by account: String, in writer: any SQLWriter) throws {
        let slug = "cargo-\(index)"
        let workload = try writer.insertWorkload(slug: slug, ownerID: account, at: index)
        let (name, description) = (text(3), text(Int.random(in: 4...20, using: &random)))
        let category = Self.categories.randomElement(using: &random)
        let tags = Set((0..<Int.random(in: 0...4, using: &random)).compactMap { _ in Self.tags.randomElement(using: &random) })
        let level = [0, 0, 1, 1, 1, 2, 3].randomElement(using: &random) ?? 0
        let price = Int.random(in: 0...50, using: &random)
        let fields = """
            {"name":"\(name)","slug":"\(slug)","description":"\(description)","runtime_type":"container","container_image":"ghcr.io/archipelag-io/\(slug):v1.0.0",\
            "input_schema":{"type":"object"},"output_schema":{"type":"object"},"price_per_job":\(price),"price_per_token":1}
            """
        var row = SubmissionRow(
            workloadID: workload.id, publisherID: account, state: SubmissionState.published.rawValue, fields: fields, version: "v1.0.0",
            createdAt: index)
        row = try writer.insert(row)
        row.trustLevel = level
        row.publishedAt = index
        try writer.update(row)
        try writer.setPublishedSubmission(row.id, workloadID: workload.id)
        try writer.putRegistryEntry(
            RegistryEntryRow(
                workloadID: workload.id, submissionID: row.id, slug: slug, category: category,
                runtimeType: ["container", "wasm", "onnx"].randomElement(using: &random) ?? "container",
                tier: level == 3 ? "official" : level == 2 ? "certified" : "community", trustLevel: level, verified: level > 1, pricePerJob: price,
                pricePerToken: 1, pricePerSecond: 0, publishedAt: index),
            words: RegistryWords(name: name, description: description, tags: tags.sorted()))
        try writer.setReputation(workloadID: workload.id, thousandths: Int.random(in: 300...1000, using: &random))
        for _ in 0..<Int.random(in: 0...3, using: &random) { try writer.addJobOutcome(workloadID: workload.id, succeeded: true) }
    }
}
