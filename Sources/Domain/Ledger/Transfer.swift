/// Why credits move.
public enum TransferKind: String, Sendable, Hashable, CaseIterable {
    /// An administrator gives credits to an account, or takes them back.
    case grant
    /// A job's worst case is set aside when it is sent.
    case hold
    /// A job is over: what it costs goes to those who earned it, the rest back to the Consumer.
    case settlement
}

/// Credits that move at once: a double entry, whose parts add up to zero.
public struct Transfer: Sendable, Hashable {
    /// Why they move.
    public let kind: TransferKind
    /// What each account gains, or loses where it is negative; none is zero. In the order of the accounts' names.
    public let entries: [Entry]

    /// One side of a transfer.
    public struct Entry: Sendable, Hashable {
        /// Where credits come or go.
        public let account: LedgerAccount
        /// Credits; negative for those that go.
        public let amount: Int
    }

    /// The most credits that one transfer moves, and that there are. Chosen: far from the ends of 64 bits, so that no sum of balances can overflow;
    /// a million Consumers with a billion credits each.
    public static let creditsMax = 1_000_000_000_000_000

    /// Gathers what each account gains; an account that stands in several parts gains their sum.
    ///
    /// - Precondition: the parts add up to zero and none is larger than ``creditsMax``: a transfer that is not balanced is a programmer's mistake,
    ///   and must not reach the books.
    init(_ kind: TransferKind, _ parts: [(LedgerAccount, Int)]) {
        precondition(parts.allSatisfy { abs($0.1) <= Self.creditsMax }, "a transfer is larger than the ledger")
        precondition(parts.reduce(0) { $0 + $1.1 } == 0, "a transfer does not add up to zero")
        self.kind = kind
        // A handful of parts, for which a table would take longer.
        var sums: [(name: String, entry: Entry)] = []
        for (account, amount) in parts {
            if let place = sums.firstIndex(where: { $0.entry.account == account }) {
                sums[place].entry = Entry(account: account, amount: sums[place].entry.amount + amount)
            } else {
                sums.append((account.name, Entry(account: account, amount: amount)))
            }
        }
        entries = sums.filter { $0.entry.amount != 0 }.sorted { $0.name < $1.name }.map(\.entry)
    }

    /// An administrator gives credits.
    ///
    /// - Parameter amount: credits; below zero to take them back. Not larger than ``creditsMax`` either way.
    public static func grant(_ amount: Int, to accountID: String) -> Transfer {
        Transfer(.grant, [(.wallet(accountID: accountID), amount), (.issued, -amount)])
    }

    /// A Consumer's credits are set aside for a job.
    public static func hold(_ amount: Int, of consumerID: String) -> Transfer {
        Transfer(.hold, [(.wallet(accountID: consumerID), -amount), (.holds, amount)])
    }

    /// A job is over.
    ///
    /// - Parameters:
    ///   - held: what was set aside for it.
    ///   - split: who gets how much of it; at most `held` together.
    ///   - islandOwnerID: the owner of the Island that ran it; `nil` if none did, which earns nothing.
    public static func settlement(held: Int, split: ChargeSplit, consumerID: String, islandOwnerID: String?, publisherID: String) -> Transfer {
        precondition(islandOwnerID != nil || split.island == 0, "nobody ran the job, and somebody earned by it")
        return Transfer(
            .settlement,
            [
                (.holds, -held), (.wallet(accountID: consumerID), held - split.charge), (.platform, split.platform),
                (.wallet(accountID: publisherID), split.publisher),
            ] + (islandOwnerID.map { [(.wallet(accountID: $0), split.island)] } ?? []))
    }
}
