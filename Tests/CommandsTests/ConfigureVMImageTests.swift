import FactoryCore
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Commands

/// Command lines of configure-vm-image in a folder of their own, with an engine that only remembers what it is asked for.
private final class Bench: Sendable {
    let folder: FilePath
    private let asked = Mutex<ImageConfigurationRequest?>(nil)

    init(_ folder: FilePath) { self.folder = folder }

    static func with(_ body: (Bench) async throws -> Void) async throws {
        try await Scratch.with { try await body(Bench($0.path)) }
    }

    /// With an image and the files of the newer program.
    static func withImage(_ body: (Bench) async throws -> Void) async throws {
        try await with { bench in
            try bench.write("image.qcow2")
            for name in ["user-data", "meta-data", "vendor-data", "network-config"] {
                try bench.write("cloud-init/" + name)
            }
            try await body(bench)
        }
    }

    var request: ImageConfigurationRequest? { asked.withLock { $0 } }

    func write(_ name: String) throws {
        try WritableFolder.make(folder.pushing(FilePath(name)).removingLastComponent(), "the folder")
        try Scratch.write("x", folder.appending(name))
    }

    func path(_ name: String) -> FilePath { folder.appending(name) }

    /// - Parameters:
    ///   - warning: what the work warns of.
    ///   - tell: what hears everything at once.
    func run(
        _ arguments: [String], _ failure: ImageConfigurationFailure? = nil, warning: String? = nil,
        recovered: [String] = [], tell: (@Sendable (String) -> Void)? = nil
    ) async throws -> ForeignAnswer {
        asked.withLock { $0 = nil }
        let place = ConfigurationPlace(folder: folder, tell: tell) { [self] request, notes in
            asked.withLock { $0 = request }
            notes.note("booting")
            if let warning { notes.warn(warning) }
            if let failure { throw failure }
            return ConfiguredImage(
                image: request.output ?? request.image, digest: Digest(of: []),
                setup: .init(
                    seconds: 61.5, status: "done", datasource: "DataSourceNoCloud", recoverableErrors: recovered),
                reset: [.init(operation: "machine-id", changed: ["/etc/machine-id"]), .init(operation: "utmp")])
        }
        return try await ConfigureVMImage.answer(arguments, in: place)
    }

    /// What the newer program is asked for by one more option.
    func asking(_ arguments: String...) async throws -> ImageConfigurationRequest {
        let answer = try await run(["image.qcow2"] + arguments)
        #expect(answer.status == 0, "\(answer.errors)")
        return try #require(request)
    }
}

/// The object that a run printed.
private struct Result: Decodable, Equatable {
    var msg: String
    var return_code: Int32
    var status: String
    var outputs: [String]?
    var warnings: [String]?

    init(_ text: String) throws { self = try Canonical.decode(Self.self, from: Array(text.utf8)) }
}

@Suite struct ConfigureVMImageCurrentTests {
    @Test func `Success is an object on standard output and nothing else`() async throws {
        try await Bench.withImage { bench in
            let answer = try await bench.run(["image.qcow2"])
            #expect(
                answer.output == """
                    {
                        "msg": "Succesfully configured image: image.qcow2",
                        "return_code": 0,
                        "status": "success"
                    }

                    """)
            #expect((answer.errors, answer.status) == ("", 0))
        }
    }

    @Test func `Without options all that is asked for is the older program's, but for libvirt and its size`()
        async throws
    {
        try await Bench.withImage { bench in
            let request = try await bench.asking()
            #expect(request.image == bench.path("image.qcow2"))
            #expect(request.output == nil)
            #expect(request.format == nil)
            #expect(
                request.seed == [
                    .userData: bench.path("cloud-init/user-data"), .metaData: bench.path("cloud-init/meta-data"),
                    .vendorData: bench.path("cloud-init/vendor-data"),
                    .networkConfig: bench.path("cloud-init/network-config"),
                ])
            #expect(request.seedOutput == bench.path("cloud-init/cidata.iso"))
            #expect(request.log == bench.path("tmp/configure-vm.log"))
            #expect(request.hypervisor == .qemu)
            #expect(request.libvirt.template == nil)
            #expect(request.libvirt.domainName == nil)
            #expect((request.processors, request.memory, request.processor) == (1, .gibi(2), nil))
            #expect(try request.reset == ResetSelection(parsing: ["defaults,-ssh-userdir"]))
            #expect((request.network, request.firmware, request.degradation) == (.proxy, .bios, .warn))
            #expect((request.timeout, request.monitorSocket) == (nil, nil))
            #expect(!request.keepsFailed)
            #expect(!request.makesHostKeyUnit)
        }
    }

    @Test func `Each option is in what is asked for`() async throws {
        try await Bench.withImage { bench in
            try bench.write("other")
            try bench.write("machine.xml")
            for kind in SeedFile.Kind.allCases {
                let request = try await bench.asking("--config-\(kind.rawValue)-path", "other")
                #expect(request.seed[kind] == bench.path("other"))
            }
            #expect(try await bench.asking("-N", "other").seed[.networkConfig] == bench.path("other"))
            #expect(try await bench.asking("--image-format", "vpc").format == .vhd)
            for name in ["--cloud-init-iso-output-path", "-ci-output"] {
                #expect(try await bench.asking(name, "a/seed.iso").seedOutput == bench.path("a/seed.iso"))
            }
            for name in ["--configure-vm-log-path", "-cv-log"] {
                #expect(try await bench.asking(name, "/dev/../tmp/no-such-log").log == "/tmp/no-such-log")
            }
            for name in ["--configure-vm-name", "-cv-name"] {
                #expect(try await bench.asking(name, "builder").libvirt.domainName == "builder")
            }
            for name in ["--configure-vm-orchestrator", "-cv-orch"] {
                #expect(try await bench.asking(name, "qemu").hypervisor == .qemu)
                for word in ["libvirt", "libvirt-provider"] {
                    #expect(try await bench.asking(name, word).hypervisor == .libvirt)
                }
            }
            for name in ["--configure-vm-template-path", "-cv-tp"] {
                let request = try await bench.asking(name, "machine.xml", "-cv-orch", "libvirt")
                #expect(request.libvirt.template == bench.path("machine.xml"))
                #expect(try await bench.asking(name, "machine.xml").libvirt.template == nil)
            }
            for name in ["--configure-vm-template-values", "-cv-tv"] {
                let values = "num_vcpus=4,memory_size=4096MiB,cpu_architecture=x86_64,machine=pc,args=a=b"
                let request = try await bench.asking(name, values)
                #expect((request.processors, request.memory) == (4, .gibi(4)))
                #expect(
                    request.libvirt.values == [
                        "num_vcpus": "4", "memory_size": "4194304", "cpu_architecture": "x86_64", "machine": "pc",
                        "args": "a=b",
                    ])
            }
            let libvirt = try await bench.asking("-cv-orch", "libvirt", "-cv-tv", "machine=q35")
            #expect((libvirt.processors, libvirt.memory) == (4, .gibi(4)))
            #expect(
                libvirt.libvirt.values == [
                    "num_vcpus": "4", "memory_size": "4194304", "cpu_architecture": "x86_64", "machine": "q35",
                ])
            #expect(try await bench.asking("-cv-tv", "memory_size=1048576").memory == .gibi(1))
            for name in ["--configure-vm-remove-options", "-cv-ro"] {
                #expect(
                    try await bench.asking(name, "nvram,managed_save tpm").libvirt.removeOptions
                        == ["nvram", "managed-save", "tpm"])
            }
            for name in ["--reset-operations", "-ro"] {
                #expect(
                    try await bench.asking(name, "utmp,tmp-files").reset == ResetSelection([.utmp, .temporaryFiles]))
                #expect(try await bench.asking(name, "").reset == .defaults)
            }
            #expect(try await bench.asking("--output", "out/done.qcow2").output == bench.path("out/done.qcow2"))
            #expect(Scratch.names(bench.folder).contains("out"))
            for network in CloudSetup.Network.allCases {
                #expect(try await bench.asking("--network", network.rawValue).network == network)
            }
            #expect(try await bench.asking("--firmware", "uefi").firmware == .uefi)
            #expect(try await bench.asking("--strict").degradation == .fail)
            #expect(try await bench.asking("--timeout", "15m").timeout == .seconds(900))
            #expect(try await bench.asking("--timeout", "90").timeout == .seconds(90))
            #expect(try await bench.asking("--keep-failed").keepsFailed)
            #expect(try await bench.asking("--no-reset").reset == nil)
            #expect(try await bench.asking("--make-host-keys").makesHostKeyUnit)
            #expect(try await bench.asking("--cpu-model", "Nehalem").processor == "Nehalem")
            let watched = try await bench.asking("--monitor-socket", "m.sock")
            #expect(watched.monitorSocket == bench.path("m.sock") && watched.requiresMonitor)
        }
    }

    @Test func `Files for cloud-init may be missing, and without any there is no seed`() async throws {
        try await Bench.with { bench in
            try bench.write("image.qcow2")
            try bench.write("cloud-init/user-data")
            #expect(try await bench.asking().seed == [.userData: bench.path("cloud-init/user-data")])
            let request = try await bench.asking("--config-user-data-path", "none")
            #expect(request.seed == [:])
            #expect(request.seedOutput == nil)
            let strict = try await bench.run(["image.qcow2", "--config-user-data-path", "none", "--strict"])
            #expect(strict.status == 1)
            #expect(
                try Result(strict.errors).msg
                    == "Path not found: \(bench.path("none")) - error: could not find the user-data configuration file")
        }
    }

    @Test func `Warnings are on standard error without being asked for, and in the object of a failure`() async throws {
        try await Bench.withImage { bench in
            let line = ["image.qcow2", "--config-user-data-path", "typo"]
            let missing =
                "warning: Path not found: \(bench.path("typo")) - error: could not find the user-data configuration file, "
                + "continuing without it"
            let answer = try await bench.run(line, warning: "warning: no KVM")
            #expect(answer.errors == missing + "\nwarning: no KVM\n")
            #expect((answer.status, try Result(answer.output).outputs) == (0, nil))
            #expect(bench.request?.seed[.userData] == nil)
            let verbose = try Result(try await bench.run(line + ["-v"], warning: "warning: no KVM").output)
            #expect(verbose.outputs?.contains(missing) == true && verbose.outputs?.contains("warning: no KVM") == true)
            let failed = try await bench.run(line, ImageConfigurationFailure(.reset, "why"), warning: "warning: no KVM")
            #expect(try Result(failed.errors).warnings == [missing, "warning: no KVM"])
            let none = try await bench.run(["none"])
            #expect(try Result(none.errors).warnings == nil)
        }
    }

    @Test func `A file that no option names may be missing without a warning`() async throws {
        try await Bench.with { bench in
            try bench.write("image.qcow2")
            let answer = try await bench.run(["image.qcow2"])
            #expect(answer.errors == "")
        }
    }

    @Test func `Who waits hears warnings at once, and not again at the end`() async throws {
        try await Bench.withImage { bench in
            let heard = NoteKeeper()
            let answer = try await bench.run(
                ["image.qcow2", "-cv-name", "x"], warning: "warning: no KVM", recovered: ["late"],
                tell: { heard.add($0) })
            #expect(answer.errors == "warning: cloud-init could recover from: late\n")
            #expect(
                heard.all == [
                    "warning: --configure-vm-name is not used: the machine is made by qemu", "booting",
                    "warning: no KVM",
                ])
        }
    }

    @Test func `An error that a warning told is not told again`() async throws {
        try await Bench.withImage { bench in
            let answer = try await bench.run(
                ["image.qcow2"], warning: "warning: cloud-init was degraded: one", recovered: ["one", "two"])
            #expect(
                answer.errors
                    == "warning: cloud-init was degraded: one\nwarning: cloud-init could recover from: two\n")
        }
    }

    @Test func `What only libvirt needs is warned of without it`() async throws {
        try await Bench.withImage { bench in
            let options = [
                "-cv-name", "x", "-cv-ro", "nvram", "-cv-tv", "machine=q35,num_vcpus=2", "-cv-tp", "image.qcow2",
            ]
            let end = "not used: the machine is made by qemu"
            let answer = try await bench.run(["image.qcow2"] + options)
            #expect(
                answer.errors.split(separator: "\n") == [
                    "warning: --configure-vm-name is \(end)", "warning: --configure-vm-remove-options is \(end)",
                    "warning: the VM template description is \(end)", "warning: not used without libvirt: machine",
                ])
            let libvirt = try await bench.run(["image.qcow2", "-cv-orch", "libvirt"] + options)
            #expect(libvirt.errors == "")
        }
    }

    @Test func `A log that is there stays, and the next one has a number behind its name`() async throws {
        try await Bench.withImage { bench in
            try bench.write("tmp/configure-vm.log")
            #expect(try await bench.asking().log == bench.path("tmp/configure-vm.log.1"))
            try bench.write("tmp/configure-vm.log.1")
            #expect(try await bench.asking().log == bench.path("tmp/configure-vm.log.2"))
        }
    }

    @Test func `A template of the default path is used with libvirt only`() async throws {
        try await Bench.withImage { bench in
            try bench.write("res/configure-vm-template.xml.j2")
            #expect(try await bench.asking().libvirt.template == nil)
            #expect(
                try await bench.asking("-cv-orch", "libvirt").libvirt.template
                    == bench.path("res/configure-vm-template.xml.j2"))
        }
    }

    @Test(arguments: ["--verbose", "-v"])
    func `What is done is told as outputs where it is asked for`(option: String) async throws {
        try await Bench.with { bench in
            try bench.write("image.qcow2")
            try bench.write("cloud-init/user-data")
            try bench.write("tmp/configure-vm.log")
            let result = try Result(
                await bench.run(["image.qcow2", option, "-cv-tv", "disk2_path=/x", "-cv-tp", "image.qcow2"]).output)
            let outputs = try #require(result.outputs)
            func path(_ name: String) -> String { bench.path(name).string }
            for line in [
                "Using the following paths to configure the given image",
                "Cloud-init data configuration path: " + path("cloud-init/user-data"),
                "Cloud-init meta data configuration path: " + path("cloud-init/meta-data"),
                "Cloud-init vendor data configuration path: " + path("cloud-init/vendor-data"),
                "Cloud-init network configuration path: " + path("cloud-init/network-config"),
                "Cloud-init output iso path: " + path("cloud-init/cidata.iso"),
                "Configure VM log path: " + path("tmp/configure-vm.log"),
                "Configure VM template path: " + path("image.qcow2"),
                "warning: the VM template description is not used: the machine is made by qemu",
                "warning: not used without libvirt: disk2_path",
                "Path not found: \(path("cloud-init/meta-data")) - error: could not find the meta-data configuration "
                    + "file, continuing without it",
                "Generating the cloud-init iso image at: " + path("cloud-init/cidata.iso"),
                "The configuring log file: \(path("tmp/configure-vm.log")) already exists, increasing the designated "
                    + "file name",
                "Generated new log file path: " + path("tmp/configure-vm.log.1"), "booting",
                "Finished configuring the image in 61 s: done from DataSourceNoCloud", "Reset machine-id: 1 changed",
            ] {
                #expect(outputs.contains(line), "\(line)")
            }
            #expect(!outputs.contains { $0.contains("utmp") })
            #expect(try await Result(bench.run(["image.qcow2"]).output).outputs == nil)
        }
    }

    @Test func `What stands in the way of a start has its code and message, and starts nothing`() async throws {
        try await Bench.withImage { bench in
            func path(_ name: String) -> String { bench.path(name).string }
            let wrong = "Invalid attribute type: <class 'str'> for value: "
            let cases: [([String], Int32, String)] = [
                (
                    ["none.qcow2", "-cv-tp", "none.xml"], 1,
                    "Path not found: \(path("none.xml")) - error: could not find the VM template configuration file"
                ),
                (["none.qcow2"], 1, "Path not found: none.qcow2 - error: could not find the image to configure"),
                (
                    ["image.qcow2", "-cv-orch", "vagrant"], 1,
                    "Failed to find the vagrant command on the system. Please ensure that it is installed; hint: the "
                        + "machine is made by qemu or by libvirt"
                ),
                (
                    ["image.qcow2", "-ci-output", "image.qcow2/x/cidata.iso"], 3,
                    "Failed to create path: \(path("image.qcow2/x"))"
                ),
                (["image.qcow2", "-cv-log", "image.qcow2/log"], 3, "Failed to create path: \(path("image.qcow2"))"),
                (["image.qcow2", "--output", "image.qcow2/out"], 3, "Failed to create path: \(path("image.qcow2"))"),
                (
                    ["image.qcow2", "-ro", "defaults,machineid"], 5,
                    "Failed to reset image: image.qcow2 - error: there is no reset operation 'machineid'; hint: choose "
                        + "from: defaults, all, abrt-data"
                ),
                (
                    ["image.qcow2", "--reset-operations=-ssh-hostkeys"], 5,
                    "Failed to reset image: image.qcow2 - error: no reset operation is left; hint: a '-' takes away"
                ),
                (["image.qcow2", "-cv-tv", "num_vcpus"], 6, "Missing attribute: value in num_vcpus"),
                (["image.qcow2", "-cv-tv", "a=1,=4"], 6, "Missing attribute: key in =4"),
                (["image.qcow2", "-cv-tv", "num_vcpus=many"], 7, wrong + "many - must be int"),
                (["image.qcow2", "-cv-tv", "num_vcpus=0"], 7, wrong + "0 - must be int"),
                (["image.qcow2", "-cv-tv", "memory_size=4x"], 7, wrong + "4x - must be a size such as 4096MiB"),
                (["image.qcow2", "-cv-tv", "cpu_architecture=aarch64"], 7, wrong + "aarch64 - must be x86_64"),
                (
                    ["image.qcow2", "--image-format", "zip"], 7,
                    wrong + "zip - must be one of raw, qcow2, vmdk, vhd, vhdx, vdi"
                ),
                (["image.qcow2", "--network", "lan"], 7, wrong + "lan - must be one of proxy, open, none"),
                (["image.qcow2", "--firmware", "both"], 7, wrong + "both - must be one of bios, uefi"),
                (["image.qcow2", "--timeout", "soon"], 7, wrong + "soon - must be a time such as 90s or 15m"),
            ]
            for (line, code, message) in cases {
                let answer = try await bench.run(line)
                #expect((answer.status, answer.output) == (code, ""), "\(line)")
                let result = try Result(answer.errors)
                #expect(result.msg.hasPrefix(message), "\(line): \(result.msg)")
                #expect((result.return_code, result.status, result.outputs) == (code, "failed", nil))
                #expect(bench.request == nil, "\(line)")
            }
        }
    }

    @Test func `Each failure of the work has its code and message, with what helps`() async throws {
        try await Bench.withImage { bench in
            let cases: [(ImageConfigurationFailure.Reason, Int32, String)] = [
                (.pathNotFound("/x"), 1, "Path not found: /x - error: why; hint: this"),
                (.noTool, 1, "why; hint: this"), (.load("/x"), 2, "Failed to load path: /x - error: why; hint: this"),
                (.create("/x"), 3, "Failed to create path: /x - error: why; hint: this"),
                (.seed, 3, "Failed to create path: cloud-init/cidata.iso - error: why; hint: this"),
                (.configure(.timeout), 4, "Failed to configure image: image.qcow2 - error: why; hint: this"),
                (.configure(nil), 4, "Failed to configure image: image.qcow2 - error: why; hint: this"),
                (.reset, 5, "Failed to reset image: image.qcow2 - error: why; hint: this"),
                (.check("/x"), 10, "Failed to check path: /x - error: why; hint: this"),
            ]
            for (reason, code, message) in cases {
                let failure = ImageConfigurationFailure(reason, "why", details: ["hint: this"])
                let answer = try await bench.run(["image.qcow2"], failure)
                #expect((answer.status, answer.output) == (code, ""))
                let result = try Result(answer.errors)
                #expect((result.msg, result.return_code, result.status) == (message, code, "failed"))
                let verbose = try await Result(bench.run(["image.qcow2", "-v"], failure).errors)
                #expect(verbose.outputs?.suffix(2) == ["booting", "hint: this"])
            }
        }
    }

    @Test func `What a person has to know is on standard error, apart from the object`() throws {
        let image = ConfiguredImage(
            image: "/image.qcow2", digest: Digest(of: []),
            setup: .init(seconds: 1, status: "degraded", recoverableErrors: ["no \u{1b}[1m"]), findings: 2)
        let answer = ConfigureVMResult(
            message: "m", code: .success, outputs: nil, warnings: ConfigurationNotes.warnings(image)
        ).answer
        #expect(
            answer.errors.split(separator: "\n") == [
                "warning: cloud-init could recover from: no ",
                "warning: the rules of sound images found 2 things; 'image-factory verify /image.qcow2' tells them",
            ])
        #expect(try Result(answer.output).msg == "m")
    }

    @Test func `Usage errors are those of argparse, with 2`() async throws {
        try await Bench.withImage { bench in
            for (line, message) in [
                (["-v"], "the following arguments are required: image_path"),
                (["image.qcow2", "more"], "unrecognized arguments: more"),
                (["image.qcow2", "-cv-tv", "a=1", "b=2"], "unrecognized arguments: b=2"),
                (["image.qcow2", "-vr"], "argument --verbose/-v: ignored explicit argument 'r'"),
                (["image.qcow2", "--verbose-reset"], "unrecognized arguments: --verbose-reset"),
                (["image.qcow2", "-ro", "-machine-id"], "argument --reset-operations/-ro: expected one argument"),
            ] {
                let answer = try await bench.run(line)
                #expect((answer.status, answer.output) == (2, ""))
                #expect(answer.errors.hasPrefix("usage: configure-vm-image [-h] [--version] [--image-format "))
                #expect(answer.errors.hasSuffix("configure-vm-image: error: \(message)\n"), "\(answer.errors)")
                #expect(bench.request == nil)
            }
        }
    }

    @Test func `Version and help are on standard output`() async throws {
        try await Bench.with { bench in
            for option in ["--version", "-V"] {
                let answer = try await bench.run([option])
                #expect((answer.output, answer.status) == ("0.1.3\n", 0))
            }
            for option in ["--help", "-h"] {
                let answer = try await bench.run([option])
                #expect(answer.output == ConfigureVMImageGrammar.current.help)
                #expect(answer.status == 0)
            }
        }
    }
}

@Suite struct ConfigureVMImageSeedTests {
    private func withFiles(_ body: (Bench) async throws -> Void) async throws {
        try await Bench.with { bench in
            for name in ["user-data", "meta-data", "vendor-data"] { try bench.write("cloud-init-config/" + name) }
            try await body(bench)
        }
    }

    @Test func `Without arguments everything is where the older program looks for it`() async throws {
        try await withFiles { bench in
            let answer = try await bench.run([])
            #expect(answer.output == "Configured the image: \(bench.path("generated-images/image.qcow2"))\n")
            #expect((answer.errors, answer.status) == ("", 0))
            let request = try #require(bench.request)
            #expect(request.image == bench.path("generated-images/image.qcow2"))
            #expect(
                request.seed == [
                    .userData: bench.path("cloud-init-config/user-data"),
                    .metaData: bench.path("cloud-init-config/meta-data"),
                    .vendorData: bench.path("cloud-init-config/vendor-data"),
                ])
            #expect(request.seedOutput == bench.path("image-config/seed.img"))
            #expect((request.memory, request.processors, request.processor) == (.gibi(2), 1, "host"))
            #expect(request.reset == .defaults)
            #expect(request.monitorSocket == nil)
            try bench.write("generated-images/image.qcow2")
            _ = try await bench.run([])
            #expect(bench.request?.monitorSocket == bench.path("generated-images/qemu-monitor-socket"))
            #expect(bench.request?.requiresMonitor == false)
        }
    }

    @Test func `Each option is in what is asked for`() async throws {
        try await withFiles { bench in
            try bench.write("other")
            let answer = try await bench.run([
                "--image-input-path", "i.raw", "---image-qemu-socket-path", "run/monitor", "--config-user-data-path",
                "other", "--config-meta-data-path=other", "--config-vendor-data-path", "other",
                "--config-seed-output-path", "seeds/s.img", "--qemu-cpu-model", "max", "--output", "o.raw", "--network",
                "none", "--strict", "--timeout", "2h", "--keep-failed", "--no-reset", "--make-host-keys", "--firmware",
                "uefi",
            ])
            #expect(answer.status == 0, "\(answer.errors)")
            let request = try #require(bench.request)
            #expect((request.image, request.output) == (bench.path("i.raw"), bench.path("o.raw")))
            #expect(request.monitorSocket == bench.path("run/monitor") && request.requiresMonitor)
            #expect(Set(request.seed.values) == [bench.path("other")])
            #expect(request.seedOutput == bench.path("seeds/s.img"))
            #expect(request.processor == "max")
            #expect((request.network, request.degradation, request.firmware) == (.none, .fail, .uefi))
            #expect((request.timeout, request.reset) == (.seconds(7200), nil))
            #expect(request.keepsFailed)
            #expect(request.makesHostKeyUnit)
            #expect(Scratch.names(bench.folder).contains("run"))
        }
    }

    @Test func `Warnings are on standard error, of failures too`() async throws {
        try await withFiles { bench in
            let good = try await bench.run([], warning: "warning: no KVM", recovered: ["one"])
            #expect(good.errors == "warning: no KVM\nwarning: cloud-init could recover from: one\n")
            let bad = try await bench.run([], ImageConfigurationFailure(.reset, "why"), warning: "warning: no KVM")
            #expect(bad.errors == "warning: no KVM\nwhy\n")
        }
    }

    @Test func `All three files must be there`() async throws {
        try await withFiles { bench in
            for kind in ["user-data", "meta-data", "vendor-data"] {
                let answer = try await bench.run(["--config-\(kind)-path", "none", "--qemu-cpu-model", "host"])
                #expect(
                    answer.output == """
                        Failed to find a cloud-init \(kind) file at: none
                        Failed to generate the image configuration

                        """)
                #expect(answer.status == 2)
                #expect(answer.errors.hasPrefix("hint: "))
                #expect(bench.request == nil)
            }
        }
    }

    @Test func `A folder that cannot be made is 1`() async throws {
        try await withFiles { bench in
            try bench.write("file")
            for option in ["--config-seed-output-path", "---image-qemu-socket-path", "--output"] {
                let answer = try await bench.run([option, "file/x"])
                #expect(answer.status == 1)
                #expect(answer.output == "Failed to create the directory: \(bench.path("file"))\n")
                #expect(answer.errors.contains("is not a folder"))
                #expect(bench.request == nil)
            }
        }
    }

    @Test func `Each failure of the work has its code, and is told on standard error`() async throws {
        try await withFiles { bench in
            let cases: [(ImageConfigurationFailure.Reason, Int32, String)] = [
                (.create("/x"), 1, "Failed to create the path: /x"),
                (.seed, 2, "Failed to generate the image configuration"),
                (.pathNotFound("/x"), 3, "Failed to configure the image"),
                (.load("/x"), 3, "Failed to configure the image"),
                (.configure(.guestPanic), 3, "Failed to configure the image"),
                (.check("/x"), 3, "Failed to configure the image"),
                (.noTool, 3, "Failed to configure the image"),
                (.reset, 4, "Failed to reset the image"),
            ]
            for (reason, code, line) in cases {
                let answer = try await bench.run([], ImageConfigurationFailure(reason, "why", details: ["hint: this"]))
                #expect((answer.status, answer.output) == (code, line + "\n"))
                #expect(answer.errors == "why\nhint: this\n")
            }
        }
    }

    @Test func `Usage errors have 2`() async throws {
        try await withFiles { bench in
            for (line, message) in [
                (["--qemu-cpu-model"], "argument --qemu-cpu-model: expected one argument"),
                (["---image-qemu-socket-path", "s", "x"], "unrecognized arguments: x"),
                (["--timeout", "0s"], "argument --timeout: invalid value: '0s' (must be a time such as 90s or 15m)"),
            ] {
                let answer = try await bench.run(line)
                #expect((answer.status, answer.output) == (2, ""))
                #expect(answer.errors.hasPrefix("usage: configure-vm-image [-h] [--image-input-path "))
                #expect(answer.errors.hasSuffix("configure-vm-image: error: \(message)\n"), "\(answer.errors)")
            }
        }
    }

    @Test(arguments: [
        ([], true), (["--image-input-path", "i"], true), (["---image-qemu-socket-path=s"], true),
        (["---i", "s"], true),
        (["--qemu", "max"], true), (["--config-seed-output-path", "s", "i"], true),
        (["--config-user-data-path", "u"], true), (["--strict"], true), (["i"], false), (["--help"], false),
        (["--version"], false), (["--config-user-data-path", "u", "i"], false), (["--image-format", "raw"], false),
        (["-v"], false), (["--", "--qemu-cpu-model"], false), (["--nothing"], false),
    ])
    func `The two command lines are told apart by options and by the image`(line: [String], isSeed: Bool) {
        #expect(ConfigureVMImage.isSeed(line) == isSeed)
    }
}
