/// Walks through a pattern's program with one text.
///
/// Without back references whether an instruction leads to a match depends on the place in the text alone. So each pair of the two is
/// tried once, however often it is met, and the time is at most instructions × characters. With back references, and inside looks, it is
/// not so; there only the count of steps ends what would take too long.
struct PatternMatcher {
    private let program: PatternProgram
    private let text: [Unicode.Scalar]
    private let stepsMax: Int
    private var steps = 0
    private var tried: [UInt64]
    private var captures: [Int]
    private let remembers: Bool
    /// Looks inside one another, and the pairs that were first tried in them.
    private var lookDepth = 0
    private var trail: [Int] = []
    /// Chosen: 16 MB for what was tried.
    private static let pairsMax = 128 << 20

    /// What to do when a way has led nowhere.
    private enum Fallback {
        case tryFrom(instruction: Int, position: Int)
        case restore(slot: Int, value: Int)
    }

    private enum Outcome { case match, noMatch, tooLong }

    init(_ program: PatternProgram, text: [Unicode.Scalar], stepsMax: Int) {
        self.program = program
        self.text = text
        self.stepsMax = stepsMax
        remembers = !program.hasBackReferences
        let pairs = program.instructions.count * (text.count + 1)
        tried = remembers && pairs <= Self.pairsMax ? [UInt64](repeating: 0, count: pairs / 64 + 1) : []
        captures = [Int](repeating: -1, count: 2 * program.groups + 2)
        if remembers, tried.isEmpty { steps = stepsMax + 1 }
    }

    /// Whether there is a match anywhere; `nil` when it takes too long to know.
    mutating func search() -> Bool? {
        for start in 0...text.count {
            switch run(from: 0, at: start) {
            case .match: return true
            case .tooLong: return nil
            case .noMatch: break
            }
            for slot in captures.indices { captures[slot] = -1 }
        }
        return false
    }

    /// Notes a pair and says whether it is new.
    private mutating func isNew(_ instruction: Int, _ position: Int) -> Bool {
        guard remembers else { return true }
        let pair = instruction * (text.count + 1) + position
        let bit = UInt64(1) << UInt64(pair % 64)
        if tried[pair / 64] & bit != 0 { return false }
        tried[pair / 64] |= bit
        if lookDepth > 0 { trail.append(pair) }
        return true
    }

    private mutating func run(from instruction: Int, at start: Int) -> Outcome {
        var stack: [Fallback] = [.tryFrom(instruction: instruction, position: start)]
        while let fallback = stack.popLast() {
            switch fallback {
            case .restore(let slot, let value): captures[slot] = value
            case .tryFrom(let instruction, let position):
                let outcome = follow(instruction, position, &stack)
                if outcome != .noMatch { return outcome }
            }
        }
        return .noMatch
    }

    /// Follows one way until it ends; other ways are put on the stack.
    private mutating func follow(_ first: Int, _ start: Int, _ stack: inout [Fallback]) -> Outcome {
        var (instruction, position) = (first, start)
        while true {
            steps += 1
            if steps > stepsMax, !remembers || lookDepth > 0 || tried.isEmpty { return .tooLong }
            guard isNew(instruction, position) else { return .noMatch }
            switch program.instructions[instruction] {
            case .match: return .match
            case .jump(let target): instruction = target
            case .split(let preferred, let other):
                stack.append(.tryFrom(instruction: other, position: position))
                instruction = preferred
            case .save(let slot):
                if !remembers {
                    stack.append(.restore(slot: slot, value: captures[slot]))
                    captures[slot] = position
                }
                instruction += 1
            case .set(let set, let isBackward):
                let place = isBackward ? position - 1 : position
                guard text.indices.contains(place), set.contains(text[place]) else { return .noMatch }
                position += isBackward ? -1 : 1
                instruction += 1
            case .start:
                guard position == 0 else { return .noMatch }
                instruction += 1
            case .end:
                guard position == text.count else { return .noMatch }
                instruction += 1
            case .wordBoundary(let isNegative):
                guard (isWord(position - 1) != isWord(position)) != isNegative else { return .noMatch }
                instruction += 1
            case .look(let isNegative, let next):
                let outcome = look(from: instruction + 1, at: position)
                if outcome == .tooLong { return .tooLong }
                guard (outcome == .match) != isNegative else { return .noMatch }
                instruction = next
            case .backReference(let number, let isBackward):
                guard let moved = repeatGroup(number, position, isBackward) else { return .noMatch }
                position = moved
                instruction += 1
            }
        }
    }

    /// Tries what a look asks for. Ways that led nowhere lead nowhere again; those of a look that fitted must be open to the next one.
    private mutating func look(from instruction: Int, at position: Int) -> Outcome {
        let before = trail.count
        lookDepth += 1
        let outcome = run(from: instruction, at: position)
        lookDepth -= 1
        if outcome == .match {
            for pair in trail[before...] { tried[pair / 64] &= ~(UInt64(1) << UInt64(pair % 64)) }
            trail.removeSubrange(before...)
        }
        if lookDepth == 0 { trail.removeAll(keepingCapacity: true) }
        return outcome
    }

    private func isWord(_ place: Int) -> Bool { text.indices.contains(place) && ScalarSet.word.contains(text[place]) }

    /// A group that took part in no match repeats nothing, which always fits.
    private func repeatGroup(_ number: Int, _ position: Int, _ isBackward: Bool) -> Int? {
        let (first, last) = (captures[2 * number], captures[2 * number + 1])
        guard first >= 0, last >= first else { return position }
        let length = last - first
        let start = isBackward ? position - length : position
        guard start >= 0, start + length <= text.count, text[first..<last] == text[start..<start + length] else { return nil }
        return isBackward ? start : start + length
    }
}
