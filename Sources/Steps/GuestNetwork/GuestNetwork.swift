import Glibc
package import Engine
package import Model
package import SystemPackage
package import Tooling

/// The network of an installing guest. With `proxy` the guest reaches the program's own caching proxy, whatever name it
/// asks for, and nothing else: QEMU runs in a network namespace where only the relay of `Containment` listens.
///
///     let (value, traffic) = try await GuestNetwork.with(
///         action.network, folder: folder, inside: "/mnt/machine", environment: environment, context: context
///     ) { network in
///         virtualMachine.machine.network = network.machine
///         virtualMachine.network = network.containment
///         return try await virtualMachine.run(…)
///     }
package struct GuestNetwork: Sendable {
    /// For `Machine.network`.
    package let machine: Machine.Network
    /// For `VirtualMachine.network`, the network of QEMU itself.
    package let containment: Containment.Network
    /// What has come through it so far, where that is known: a sign that the guest does something.
    package let bytes: @Sendable () -> UInt64

    /// Runs `body` while the guest's network is there. Warnings and a summary go to the step's log.
    ///
    /// - Parameters:
    ///   - folder: the machine's folder on the host, which QEMU's containment has at `inside`, writable.
    /// - Returns: what `body` returned, and what went through the network: nil where that is open.
    package static func with<Value>(
        _ kind: Netinstall.Network, folder: FilePath, inside: String, environment: StepEnvironment,
        context: StepContext, body: (GuestNetwork) async throws -> Value
    ) async throws -> (Value, GuestTraffic?) {
        let report = context.report
        guard kind == .proxy else {
            report.warn("network: open lets the guest reach whatever this machine reaches, and this machine itself")
            return (try await body(GuestNetwork(machine: .shared, containment: .host, bytes: { 0 })), nil)
        }
        try environment.tools.require(.curl)
        var rules = ProxyRules(mirrors: environment.guestMirrors)
        rules.mirrors += GuestMirrors.rules(for: await HostMirrors.lines(runner: environment.runner))
        rules.usesProxy = !CommandRunner.callerProxies.isEmpty
        let scratch = context.scratch.appending("downloads")
        guard mkdir(scratch.string, 0o755) == 0 || errno == EEXIST else {
            throw FactoryError(.cannotCreate, "cannot make \(scratch): \(Errno(rawValue: errno))")
        }
        defer { rmdir(scratch.string) }
        let cache = GuestCache(store: environment.cache)
        let settings = GuestProxy.Settings(
            rules: rules, cache: cache, scratch: scratch, isOffline: environment.offline)
        return try await with(
            settings, folder: folder, inside: inside, runner: environment.runner, report: report, body)
    }

    static func with<Value>(
        _ settings: GuestProxy.Settings, folder: FilePath, inside: String, runner: any CommandRunning,
        report: StepReport, _ body: (GuestNetwork) async throws -> Value
    ) async throws -> (Value, GuestTraffic?) {
        let proxy = try GuestProxy(settings, in: folder, runner: runner) { line, isWarning in
            if isWarning { report.warn(line) } else { report.log(line) }
        }
        let socket = inside + "/" + GuestProxy.socketName
        let network = GuestNetwork(machine: .shared, containment: .relayed(socket: socket)) {
            let traffic = proxy.counter.traffic
            return traffic.downloaded &+ traffic.cached
        }
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(network)) } catch { outcome = .failure(error) }
        await proxy.stop()
        unlink(folder.appending(GuestProxy.socketName).string)
        let traffic = proxy.counter.traffic
        report.log(traffic.description)
        if !traffic.refused.isEmpty {
            report.warn(
                "the guest did not reach \(traffic.refused.joined(separator: ", ")): guests reach http only; "
                    + "use network: open if it needs more")
        }
        return (try outcome.get(), traffic)
    }
}

/// The mirrors of this machine's apt in the place of the public archives that answer files name.
enum GuestMirrors {
    private struct Archive {
        var origin: String
        var label: String
        var pathSuffix: String
        /// Where the archive is known to the world.
        var places: [String]
    }

    private static let archives = [
        Archive(
            origin: "Debian", label: "Debian", pathSuffix: "/debian",
            places: ["deb.debian.org/debian", "ftp.debian.org/debian", "cdn-fastly.deb.debian.org/debian"]),
        Archive(
            origin: "Debian", label: "Debian-Security", pathSuffix: "/debian-security",
            places: [
                "security.debian.org/debian-security", "deb.debian.org/debian-security", "security.debian.org",
            ]),
        Archive(
            origin: "Ubuntu", label: "Ubuntu", pathSuffix: "/ubuntu",
            places: ["archive.ubuntu.com/ubuntu", "security.ubuntu.com/ubuntu"]),
    ]

    /// For the lines of `HostMirrors`. An archive that this machine does not use is asked where the guest says.
    static func rules(for lines: String) -> [MirrorRule] {
        archives.flatMap { archive -> [MirrorRule] in
            let mirror = HostMirrors.choose(
                lines, origin: archive.origin, label: archive.label, pathSuffix: archive.pathSuffix)
            guard let mirror else { return [] }
            return archive.places.compactMap { MirrorRule(origin: $0, replacement: mirror) }
        }
    }
}
