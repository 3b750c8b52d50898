import Testing

/// The live suite: the real executable as a child process, real runc, Trivy and registry, and this process as an outside
/// client over HTTP, SSE and WebSocket.
///
/// One test after the other: they share a network and two cores, and some look at what is left on the machine.
@Suite(.serialized, .timeLimit(.minutes(5)))
enum Live {}
