/// The command lines of both generations of configure-vm-image, and what this program takes beside.
enum ConfigureVMImageGrammar {
    static let program = "configure-vm-image"

    /// Of 0.1.3.
    static let current = ArgparseGrammar(
        program: program,
        summary: [
            "Boots a disk image once with files for cloud-init, waits until cloud-init says that it is done, shuts the "
                + "guest down and takes from the disk what belongs to one instance. If anything fails, the image stays "
                + "as it was.",
            "Files for cloud-init that are not there are left out. Without the path of an image it is the older "
                + "program, which takes --image-input-path, ---image-qemu-socket-path, --config-seed-output-path and "
                + "--qemu-cpu-model.",
        ],
        options: [
            .help, .init("--version", "-V", kind: .version, help: "print the version and exit"),
            .init(
                "--image-format", standard: "what the header says",
                help: "what the image is said to be: its header must agree"),
            .init("--config-user-data-path", standard: "cloud-init/user-data", help: "cloud-init's user-data"),
            .init("--config-meta-data-path", standard: "cloud-init/meta-data", help: "cloud-init's meta-data"),
            .init("--config-vendor-data-path", standard: "cloud-init/vendor-data", help: "cloud-init's vendor-data"),
            .init(
                "--config-network-config-path", "-N", standard: "cloud-init/network-config",
                help: "cloud-init's network-config"),
            .init(
                "--configure-vm-name", "-cv-name", standard: "one of its own",
                help: "what libvirt calls the machine"),
            .init(
                "--cloud-init-iso-output-path", "-ci-output", standard: "cloud-init/cidata.iso",
                help: "gets a copy of the seed, an ISO 9660 image"),
            .init(
                "--configure-vm-log-path", "-cv-log", standard: "tmp/configure-vm.log",
                help: "gets what the guest writes to its console; a log that is there stays, and .1, .2 and so on is "
                    + "put behind the name of the new one"),
            .init(
                "--configure-vm-template-path", "-cv-tp", standard: "res/configure-vm-template.xml.j2 if it is there",
                help: "the machine as libvirt's XML with places for values, used with libvirt only"),
            .init(
                "--configure-vm-template-values", "-cv-tv",
                standard: "num_vcpus=1,memory_size=2GiB, with libvirt num_vcpus=4,memory_size=4GiB",
                help: "KEY=VALUE, several of them with commas between: num_vcpus and memory_size of the machine, "
                    + "cpu_architecture (x86_64) and machine, and others that the template has"),
            .init(
                "--configure-vm-orchestrator", "-cv-orch", standard: "qemu",
                help: "what the machine is made by: qemu, or libvirt, which may also be called libvirt-provider"),
            .init(
                "--configure-vm-remove-options", "-cv-ro",
                help: "what libvirt removes with the machine, such as nvram,managed_save"),
            .init(
                "--reset-operations", "-ro", standard: "defaults,-ssh-userdir",
                help: "what is taken from the disk, by the names of virt-sysprep: a list of operations with commas "
                    + "between, defaults or all; a - in front takes away one that stands before it"),
            .init("--verbose", "-v", kind: .flag, help: "tell what is done, as outputs of the result"),
            .init(
                "--cpu-model", standard: "host", help: "QEMU's name of the processor; host is the best that there is"),
            .init("--monitor-socket", help: "a socket for QEMU's monitor while the guest runs"),
        ] + added, positionals: [.init("image_path", "the image, which the result replaces")])

    /// Of the first program.
    static let seed = ArgparseGrammar(
        program: program,
        summary: ["The older program: needs user-data, meta-data and vendor-data, and prints lines."],
        options: [
            .help,
            .init(
                "--image-input-path", standard: "generated-images/image.qcow2",
                help: "the image, which the result replaces"),
            // With three dashes: that is how the program has it.
            .init(
                "---image-qemu-socket-path", standard: "generated-images/qemu-monitor-socket",
                help: "a socket for QEMU's monitor while the guest runs"),
            .init("--config-user-data-path", standard: "cloud-init-config/user-data", help: "cloud-init's user-data"),
            .init("--config-meta-data-path", standard: "cloud-init-config/meta-data", help: "cloud-init's meta-data"),
            .init(
                "--config-vendor-data-path", standard: "cloud-init-config/vendor-data",
                help: "cloud-init's vendor-data"),
            .init(
                "--config-seed-output-path", standard: "image-config/seed.img",
                help: "gets a copy of the seed, an ISO 9660 image"),
            .init(
                "--qemu-cpu-model", standard: "host",
                help: "QEMU's name of the processor; host is the best that there is"),
        ] + added)

    /// In the order in which a manual has them.
    static let all = [current, seed]

    /// What neither of the older programs has. No name of these may make a shortened name of theirs ambiguous.
    private static let added: [ArgparseGrammar.Option] = [
        .init("--output", help: "gets the result in place of the image"),
        .init(
            "--network", standard: "proxy",
            help:
                "what the guest reaches: proxy for packages through the program's own cache and nothing else, open for "
                + "whatever the host does, none"),
        .init("--firmware", standard: "bios", help: "the firmware of the machine: bios or uefi"),
        .init(
            "--strict", kind: .flag,
            help: "fail where cloud-init had errors that it could recover from, and where a file is not there that an "
                + "option names, which else are warnings"),
        .init(
            "--timeout", standard: "30m, and 3h without KVM",
            help:
                "how long the guest may take, such as 90s, 15m or 2h; where KVM fails it starts once more without it, "
                + "and has that time again"),
        .init("--keep-failed", kind: .flag, help: "keep the disk of a guest that failed, to look at it"),
        .init("--no-reset", kind: .flag, help: "leave in the disk what belongs to one instance"),
        .init(
            "--make-host-keys", kind: .flag,
            help:
                "where nothing in the image would make new host keys of ssh, add a unit that does; without it such an "
                + "image is refused"),
    ]
}
