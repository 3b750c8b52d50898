/// Sorted measurements.
struct Percentiles {
    private let sorted: [Double]

    /// - Parameter values: at least one, in any order.
    init(_ values: [Double]) {
        precondition(!values.isEmpty, "nothing was measured")
        sorted = values.sorted()
    }

    /// The smallest value that so many per cent of all are not above, by nearest rank.
    subscript(percent: Int) -> Double { sorted[Swift.max(0, (percent * sorted.count + 99) / 100 - 1)] }

    var max: Double { sorted[sorted.count - 1] }
}
