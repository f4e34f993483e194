import Glibc
package import Model
package import SystemPackage

/// Runs programs of the host, contained or not.
package struct CommandRunner: CommandRunning {
    private let helper: FilePath
    private let captureLimit: ByteCount
    private let proxies: [String: String]

    /// - Parameters:
    ///   - helper: the `image-factory` executable, which sets containments up. This process is one, except in tests.
    ///   - captureLimit: how much standard output a result keeps.
    ///   - proxies: environment variables for contained programs that use the host's network.
    package init(
        helper: FilePath = "/proc/self/exe", captureLimit: ByteCount = .mebi(1),
        proxies: [String: String] = CommandRunner.callerProxies
    ) {
        self.helper = helper
        self.captureLimit = captureLimit
        self.proxies = proxies
    }

    /// The proxy settings in the environment of this process.
    package static var callerProxies: [String: String] {
        var settings: [String: String] = [:]
        for name in ["http_proxy", "https_proxy", "no_proxy"] {
            if let value = getenv(name) { settings[name] = String(cString: value) }
        }
        return settings
    }

    package func run(_ command: Command, onLine: @escaping LineHandler) async throws -> CommandResult {
        try await withRunning(command, onLine: onLine) { try await $0.waitUntilExit() }
    }

    package func withRunning<Value: Sendable>(
        _ command: Command, onLine: @escaping LineHandler, body: (RunningCommand) async throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let launch = try Launch(command, helper: helper, proxies: proxies)
        let recorder = OutputRecorder(command: command, captureLimit: Int(captureLimit.bytes), onLine: onLine)
        let scope = RunningScope(launch: launch, recorder: recorder)
        return try await scope.run(body)
    }
}
