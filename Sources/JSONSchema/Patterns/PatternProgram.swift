/// A compiled pattern: instructions that a matcher walks through.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        /// One character of a set; backwards inside a look-behind.
        case set(ScalarSet, isBackward: Bool)
        /// Either way; the first is tried first.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case start, end
        case wordBoundary(isNegative: Bool)
        /// Looks with the instructions from the next one to `match`, then goes on at `next`.
        case look(isNegative: Bool, next: Int)
        case backReference(Int, isBackward: Bool)
        case match
    }

    var instructions: [Instruction] = []
    var groups = 0
    var hasBackReferences = false
}

/// Turns a pattern's parts into instructions. Counted repetitions are written out.
struct PatternCompiler {
    private var program = PatternProgram()
    private let instructionsMax: Int

    init(instructionsMax: Int) { self.instructionsMax = instructionsMax }

    mutating func compile(_ node: PatternNode, groups: Int, hasBackReferences: Bool) throws(PatternError) -> PatternProgram {
        program.groups = groups
        program.hasBackReferences = hasBackReferences
        try add(node, isBackward: false)
        try emit(.match)
        return program
    }

    private var here: Int { program.instructions.count }

    private mutating func emit(_ instruction: PatternProgram.Instruction) throws(PatternError) {
        guard here < instructionsMax else { throw PatternError(message: "is too large once its counts are written out") }
        program.instructions.append(instruction)
    }

    private mutating func add(_ node: PatternNode, isBackward: Bool) throws(PatternError) {
        switch node {
        case .empty: break
        case .set(let set): try emit(.set(set, isBackward: isBackward))
        case .sequence(let nodes): for node in isBackward ? nodes.reversed() : nodes { try add(node, isBackward: isBackward) }
        case .choice(let nodes): try addChoice(nodes, isBackward: isBackward)
        case .repetition(let node, let least, let most, let isGreedy):
            try addRepetition(node, least, most, isGreedy: isGreedy, isBackward: isBackward)
        case .group(let node, let number):
            try emit(.save(2 * number + (isBackward ? 1 : 0)))
            try add(node, isBackward: isBackward)
            try emit(.save(2 * number + (isBackward ? 0 : 1)))
        case .look(let node, let isBehind, let isNegative):
            let place = here
            try emit(.look(isNegative: isNegative, next: 0))
            try add(node, isBackward: isBehind)
            try emit(.match)
            program.instructions[place] = .look(isNegative: isNegative, next: here)
        case .backReference(let number): try emit(.backReference(number, isBackward: isBackward))
        case .start: try emit(.start)
        case .end: try emit(.end)
        case .wordBoundary(let isNegative): try emit(.wordBoundary(isNegative: isNegative))
        }
    }

    private mutating func addChoice(_ nodes: [PatternNode], isBackward: Bool) throws(PatternError) {
        var jumps: [Int] = []
        for (index, node) in nodes.enumerated() {
            let isLast = index == nodes.count - 1
            let split = here
            if !isLast { try emit(.split(0, 0)) }
            try add(node, isBackward: isBackward)
            if !isLast {
                jumps.append(here)
                try emit(.jump(0))
                program.instructions[split] = .split(split + 1, here)
            }
        }
        for jump in jumps { program.instructions[jump] = .jump(here) }
    }

    private mutating func addRepetition(
        _ node: PatternNode, _ least: Int, _ most: Int?, isGreedy: Bool, isBackward: Bool
    ) throws(PatternError) {
        for _ in 0..<least {
            // A part that writes no instruction may be repeated as often as one likes.
            let before = here
            try add(node, isBackward: isBackward)
            if here == before { break }
        }
        guard let most else {
            let split = here
            try emit(.split(0, 0))
            try add(node, isBackward: isBackward)
            try emit(.jump(split))
            program.instructions[split] = isGreedy ? .split(split + 1, here) : .split(here, split + 1)
            return
        }
        var splits: [Int] = []
        for _ in 0..<(most - least) {
            splits.append(here)
            try emit(.split(0, 0))
            try add(node, isBackward: isBackward)
        }
        for split in splits { program.instructions[split] = isGreedy ? .split(split + 1, here) : .split(here, split + 1) }
    }
}
