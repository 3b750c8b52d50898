/// The calls that level 3 has beyond ``DefaultCalls``: what clients of a network and drivers of a GPU need.
///
/// Chosen: what resolvers, HTTP clients and CUDA's user-space driver were seen to make; they were not run on a GPU by the makers of this table.
public enum NetworkCalls {
    /// The calls that work whatever their arguments.
    public static let allowed: [CallRule] = [
        CallRule.group("several datagrams in one call, as resolvers send them", "sendmmsg recvmmsg"),
        CallRule.group("older names of calls that are allowed, used by language run times", "accept epoll_create eventfd signalfd4 inotify_init1"),
        CallRule.group("watching configuration such as resolv.conf", "inotify_add_watch inotify_rm_watch"),
        CallRule.group("timers of clients", "timer_delete timer_gettime timerfd_gettime"),
    ].flatMap { $0 }

    /// Further calls for the drivers of a GPU.
    public static let forGPU: [CallRule] = [
        CallRule.group("memory that stays in place while a device reads it", "mlock mlock2 munlock"),
        CallRule.group("memory near a processor", "mbind get_mempolicy set_mempolicy getcpu sched_setaffinity"),
    ].flatMap { $0 }

    /// Beside those of ``DefaultCalls``: netlink, by which programs list addresses; of the Cargo's own network namespace only.
    static let addressFamilies: [AddressFamily] = [.netlink]
}
