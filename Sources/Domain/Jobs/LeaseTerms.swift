/// How long an Island holds a job without a word. Source: DESIGN §4.8.
public enum LeaseTerms {
    /// A lease ends this long after its last renewal.
    public static let length: Duration = .seconds(30)
    /// An Island renews its leases this often.
    public static let renewal: Duration = .seconds(10)
    /// An Island that was not heard of for longer is not known to be at work. Chosen: a renewal that comes half an interval late is no silence.
    public static let silenceMax: Duration = .seconds(15)
}
