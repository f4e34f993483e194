import Engine
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing
import Tooling

@testable import Steps

@Suite struct SetupProbeTests {
    /// The parts of a message as Python's reader of messages, which is cloud-init's, sees them.
    private func parts(_ message: [UInt8]) async throws -> [String] {
        try await Scratch.with { scratch in
            let file = scratch.path.appending("message")
            try SmallFile.create(file, message)
            let program = """
                import email, sys
                for part in email.message_from_bytes(open(sys.argv[1], 'rb').read()).walk():
                    if part.get_content_maintype() != 'multipart':
                        print(part.get_content_type(), part.get_filename(), repr(part.get_payload(decode=True))[:200])
                """
            let result = try await CommandRunner().run(Command("python3", ["-c", program, file.string]))
            return result.text.split(separator: "\n").map(String.init)
        }
    }

    static let userData: [(String, [String])] = [
        ("#cloud-config\nä: [\"b\"]\n", ["text/plain None b'#cloud-config\\n\\xc3\\xa4: [\"b\"]\\n'"]),
        ("#!/bin/sh\necho --x--\n", ["text/plain None b'#!/bin/sh\\necho --x--\\n'"]), ("", []),
        (
            "From nobody\nContent-Type: multipart/mixed; boundary=\"==b==\"\nMIME-Version: 1.0\n\n--==b==\n"
                + "Content-Type: text/x-shellscript\n\n#!/bin/sh\n--==b==--",
            ["text/x-shellscript None b'#!/bin/sh'"]
        ),
    ]

    @Test(arguments: userData)
    func `User-data of any kind stays as it is beside our part`(_ given: (String, [String])) async throws {
        let found = try await parts(SetupProbe().userData(Array(given.0.utf8)))
        #expect(Array(found.dropLast()) == given.1)
        #expect(
            found.last?.hasPrefix("text/cloud-boothook image-factory-probe b'#cloud-boothook\\n#!/bin/sh\\n") == true)
    }

    @Test func `Compressed user-data is a part of its own kind`() async throws {
        let found = try await parts(SetupProbe().userData([0x1f, 0x8b, 8, 0]))
        #expect(found.first == "application/gzip None b'\\x1f\\x8b\\x08\\x00'")
    }

    @Test(arguments: 0..<130) func `Base64 is as others read it`(size: Int) async throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let text = Base64.lines(bytes)
        #expect(text.split(separator: 0x0a).allSatisfy { $0.count <= 76 })
        guard size % 13 == 0 else { return }
        try await Scratch.with { scratch in
            try SmallFile.create(scratch.path.appending("text"), text)
            let result = try await CommandRunner().run(
                Command("base64", ["-d", scratch.path.appending("text").string]))
            #expect(result.standardOutput == bytes)
        }
    }

    /// Runs the hook below a folder as in a guest without systemd, with programs of our own, in a containment: it switches
    /// the machine off that it is in. Returns what the port got.
    private func run(
        _ shell: [String], status: String, code: Int, result: String, lastCommands: String = "",
        prepare: (FilePath) throws -> Void = { _ in }, check: (FilePath) throws -> Void = { _ in }
    ) async throws -> ProbeReceiver {
        try await Scratch.with { scratch in
            let root = scratch.path
            let inside: FilePath = "/mnt/root"
            try prepare(root)
            for path in ["bin", "dev", "dev/virtio-ports", "run", "run/cloud-init"] {
                mkdir(root.pushing(FilePath(path)).string, 0o755)
            }
            let programs = [
                "cloud-init": "#!/bin/sh\ncase $* in *json*) printf '%s' '\(status)';; esac\nexit \(code)\n",
                "systemctl": "#!/bin/sh\n[ \"$1\" = poweroff ]\n", "journalctl": "#!/bin/sh\n", "fstrim": "#!/bin/sh\n",
            ]
            for (name, text) in programs {
                try Scratch.write(text, root.appending("bin").appending(name))
                chmod(root.appending("bin").appending(name).string, 0o755)
            }
            let port = root.pushing("dev/virtio-ports/image-factory.probe")
            try Scratch.write("", port)
            let probe = SetupProbe(lastCommands: lastCommands)
            try Scratch.write(probe.script, root.appending("hook"))
            let given = try await CommandRunner().run(
                Command("chown", ["-R", "\(Containment.hostIdentity)", root.string]))
            #expect(given.succeeded || geteuid() != 0)
            func start(_ arguments: [FilePath], _ more: String...) async throws {
                let words = shell + arguments.map(\.string) + more
                let command = Command(
                    words[0], Array(words.dropFirst()),
                    environment: [
                        "IMAGE_FACTORY_ROOT": inside.string, "PATH": "\(inside)/bin:\(Command.searchPath)",
                    ],
                    containment: Containment(
                        workSize: .mebi(16), binds: [.init(source: root, target: inside.string, writable: true)]),
                    timeout: .seconds(60))
                let ended = try await CommandRunner(helper: builtExecutable()).run(command)
                #expect(ended.succeeded, "\(ended.lastLines)")
            }
            try await start([inside.appending("hook")])
            try Scratch.write(result, root.pushing("run/cloud-init/result.json"))
            try await start([inside.pushing("run/image-factory-probe/probe")], "wait")
            let text = try Scratch.read(port)
            let receiver = ProbeReceiver(probe)
            receiver.add(Array(text.utf8))
            #expect(text.hasSuffix(probe.finishedLine + "\n"))
            try check(root)
            return receiver
        }
    }

    static let shells = [["sh"], ["busybox", "sh"]]

    @Test(arguments: shells) func `The hook tells what cloud-init says and switches off`(_ shell: [String]) async throws
    {
        let told = try await run(
            shell, status: "....\n{\n\"status\": \"done\",\n\t\"errors\": []\n}\n", code: 2,
            result: "{\n \"v1\": {\"datasource\": \"DataSourceNoCloud\", \"errors\": []}\n}\n")
        #expect(told.hasStarted)
        let report = try #require(told.report)
        #expect(report.exit == 2)
        #expect(report.status["status"]?.string == "done")
        #expect(report.result["v1"]?["datasource"]?.string == "DataSourceNoCloud")
    }

    @Test func `An old cloud-init has no status as JSON`() async throws {
        let told = try await run(["sh"], status: "status: done", code: 0, result: "{}")
        #expect(told.report == ProbeReport(exit: 0, status: .null, result: .object([:])))
    }

    @Test func `The hook does nothing in another machine`() async throws {
        try await Scratch.with { scratch in
            let hook = scratch.path.appending("hook")
            try Scratch.write(SetupProbe().script, hook)
            let result = try await CommandRunner().run(
                Command("sh", [hook.string], environment: ["IMAGE_FACTORY_ROOT": scratch.path.string]))
            #expect(result.succeeded)
            #expect(Scratch.names(scratch.path) == ["hook"])
        }
    }

    @Test(arguments: shells)
    func `A guest that the host cannot edit resets itself, and says what`(_ shell: [String]) async throws {
        let files = [
            "etc/machine-id": "0123\n", "var/log/syslog": "x", "var/log/syslog.1": "x",
            "var/log/messages-20261121": "x", "tmp/.hidden": "x", "tmp/a b": "x", "var/lib/cloud/data/result.json": "x",
            "var/lib/cloud/seed/nocloud/user-data": "x", "etc/ssh/ssh_host_rsa_key": "x", "root/.bash_history": "x",
            "home/one/.ssh/authorized_keys": "x", "home/one/notes": "x", "etc/passwd-": "x",
            "etc/sysconfig/network-scripts/ifcfg-eth0": "A=1\nHWADDR=2\n", "home/one/notes.bak": "x",
        ]
        var left: [String] = []
        let told = try await run(
            shell, status: "{}", code: 0, result: "{}", lastCommands: ResetScript(.defaults).text
        ) { root in
            for (path, text) in files {
                var folder = root
                for name in FilePath(path).components.dropLast() {
                    folder.append(name)
                    mkdir(folder.string, 0o755)
                }
                try Scratch.write(text, root.pushing(FilePath(path)))
            }
        } check: { root in
            left = try files.keys.sorted().filter { access(root.pushing(FilePath($0)).string, F_OK) == 0 }.map {
                "\($0) \(try Scratch.read(root.pushing(FilePath($0))).count)"
            }
        }
        #expect(
            left == [
                "etc/machine-id 0", "etc/sysconfig/network-scripts/ifcfg-eth0 4", "home/one/notes 1",
                "var/lib/cloud/seed/nocloud/user-data 1", "var/log/syslog 0",
            ])
        #expect(told.reset["tmp-files"]?.contains { $0.hasSuffix("/tmp/a b") } == true)
        #expect(told.reset["logfiles"]?.contains { $0.hasSuffix("/var/log/syslog.1") } == true)
        #expect(told.reset["machine-id"]?.count == 1)
    }

    @Test func `Lines without the token count for nothing`() {
        let probe = SetupProbe()
        let receiver = ProbeReceiver(probe)
        receiver.add(Array(#"{"token":"0","event":"started"}"#.utf8) + [0x0a])
        receiver.add(Array("no JSON\n".utf8))
        #expect(!receiver.hasStarted)
        receiver.add(Array("{\"token\":\"\(probe.token)\",\"event\":\"started\"}\r\n".utf8))
        #expect(receiver.hasStarted)
    }
}

@Suite struct GuestWordsTests {
    @Test func `What a guest says of its reset is kept up to a limit, and only of operations that there are`() {
        let probe = SetupProbe()
        let receiver = ProbeReceiver(probe)
        func say(_ operation: String, _ path: String) {
            let event = #"{"token":"\#(probe.token)","event":"reset","operation":"\#(operation)","path":"\#(path)"}"#
            receiver.add(Array((event + "\n").utf8))
        }
        say("no-operation", "/a")
        say("logfiles", "/" + String(repeating: "a", count: 5000))
        #expect(receiver.reset.isEmpty)
        for number in 0..<ProbeReceiver.resetLimit + 10 { say("logfiles", "/\(number)") }
        #expect(receiver.reset["logfiles"]?.count == ProbeReceiver.resetLimit)
    }

    @Test func `The copy of a console ends at its limit`() async throws {
        try await Scratch.with { scratch in
            let file = scratch.path.appending("console.log")
            let console = try SetupConsole(StepReport(step: "test") { _ in }, copy: file, limit: 10)
            for _ in 0..<4 { console.append(Array("1234\n".utf8)) }
            #expect(try Scratch.read(file) == "1234\n1234\n")
        }
    }
}

@Suite struct CloudInitVerdictTests {
    private func verdict(
        status: JSONValue = ["status": "done"], result: JSONValue, exit: Int64 = 0, hasSeed: Bool = true,
        _ degradation: CloudSetup.Degradation = .warn
    ) -> CloudInitVerdict {
        CloudInitVerdict(
            ProbeReport(exit: exit, status: status, result: .null), result: result, hasSeed: hasSeed,
            degradation: degradation)
    }

    private let fine: JSONValue = ["v1": ["datasource": "DataSourceNoCloud [seed=/dev/vdb]", "errors": []]]

    @Test func `What is done is done, whatever is deprecated`() {
        let found = verdict(
            status: ["status": "done", "recoverable_errors": ["DEPRECATED": ["old key"]]], result: fine, exit: 2)
        #expect(found.failure == nil && found.reason == nil)
        #expect(found.recoverable == ["DEPRECATED": ["old key"]])
    }

    @Test func `Another data source is no seed`() {
        let other: JSONValue = ["v1": ["datasource": "DataSourceNone", "errors": []]]
        #expect(verdict(result: other).failure == .noDatasource)
        #expect(verdict(result: other, hasSeed: false).failure == nil)
    }

    @Test func `Errors of any stage are errors, each told once`() {
        let status: JSONValue = ["status": "error", "modules-final": ["errors": ["one", "two"]], "errors": ["one"]]
        let found = verdict(status: status, result: fine, exit: 1)
        #expect(found.failure == .cloudInitError)
        #expect(found.reason == "one (and 1 more)")
        #expect(found.errors == ["one", "two"])
    }

    @Test func `A full disk is known among the errors`() {
        let status: JSONValue = ["errors": ["OSError: [Errno 28] No space left on device"]]
        #expect(verdict(status: status, result: fine, exit: 1).failure == .diskFull)
    }

    @Test func `An error without a name is one`() {
        #expect(verdict(status: .null, result: fine, exit: 1).failure == .cloudInitError)
    }

    @Test func `User-data that is left out is an error, other warnings are what was asked for`() {
        let ignored: JSONValue = [
            "init": ["recoverable_errors": ["WARNING": ["Failed at merging in cloud config part from part-001: x"]]]
        ]
        #expect(verdict(status: ignored, result: fine, exit: 2).failure == .cloudInitError)
        let other: JSONValue = ["recoverable_errors": ["WARNING": ["no name", "no route"]]]
        #expect(verdict(status: other, result: fine, exit: 2).failure == nil)
        #expect(verdict(status: other, result: fine, exit: 2).reason == "no name (and 1 more)")
        #expect(verdict(status: other, result: fine, exit: 2, .fail).failure == .cloudInitDegraded)
    }
}
