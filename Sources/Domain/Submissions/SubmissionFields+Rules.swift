extension SubmissionFields {
    /// Chosen: lengths in characters (Unicode scalars) that keep pages and searches usable.
    private enum Lengths {
        static let nameMax = 200
        static let summaryMax = 10_000
        static let categoryMax = 64
        static let tagMax = 64
        static let tagsMax = 32
    }

    /// Everything wrong with the fields by themselves, each with its JSON pointer; empty when the submission is complete.
    ///
    /// What needs more than the fields (is the slug taken, does the image exist) is checked where that is known.
    public func problems() -> [Problem] {
        textProblems() + referenceProblems() + priceProblems() + requirementProblems() + metadataProblems()
    }

    private func required(_ value: String?, _ pointer: String, max: Int) -> [Problem] {
        guard let value, value.contains(where: { !$0.isWhitespace }) else { return [Problem(pointer, "is required")] }
        return value.unicodeScalars.count <= max ? [] : [Problem(pointer, "must be at most \(max) characters")]
    }

    private func textProblems() -> [Problem] {
        var problems = required(name, "/name", max: Lengths.nameMax) + required(summary, "/description", max: Lengths.summaryMax)
        if let slug {
            do { _ = try Slug(slug) } catch { problems.append(Problem("/slug", error.description)) }
        } else {
            problems.append(Problem("/slug", "is required"))
        }
        if let runtimeType {
            if RuntimeType(rawValue: runtimeType) == nil {
                problems.append(Problem("/runtime_type", "must be one of \(RuntimeType.allCases.map(\.rawValue).joined(separator: ", "))"))
            }
        } else {
            problems.append(Problem("/runtime_type", "is required"))
        }
        if inputSchema == nil { problems.append(Problem("/input_schema", "is required")) }
        if outputSchema == nil { problems.append(Problem("/output_schema", "is required")) }
        return problems
    }

    private func referenceProblems() -> [Problem] {
        var problems: [Problem] = []
        if containerImage == nil { problems.append(Problem("/container_image", "is required")) }
        if let version, SemanticVersion(version) == nil {
            problems.append(Problem("/version", "must be a semantic version such as v1.0.0"))
        }
        return problems
    }

    private func priceProblems() -> [Problem] {
        let prices = [("/price_per_job", pricePerJob), ("/price_per_token", pricePerToken), ("/price_per_second", pricePerSecond)]
        var problems: [Problem] = []
        for case (let pointer, let price?) in prices where !(0...Prices.priceMax).contains(price) {
            problems.append(Problem(pointer, "must be from 0 to \(Prices.priceMax) credits"))
        }
        if problems.isEmpty, !prices.contains(where: { ($0.1 ?? 0) > 0 }) {
            problems.append(Problem("/price_per_job", "at least one of price_per_job, price_per_token and price_per_second must be above 0"))
        }
        return problems
    }

    private func requirementProblems() -> [Problem] {
        // Chosen: the upper bounds are beyond any machine of today and only keep sums from overflowing.
        let numbers: [(String, Int?, ClosedRange<Int>)] = [
            ("/required_vram_mb", requiredVRAMMegabytes, 0...1_048_576), ("/required_cpu_cores", requiredCPUCores, 1...1024),
            ("/required_ram_mb", requiredRAMMegabytes, 1...16_777_216), ("/revenue_share", revenueShare, 0...100),
        ]
        return numbers.compactMap { pointer, value, range in
            guard let value, !range.contains(value) else { return nil }
            return Problem(pointer, "must be from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private func metadataProblems() -> [Problem] {
        var problems: [Problem] = []
        if let category, category.unicodeScalars.count > Lengths.categoryMax {
            problems.append(Problem("/category", "must be at most \(Lengths.categoryMax) characters"))
        }
        if let tags, tags.count > Lengths.tagsMax { problems.append(Problem("/tags", "must be at most \(Lengths.tagsMax) tags")) }
        for (index, tag) in (tags ?? []).prefix(Lengths.tagsMax).enumerated() where tag.isEmpty || tag.unicodeScalars.count > Lengths.tagMax {
            problems.append(Problem("/tags/\(index)", "must be 1 to \(Lengths.tagMax) characters"))
        }
        return problems
    }
}

extension SubmissionFields {
    /// What a search looks through: name, description, category and tags, in lower case, one a line.
    public var searchText: String {
        ([name, summary, category].compactMap(\.self) + (tags ?? [])).joined(separator: "\n").lowercased()
    }

    /// The prices, or `nil` while they are incomplete or wrong.
    public var prices: Prices? {
        Prices(perJob: pricePerJob ?? 0, perToken: pricePerToken ?? 0, perSecond: pricePerSecond ?? 0)
    }
}
